"""A module as a pytree: which of its contents are leaves, and the static structure around them.

Leaves are all arrays: parameters, states, settings that are arrays, arrays in ordinary attributes,
and the values that a reset goes back to where the user gave them. Everything else belongs to the
structure and is compared by value: settings that are numbers, flags, names and functions, what is
known of the attributes (kind, family, how they are initialised), and ordinary attributes.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from typing import Any

import jax
import numpy as np
from jax.tree_util import DictKey, GetAttrKey, Partial, register_pytree_with_keys

from rockpool.nn.modules._registry import RegisteredAttribute
from rockpool.nn.modules.jax._base.static import comparable
from rockpool.nn.modules.module import Module
from rockpool.parameters import ResetTo

__all__ = ["Settings", "Structure", "flatten", "register", "restore"]

Children = tuple[Any, ...]

CHILD_NAMES = ("parameters", "simulation_parameters", "state", "modules", "_init_args", "_carried")

# Attributes of every module that are handled by themselves
_INTERNAL = frozenset(
    "_registered_attributes _registered_modules _name _in_Module_init _force_set_attributes "
    "_keep_batch_state _shape _spiking_input _spiking_output _init_args _pytree_structure "
    "_pytree_restored evolve _update_target".split()
)
_FLAGS = ("_spiking_input", "_spiking_output", "_keep_batch_state")
_NEVER_ARRAYS = frozenset({float, int, bool, str, type(None), tuple, list, dict})


class Settings(dict):
    """Values by name, of which arrays are leaves of a pytree; all others belong to its structure.

    A ``jax.tree_util.Partial`` counts as its arguments, as it does anywhere in JAX.
    """

    static: StaticSettings | None = None

    def split(self) -> tuple[list[Any], StaticSettings]:
        """Return the leaves and what belongs to the structure."""
        static = self.static
        if static is None:
            static = StaticSettings(self, [n for n, value in self.items() if _is_subtree(value)])
        return [self[name] for name in static.leaves], static


class StaticSettings:
    """The structure of `Settings`: the names, in order, and the values that are no leaves."""

    __slots__ = ("_hash", "key", "leaves", "values")

    def __init__(self, settings: dict[str, Any], leaves: Iterable[str]) -> None:
        self.leaves = tuple(leaves)
        self.values = {**settings, **dict.fromkeys(leaves)}
        self.key = (self.leaves, tuple((n, comparable(v)) for n, v in self.values.items()))
        self._hash = hash(self.key)

    def __eq__(self, other: object) -> bool:
        return self is other or (isinstance(other, StaticSettings) and self.key == other.key)

    def __hash__(self) -> int:
        return self._hash

    def __repr__(self) -> str:
        shown = (f"{n}={v!r}" for n, v in self.values.items() if not isinstance(v, np.ndarray))
        return f"({', '.join(shown)})"


def _settings_with_keys(
    settings: Settings,
) -> tuple[Iterator[tuple[Any, Any]], StaticSettings]:
    leaves, static = settings.split()
    return zip(map(DictKey, static.leaves), leaves, strict=True), static


def _unflatten_settings(static: StaticSettings, leaves: Iterable[Any]) -> Settings:
    return Settings({**static.values, **dict(zip(static.leaves, leaves, strict=True))})


register_pytree_with_keys(Settings, _settings_with_keys, _unflatten_settings, Settings.split)


class Structure(tuple):
    """The static part of a module: the tuple ``(name, shape, names of submodules)``, and the rest.

    Two structures are equal if everything in them is, but for the shapes of attributes: these
    follow the leaves.
    """

    fingerprint: Any  # what it was made of, by identity
    settings: StaticSettings
    init_args: StaticSettings
    entries: tuple[tuple[str, RegisteredAttribute], ...]
    attributes: dict[str, Any]  # ordinary ones that are no arrays, and the flags of the module
    key: Any
    _hash: int

    @classmethod
    def of(cls, module: Module, marks: list[Any], plain: dict[str, Any]) -> Structure:
        """Return the structure of a module.

        `marks` has an entry for each of its attributes, in order, ``"leaf"`` if the value of a
        reset is a leaf; `plain` are its ordinary attributes, but for arrays.
        """
        values = module.__dict__
        structure = cls((values["_name"], values["_shape"], list(values["_registered_modules"])))
        structure.entries = tuple(values["_registered_attributes"].items())
        structure.attributes = plain | {name: values[name] for name in _FLAGS}
        structure.key = (
            type(module),
            comparable(tuple(structure)),
            tuple(
                (name, entry.kind, entry.family, _reset_key(entry, mark))
                for (name, entry), mark in zip(structure.entries, marks, strict=True)
            ),
            comparable(structure.attributes),
        )
        structure._hash = hash(structure.key)
        return structure

    def __eq__(self, other: object) -> bool:
        return self is other or (isinstance(other, Structure) and self.key == other.key)

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return self._hash

    def __repr__(self) -> str:
        return f"{type(self).__name__}{tuple(self)!r}"


def _reset_key(entry: RegisteredAttribute, mark: Any) -> Any:
    # Simulation parameters are never reset
    if entry.kind == "SimulationParameter":
        return None
    return mark if mark == "leaf" else comparable(entry.init_func)


def flatten(module: Module, carry: bool = True) -> tuple[Children, Structure]:
    """Return the children and the structure of a module; see `CHILD_NAMES`.

    The last child is left out, and what is in it stays in the structure, if `carry` is False.
    """
    values = module.__dict__
    attributes, modules = values["_registered_attributes"], values["_registered_modules"]
    parameters: dict[str, Any] = {}
    state: dict[str, Any] = {}
    settings, init_args = Settings(), Settings(values.get("_init_args", {}))
    setting_leaves: list[str] = []
    resets: dict[str, Any] = {}
    marks: list[Any] = []
    # Leaves need not be arrays: JAX, and users, put anything in their places
    restored = values.get("_pytree_restored", {})
    for name, entry in attributes.items():
        value = values[name]
        init_func = entry.init_func
        if entry.kind in ("Parameter", "State"):
            (parameters if entry.kind == "Parameter" else state)[name] = value
            if carry and _resets_to_leaf(init_func):
                resets[name] = init_func.value
                marks.append("leaf")
            else:
                marks.append(id(init_func))
        else:
            settings[name] = value
            if _is_subtree(value) or (name in restored and restored[name] is value):
                setting_leaves.append(name)
                marks.append("leaf")
            else:
                marks.append(_mark(value))
    arrays: dict[str, Any] = {}
    plain: dict[str, Any] = {}
    for name, value in values.items():
        if name not in _INTERNAL and name not in attributes and name not in modules:
            is_leaf = _is_subtree(value) or (name in restored and restored[name] is value)
            (arrays if carry and is_leaf else plain)[name] = value
    # Structures are costly to make and to compare: keep one until something static is replaced
    fingerprint = (
        values["_name"],
        values["_shape"],
        tuple(values[name] for name in _FLAGS),
        tuple(modules),
        tuple(
            [(n, e.kind, e.family, m) for (n, e), m in zip(attributes.items(), marks, strict=True)]
        ),
        tuple([(name, _mark(value)) for name, value in plain.items()]),
        tuple(arrays),
        tuple([(n, None if _is_subtree(v) else id(v)) for n, v in init_args.items()]),
    )
    structure = values.get("_pytree_structure")
    if structure is None or structure.fingerprint != fingerprint:
        structure = Structure.of(module, marks, plain)
        structure.fingerprint = fingerprint
        structure.settings = StaticSettings(settings, setting_leaves)
        structure.init_args = init_args.split()[1]
        values["_pytree_structure"] = structure
    settings.static, init_args.static = structure.settings, structure.init_args
    children: Children = (parameters, settings, state, dict(modules), init_args)
    if carry:
        children = (*children, {"resets": resets, "attributes": arrays})
    return children, structure


_CHANGEABLE = (list, dict, set, np.ndarray)  # in place


def _mark(value: Any) -> Any:
    """Return what tells a static value from another one that takes its place."""
    return comparable(value) if type(value) in _CHANGEABLE else id(value)


def restore(module: Any, structure: Structure, children: Children) -> None:
    """Fill a module, that never went through a constructor, with what flattening gave."""
    parameters, settings, state, modules, init_args = children[:5]
    carried = children[5] if len(children) > 5 else {"resets": {}, "attributes": {}}
    name, shape, module_names = structure
    module._setup_module(shape)
    values = module.__dict__
    values.update(structure.attributes)
    values.update(carried["attributes"])
    values.update(
        _name=name,
        _shape=shape,
        _init_args=dict(init_args),
        _in_Module_init=False,
        _pytree_structure=structure,
    )
    given = {**parameters, **settings, **state}
    for attribute, entry in structure.entries:
        value = given[attribute]
        init_func = entry.init_func
        if attribute in carried["resets"]:
            init_func = _ResetToLeaf(carried["resets"][attribute])
        if entry.kind == "State" and values["_keep_batch_state"]:
            own_shape = entry.shape
        else:
            own_shape = _shape_or(value, entry.shape)
        values["_registered_attributes"][attribute] = RegisteredAttribute(
            entry.kind, entry.family, init_func, own_shape
        )
        values[attribute] = value
    leaves = {name: settings[name] for name in structure.settings.leaves} | carried["attributes"]
    odd = {name: value for name, value in leaves.items() if not _is_subtree(value)}
    if odd:
        values["_pytree_restored"] = odd
    for child in module_names:
        values["_registered_modules"][child] = modules[child]
        values[child] = modules[child]


_registering = threading.RLock()


def register(cls: Any) -> None:
    """Make a class of modules known to JAX, unless it is."""
    if "_is_pytree" in cls.__dict__:
        return
    with _registering:
        if "_is_pytree" in cls.__dict__:
            return
        try:
            register_pytree_with_keys(
                cls,
                _module_with_keys,
                lambda aux, children: cls.tree_unflatten(aux, tuple(children)),
                lambda module: module.tree_flatten(),
            )
        except ValueError as error:
            # The author of the class has registered it, with functions of their own
            if "uplicate" not in str(error):
                raise
        cls._is_pytree = True


def _module_with_keys(module: Any) -> tuple[list[tuple[Any, Any]], Any]:
    children, aux = module.tree_flatten()
    names = [*CHILD_NAMES, *map(str, range(len(CHILD_NAMES), len(children)))]
    return [(GetAttrKey(name), child) for name, child in zip(names, children, strict=False)], aux


class _ResetToLeaf(ResetTo):
    """A value for resets that came with the leaves, of whatever type."""

    __slots__ = ()

    def __init__(self, value: Any) -> None:
        self.value = value  # no copy, as it may be anything


def _resets_to_leaf(init_func: Any) -> bool:
    if type(init_func) is ResetTo:
        return isinstance(init_func.value, (jax.Array, np.ndarray))
    return type(init_func) is _ResetToLeaf


def _is_subtree(value: Any) -> bool:
    return type(value) not in _NEVER_ARRAYS and isinstance(value, (jax.Array, Partial))


def _shape_or(value: Any, default: tuple[int, ...]) -> tuple[int, ...]:
    shape = getattr(value, "shape", default)
    return tuple(shape) if isinstance(shape, tuple) else default
