"""How a layer is described (`rockpool.nn.description`), and built from a description.

The table of its model says what there is to it. A class that is no model of a table is described
by the arguments of its constructor, and is on one back-end only.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np

from rockpool.nn.description import Node, Value
from rockpool.nn.models.catalogue import model_of
from rockpool.nn.models.model import Model, ParameterSpec, SettingSpec
from rockpool.nn.modules._attributes import RegisteredAttribute
from rockpool.nn.modules._telling import warn_user
from rockpool.parameters import Constant, RP_Constant, to_numpy

__all__ = [
    "SPIKING",
    "arguments_of",
    "described_container",
    "described_function",
    "described_layer",
    "plain_setting",
    "present_value",
    "spiking_flags",
]

# Arguments of a constructor that say nothing of what a module is once it is there
_NOT_TOLD = frozenset("shape args kwargs device dtype rng_key retain_torch_api".split())


# Whether input and output are events, which is told of each module
SPIKING = ("spiking_input", "spiking_output")

# Settings that classes take and nothing computes with
_WITHOUT_EFFECT = ("max_window_length",)


def described_layer(module: Any) -> Node:
    """Return the description of a module that is no container, with its states."""
    model = model_of(type(module).__name__)
    if model is None:
        return _described_class(module)
    node = Node(model.name, module.shape)
    for spec in model.attributes:
        if isinstance(spec, ParameterSpec):
            value = module._said_parameter(spec)
            if value is not None:
                node.parameters[spec.name] = _of_floats(value)
        elif not isinstance(spec, SettingSpec):
            node.states[spec.name] = np.array(to_numpy(module._load_attribute(spec.name)))
        elif spec.attribute is not None and not _is_flag(model, spec.name):
            stored = hasattr(module, spec.attribute)
            said = module._said_setting(spec, getattr(module, spec.attribute)) if stored else None
            home = node.local if spec.name in _WITHOUT_EFFECT else node.settings
            home[spec.name] = spec.default if said is None else said
    _add_local(module, node, {spec.name for spec in model.attributes})
    node.local.update(spiking_flags(module))
    if module.keeps_batch_state:
        node.local["keep_batch_state"] = True
    return node


def _described_class(module: Any) -> Node:
    """Return the description of a module of a class that is no model of a table."""
    node = Node(type(module).__name__, module.shape)
    for name, entry in module._registered_attributes.items():
        if _is_parameter(entry):
            node.parameters[name] = present_value(module, name)
        elif entry.kind == "State" and name != "rng_key":
            node.states[name] = np.array(to_numpy(module._load_attribute(name)))
    _add_pruned(module, node)
    specs = module._model.parameters if hasattr(module, "_model") else ()
    optional = {spec.name for spec in specs if spec.only_with}
    _add_local(module, node, {name for name in optional if name not in node.parameters})
    node.settings.update(node.local)
    node.local.clear()
    node.local.update(spiking_flags(module))
    if module.keeps_batch_state:
        node.local["keep_batch_state"] = True
    missing = _required_of(type(module)) - {*node.settings, *node.parameters, *_NOT_TOLD}
    return replace(node, lacking=tuple(sorted(missing)))


def _add_pruned(module: Any, node: Node) -> None:
    """Add the parameters in whose place tools of torch have put others."""
    for name, entry in getattr(module, "_taken_out", {}).items():
        if entry.kind == "Parameter" and name in module.__dict__:
            node.parameters[name] = module._pruned(name)
            node.parameters.pop(f"{name}_orig", None)


def described_container(
    module: Any,
    model: str,
    *,
    settings: Any = None,
    user_class: type | None = None,
    names: Collection[str] | None = None,
) -> Node:
    """Return the description of a module that is made of others: of all, or of these names."""
    node = Node(
        model, module.shape, settings=dict(settings or {}), user_class=user_class, module=module
    )
    for name, entry in module._registered_attributes.items():
        if entry.kind == "Parameter" or isinstance(module._load_attribute(name), RP_Constant):
            node.parameters[name] = present_value(module, name)
        elif entry.kind == "State":
            node.states[name] = np.array(to_numpy(module._load_attribute(name)))
    if user_class is None:
        _add_pruned(module, node)
    children = module._registered_modules
    if names is not None and len(names) < len(children):
        others = ", ".join(repr(name) for name in children if name not in names)
        warn_user(f"{module._label}: {others} is not evolved with it, and left out of what is made")
        children = {name: children[name] for name in names}
    node.children.update((name, child._describe()) for name, child in children.items())
    return node


def described_function(module: Any, identity: Any) -> Node:
    """Return the description of a layer that applies a function; the identity has a name."""
    function = plain_setting(module.function)
    said = "identity" if function is identity else function
    node = Node("Instant", module.shape, settings={"function": said})
    node.local.update(spiking_flags(module))
    return node


def spiking_flags(module: Any) -> dict[str, bool]:
    """Return what a description says of whether the input and the output are events."""
    return {name: getattr(module, name) for name in SPIKING}


def plain_setting(value: Any) -> Any:
    """Return a setting without the array, tensor or partial function around it."""
    if isinstance(value, (str, bool, int, float, tuple)) or value is None:
        return value
    if callable(value):
        return getattr(value, "func", value)
    array = to_numpy(value)
    return array.item() if array.ndim == 0 else np.array(array)


def present_value(module: Any, name: str) -> Value:
    """Return the value of a registered parameter, or of a constant in its place."""
    entry = module._registered_attributes.get(name)
    if entry is None:  # of torch: a tool has put others in its place
        return module._pruned(name)  # type: ignore[no-any-return]
    array = np.array(to_numpy(module._load_attribute(name)))
    return Value(array, entry.family, entry.kind != "Parameter")


def _is_parameter(entry: RegisteredAttribute) -> bool:
    """Return whether an attribute of a layer is a parameter, or a constant in the place of one."""
    return entry.kind == "Parameter" or (
        entry.kind == "SimulationParameter" and entry.family not in (None, "dt")
    )


def _of_floats(value: Value) -> Value:
    """Return a value as floating-point numbers, which it is computed with."""
    if value.array.dtype.kind == "f":
        return value
    return replace(value, array=value.array.astype(np.float64))


def _add_local(module: Any, node: Node, told: set[str]) -> None:
    """Add what a constructor takes besides, where the module has an attribute for it."""
    registered = module._registered_attributes
    kind: Any = type(module)
    for name in signature_of(kind):
        if name in _NOT_TOLD or name in told or name in node.parameters:
            continue
        if name in registered and _is_parameter(registered[name]):
            node.local[name] = present_value(module, name)
            continue
        for attribute in (name, f"_{name}"):
            if attribute in registered or attribute in vars(module):
                value = getattr(module, attribute)
                node.local[name] = module._said_setting(SettingSpec(name, None), value)
                break


def _is_flag(model: Model, name: str) -> bool:
    """Return whether a setting only says that there is a parameter."""
    return any(spec.only_with == name for spec in model.parameters)


def arguments_of(module_class: Any, node: Node) -> dict[str, Any]:
    """Return the arguments with which a class makes what a description says, at rest."""
    accepted = signature_of(module_class)
    model = model_of(module_class.__name__)
    given = {**node.local, **node.settings, **node.parameters}
    if model is not None:
        for spec in model.parameters:
            if spec.only_with:
                given[spec.only_with] = spec.name in node.parameters
    arguments = {name: _argument(given[name]) for name in given if name in accepted}
    if model is not None and model.shape_from is not None:
        return arguments
    said = model.shape_setting if model is not None else ""
    return {"shape": node.settings[said] if said else node.shape, **arguments}


def _argument(value: Any) -> Any:
    """Return a parameter or setting as a constructor takes it."""
    if not isinstance(value, Value):
        return value
    array = value.array.copy()
    return Constant(array) if value.constant else array


@cache
def signature_of(module_class: Hashable) -> tuple[str, ...]:
    """Return the names of the arguments of a constructor."""
    return tuple(_constructor(module_class))


def _required_of(module_class: type) -> set[str]:
    """Return the names of the arguments without default."""
    arguments = _constructor(module_class).values()
    return {a.name for a in arguments if a.default is a.empty and a.kind == a.POSITIONAL_OR_KEYWORD}


def _constructor(module_class: Any) -> dict[str, Any]:
    from inspect import signature

    parameters = signature(module_class.__init__).parameters
    return {name: p for name, p in parameters.items() if name != "self"}
