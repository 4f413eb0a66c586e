"""The setting that turns compiled kernels off. Standard library only."""

from __future__ import annotations

import os
from types import TracebackType

__all__ = ["interpreter_wanted", "kernels_wanted", "use_kernels"]

VARIABLE = "ROCKPOOL_KERNELS"
_OFF = {"0", "off", "no", "false"}
_INTERPRETED = "triton"

_chosen: bool | None = None  # by use_kernels; None leaves it to the environment


class use_kernels:
    """Choose whether modules use compiled kernels, for good or for the length of a ``with`` block.

    Without a choice the environment variable ``ROCKPOOL_KERNELS`` decides: 0, off, no or false
    turns kernels off. They are an implementation of the same equations: what changes is the speed.

    Parameters
    ----------
    wanted : bool or None
        Whether to use kernels where they serve; None leaves it to the environment again.

    Examples
    --------
    >>> from rockpool.nn.kernels.switch import kernels_wanted, use_kernels
    >>> with use_kernels(False):
    ...     kernels_wanted()
    False
    """

    def __init__(self, wanted: bool | None) -> None:
        global _chosen
        if wanted is not None and not isinstance(wanted, bool):
            raise TypeError(f"use_kernels: wanted must be True, False or None, got {wanted!r}")
        self._before = _chosen
        _chosen = wanted

    def __enter__(self) -> None:
        """Keep the choice for the block."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Return to the choice before."""
        global _chosen
        _chosen = self._before


def kernels_wanted() -> bool:
    """Whether modules are to use compiled kernels where they serve."""
    if _chosen is not None:
        return _chosen
    return os.environ.get(VARIABLE, "").strip().lower() not in _OFF


def interpreter_wanted() -> bool:
    """Whether kernels for GPUs are to serve on the CPU too, run by Triton's interpreter: for tests.

    ``ROCKPOOL_KERNELS=triton`` asks for that; ``TRITON_INTERPRET=1`` has to be set as well.
    """
    return os.environ.get(VARIABLE, "").strip().lower() == _INTERPRETED
