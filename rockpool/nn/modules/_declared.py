"""Modules that are a model of ``rockpool.nn.models``: what its table says becomes their attributes.

The constructor of a layer calls ``self._declare(locals(), super().__init__)``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, ClassVar

import numpy as np

from rockpool.nn.models import checks
from rockpool.nn.models.model import Model, ParameterSpec, SettingSpec, Spec, StateSpec
from rockpool.nn.modules._attributes import RegisteredAttribute
from rockpool.nn.modules._module_base import ModuleBase
from rockpool.nn.modules._telling import warn_user
from rockpool.parameters import Parameter, Shape, SimulationParameter, State, shape_of

__all__ = ["DeclaredModule"]

_SPIKING = ("spiking_input", "spiking_output")


class DeclaredModule(ModuleBase):
    """A module that can be declared by the table of a model."""

    # The table of what the class is, for those that are a model of `rockpool.nn.models`
    _model: ClassVar[Model]
    # How values are stored: those of parameters, and states at rest of some shape
    _as_parameter: ClassVar[Any] = staticmethod(partial(np.array, dtype=np.float64))
    _zeros: ClassVar[Any] = staticmethod(np.zeros)

    def _declare(self, arguments: Mapping[str, Any], base_init: Callable[..., None]) -> None:
        """Construct a module of ``_model``: check its arguments, set up its base, register.

        Parameters
        ----------
        arguments : mapping
            The arguments of the constructor by name: its ``locals()``. Names that the table does
            not know are for the class itself. `Model.check` raises before anything is set up.
        base_init : callable
            The constructor of the next class, ``super().__init__``.
        """
        model, owner = self._model, type(self).__name__
        if "shape" in arguments.get("kwargs", {}):  # of a layer whose shape follows
            model.module_shape(owner, arguments["kwargs"]["shape"])
        shape = model.full_shape(owner, arguments)
        model.check(owner, shape, arguments)
        _warn_of_milliseconds(owner, model, arguments)
        _warn_of_reshaping(owner, model, shape, arguments)
        if model.shape_setting:
            entries = checks.shape_entries(owner, arguments["shape"])
            arguments = {**arguments, model.shape_setting: entries}
        flags = [arguments[name] for name in _SPIKING if name in arguments]
        dtype = checks.precision(owner, "dtype", arguments.get("dtype", np.float64))
        base_init(shape[:2], *flags, *arguments.get("args", ()), **arguments.get("kwargs", {}))
        if dtype != self._dtype:
            self.__dict__.update(
                _dtype=dtype,
                _as_parameter=partial(np.array, dtype=dtype),
                _zeros=partial(np.zeros, dtype=dtype),
            )
        try:
            for spec in model.attributes:
                self._declare_attribute(spec, shape, arguments)
        except MemoryError as error:
            raise MemoryError(f"{owner}: shape {shape} needs more memory than there is") from error

    def _declare_attribute(self, spec: Spec, shape: Shape, arguments: Mapping[str, Any]) -> None:
        """Register one parameter, state or setting of the table."""
        model = self._model
        if isinstance(spec, ParameterSpec):
            if not spec.is_present(arguments):
                self._declare_absent(spec.name, model.sized(shape, spec.shapes[0]))
                return
            parameter = Parameter(
                arguments.get(spec.name),
                family=spec.family,
                init_func=spec.init_func(arguments),
                shape=list(model.parameter_shapes(shape, spec)),
                cast_fn=self._as_parameter,
            )
            wanted = model.parameter_shapes(shape, spec)
            if spec.drawn_by and shape_of(parameter.data) not in wanted:
                raise ValueError(
                    f"{type(self).__name__}: {spec.drawn_by} must return values of the shape "
                    f"{wanted[0]}, got {shape_of(parameter.data)}"
                )
            setattr(self, spec.name, parameter)
        elif isinstance(spec, StateSpec):
            state = State(shape=model.sized(shape, spec.shape), init_func=self._zeros)
            setattr(self, spec.name, state)
        elif spec.attribute is not None and spec.name in arguments:
            value = self._as_setting(spec, arguments[spec.name])
            setattr(self, spec.attribute, SimulationParameter(value))

    def _as_setting(self, spec: SettingSpec, value: Any) -> Any:
        """Return a setting of the table as it is stored: a number in the type of its default."""
        return value if isinstance(value, str) else type(spec.default)(value)

    def _check_values(self, values: Mapping[str, Any]) -> None:
        super()._check_values(values)
        model = getattr(self, "_model", None)
        if model is not None:
            model.check_values(self._label, values, partial(getattr, self))

    def _check_unregistered(self, name: str, value: Any) -> None:
        # a bias that is assigned counts; recurrent weights do not, in a layer made without
        if name != "w_rec" or getattr(self, "_has_rec", True):
            return
        is_zero = isinstance(value, (int, float)) and value == 0  # which stands for none
        if "w_rec" in self._model.stored and not is_zero:
            checks.not_recurrent(self._label)

    def _put_attribute(self, name: str, value: Any) -> None:
        model = getattr(self, "_model", None)
        spec = None if model is None else model.stored.get(name)
        if isinstance(spec, SettingSpec) and not isinstance(spec.default, (int, float)):
            value = self._as_setting(spec, value)  # as the constructor: a function by its name
        super()._put_attribute(name, value)

    def _convert_attribute(self, name: str, value: Any, entry: RegisteredAttribute) -> Any:
        """Return a value as it is stored; here, of the table, numbers become arrays of floats.

        An array of floats stays what it is.
        """
        model = getattr(self, "_model", None)
        specs = () if model is None else (*model.parameters, *model.states)
        if _are_no_floats(value) and any(spec.name == name for spec in specs):
            value = checks.known_values(self._label, name, value)
        return super()._convert_attribute(name, value, entry)

    def _declare_absent(self, name: str, shape: Shape) -> None:
        """Do what a parameter of the table wants that this module has not; here nothing."""


def _are_no_floats(value: Any) -> bool:
    """Whether a value is numbers, but no array of floats of any back-end."""
    if isinstance(value, np.ndarray):
        return value.dtype.kind in "biuO"
    return isinstance(value, (np.generic, int, float, list, tuple))


_LONG_STEP = 0.1  # in seconds; a network that means milliseconds has no such time step


def _warn_of_reshaping(
    owner: str, model: Model, shape: Shape, arguments: Mapping[str, Any]
) -> None:
    """Warn of a matrix of other rows and columns, such as one that is to be transposed."""
    for spec in model.parameters:
        given = shape_of(arguments.get(spec.name))
        wanted = model.parameter_shapes(shape, spec)[0]
        if spec.exact:
            continue
        if given != wanted and sorted(given) == sorted(wanted) and min(given) > 1:
            warn_user(
                f"{owner}: {spec.name} should have the shape {wanted}, and its numbers are filled "
                f"in row by row, got {given}; if it is to be transposed, give its .T"
            )


def _warn_of_milliseconds(owner: str, model: Model, arguments: Mapping[str, Any]) -> None:
    """Warn of time constants in the range that they would have in milliseconds."""
    step = checks.known_values(owner, "dt", arguments.get("dt", 0.0))
    if step is not None and step >= _LONG_STEP:  # time is counted in steps, and means what it says
        return
    for spec in model.parameters:
        if spec.check is not checks.time_constant or arguments.get(spec.name) is None:
            continue
        known = checks.known_values(owner, spec.name, arguments[spec.name])
        if known is not None and known.size and 10 < known.max() < 1e5:
            largest = known[known < 1e5].max()
            warn_user(
                f"{owner}: {spec.name} is {largest:g} s: milliseconds meant? Time constants are in "
                f"seconds, {largest:g} ms are {largest * 1e-3:g}"
            )
