"""The settings of compiled kernels: whether they are used, and how much memory. No back-end."""

from __future__ import annotations

from types import MappingProxyType

from rockpool.utilities._switch import ON_OR_OFF, Switch

__all__ = ["interpreter_wanted", "kernels_wanted", "numba_wanted", "save_memory", "use_kernels"]

_INTERPRETED = "triton"


class use_kernels(Switch):
    """Choose whether modules use compiled kernels, for good or for the length of a ``with`` block.

    Without a choice the environment variable ``ROCKPOOL_KERNELS`` decides: 0, off, no or false
    turns kernels off; 1, on, yes or true is the default, and anything else an error. Kernels are an
    implementation of the same equations: what changes is the speed.

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

    _variable = "ROCKPOOL_KERNELS"
    _words = MappingProxyType({**ON_OR_OFF, _INTERPRETED: True})


def kernels_wanted() -> bool:
    """Whether modules are to use compiled kernels where they serve."""
    return use_kernels._wanted()


def interpreter_wanted() -> bool:
    """Whether kernels for GPUs are to serve on the CPU too, run by Triton's interpreter: for tests.

    ``ROCKPOOL_KERNELS=triton`` asks for that; ``TRITON_INTERPRET=1`` has to be set as well.
    """
    return use_kernels._said() == _INTERPRETED


def numba_wanted() -> bool:
    """Whether kernels are to be used on the CPU, and those of numba: both of the above, at once."""
    said, chosen = use_kernels._said(), use_kernels._chosen
    return said != _INTERPRETED and (use_kernels._meant(said) if chosen is None else chosen)


class save_memory(Switch):
    """Choose whether training keeps little memory, for good or for the length of a ``with`` block.

    Without a choice the environment variable ``ROCKPOOL_MEMORY`` decides: low means yes, and
    anything else is an error. It is for LIF layers of torch that compiled kernels serve. For their
    gradients the membranes of all time steps are kept, as large as the output; to save memory, the
    state every 64 steps or more, and the membranes between are computed again in the backward pass.
    The gradients are the same.

    Parameters
    ----------
    wanted : bool or None
        Whether to save memory; None leaves it to the environment again.

    Examples
    --------
    >>> import torch
    >>> from rockpool.nn.kernels.switch import save_memory
    >>> from rockpool.nn.modules import LIFTorch
    >>> with save_memory(True):
    ...     output, _, _ = LIFTorch(3)(torch.ones(1, 500, 3))
    >>> output.sum().backward()
    """

    _variable = "ROCKPOOL_MEMORY"
    _default = False
    _words = MappingProxyType({"low": True})
