"""How a module keeps track of what is assigned to it: parameters, states and submodules.

Nothing here knows about neurons, time or back-ends; :mod:`rockpool.nn.modules.module` builds the
module interface on it and describes the hooks that a back-end overrides.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from rockpool.parameters import (
    Parameter,
    ParameterBase,
    Shape,
    SimulationParameter,
    State,
    is_tensor,
    shape_of,
    to_numpy,
)

if TYPE_CHECKING:
    from rockpool.nn.modules.module import ModuleBase

# Two spellings of one family are in use; a query finds both
_FAMILY_SPELLINGS = {"thresholds": "threshold", "biases": "bias"}


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

    __slots__ = ("family", "init_func", "kind", "shape")

    def __init__(
        self,
        kind: str,
        family: str | None,
        init_func: Callable[[Shape], Any] | None,
        shape: Shape,
    ) -> None:
        self.kind = kind
        self.family = family
        self.init_func = init_func
        self.shape = shape

    def belongs_to(self, families: frozenset[str] | None) -> bool:
        """Return True if the family is among the given ones; None stands for all families."""
        return families is None or family_key(self.family) in families

    def copy(self) -> RegisteredAttribute:
        """Return an independent record with the same contents."""
        return RegisteredAttribute(self.kind, self.family, self.init_func, self.shape)

    def __repr__(self) -> str:
        return f"RegisteredAttribute({self.kind}, {self.family!r}, {self.shape})"


def family_key(family: str | None) -> str | None:
    """Return the one spelling that stands for all spellings of a family."""
    return family if family is None else _FAMILY_SPELLINGS.get(family, family)


def family_keys(family: str | list[str] | tuple[str, ...] | None) -> frozenset[str] | None:
    """Return the families that a query asks for; None stands for all of them."""
    if family is None or (not isinstance(family, str) and len(family) == 0):
        return None
    names = (family,) if isinstance(family, str) else family
    return frozenset(_FAMILY_SPELLINGS.get(name, name) for name in names)


class AttributeRegistry:
    """A class that registers the parameters and modules that are assigned to its attributes."""

    _registered_attributes: dict[str, RegisteredAttribute]
    _registered_modules: dict[str, ModuleBase]
    _name: str
    _in_Module_init: bool
    _force_set_attributes: bool
    _keep_batch_state: bool

    def _setup_registry(self) -> None:
        """Start with nothing registered. Safe to call before other base classes are set up."""
        self.__dict__.update(
            _registered_attributes={},
            _registered_modules={},
            _name="",
            _in_Module_init=True,
            _force_set_attributes=False,
            _keep_batch_state=False,
        )

    # -- assignment -------------------------------------------------------------------------

    def __setattr__(self, name: str, value: Any) -> None:
        attributes = self.__dict__.get("_registered_attributes")
        if attributes is None:
            if isinstance(value, (ParameterBase, AttributeRegistry)):
                raise NotImplementedError(
                    f"{type(self).__name__}: super().__init__() must be called before {name!r} "
                    f"is assigned"
                )
            super().__setattr__(name, value)
        elif isinstance(value, ParameterBase):
            self._register_parameter_object(name, value)
        elif isinstance(value, AttributeRegistry):
            self._register_module(name, value)  # type: ignore[arg-type]
        elif name in attributes:
            self._set_registered_attribute(name, value)
        else:
            self._registered_modules.pop(name, None)
            super().__setattr__(name, value)

    def __delattr__(self, name: str) -> None:
        super().__delattr__(name)
        self._registered_attributes.pop(name, None)
        self._registered_modules.pop(name, None)

    def _register_parameter_object(self, name: str, parameter: ParameterBase) -> None:
        """Register what a ``Parameter``, ``State`` or ``SimulationParameter`` describes."""
        if not self._in_Module_init and hasattr(self, name):
            raise ValueError(
                f"{self._label}: {name!r} exists already, so it cannot become a new "
                f"{type(parameter).__name__}; assign a plain value of the same shape instead"
            )
        self._register_attribute(
            name,
            parameter.data,
            _kind_of(parameter),
            parameter.family,
            parameter.init_func,
            parameter.shape,
        )

    def _register_attribute(
        self,
        name: str,
        value: Any,
        kind: str,
        family: str | None = None,
        init_func: Callable[[Shape], Any] | None = None,
        shape: Shape | None = None,
    ) -> None:
        """Register an attribute and store its value; an old one of that name is replaced."""
        entry = RegisteredAttribute(
            kind, family, init_func, shape_of(value) if shape is None else shape
        )
        converted = self._convert_attribute(name, value, entry)
        self._registered_modules.pop(name, None)
        self._registered_attributes[name] = entry
        self._store_attribute(name, converted, entry)

    def _register_module(self, name: str, module: ModuleBase) -> None:
        """Register a submodule and give it the name of the attribute."""
        self._check_submodule(name, module)
        self._registered_attributes.pop(name, None)
        self._registered_modules[name] = module
        module._name = name
        if self._keep_batch_state:
            module._set_keep_batch_state(True)
        super().__setattr__(name, module)

    def _set_registered_attribute(self, name: str, value: Any) -> None:
        """Store a plain value in an attribute that is registered already."""
        entry = self._registered_attributes[name]
        if self._force_set_attributes:
            entry.shape = shape_of(value)
        else:
            self._check_attribute(name, value)
        self._store_attribute(name, self._convert_attribute(name, value, entry), entry)

    def _check_attribute(self, name: str, value: Any) -> None:
        """Raise a ValueError if a value has not the shape that its attribute must have."""
        if value is None:
            return
        entry = self._registered_attributes[name]
        given = shape_of(value)
        batched = self._keep_batch_state and entry.kind == "State"
        if given == entry.shape or (batched and given[1:] == entry.shape and given):
            return
        allowed = str(entry.shape)
        if batched:
            allowed += f" or {('B', *entry.shape)}".replace("'B'", "B")
        raise ValueError(f"{self._label}: {name} must have the shape {allowed}, got {given}")

    # -- hooks of a back-end ----------------------------------------------------------------

    def _convert_attribute(self, name: str, value: Any, entry: RegisteredAttribute) -> Any:
        """Return the form in which a value of a registered attribute is stored.

        Here: where a numpy array or a number is, an array of another back-end becomes a numpy
        array. So the parameters of a trained network can be handed to a native one as they are.
        """
        if isinstance(value, np.ndarray) or not _is_foreign(value):
            return value
        present = self.__dict__.get(name)
        if not isinstance(present, (np.ndarray, np.generic, float, int)):
            return value
        array = to_numpy(value)
        array = array.astype(np.result_type(array, np.asarray(present)), copy=False)
        return array if isinstance(present, np.ndarray) else array[()]

    def _store_attribute(self, name: str, value: Any, entry: RegisteredAttribute) -> None:
        """Put the converted value of a registered attribute where ``getattr`` finds it."""
        super().__setattr__(name, value)

    def _load_attribute(self, name: str) -> Any:
        """Return the present value of a registered attribute."""
        return getattr(self, name)

    def _check_submodule(self, name: str, module: ModuleBase) -> None:
        """Raise a ValueError if a module of that class cannot be a submodule."""

    # -- questions --------------------------------------------------------------------------

    @property
    def _label(self) -> str:
        """The module as error messages call it: its class, and its name where it has one."""
        return f"{type(self).__name__} {self._name!r}" if self._name else type(self).__name__

    def _has_registered_attribute(self, name: str) -> bool:
        """Return True if a parameter, state or simulation parameter has this name."""
        return name in self._registered_attributes

    def _get_attribute_registry(self) -> tuple[dict[str, list[Any]], dict[str, list[Any]]]:
        """Return what is registered, as plain dictionaries.

        Returns
        -------
        attributes : dict
            Name to ``[value, kind, family, init_func, shape]``.
        modules : dict
            Name to ``[module, class name]``.
        """
        attributes = {
            name: [
                self._load_attribute(name),
                entry.kind,
                entry.family,
                entry.init_func,
                entry.shape,
            ]
            for name, entry in self._registered_attributes.items()
        }
        modules = {
            name: [module, type(module).__name__]
            for name, module in self._registered_modules.items()
        }
        return attributes, modules


def _is_foreign(value: Any) -> bool:
    """Return True for a torch tensor, and for a JAX array that has values: one not being traced."""
    jax = sys.modules.get("jax")
    return is_tensor(value) or (
        jax is not None and isinstance(value, jax.Array) and not isinstance(value, jax.core.Tracer)
    )


def _kind_of(parameter: ParameterBase) -> str:
    """Return the name of the kind, also for an object of a class derived from one."""
    for kind in (Parameter, State, SimulationParameter):
        if isinstance(parameter, kind):
            return kind.__name__
    return type(parameter).__name__
