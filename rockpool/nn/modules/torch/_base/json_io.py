"""Parameters of torch modules as JSON: what `TorchModule.to_json`, `save` and `load` do.

The form is a nested dict: names of submodules lead to such dicts, names of attributes to JSON
texts (a function, which JSON cannot hold, to None).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from math import isinf
from typing import Any

import numpy as np
import torch
from torch import Tensor


def param_to_json(param: Any) -> str | None:
    """Return a value as a JSON text: a list, number, string or bool; None for a function.

    What JSON has no form for is a TypeError.
    """
    if isinstance(param, Tensor):
        return json.dumps(param.detach().cpu().tolist())
    if isinstance(param, np.ndarray | np.generic):
        return json.dumps(param.tolist())
    if callable(param):
        return None
    return json.dumps(param)


def merge(a: dict[str, Any], b: dict[str, Any]) -> dict[str, Any]:
    """Return the union of two nested dicts; ValueError if they differ in a value."""
    merged = dict(a)
    for key, value in b.items():
        if key not in merged:
            merged[key] = value
        elif isinstance(merged[key], dict) and isinstance(value, dict):
            merged[key] = merge(merged[key], value)
        elif merged[key] != value:
            raise ValueError(f"merge: two values for {key!r}: {merged[key]!r} and {value!r}")
    return merged


def parsed(label: str, what: str, text: Any, form: str = "text") -> Any:
    """Return what a JSON text holds.

    A ValueError names the module and `what` the text is where it is none, is nested too deeply, has
    a name twice in one object, or a number beyond the range of floats.
    """
    try:
        return json.loads(text, object_pairs_hook=_each_name_once, parse_float=_in_range)
    except RecursionError:
        raise ValueError(f"{label}: {what} is nested too deeply") from None
    except (TypeError, ValueError) as error:
        raise ValueError(f"{label}: {what} is not a JSON {form}: {error}") from error


def _each_name_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"there are two values for {twice!r}")
    return found


def _in_range(digits: str) -> float:
    number = float(digits)
    if isinf(number):  # which is written as Infinity
        raise ValueError(f"{digits} is beyond the range of floating-point numbers")
    return number


def read_value(label: str, name: str, text: Any, present: Any) -> Any:
    """Return the value that a JSON text stands for, in the form of the present value.

    A tensor gets the type and the device of the present one. `label` and `name` are for messages.
    """
    value = parsed(label, name, text)
    if isinstance(present, Tensor):
        return _tensor_like(label, name, value, present)
    if isinstance(present, np.ndarray | np.generic):
        try:
            array = np.asarray(value, dtype=present.dtype)
        except (TypeError, ValueError, OverflowError) as error:
            raise ValueError(f"{label}: {name} is not an array of numbers: {error}") from error
        _require_shape(label, name, array.shape, present.shape)
        return array
    if type(value) is int and type(present) is float:
        return float(value)
    if type(value) is list and type(present) is tuple:
        value = _as_tuples(value)
    if present is not None and type(value) is not type(present):
        raise ValueError(
            f"{label}: {name} must be {type(present).__name__} as in the module, got {value!r}"
        )
    return value


def _as_tuples(value: Any) -> Any:
    """Return a list as a tuple, with those in it; JSON has no tuples."""
    return tuple(_as_tuples(entry) for entry in value) if type(value) is list else value


def _tensor_like(label: str, name: str, value: Any, present: Tensor) -> Tensor:
    try:
        tensor = torch.tensor(value, dtype=present.dtype, device=present.device)
        exact = torch.tensor(value, dtype=torch.float64, device=present.device)
    except (TypeError, ValueError, RuntimeError, OverflowError) as error:
        raise ValueError(f"{label}: {name} is not an array of numbers: {error}") from error
    if bool((tensor.isinf() & exact.isfinite()).any()):
        raise ValueError(f"{label}: {name} has a number beyond the range of {present.dtype}")
    _require_shape(label, name, tuple(tensor.shape), tuple(present.shape))
    return tensor


def _require_shape(label: str, name: str, given: tuple[int, ...], allowed: tuple[int, ...]) -> None:
    if given != allowed:
        raise ValueError(f"{label}: {name} must have the shape {allowed}, got {given}")


def tree_to_json(module: Any) -> dict[str, Any]:
    """Return the parameters and simulation parameters of a torch module, nested, as JSON texts."""
    tree: dict[str, Any] = {}
    for kind in ("Parameter", "SimulationParameter"):
        for name, _ in module._attributes_of(kind):
            try:
                tree[name] = param_to_json(module._load_attribute(name))
            except TypeError as error:
                raise TypeError(f"{module._label}: {name} has no form in JSON: {error}") from error
    for name, child in module._registered_modules.items():
        tree[name] = tree_to_json(child)
    return tree


def set_from_json(module: Any, tree: dict[str, Any]) -> None:
    """Set the values of a torch module from what `tree_to_json` gave, all of them or none."""
    for target, name, value in list(_assignments(module, tree)):
        present = target._buffers.get(name)
        if present is not None:
            with torch.no_grad():
                present.copy_(value)
        else:
            setattr(target, name, value)


def _assignments(module: Any, tree: Any) -> Iterator[tuple[Any, str, Any]]:
    """Yield ``(module, attribute, value)`` for every value in a tree, checked."""
    label = module._label
    if not isinstance(tree, dict):
        raise ValueError(f"{label}: expected a dict of its parameters, got {tree!r}")
    attributes, children = dict(module._attributes_of()), module._registered_modules
    unknown = [
        name
        for name in tree
        if name not in children and (name not in attributes or attributes[name].kind == "State")
    ]
    needed = [name for name, entry in attributes.items() if entry.kind == "Parameter"]
    missing = [name for name in (*needed, *children) if name not in tree]
    for what, names in (("no place for", unknown), ("nothing for", missing)):
        if names:
            where = "in the module" if names is unknown else "in the file"
            raise ValueError(f"{label}: the parameters do not fit: {what} {names} {where}")
    values = {}
    for name, text in tree.items():
        if name in children:
            yield from _assignments(children[name], text)
            continue
        present = module._load_attribute(name)
        if text is not None:
            value = read_value(label, name, text, present)
            if name in module._structure and value != present:
                raise ValueError(
                    f"{label}: the parameters are of a module with {name} = {value!r}, this one "
                    f"has {name} = {present!r}"
                )
            values[name] = value
        elif not (present is None or callable(present)):  # functions have no form in JSON
            raise ValueError(f"{label}: {name} must have a value, got null")
    try:
        module._check_values(values)
    except TypeError as error:
        raise ValueError(str(error)) from error
    yield from ((module, name, value) for name, value in values.items())
