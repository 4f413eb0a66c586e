"""Graphs of the package `nir`, its objects in memory, of either of its versions: in and out."""

from __future__ import annotations

import inspect
from typing import Any

import nir
import numpy as np

from rockpool.nir.graph import INPUT, OUTPUT, Graph, GraphNode, checked_node
from rockpool.parameters import to_numpy

__all__ = ["from_object", "is_graph_object", "to_object"]


def is_graph_object(source: Any) -> bool:
    """Return whether something is a graph of `nir`."""
    return isinstance(source, nir.NIRGraph)


def from_object(graph: Any, name: str = "the graph") -> Graph:
    """Return a graph of `nir` as the reader holds graphs.

    Raises
    ------
    FileFormatError
        A node of a type that is not known, or with values that are no numbers.
    """
    nodes = {str(key): _node(f"{name}: {key!r}", node) for key, node in graph.nodes.items()}
    edges = [(str(a), str(b)) for a, b in graph.edges]
    metadata = graph.metadata if isinstance(graph.metadata, dict) else {}
    return Graph(name, nodes, edges, dict(metadata), str(getattr(nir, "version", "")))


def _node(where: str, node: Any) -> GraphNode | Graph:
    if is_graph_object(node):
        return from_object(node, where)
    held = {key: _plain(value) for key, value in vars(node).items()}
    metadata = held.pop("metadata", None)
    kind = type(node).__name__
    types = {"input": held.pop("input_type", None), "output": held.pop("output_type", None)}
    if kind in (INPUT, OUTPUT):
        held["shape"] = (types[kind.lower()] or {}).get(kind.lower())
    elif kind == "Flatten":
        held["input_type"] = (types["input"] or {}).get("input")
    return checked_node(where, kind, held, metadata if isinstance(metadata, dict) else {})


def _plain(value: Any) -> Any:
    """Return an array of any library as one of numpy, and what is no array as it is."""
    return to_numpy(value) if hasattr(value, "shape") else value


def to_object(graph: Graph) -> Any:
    """Return a graph as one of `nir`, of the version that is here.

    Raises
    ------
    ValueError
        That version has no such node: 1.0.4 no ``CubaLI``, and no ``v_reset`` other than 0.
    """
    nodes = {
        name: to_object(node) if isinstance(node, Graph) else _object(name, node)
        for name, node in graph.nodes.items()
    }
    options: dict[str, Any] = {"metadata": graph.metadata} if graph.metadata else {}
    if "type_check" in inspect.signature(nir.NIRGraph.__init__).parameters:
        options["type_check"] = False
    return nir.NIRGraph(nodes=nodes, edges=list(graph.edges), **options)


def _object(name: str, node: GraphNode) -> Any:
    made = _constructed(name, node)
    if node.metadata:
        made.metadata = dict(node.metadata)
    return made


def _constructed(name: str, node: GraphNode) -> Any:
    fields = {key: _item(value) for key, value in node.fields.items()}
    if node.kind == INPUT:
        return nir.Input(input_type={"input": fields["shape"]})
    if node.kind == OUTPUT:
        return nir.Output(output_type={"output": fields["shape"]})
    node_class = getattr(nir, node.kind, None)
    if node_class is None:
        raise ValueError(f"to_nir: {name!r} is a {node.kind}, which nir {nir.version} has not")
    accepted = inspect.signature(node_class.__init__).parameters
    if "v_reset" in fields and "v_reset" not in accepted and np.any(fields.pop("v_reset")):
        raise ValueError(f"to_nir: {name!r} has a v_reset, which nir {nir.version} has not")
    if node.kind == "Flatten":
        fields["input_type"] = {"input": fields["input_type"]}
    return node_class(**fields)


def _item(value: Any) -> Any:
    """Return a single whole number as an int, which is what `nir` wants."""
    whole = isinstance(value, np.ndarray) and value.ndim == 0 and value.dtype.kind == "i"
    return value.item() if whole else value
