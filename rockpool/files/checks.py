"""What a file says of a network's sizes, against the arrays that it has.

A module makes arrays by its shape. So that no small file can ask for large ones, each shape must be
borne out by an array of the file, before a module is made of it.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

from rockpool.files.tensors import FileFormatError, shown
from rockpool.nn.combinators._wiring import checked_edges, evolution_order
from rockpool.nn.description import CONTAINERS, Node
from rockpool.nn.models.catalogue import model_named
from rockpool.nn.models.model import Model

__all__ = ["check_sizes"]


def check_sizes(name: str, network: Node, n_bytes: int) -> None:
    """Raise a FileFormatError if a module of a file of `n_bytes` has other arrays than its shape.

    Parameters
    ----------
    name : str
        The file, for the message.
    network : Node
        Its network.
    n_bytes : int
        The size of the file.
    """
    for path, node in network.walk():
        where = f"{name}: {shown('.'.join(path)) if path else 'the network'}"
        model = model_named(node.model)
        try:
            if model is not None:
                _check_model(where, node, model)
            elif node.model == "FFwdStack":
                _check_stack(where, node)
            elif node.model in CONTAINERS:
                if node.model == "Wired":
                    _check_wires(where, node)
                if node.parameters or node.states:
                    raise FileFormatError(f"{where}: a {node.model} has no arrays of its own")
            elif node.children and node.user_class is None:
                _check_outer(where, node)
            else:
                _check_class(where, node, n_bytes)
        except FileFormatError:
            raise
        except (ValueError, TypeError, IndexError) as error:
            raise FileFormatError(f"{where}: {error}") from error


def _check_model(where: str, node: Node, model: Model) -> None:
    """Check the arrays of a layer against the table of its model."""
    settings = {spec.name: spec for spec in model.settings}
    _check_names(where, node.settings, set(), set(settings), "settings")
    for name, value in node.settings.items():
        allowed = settings[name].allowed
        if type(value) not in allowed:
            kind = allowed[-1].__name__
            raise FileFormatError(f"{where}: {name} must be of {kind}, got {shown(value)}")
    shape = _module_shape(where, node, model)
    permitted = {spec.name: model.parameter_shapes(shape, spec) for spec in model.parameters}
    needed = {spec.name for spec in model.parameters if not spec.only_with}
    _check_names(where, node.parameters, needed, set(permitted), "parameters")
    for name, value in node.parameters.items():
        _check_shape(where, name, value.array, permitted[name])
    states = {spec.name: model.sized(shape, spec.shape) for spec in model.states}
    _check_names(where, node.states, set(states), set(states), "states")
    for name, array in node.states.items():
        batched = (len(array), *states[name]) if array.ndim == len(states[name]) + 1 else None
        _check_shape(where, name, array, [batched or states[name]])


def _check_class(where: str, node: Node, n_bytes: int) -> None:
    """Check a layer of a class of which no table tells what its sizes are borne out by."""
    if any(size is not None and size > n_bytes for size in node.shape):
        raise FileFormatError(f"{where}: the shape {node.shape} is larger than the file")
    for name, value in node.settings.items():
        if type(value) is int and value > n_bytes:
            raise FileFormatError(f"{where}: {name} is {value}, more than the file has bytes")
    if node.settings.get("has_rec", False) and "w_rec" not in node.parameters:
        raise FileFormatError(f"{where}: of its parameters, w_rec is missing")


def _module_shape(where: str, node: Node, model: Model) -> tuple[int, ...]:
    """Return the shape of a layer, as its model has it, and what that follows from."""
    said = model.shape_setting
    if said and said not in node.settings:
        raise FileFormatError(f"{where}: of its settings, {said} is missing")
    shape = model.described_shape(node.model, node.shape, node.settings)
    follows = model.shape_from is not None or bool(said)
    if follows and shape[:2] != node.shape:
        raise FileFormatError(f"{where}: the shape {node.shape} is not {shape[:2]}")
    return shape


def _check_outer(where: str, node: Node) -> None:
    """Check the shape of a layer that is made of others."""
    children = list(node.children.values())
    if node.shape != (children[0].shape[0], children[-1].shape[-1]) or node.parameters:
        raise FileFormatError(f"{where}: the shape {node.shape} is not that of its modules")


def _check_stack(where: str, node: Node) -> None:
    """Check the weights between the modules of a stack."""
    children = list(node.children.values())
    sizes = {
        f"{i}_{i + 1}_weight": (first.shape[-1], second.shape[0])
        for i, (first, second) in enumerate(pairwise(children))
    }
    _check_names(where, node.parameters, set(sizes), set(sizes), "weights")
    for name, value in node.parameters.items():
        _check_shape(where, name, value.array, [sizes[name]])


def _check_wires(where: str, node: Node) -> None:
    """Check the edges between the modules of a container, and that these stand in their order."""
    _check_names(where, node.settings, {"edges"}, {"edges"}, "settings")
    edges = checked_edges(node.model, node.children, node.settings["edges"])
    if list(node.children) != evolution_order(node.model, edges):
        raise FileFormatError(f"{where}: its modules do not stand in the order of its edges")


def _check_names(where: str, given: Any, needed: set[str], known: set[str], what: str) -> None:
    """Require names, and no others than those that are known."""
    missing, unknown = sorted(needed - set(given)), sorted(set(given) - known)
    if missing or unknown:
        odd = f"{missing[0]} is missing" if missing else f"{shown(unknown[0])} is not known"
        raise FileFormatError(f"{where}: of its {what}, {odd}")


def _check_shape(where: str, name: str, array: np.ndarray, permitted: list[Any]) -> None:
    """Require floating-point numbers of one of some shapes."""
    if array.dtype.kind != "f":
        raise FileFormatError(f"{where}: {name} is of the type {array.dtype}, not of real numbers")
    if array.shape not in permitted:
        allowed = " or ".join(map(str, permitted))
        raise FileFormatError(f"{where}: {name} has the shape {array.shape}, not {allowed}")
