"""What keeps a network from being on a back-end: `obstacles`, module by module."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from rockpool.nn.description import CONTAINERS, Node
from rockpool.nn.models.catalogue import BACKENDS, LACKING, LIBRARY, class_on, model_named
from rockpool.nn.models.checks import one_of
from rockpool.nn.models.model import ParameterSpec, SettingSpec

__all__ = ["backends_for", "obstacles"]


def backends_for(description: Node) -> dict[str, list[str]]:
    """Return for each back-end what stands in the way of the network there; [] if nothing does."""
    return {backend: list(obstacles(description, backend)) for backend in BACKENDS}


def obstacles(description: Node, backend: str) -> Iterator[str]:
    """Say, module by module, why a network cannot be on a back-end; nothing if it can."""
    if LIBRARY[backend] != "torch":
        description = description.without_dropout()
    for path, node in description.walk():
        where = f"{'.'.join(path)!r}: " if path else ""
        if node.model in CONTAINERS and node.user_class is None:
            continue
        if node.user_class is not None:
            yield from _user_obstacles(where, node)
            continue
        if class_on(node.model, backend) is None:
            having = [name for name in BACKENDS if class_on(node.model, name)]
            known = f"it is on {one_of(having)}" if having else "it is no model of this package"
            yield f"{where}there is no {node.model} on {backend!r}; {known}"
            continue
        yield from (f"{where}{text}" for text in _value_obstacles(node, backend))


def _user_obstacles(where: str, node: Node) -> Iterator[str]:
    """Say why a module of the user's own cannot be converted."""
    name = node.model
    if getattr(type(node.module), "_convert", None) not in (None, _base_convert()):
        return
    if not node.children:
        yield f"{where}{name} is a layer of your own, of which only its code knows what it does"
    else:
        yield f"{where}{name} is a container of your own and has no method _convert"


def _base_convert() -> Any:
    from rockpool.nn.modules.module import Module

    return Module._convert


def _value_obstacles(node: Node, backend: str) -> Iterator[str]:
    """Say which values of a layer have no meaning on a back-end."""
    library = LIBRARY[backend]
    for name, value in {**node.settings, **node.local}.items():
        if callable(value) and node.library != library:
            called = getattr(value, "__name__", repr(value))
            yield (
                f"{name} of {node.model} is the function {called!r}, and it is of {node.library}"
            )
    model = model_named(node.model)
    if model is None or backend not in model.classes:
        return
    lacking = LACKING.get(model.classes[backend], ())
    for spec in model.attributes:
        if isinstance(spec, SettingSpec):
            value = node.settings.get(spec.name, spec.default)
            differs = value != spec.default
        elif isinstance(spec, ParameterSpec) and spec.name in node.parameters:
            value = node.parameters[spec.name].array
            if spec.unit == "s" and not np.all(value > 0):
                yield f"{spec.name} of {node.model} is {value.min():g} s, it must be > 0 s"
            differs = spec.default is None or bool(np.any(value != spec.default))
        else:
            continue
        if spec.name in lacking and differs:
            yield f"{model.classes[backend]} has no {spec.name}"
