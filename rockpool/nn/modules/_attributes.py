"""What a module knows of one registered attribute, apart from its value: `RegisteredAttribute`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from rockpool.parameters import Parameter, ParameterBase, Shape, SimulationParameter, State

# Two spellings of one family are in use; a query finds both
_FAMILY_SPELLINGS = {"thresholds": "threshold", "biases": "bias"}


@dataclass(eq=False, slots=True)
class RegisteredAttribute:
    """What is known of one registered attribute, apart from its value.

    Attributes
    ----------
    kind : str
        ``"Parameter"``, ``"State"`` or ``"SimulationParameter"``.
    family : str or None
        The group that the attribute belongs to.
    init_func : callable or None
        ``init_func(shape)`` gives the value after a reset; None: there is nothing to go back to.
    shape : tuple of int
        The shape that a value must have (of one batch element, for a state).
    """

    kind: str
    family: str | None
    init_func: Callable[[Shape], Any] | None
    shape: Shape

    def belongs_to(self, families: frozenset[str] | None) -> bool:
        """Return True if the family is among the given ones; None stands for all families."""
        if families is None:
            return True
        return self.family is not None and _family_key(self.family) in families

    def fields(self) -> tuple[Any, ...]:
        """Return kind, family, init_func and shape."""
        return self.kind, self.family, self.init_func, self.shape

    def copy(self) -> RegisteredAttribute:
        """Return an independent record with the same contents."""
        return RegisteredAttribute(*self.fields())


def family_keys(family: str | Sequence[str] | None) -> frozenset[str] | None:
    """Return the families that a query asks for; None stands for all of them."""
    if family is None or (not isinstance(family, str) and len(family) == 0):
        return None
    return frozenset(map(_family_key, (family,) if isinstance(family, str) else family))


def _family_key(family: str) -> str:
    """Return the one spelling that stands for all spellings of a family."""
    return _FAMILY_SPELLINGS.get(family, family)


def kind_of(parameter: ParameterBase) -> str:
    """Return the name of the kind, also for an object of a class derived from one."""
    for kind in (Parameter, State, SimulationParameter):
        if isinstance(parameter, kind):
            return kind.__name__
    return type(parameter).__name__
