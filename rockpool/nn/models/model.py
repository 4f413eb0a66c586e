"""What a model says of itself, in one table: `Model`, of parameters, states and settings.

Shapes in a table are symbolic: ``("Nout", "S")`` stands for a row for each output neuron and a
column for each of its synapses, ``()`` for one number that all share. `Model.dimensions` says what
the names mean for a module of some shape.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from typing import Any

import numpy as np

from rockpool.nn.models import checks

__all__ = ["Model", "ParameterSpec", "SettingSpec", "Shape", "StateSpec"]

Shape = tuple[int, ...]
SymbolicShape = tuple[str | int, ...]
# (class that the user constructs, name of the argument, value): raises where it is not allowed
Check = Callable[[str, str, Any], None]


_MOST_NUMBERS = 2**45  # of one array: more than any machine has room for


def _no_check(owner: str, name: str, value: Any) -> None:
    """Allow any value."""


@dataclass(frozen=True)
class ParameterSpec:
    """One trainable parameter of a model.

    Attributes
    ----------
    name : str
        Name of the argument and of the attribute.
    family : str
        Family under which ``Module.parameters(family)`` finds it.
    shapes : tuple of symbolic shapes
        Permitted shapes; the first is the one that a default value gets.
    default : float or None
        Value of each element by default; None where it is drawn by the argument `drawn_by`.
    unit : str
        "s" for seconds, "" where there is no unit.
    check : callable
        Raises where a value is out of range.
    drawn_by : str
        Name of the argument with the function ``shape -> values`` that draws the default.
    only_with : str
        Name of the flag without which a module has no such parameter; "": every module has it.
    implies_flag : bool
        Whether a value that is given turns that flag on; if not, a value without it is an error.
    named : mapping
        Functions that the argument `drawn_by` may call by a name.
    exact : bool
        Whether values have to be of one of the shapes, and not just as many.
    """

    name: str
    family: str
    shapes: tuple[SymbolicShape, ...]
    default: float | None = None
    unit: str = ""
    check: Check = checks.finite
    drawn_by: str = ""
    only_with: str = ""
    implies_flag: bool = False
    named: Mapping[str, Callable[[Shape], Any]] = field(default_factory=dict)
    exact: bool = False

    def is_present(self, arguments: Mapping[str, Any]) -> bool:
        """Return whether a module that is constructed with these arguments has the parameter."""
        given = self.implies_flag and arguments.get(self.name) is not None
        return not self.only_with or given or bool(arguments.get(self.only_with))

    def can_be_drawn(self, arguments: Mapping[str, Any]) -> bool:
        """Return whether the argument `drawn_by` draws values, or none are needed."""
        drawn = arguments.get(self.drawn_by)
        if isinstance(drawn, str):
            return drawn in self.named
        unused = self.drawn_by not in arguments or not self.is_present(arguments)
        is_given = drawn is None and arguments.get(self.name) is not None
        return unused or is_given or callable(drawn)

    def init_func(self, arguments: Mapping[str, Any]) -> Callable[[Shape], Any]:
        """Return ``shape -> default values``; it can be pickled where the argument for it can."""
        if self.default is not None:
            return partial(np.full, fill_value=self.default)
        drawn: Callable[[Shape], Any] = arguments[self.drawn_by]
        return self.named[drawn] if isinstance(drawn, str) else drawn


@dataclass(frozen=True)
class StateSpec:
    """One state of a model, zero at rest: its name and the symbolic shape of one batch element."""

    name: str
    shape: SymbolicShape


@dataclass(frozen=True)
class SettingSpec:
    """One value of a model that is not trained.

    Attributes
    ----------
    name : str
        Name of the argument.
    default : object
        Its default.
    unit : str
        "s" for seconds, "" where there is no unit.
    check : callable
        Raises where a value is not allowed.
    stored_as : str or None
        Name of the attribute; by default that of the argument. None: the class stores it itself.
    types : tuple of type
        What it can be; by default of the type of its default, and an int for a float.
    """

    name: str
    default: Any
    unit: str = ""
    check: Check = _no_check
    stored_as: str | None = ""
    types: tuple[type, ...] = ()

    @property
    def attribute(self) -> str | None:
        """Name of the attribute, or None."""
        return self.name if self.stored_as == "" else self.stored_as

    @property
    def allowed(self) -> tuple[type, ...]:
        """What it can be."""
        kind = type(self.default)
        return self.types or ((int, float) if kind is float else (kind,))


Spec = ParameterSpec | StateSpec | SettingSpec


@dataclass(frozen=True)
class Model:
    """A model of neurons, synapses or weights, said once for every back-end.

    Attributes
    ----------
    name : str
        Name of the model, that of its numpy class.
    title : str
        What it is, in a few words.
    module_shape : callable
        ``(owner, shape argument) -> shape``, a tuple of ints; raises ValueError or TypeError.
    dimensions : callable
        ``shape -> {name: size}`` for the names in the symbolic shapes.
    attributes : tuple of specs
        Parameters, states and settings, in the order in which a module registers them.
    equations, source : str
        One time step, and where that is from. A line is ``name <- value`` for a state's new value,
        or ``name = value`` for what only has a name; values are expressions of Python. The site
        makes formulas of it.
    classes : dict
        Back-end to the class that is this model there, a name of `rockpool.nn.modules`.
    relation : callable
        ``(owner, arguments)``; raises where values do not go together.
    shape_setting : str
        Name of the setting that keeps the shape as it was given, a tuple of ints, where that of
        the module does not tell it; "": it does.
    shape_from : callable
        For a model that has no argument `shape`: ``(owner, arguments) -> (Nin, Nout, *more)``, the
        shape that follows from its settings, and what else `dimensions` has to know.
    """

    name: str
    title: str
    module_shape: Callable[[str, Any], Shape]
    dimensions: Callable[[Shape], dict[str, int]]
    attributes: tuple[Spec, ...]
    equations: str = ""
    source: str = ""
    classes: Mapping[str, str] = field(default_factory=dict)
    relation: Callable[[str, Mapping[str, Any]], None] | None = None
    shape_setting: str = ""
    shape_from: Callable[[str, Mapping[str, Any]], Shape] | None = None

    def __post_init__(self) -> None:
        for name in ("parameters", "states", "settings", "stored"):
            getattr(self, name)  # what computes a cached property ends a graph of torch

    @cached_property
    def parameters(self) -> tuple[ParameterSpec, ...]:
        """The trainable parameters."""
        return tuple(spec for spec in self.attributes if isinstance(spec, ParameterSpec))

    @cached_property
    def states(self) -> tuple[StateSpec, ...]:
        """The states."""
        return tuple(spec for spec in self.attributes if isinstance(spec, StateSpec))

    @cached_property
    def settings(self) -> tuple[SettingSpec, ...]:
        """What is not trained."""
        return tuple(spec for spec in self.attributes if isinstance(spec, SettingSpec))

    @cached_property
    def stored(self) -> dict[str, ParameterSpec | SettingSpec]:
        """The parameters and settings by the name of the attribute that holds them."""
        stored: dict[str, ParameterSpec | SettingSpec] = {p.name: p for p in self.parameters}
        return stored | {s.attribute: s for s in self.settings if s.attribute is not None}

    def __getitem__(self, name: str) -> Any:
        """Return the parameter, state or setting of that name."""
        return next(spec for spec in self.attributes if spec.name == name)

    def changed(self, name: str, **fields: Any) -> Model:
        """Return a table in which one parameter, state or setting has other fields."""
        attributes = (
            replace(spec, **fields) if spec.name == name else spec for spec in self.attributes
        )
        return replace(self, attributes=tuple(attributes))

    def extended(self, *more: Spec) -> Model:
        """Return a table with more parameters, states or settings behind those of this one."""
        return replace(self, attributes=(*self.attributes, *more))

    def arranged(self, names: str, *more: Spec) -> Model:
        """Return a table of these names alone, in this order.

        Parameters
        ----------
        names : str
            Names of parameters, states and settings, with spaces between them.
        *more : specs
            Some that this table has not.
        """
        known = {spec.name: spec for spec in (*self.attributes, *more)}
        return replace(self, attributes=tuple(known[name] for name in names.split()))

    def full_shape(self, owner: str, arguments: Mapping[str, Any]) -> Shape:
        """Return the shape for the arguments of a constructor, as `dimensions` takes it.

        The first two entries are the shape of the module; it raises as `module_shape` does.
        """
        if self.shape_from is not None:
            return self.shape_from(owner, arguments)
        return self.module_shape(owner, arguments["shape"])

    def described_shape(self, owner: str, shape: Any, settings: Mapping[str, Any]) -> Shape:
        """Return the same for a layer of that shape of the module, of which settings are known."""
        given = {spec.name: spec.default for spec in self.settings} | dict(settings)
        if self.shape_setting:
            shape = given[self.shape_setting]
        return self.full_shape(owner, {**given, "shape": shape})

    def sized(self, shape: Shape, symbolic: SymbolicShape) -> Shape:
        """Return a symbolic shape in numbers, for a module of that shape."""
        sizes = self.dimensions(shape)
        return tuple(entry if isinstance(entry, int) else sizes[entry] for entry in symbolic)

    def parameter_shapes(self, shape: Shape, spec: ParameterSpec) -> list[Shape]:
        """Return the permitted shapes of a parameter in numbers."""
        return [self.sized(shape, symbolic) for symbolic in spec.shapes]

    def check(self, owner: str, shape: Shape, arguments: Mapping[str, Any]) -> None:
        """Check the arguments of a constructor; those that are None or absent are skipped.

        Parameters
        ----------
        owner : str
            Name of the class that the user constructs; it begins each message.
        shape : tuple of int
            The shape of the module, as `full_shape` gives it.
        arguments : mapping
            Values by name; names that the table does not know are not looked at.

        Raises
        ------
        ValueError
            A value out of range or of a wrong shape; a value without its flag.
        TypeError
            A value that is not numbers.
        """
        for spec in self.parameters:
            shapes = self.parameter_shapes(shape, spec)
            checks.flag(owner, spec.only_with, arguments.get(spec.only_with))
            if spec.is_present(arguments) and math.prod(shapes[0]) > _MOST_NUMBERS:
                raise ValueError(f"{owner}: shape {shape} would need {spec.name} of {shapes[0]}")
            if not spec.can_be_drawn(arguments):
                known = checks.one_of(["a function of the shape", *map(repr, spec.named)])
                drawn = arguments[spec.drawn_by]
                raise ValueError(f"{owner}: {spec.drawn_by} must be {known}, got {drawn!r}")
            value = arguments.get(spec.name)
            if value is None:
                continue
            if not spec.is_present(arguments):
                raise ValueError(
                    f"{owner}: {spec.name} was given, but {spec.only_with} is False; set "
                    f"{spec.only_with}=True"
                )
            checks.shape_fits(owner, spec.name, shapes, value, spec.exact)
            spec.check(owner, spec.name, value)
        for setting in self.settings:
            if setting.name in arguments:
                setting.check(owner, setting.name, arguments[setting.name])
        if self.relation is not None:
            self.relation(owner, arguments)

    def check_values(
        self, owner: str, values: Mapping[str, Any], present: Callable[[str], Any]
    ) -> None:
        """Check values that are assigned to attributes of a module, as `check` does arguments.

        Parameters
        ----------
        owner : str
            The module, as messages call it.
        values : mapping
            New values by attribute; such that the table does not know are not looked at.
        present : callable
            ``name -> value`` of an attribute that stays as it is.

        Raises
        ------
        ValueError, TypeError
            As `check`; a TypeError too for None, which is no value.
        """
        known = {name: self.stored[name] for name in values if name in self.stored}
        for name, spec in known.items():
            if values[name] is None:
                raise TypeError(f"{owner}: {name} must have a value, got None")
            spec.check(owner, name, values[name])
        for state in self.states:
            checks.real_state(owner, state.name, values.get(state.name))
        if known and self.relation is not None:
            both = {
                spec.name: values[name] if name in values else present(name)
                for name, spec in self.stored.items()
                if not isinstance(spec, ParameterSpec) or not spec.only_with
            }
            self.relation(owner, both)
