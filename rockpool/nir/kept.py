"""What this package notes in the metadata of a graph, so that it reads the same network again.

The graph notes the containers and, of each layer, the model, the settings, and where each parameter
stands: in a field of the layer's node, where that has all of its bits, else in the metadata. (Not
all nodes of nir 1.0.4 can have metadata of their own.) All of it is believed only if the graph is
the one that would be written of it: one that has been changed since is read by its nodes alone.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from rockpool.files.checks import check_sizes
from rockpool.files.tensors import FileFormatError, parse_json
from rockpool.nir.graph import Graph, GraphNode
from rockpool.nir.units import Tree, Unit
from rockpool.nn.description import MAX_DEPTH, Node, Value, same_numbers
from rockpool.nn.models.catalogue import model_named

__all__ = ["NOTE", "VERSION", "description_of", "dialect_noted", "note_of", "same_graph"]

NOTE = "rockpool"
VERSION = 1

_OF_STATES = "keep_batch_state"
_PLAIN = (bool, int, float, str)

_FIELDS = {
    "tau_mem": ("tau_mem", "tau"),
    "tau": ("tau",),
    "threshold": ("v_threshold",),
    "weight": ("weight", "scale"),
}


def note_of(
    unit: Unit, node: GraphNode, place: list[str], weights: GraphNode | None
) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Return the note of a layer: its model and settings, and by key the arrays that no field has.

    Parameters
    ----------
    unit : Unit
        The layer.
    node : GraphNode
        The node that was made of it.
    place : list of str
        Names that lead to the node of its recurrent weights.
    weights : GraphNode or None
        That node.
    """
    said: dict[str, Any] = {}
    arrays: dict[str, np.ndarray] = {}
    for name, value in unit.node.parameters.items():
        array = value.array
        entry: dict[str, Any] = {"shape": list(array.shape), "family": value.family}
        if value.constant:
            entry["constant"] = True
        found = next(_places(name, array, node, place, weights), None)
        if found is None:
            arrays[_key(unit.name, name)] = np.ascontiguousarray(array).ravel()
        else:
            entry |= found
        said[name] = entry
    states = unit.node.states if _is_start(unit) else {}
    if states:
        arrays[_key(unit.name, "start")] = states["vmem"]
    note = {
        "model": unit.node.model,
        "shape": list(unit.node.shape),
        "settings": {key: _plain(v) for key, v in unit.node.settings.items()},
        "parameters": said,
        "states": list(states),
        "library": unit.node.library,
        "local": dict(_local(unit, arrays)),
    }
    return note, arrays


def _local(unit: Unit, arrays: dict[str, np.ndarray]) -> Iterator[tuple[str, Any]]:
    """Go over what only the library of a layer knows of it, but for functions of a user."""
    for name, value in unit.node.local.items():
        if isinstance(value, Value):
            arrays[_key(unit.name, f"local_{name}")] = np.ascontiguousarray(value.array).ravel()
            shape = list(value.array.shape)
            yield name, {"shape": shape, "family": value.family, "constant": value.constant}
        elif name != _OF_STATES and (value is None or isinstance(value, _PLAIN)):
            yield name, _plain(value)


def _is_start(unit: Unit) -> bool:
    """Return whether membranes are where a package starts them that does not start them at 0.

    That is at v_leak or v_reset. Where a network has come to when it is written is no start.
    """
    states, parameters = unit.node.states, unit.node.parameters
    vmem = states.get("vmem", np.zeros(()))
    if vmem.ndim != 1 or not np.any(vmem):
        return False
    starts = [parameters[name].array for name in ("v_leak", "v_reset") if name in parameters]
    at_start = any(np.all(vmem == start) for start in starts)
    return at_start and not any(np.any(v) for name, v in states.items() if name != "vmem")


def _key(layer: str, name: str) -> str:
    """Return the key of an array among the metadata."""
    return f"{NOTE}_{layer}_{name}"


def _places(
    name: str, array: np.ndarray, node: GraphNode, place: list[str], weights: GraphNode | None
) -> Iterator[dict[str, Any]]:
    """Go over the fields that hold a parameter to the last bit."""
    if name == "w_rec" and weights is not None:
        if same_bits(_restored(weights.fields["weight"], array.shape, True), array):
            yield {"node": place, "field": "weight", "turned": True}
        return
    for field in _FIELDS.get(name, (name,)):
        if field in node.fields:
            turned = field == "weight" and array.ndim == 2
            if same_bits(_restored(node.fields[field], array.shape, turned), array):
                yield {"field": field, "turned": turned}


