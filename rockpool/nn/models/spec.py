"""One parameter of a model: its name, family, unit, default value and permitted shapes."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import numpy as np

Shape = tuple[int, ...]


class ParameterSpec(NamedTuple):
    """What a model says about one of its parameters.

    Attributes
    ----------
    name : str
        Name of the argument and of the attribute.
    family : str
        Family under which ``Module.parameters(family)`` finds it.
    shapes : tuple of shapes
        Permitted shapes; the first is the one that a default value gets.
    default : float or None
        Value of each element by default; None when the default is drawn at random.
    unit : str
        "s" for seconds, "" where there is no unit.
    """

    name: str
    family: str
    shapes: tuple[Shape, ...]
    default: float | None
    unit: str = ""

    def init_func(self, full: Callable[..., Any] = np.full) -> Callable[[Shape], Any]:
        """Return a function ``shape -> array filled with the default`` (it can be pickled).

        Parameters
        ----------
        full : callable
            ``full(shape, fill_value=...)`` of the back-end: ``np.full`` (default), ``torch.full``,
            ``jnp.full``.
        """
        if self.default is None:
            raise ValueError(f"{self.name} has no default value: give an initialiser")
        return partial(full, fill_value=self.default)

    def wrap(
        self,
        kind: Callable[..., Any],
        value: Any,
        init_func: Callable[[Shape], Any] | None = None,
        cast_fn: Callable[[Any], Any] | None = None,
    ) -> Any:
        """Return ``kind(value, ...)`` with this spec's family and permitted shapes.

        Parameters
        ----------
        kind : class
            ``Parameter`` or ``SimulationParameter``.
        value : array_like, optional
            The user's argument; where it is None, `init_func` makes the value.
        init_func : callable, optional
            ``shape -> value``. Default: filled with the default, by numpy.
        cast_fn : callable, optional
            Conversion of every value, to the back-end's array type.
        """
        return kind(
            value,
            family=self.family,
            init_func=init_func or self.init_func(),
            shape=list(self.shapes),
            cast_fn=cast_fn,
        )
