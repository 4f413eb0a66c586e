"""What a module holds: parameters, states and submodules, as assigned, collected and changed.

Nothing here knows about neurons or time; ``_module_base.py`` builds the interface of modules on
it, and :mod:`rockpool.nn.modules._backend_hooks` has what a back-end overrides.
"""

from __future__ import annotations

import warnings
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

from rockpool.nn.models import checks
from rockpool.nn.models.model import Check
from rockpool.nn.modules._attributes import RegisteredAttribute, family_keys, kind_of
from rockpool.nn.modules._backend_hooks import BackendHooks
from rockpool.parameters import ParameterBase, Shape, shape_of
from rockpool.typehints import Self

Family = str | list[str] | tuple[str, ...] | None


class AttributeRegistry(BackendHooks):
    """A class that registers the parameters and modules that are assigned to its attributes.

    What it holds is given and taken as trees: nested dicts of values by name of the attribute, and
    of such dicts by name of a submodule.
    """

    _in_Module_init: bool
    _force_set_attributes: bool

    # What plain values of attributes must be, by name, besides what the table of a model says
    _checks: ClassVar[Mapping[str, Check]] = {}

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
            self._require_no_cycle(name, value)
            self._register_module(name, value)
        elif name in attributes:
            self._set_registered_attribute(name, value)
        else:
            self._check_unregistered(name, value)
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
            kind_of(parameter),
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

    def _register_module(self, name: str, module: AttributeRegistry) -> None:
        """Register a submodule and give it the name of the attribute."""
        self._check_submodule(name, module)
        self._registered_attributes.pop(name, None)
        self._registered_modules[name] = module
        module._name = name
        if self._keep_batch_state:
            module._set_keep_batch_state(True)
        super().__setattr__(name, module)

    def _require_no_cycle(self, name: str, module: Any) -> None:
        """Raise a ValueError if a module that is to be a part of this one contains it."""
        if self._is_within(module):
            other = getattr(module, "_label", type(module).__name__)
            how = "the module itself" if module is self else f"{other}, which contains it"
            raise ValueError(f"{self._label}: {name} must not be {how}")

    def _is_within(self, module: Any) -> bool:
        """Whether this module is another one, or a part of it at any depth."""
        parts, seen = [module], {id(module)}
        for part in parts:  # to which those inside are added
            inside = [inner for inner in part._registered_modules.values() if id(inner) not in seen]
            seen.update(map(id, inside))
            parts += inside
        return id(self) in seen

    def _set_registered_attribute(self, name: str, value: Any) -> None:
        """Store a plain value in an attribute that is registered already."""
        if not self._force_set_attributes:
            self._check_shape(name, value)
            self._check_values({name: value})
        self._put_attribute(name, value)

    def _put_attribute(self, name: str, value: Any) -> None:
        """Store a plain value that has been checked, or one that is forced."""
        entry = self._registered_attributes[name]
        if entry.kind == "State":
            self.__dict__.pop("_state_of_first", None)
        if self._force_set_attributes:
            entry.shape = shape_of(value)
        self._store_attribute(name, self._convert_attribute(name, value, entry), entry)

    def _check_values(self, values: Mapping[str, Any]) -> None:
        """Raise if values, by name, are out of their range, or cannot be values at all."""
        for name, check in self._checks.items():
            if name in values:
                check(self._label, name, values[name])

    def _check_unregistered(self, name: str, value: Any) -> None:
        """Raise if a plain value of an attribute that is not registered would mean nothing."""

    def _check_shape(self, name: str, value: Any, said: str = "") -> None:
        """Raise a ValueError if a value has not the shape that its attribute must have.

        `said` is the name that the user gave, if that is another.
        """
        if value is None:
            return
        entry = self._registered_attributes[name]
        given = shape_of(value)
        if self._fits(entry, given):
            return
        allowed = str(entry.shape)
        if self._keep_batch_state and entry.kind == "State":
            allowed += f" or {('B', *entry.shape)}".replace("'B'", "B")
        raise ValueError(
            f"{self._label}: {said or name} must have the shape {allowed}, got {given}"
        )

    def _fits(self, entry: RegisteredAttribute, given: Shape) -> bool:
        """Return True if values of that shape fit an attribute; states may be those of a batch."""
        batched = self._keep_batch_state and entry.kind == "State"
        return given == entry.shape or (batched and len(given) > 0 and given[1:] == entry.shape)

    # -- questions --------------------------------------------------------------------------

    def _attributes_of(self, *kinds: str) -> list[tuple[str, RegisteredAttribute]]:
        """Return the registered attributes of some kinds, or all, with what is known of them."""
        entries = self._registered_attributes.items()
        return [item for item in entries if not kinds or item[1].kind in kinds]

    def parameters(self, family: Family = None) -> dict[str, Any]:
        """Return the trainable values, by name.

        Parameters
        ----------
        family : str, or list or tuple of str, optional
            Only parameters of these families. Default: all.

        Returns
        -------
        dict
            The values of this module in the order of their registration, then one such dict for
            each submodule, under its name. With ``family``, submodules that have none are left out.
        """
        return self._collect("Parameter", family)

    def state(self, family: Family = None) -> dict[str, Any]:
        """Return the states, by name; as :meth:`parameters`."""
        return self._collect("State", family)

    def simulation_parameters(self, family: Family = None) -> dict[str, Any]:
        """Return the values that are not trained, by name; as :meth:`parameters`."""
        return self._collect("SimulationParameter", family)

    def _collect(self, kind: str, family: Family) -> dict[str, Any]:
        """Return the attributes of one kind, as a nested dict."""
        wanted, load = family_keys(family), self._load_attribute
        tree: dict[str, Any] = {
            name: load(name)
            for name, entry in self._attributes_of(kind)
            if wanted is None or entry.belongs_to(wanted)
        }
        for name, module in self._registered_modules.items():
            branch = module._collect(kind, family)
            if branch or wanted is None:
                tree[name] = branch
        return self._make_tree(tree)

    def attributes_named(self, name: str | Sequence[str]) -> dict[str, Any]:
        """Return the parameters, states and simulation parameters of a name, or of several.

        They are looked for in this module and in all modules inside it, and nested as by
        :meth:`parameters`; modules that have none are left out.
        """
        names = (name,) if isinstance(name, str) else tuple(name)
        tree: dict[str, Any] = {
            own: self._load_attribute(own) for own, _ in self._attributes_of() if own in names
        }
        for child, module in self._registered_modules.items():
            branch = module.attributes_named(names)
            if branch:
                tree[child] = branch
        return self._make_tree(tree)

    def modules(self) -> OrderedDict[str, Any]:
        """Return the direct submodules by name, as an ``OrderedDict``."""
        return OrderedDict(self._registered_modules)

    def _has_registered_attribute(self, name: str) -> bool:
        """Return True if a parameter, state or simulation parameter has this name."""
        return name in self._registered_attributes

    def _get_attribute_registry(self) -> tuple[dict[str, list[Any]], dict[str, list[Any]]]:
        """Return what is registered, as plain dictionaries.

        They have ``[value, kind, family, init_func, shape]`` of each attribute, and ``[module,
        class name]`` of each submodule, by name.
        """
        attributes = {
            name: [self._load_attribute(name), *entry.fields()]
            for name, entry in self._attributes_of()
        }
        modules = {
            name: [module, type(module).__name__]
            for name, module in self._registered_modules.items()
        }
        return attributes, modules

    # -- change -----------------------------------------------------------------------------

    def set_attributes(self, new_attributes: dict[str, Any], strict: bool = True) -> Self:
        """Set parameters, states and simulation parameters from a nested dict.

        Parameters
        ----------
        new_attributes : dict
            Values by name, and dicts of them by name of a submodule, such as :meth:`parameters`
            or a call of the module gives. In a combinator the position of a module stands for its
            name as well: ``{"0": {"weight": w}}``.
        strict : bool, optional
            Whether a name that the module does not know is an error; else it is ignored, and one
            warning says which. Default: True.

        Returns
        -------
        Module
            The changed module: this one, or a copy for a functional back-end.

        Raises
        ------
        ValueError, TypeError
            If a name is not known; if a value has a wrong shape, or is none that the constructor
            takes. Nothing has been changed then.
        """
        unknown: list[str] = []
        known = self._known_attributes(new_attributes, unknown)
        if unknown:
            text = f"{self._label}: {'; '.join(unknown)}"
            if strict:
                raise ValueError(f"{text}. rockpool.convert moves a network to another back-end")
            warnings.warn(f"{text}. Ignored", stacklevel=2)
        self._check_attributes(known)
        return self._with_attributes(known)

    def _with_attributes(self, new_attributes: Mapping[str, Any]) -> Self:
        """Set values that have been checked, and return the changed module."""
        target = self._update_target()
        for name in list(target._registered_attributes):
            if name in new_attributes:
                target._put_attribute(name, new_attributes[name])
        for name, module in list(target._registered_modules.items()):
            if name in new_attributes:
                target._replace_module(name, module._with_attributes(new_attributes[name]))
        return target

    def _known_attributes(self, given: Any, unknown: list[str], path: str = "") -> dict[str, Any]:
        """Return a nested dict under the names that this module has; say what is not known."""
        if not isinstance(given, Mapping):
            raise TypeError(
                f"{self._label}: attributes must be a dict of values by name, got {given!r}"
            )
        known: dict[str, Any] = {}
        for name, value in given.items():
            own = self._own_name(name)
            if own in known:
                raise ValueError(f"{self._label}: {path}{own} is given twice, also as {name!r}")
            if own in self._registered_modules:
                module = self._registered_modules[own]
                known[own] = module._known_attributes(value, unknown, f"{path}{own}.")
            elif own in self._registered_attributes:
                known[own] = value
            else:
                names = [*self._registered_attributes, *self._registered_modules]
                unknown.append(
                    f"there is no {path}{name}, the names are {', '.join(names) or 'none'}"
                )
        return known

    def _has_name(self, name: str) -> bool:
        """Return whether a parameter, state, setting or submodule has this name."""
        own = self._own_name(name)
        return own in self._registered_attributes or own in self._registered_modules

    def _own_name(self, name: str) -> str:
        """Return the name of an attribute or submodule that is meant; here that itself."""
        return name

    def _check_attributes(self, new_attributes: dict[str, Any]) -> None:
        """Raise if a value in a nested dict has a wrong shape, or cannot be a value at all."""
        if not self._force_set_attributes:
            entries = self._registered_attributes
            own = {name: new_attributes[name] for name in entries if name in new_attributes}
            for name, value in own.items():
                self._check_shape(name, value)
            self._check_values(own)
            for name, value in own.items():  # what a back-end cannot store it says now
                self._convert_attribute(name, value, entries[name])
        for name, module in self._registered_modules.items():
            if name in new_attributes:
                module._check_attributes(new_attributes[name])

    def _force_attributes(self, new_attributes: dict[str, Any]) -> None:
        """Set attributes in place without checks; their new shapes become the registered ones."""
        forced_before = self._force_set_attributes
        self.__dict__["_force_set_attributes"] = True
        try:
            for name in list(self._registered_attributes):
                if name in new_attributes:
                    setattr(self, name, new_attributes[name])
        finally:
            self.__dict__["_force_set_attributes"] = forced_before
        for name, module in self._registered_modules.items():
            if name in new_attributes:
                module._force_attributes(new_attributes[name])

    def reset_state(self) -> Self:
        """Set all states, also those of submodules, to their initial values.

        Returns
        -------
        Module
            The changed module: this one, or a copy for a functional back-end.
        """
        target = self._reset_kind("State")
        target._replace_modules(lambda module: module.reset_state())
        return target

    def reset_parameters(self) -> Self:
        """Set all parameters, also those of submodules, to new initial values.

        Values that were given come back as they were; others are made anew. Simulation
        parameters are left alone. The module is returned as by :meth:`reset_state`.
        """
        target = self._reset_kind("Parameter")
        target._replace_modules(lambda module: module.reset_parameters())
        return target

    def _reset_kind(self, kind: str) -> Self:
        target = self._update_target()
        for name, entry in target._attributes_of(kind):
            if entry.init_func is not None:
                target._reset_attribute(name)
        return target

    def _reset_attribute(self, name: str) -> None:
        """Set one registered attribute, in place, to what its ``init_func`` gives."""
        if name not in self._registered_attributes:
            raise KeyError(f"{self._label}: {name!r} is not a registered attribute")
        setattr(self, name, self._attribute_reset_value(name))

    def _replace_module(self, name: str, module: AttributeRegistry) -> None:
        """Put a changed copy in the place of a submodule; nothing to do if it changed in place."""
        if module is not self._registered_modules[name]:
            setattr(self, name, module)

    def _replace_modules(self, changed: Callable[[Any], AttributeRegistry]) -> None:
        """Do that for all submodules."""
        for name, module in list(self._registered_modules.items()):
            self._replace_module(name, changed(module))

    def _shallow_copy(self) -> Self:
        """Return a module with the same values and submodules, and a registry of its own."""
        copied = object.__new__(type(self))
        copied.__dict__.update(self.__dict__)
        copied.__dict__["_registered_modules"] = dict(self._registered_modules)
        copied.__dict__["_registered_attributes"] = {
            name: entry.copy() for name, entry in self._registered_attributes.items()
        }
        return copied

    # -- state of batches --------------------------------------------------------------------

    @property
    def keeps_batch_state(self) -> bool:
        """Whether the states of all batch elements are kept; see :meth:`keep_batch_state`."""
        return self._keep_batch_state

    def keep_batch_state(self, keep: bool = True) -> Self:
        """Keep a state for each batch element, or only that of batch element 0.

        By default the state after a call has the shape that it has for a single input: that of
        batch element 0, from which every element of the next batch starts. With this setting the
        state has a batch dimension in front, ``(B, ...)``, so that a batch can be evolved in
        chunks. Applies to this module and to all modules inside it.

        ``state()`` and the state that a call returns then hold ``(B, ...)`` values;
        :meth:`reset_state` goes back to the shape without batch, from which a batch of any size
        can start; a call with another batch size than that of the kept state is a ValueError.

        Parameters
        ----------
        keep : bool, optional
            Whether to keep them. Default: True. With False, states that were kept are replaced by
            those of batch element 0.

        Returns
        -------
        Module
            The changed module: this one, or a copy for a functional back-end.

        Examples
        --------
        >>> module.keep_batch_state()                    # doctest: +SKIP
        >>> first, _, _ = module(data[:, :100])          # doctest: +SKIP
        >>> second, _, _ = module(data[:, 100:])         # doctest: +SKIP
        """
        checks.flag(self._label, "keep", keep)
        target = self._update_target()
        target._set_own_keep_batch_state(bool(keep))
        target._replace_modules(lambda module: module.keep_batch_state(keep))
        return target

    def _set_keep_batch_state(self, keep: bool) -> None:
        """Change the setting in place, here and in all submodules."""
        self._set_own_keep_batch_state(keep)
        for module in self._registered_modules.values():
            module._set_keep_batch_state(keep)

    def _set_own_keep_batch_state(self, keep: bool) -> None:
        self.__dict__["_keep_batch_state"] = keep
        if keep:
            return
        for name, entry in self._attributes_of("State"):
            value = self._load_attribute(name)
            if value is not None and len(shape_of(value)) == len(entry.shape) + 1:
                setattr(self, name, value[0])