def same_bits(one: np.ndarray | None, other: np.ndarray) -> bool:
    """Return whether two arrays are the same, in type too."""
    return one is not None and one.dtype == other.dtype and same_numbers(one, other)


def _restored(field: Any, shape: tuple[int, ...], turned: bool = False) -> np.ndarray | None:
    """Return a parameter of some shape from a field, or None."""
    array = np.asarray(field)
    array = array.T if turned else array
    if array.size == math.prod(shape):
        return np.ascontiguousarray(array).reshape(shape)
    return array.ravel()[:1].reshape(()) if shape == () and array.size else None


def _plain(value: Any) -> Any:
    """Return a setting as JSON has it."""
    if isinstance(value, float) and not math.isfinite(value):
        return {"float": str(value)}
    if isinstance(value, tuple):
        return [_plain(entry) for entry in value]
    if value is None or isinstance(value, _PLAIN):
        return value
    raise ValueError(f"to_nir: a setting is {value!r}, which no file can hold")


def _setting(said: Any) -> Any:
    if isinstance(said, dict):
        if set(said) != {"float"} or said["float"] not in ("inf", "-inf", "nan"):
            raise ValueError("a setting is damaged")
        return float(said["float"])
    return tuple(_setting(entry) for entry in said) if isinstance(said, list) else said


# -- reading -------------------------------------------------------------------------------------


def description_of(graph: Graph) -> tuple[Node, dict[str, Any]] | None:
    """Return the description that a graph notes, and how it was written; None if it notes none.

    Parameters
    ----------
    graph : Graph
        The graph.

    Raises
    ------
    FileFormatError
        What it notes is damaged, or of a later version.
    """
    text = graph.metadata.get(NOTE)
    if not isinstance(text, str):
        return None
    try:
        said = parse_json(graph.name, "its note", text)
        if type(said["version"]) is not int or said["version"] > VERSION:
            raise FileFormatError(
                f"{graph.name}: its note has version {said['version']!r}, this reads {VERSION}"
            )
        node = _tree(graph, said, said["tree"], 0)
        check_sizes(graph.name, _at_rest(node), _n_bytes(graph))
        options = {key: said[key] for key in ("dialect", "dt", "nir_version", "name")}
    except FileFormatError:
        raise
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        raise FileFormatError(f"{graph.name}: its note is damaged: {error!r}") from error
    return node, options


def dialect_noted(graph: Graph) -> str:
    """Return the dialect in which a graph says that it was written; "nir" where that is damaged."""
    try:
        said = parse_json(graph.name, "its note", graph.metadata[NOTE])
        return str(said["dialect"])
    except (KeyError, TypeError, ValueError):
        return "nir"


def _at_rest(node: Node) -> Node:
    """Return a description with all states, none of which takes memory."""
    children = {name: _at_rest(child) for name, child in node.children.items()}
    model = model_named(node.model)
    states: dict[str, np.ndarray] = {}
    if model is not None:
        shape = model.described_shape(node.model, node.shape, node.settings)
        for spec in model.states:
            states[spec.name] = np.broadcast_to(0.0, model.sized(shape, spec.shape))
    return replace(node, states=states | node.states, children=children)


def _n_bytes(graph: Graph) -> int:
    """Return how many bytes the arrays of a graph have."""
    total = sum(np.asarray(value).nbytes for value in graph.metadata.values())
    for node in graph.nodes.values():
        if isinstance(node, Graph):
            total += _n_bytes(node)
        else:
            total += sum(np.asarray(value).nbytes for value in node.fields.values())
    return total


def _tree(graph: Graph, note: Tree, said: Tree, depth: int) -> Node:
    if depth > MAX_DEPTH:
        raise ValueError("too deep")
    if "node" in said:
        return _layer(graph, str(said["node"]), note["layers"][said["node"]])
    children = {str(name): _tree(graph, note, inner, depth + 1) for name, inner in said["children"]}
    parameters = {}
    for key, (name, family, constant) in said.get("weights", {}).items():
        weight = _held(graph, name).fields["weight"]
        parameters[str(key)] = Value(np.ascontiguousarray(weight.T), family, bool(constant))
    shape = _shape(said["shape"])
    settings = {key: _setting(v) for key, v in said.get("settings", {}).items()}
    return Node(str(said["model"]), shape, parameters, {}, settings, children=children)


