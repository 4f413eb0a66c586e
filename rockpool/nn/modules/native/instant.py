"""Any function as a module, in numpy: `Instant`.

`InstantTorch` and `InstantJax` live with their back-ends; both can be imported from here as well.
"""

from __future__ import annotations

from collections.abc import Callable
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Unpack

from rockpool.nn.description import Node
from rockpool.nn.models import checks
from rockpool.nn.modules._described import described_function
from rockpool.nn.modules.module import Module, ModuleArguments
from rockpool.parameters import SimulationParameter

__all__ = ["Instant", "InstantMixin"]

if TYPE_CHECKING:
    _ModuleClass = Module  # a mix-in's other base, for the type checker
else:
    _ModuleClass = object


def identity(x: Any) -> Any:
    """Return `x`."""
    return x


class InstantMixin(_ModuleClass):
    """What the classes for any function share; to be combined with a back-end's module class.

    Parameters
    ----------
    shape, function
        As for `Instant`.
    """

    _checks = MappingProxyType({"function": checks.function})

    function: Any  # assigned as a parameter object, read as the bare function

    def __init__(
        self,
        shape: int | tuple[int, ...] | None = None,
        function: Callable[[Any], Any] = identity,
        *args: Any,
        **kwargs: Unpack[ModuleArguments],
    ) -> None:
        owner = type(self).__name__
        if shape is None:
            raise ValueError(f"{owner}: shape must be given: N or (Nin, Nout)")
        checks.shape_entries(owner, shape)
        checks.function(owner, "function", function)
        super().__init__(shape, *args, **kwargs)
        self.function = SimulationParameter(function)

    def _describe(self) -> Node:
        return described_function(self, identity)

    @classmethod
    def _described_arguments(cls, node: Node) -> dict[str, Any]:
        function = node.settings["function"]
        return {"shape": node.shape, "function": identity if function == "identity" else function}

    def evolve(
        self, input_data: Any, record: bool = False
    ) -> tuple[Any, dict[str, Any], dict[str, Any]]:
        """Return ``function(input_data)``, without state and without record.

        The function gets input of the shape (B, T, Nin), (T, Nin) or (T,) as (B, T, Nin).
        """
        data, _ = self._auto_batch(input_data)
        return self.function(data), {}, {}


class Instant(InstantMixin, Module):
    """A module that applies a function to its input, without time or state.

    Parameters
    ----------
    shape : int or tuple of int
        ``N`` or ``(Nin, Nout)``: the function turns Nin channels into Nout.
    function : callable
        Called with an array of shape (B, T, Nin). Default: the identity.

    Raises
    ------
    ValueError
        No `shape`, or `function` is not callable.

    Examples
    --------
    >>> import numpy as np
    >>> from rockpool.nn.modules import Instant
    >>> output, _, _ = Instant(2, np.tanh)(np.zeros((3, 2)))
    >>> output.shape
    (1, 3, 2)
    """


def __getattr__(name: str) -> Any:
    if name in ("InstantTorch", "InstantJax"):
        from rockpool.nn import modules  # their rooms are above this one

        return getattr(modules, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
