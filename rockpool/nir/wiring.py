"""The nodes of a graph and what leads where: nested graphs opened, recurrences found, an order.

Order comes from the edges alone: files have their nodes by name. A node adds up what leads to it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from graphlib import CycleError, TopologicalSorter

import numpy as np

from rockpool.files.tensors import FileFormatError
from rockpool.nir.graph import INPUT, OUTPUT, SPIKING, Graph, GraphNode

__all__ = ["Wiring", "wiring_of"]

Edge = tuple[str, str]

_WEIGHTS = ("Linear", "Affine")
# More edges than this out of a file with few: where many lead to a node that hands on to many
MAX_EDGES = 200_000
MOST_WEIGHTS = 10**7  # of zeros and ones, where terminals are put side by side


@dataclass
class Wiring:
    """A flat graph.

    Attributes
    ----------
    name : str
        What messages call it.
    nodes : dict of GraphNode by name
        All nodes but inputs and outputs, in an order in which each comes behind what leads to it.
    sources : dict of list of str by name
        What leads to each node: names of nodes, and `INPUT` for the input of the network.
    outputs : list of str
        What leads out of the network.
    shape_in, shape_out : tuple of int
        The axes that the file says input and output have.
    recurrent : dict of array by name
        Weights (from, to) between the neurons of a node.
    rec_bias : dict of array by name
        What a recurrence adds in each step.
    notes : list of str
        What has been read into the file.
    warnings : list of str
        Of that, what a reader should know.
    """

    name: str
    nodes: dict[str, GraphNode]
    sources: dict[str, list[str]]
    outputs: list[str]
    shape_in: tuple[int, ...]
    shape_out: tuple[int, ...]
    recurrent: dict[str, np.ndarray] = field(default_factory=dict)
    rec_bias: dict[str, np.ndarray] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def targets(self, name: str) -> list[str]:
        """Return the nodes that a node leads to."""
        return [target for target, sources in self.sources.items() if name in sources]


def wiring_of(graph: Graph, recurrent_input: bool) -> Wiring:
    """Return a graph as one without graphs inside, its recurrences taken out of the edges.

    Parameters
    ----------
    graph : Graph
        What a file holds.
    recurrent_input : bool
        Whether an edge from the input of an inner graph to its recurrent weights counts. NIR's own
        reading says so; the packages that write it run these weights on the last spikes alone.

    Raises
    ------
    FileFormatError
        An edge leads to nowhere or stands twice, there is no input or no output, or there is a loop
        that is no recurrence of one layer.
    """
    notes: list[str] = []
    nodes, edges = _flat(graph, recurrent_input, notes)
    ends = {kind: [n for n, node in nodes.items() if node.kind == kind] for kind in (INPUT, OUTPUT)}
    outer = {kind: [n for n in names if n in graph.nodes] for kind, names in ends.items()}
    warnings = []
    for kind, names in outer.items():
        if not names:
            raise FileFormatError(f"{graph.name}: there is no node {kind}")
        if len(names) > 1:
            warnings.append(_side_by_side(graph.name, kind, outer, nodes, edges))
    (first,), (last,) = outer[INPUT], outer[OUTPUT]
    terminals = [name for name, node in nodes.items() if node.kind in (INPUT, OUTPUT)]
    passing = [name for name in terminals if name not in (first, last)]
    edges = _without(graph.name, passing, edges)
    if any(b == first for _, b in edges) or any(a == last for a, _ in edges):
        raise FileFormatError(f"{graph.name}: an edge leads into {first!r}, or out of {last!r}")
    inner = {n: node for n, node in nodes.items() if node.kind not in (INPUT, OUTPUT)}
    edges = [(INPUT if a == first else a, OUTPUT if b == last else b) for a, b in edges]
    wiring = Wiring(graph.name, inner, {}, [], _axes(nodes[first]), _axes(nodes[last]), notes=notes)
    wiring.warnings += warnings
    edges = _take_recurrences(wiring, edges)
    _order(wiring, edges)
    return wiring


def _side_by_side(
    where: str,
    kind: str,
    outer: dict[str, list[str]],
    nodes: dict[str, GraphNode],
    edges: list[Edge],
) -> str:
    """Put one terminal in the place of several, whose channels are parts of its; say so."""
    names = sorted(outer[kind])
    sizes = [math.prod(_axes(nodes[name])) for name in names]
    total = sum(sizes)
    if total**2 > MOST_WEIGHTS or min(sizes) < 1:
        raise FileFormatError(f"{where}: {len(names)} nodes {kind} of {total} channels in all")
    whole = "_".join(names)
    every = np.eye(total, dtype=np.float32)
    begin = 0
    for name, size in zip(names, sizes, strict=True):
        part = every[begin : begin + size]
        begin += size
        weight = part if kind == INPUT else np.ascontiguousarray(part.T)
        nodes[name] = GraphNode("Linear", {"weight": weight})
        edges.append((whole, name) if kind == INPUT else (name, whole))
    nodes[whole] = GraphNode(kind, {"shape": np.array([total])})
    outer[kind] = [whole]
    listed = ", ".join(f"{name!r} ({size})" for name, size in zip(names, sizes, strict=True))
    return f"it has {len(names)} nodes {kind}; their channels are side by side: {listed}"


def _axes(node: GraphNode) -> tuple[int, ...]:
    return tuple(int(n) for n in np.atleast_1d(node.fields["shape"]).ravel())


def _flat(
    graph: Graph, recurrent_input: bool, notes: list[str], prefix: str = ""
) -> tuple[dict[str, GraphNode], list[Edge]]:
    """Return all nodes by their full names, and edges between them; inner terminals stay."""
    seen: set[Edge] = set()
    for edge in graph.edges:
        for name in edge:
            if name not in graph.nodes:
                raise FileFormatError(f"{graph.name}: an edge {edge} names no node {name!r}")
        if edge in seen:
            raise FileFormatError(f"{graph.name}: the edge {edge} stands twice")
        seen.add(edge)
    nodes: dict[str, GraphNode] = {}
    edges: list[Edge] = []
    entry, exit_ = {}, {}
    for name, node in graph.nodes.items():
        full = joined(prefix, name)
        if isinstance(node, Graph):
            found, inside = _flat(node, recurrent_input, notes, f"{full}.")
            nodes |= found
            edges += inside
            entry[name] = _terminal(node, full, INPUT)
            exit_[name] = _terminal(node, full, OUTPUT)
        else:
            nodes[full] = node
            entry[name] = exit_[name] = full
    own = graph.edges if not prefix or recurrent_input else _spikes_alone(graph, notes, prefix)
    edges += [(exit_[a], entry[b]) for a, b in own]
    return nodes, edges


def _terminal(graph: Graph, full: str, kind: str) -> str:
    names = [
        n for n, node in graph.nodes.items() if isinstance(node, GraphNode) and node.kind == kind
    ]
    if len(names) != 1:
        raise FileFormatError(f"{graph.name}: there must be one node {kind}, there are {names}")
    return joined(f"{full}.", names[0])


def _spikes_alone(graph: Graph, notes: list[str], prefix: str) -> list[Edge]:
    """Return the edges of an inner graph, with its input on the neurons, not on their weights."""
    kinds = {n: node.kind if isinstance(node, GraphNode) else "" for n, node in graph.nodes.items()}
    edges = list(graph.edges)
    for a, b in graph.edges:
        neurons = [n for n in kinds if kinds[n] in SPIKING and {(n, b), (b, n)} <= set(edges)]
        if kinds[a] == INPUT and kinds[b] in _WEIGHTS and neurons:
            edges.remove((a, b))
            edges += [(a, n) for n in neurons if (a, n) not in edges]
            notes.append(f"{joined(prefix, b)} gets the last spikes alone, the input passes it")
    return edges


def joined(prefix: str, name: str) -> str:
    """Return the full name of a node in an inner graph; some packages write that in already."""
    return name if name.startswith(prefix) else f"{prefix}{name}"


def _without(where: str, passing: Iterable[str], edges: list[Edge]) -> list[Edge]:
    """Return edges past nodes that only hand on what they get."""
    for name in passing:
        before = [a for a, b in edges if b == name]
        after = [b for a, b in edges if a == name]
        edges = [edge for edge in edges if name not in edge]
        if len(edges) + len(before) * len(after) > MAX_EDGES:
            raise FileFormatError(f"{where}: more than {MAX_EDGES} edges")
        edges += [(a, b) for a in before for b in after]
    return edges


def _take_recurrences(wiring: Wiring, edges: list[Edge]) -> list[Edge]:
    """Move weights from a layer of neurons to itself out of the edges, and return the others."""
    for name, node in list(wiring.nodes.items()):
        if node.kind not in SPIKING:
            continue
        size = int(np.size(node.fields["v_threshold"]))
        if (name, name) in edges:
            edges = [edge for edge in edges if edge != (name, name)]
            _add_recurrence(wiring, name, np.eye(size), None)
        after = {b for a, b in edges if a == name}
        before = {a for a, b in edges if b == name}
        for weights in sorted(after & before):
            if weights in wiring.nodes and wiring.nodes[weights].kind in (*_WEIGHTS, "Scale"):
                edges = _fold(wiring, edges, name, weights)
    return edges


def _fold(wiring: Wiring, edges: list[Edge], name: str, weights: str) -> list[Edge]:
    """Take a node of weights from a layer to itself; what else leads there keeps a copy."""
    node = wiring.nodes[weights]
    held = node.fields.get("weight")
    matrix = np.diag(np.ravel(node.fields["scale"])) if held is None else held
    size = int(np.size(wiring.nodes[name].fields["v_threshold"]))
    if matrix.shape != (size, size):
        raise FileFormatError(
            f"{wiring.name}: {weights!r} has weights of the shape {matrix.shape}, between the "
            f"{size} neurons of {name!r} they must be ({size}, {size})"
        )
    others = [a for a, b in edges if b == weights and a != name]
    targets = [b for a, b in edges if a == weights and b != name]
    bias = None if others else node.fields.get("bias")
    _add_recurrence(wiring, name, matrix.T, bias)
    edges = [edge for edge in edges if edge not in ((name, weights), (weights, name))]
    if targets and others:
        copy = f"{weights}_to_{name}"
        wiring.nodes[copy] = replace(node)
        edges += [(other, copy) for other in others] + [(copy, name), (name, weights)]
    elif targets:
        edges.append((name, weights))
    elif others:
        edges.append((weights, name))
    else:
        del wiring.nodes[weights]
    return edges


def _add_recurrence(wiring: Wiring, name: str, matrix: np.ndarray, bias: np.ndarray | None) -> None:
    known = wiring.recurrent.get(name)
    wiring.recurrent[name] = matrix if known is None else known + matrix
    if bias is not None and np.any(bias):
        wiring.rec_bias[name] = wiring.rec_bias.get(name, 0) + np.ravel(bias)


def _order(wiring: Wiring, edges: list[Edge]) -> None:
    """Fill in what leads to each node, and order the nodes; what leads nowhere is refused."""
    sources: dict[str, list[str]] = {name: [] for name in wiring.nodes}
    if len(set(edges)) < len(edges):
        twice = next(edge for edge in edges if edges.count(edge) > 1)
        raise FileFormatError(f"{wiring.name}: {twice[0]!r} leads to {twice[1]!r} in two ways")
    for a, b in edges:
        if b == OUTPUT:
            wiring.outputs.append(a)
        else:
            sources[b].append(a)
    graph = {name: [s for s in found if s != INPUT] for name, found in sources.items()}
    try:
        order = list(TopologicalSorter(graph).static_order())
    except CycleError as error:
        loop = " -> ".join(map(repr, reversed(error.args[1])))
        raise FileFormatError(
            f"{wiring.name}: the loop {loop} cannot be read: a loop may lead from one layer of "
            "neurons that fire by one matrix back to it; of a longer one the file does not hold "
            "where in it a time step passes"
        ) from None
    lonely = [name for name in order if not sources[name]]
    if lonely:
        raise FileFormatError(f"{wiring.name}: nothing leads to {lonely[0]!r}")
    leading = {s for found in sources.values() for s in found} | set(wiring.outputs)
    dead = [name for name in order if name not in leading]
    if dead:
        raise FileFormatError(f"{wiring.name}: {dead[0]!r} leads to nothing")
    if not wiring.outputs:
        raise FileFormatError(f"{wiring.name}: nothing leads to the output")
    if not order:
        raise FileFormatError(f"{wiring.name}: no layer stands between the input and the output")
    wiring.nodes = {name: wiring.nodes[name] for name in order}
    wiring.sources = {name: sources[name] for name in order}