def _held(graph: Graph, place: Any) -> GraphNode:
    """Return a node by the name or names that lead to it; of an inner graph, its neurons."""
    node: Any = graph
    for name in place if isinstance(place, list) else [place]:
        node = node.nodes[name]
    if isinstance(node, Graph):
        node = node.nodes["lif"]
    if not isinstance(node, GraphNode):
        raise ValueError(f"{place!r} is no node")
    return node


def _shape(said: Any) -> tuple[int, ...]:
    if not all(type(size) is int and 0 <= size < 2**31 for size in said):
        raise ValueError("a shape is damaged")
    return tuple(said)


def _layer(graph: Graph, layer: str, said: dict[str, Any]) -> Node:
    """Return the description of a layer from its node and its note."""
    node = _held(graph, layer)
    parameters = {}
    for name, entry in said["parameters"].items():
        shape = _shape(entry["shape"])
        if "field" in entry:
            holder = _held(graph, entry["node"]) if "node" in entry else node
            array = _restored(_field(holder, entry["field"]), shape, bool(entry["turned"]))
        else:
            array = _restored(graph.metadata[_key(layer, name)], shape)
        parameters[name] = _value(name, array, entry, "constant" in entry)
    states = {}
    shape = _shape(said["shape"])
    if said["states"]:
        start = np.asarray(graph.metadata[_key(layer, "start")], np.float64)
        states = {key: np.zeros_like(start) for key in said["states"]} | {"vmem": start}
    settings = {str(key): _setting(value) for key, value in said["settings"].items()}
    local: dict[str, Any] = {}
    for name, value in said.get("local", {}).items():  # earlier files have none
        if name == _OF_STATES:
            continue  # which no file of NIR has
        if not (isinstance(value, dict) and "shape" in value):
            local[str(name)] = _setting(value)
        else:
            array = _restored(graph.metadata[_key(layer, f"local_{name}")], _shape(value["shape"]))
            local[str(name)] = _value(name, array, value, bool(value["constant"]))
    library = str(said["library"])
    return Node(str(said["model"]), shape, parameters, states, settings, local, library=library)


def _value(name: str, array: np.ndarray | None, said: dict[str, Any], constant: bool) -> Value:
    if array is None or array.dtype.kind != "f":
        raise ValueError(f"{name} is damaged")
    family = said["family"]
    return Value(array, None if family is None else str(family), constant)


def _field(node: GraphNode, name: str) -> np.ndarray:
    """Return a field; nir 1.0.4 leaves out those `v_reset` that are zero."""
    if name == "v_reset" and name not in node.fields:
        return np.zeros_like(node.fields["v_threshold"])
    return np.asarray(node.fields[name])


def same_graph(one: Graph, other: Graph) -> bool:
    """Return whether two graphs have the same nodes with the same numbers, and the same edges."""
    return (
        set(one.edges) == set(other.edges)
        and one.nodes.keys() == other.nodes.keys()
        and all(_same_node(node, other.nodes[name]) for name, node in one.nodes.items())
    )


def _same_node(one: GraphNode | Graph, other: GraphNode | Graph) -> bool:
    if isinstance(one, Graph) or isinstance(other, Graph):
        return isinstance(one, Graph) and isinstance(other, Graph) and same_graph(one, other)
    return one.kind == other.kind and _same_fields(one.fields, other.fields)


def _same_fields(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    if one.keys() - {"v_reset"} != other.keys() - {"v_reset"}:
        return False
    zero = np.zeros(())
    for key in one.keys() | other.keys():
        a, b = one.get(key, zero), other.get(key, zero)
        if isinstance(a, str) or isinstance(b, str):
            same = a == b
        elif key == "v_reset":
            same = bool(np.all(np.asarray(a) == np.asarray(b)))
        else:
            same = bool(np.array_equal(np.ravel(a), np.ravel(b)))
        if not same:
            return False
    return True
