"""Work on graphs: connect modules, collect and find them, put one in the place of another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

from rockpool.graph.graph_base import GraphHolder, GraphModule, GraphModuleBase, GraphNode, SetList

__all__ = [
    "bag_graph",
    "connect_modules",
    "find_modules_of_subclass",
    "find_recurrent_modules",
    "replace_module",
]

M = TypeVar("M", bound=GraphModuleBase)


def connect_modules(
    source: GraphModuleBase,
    dest: GraphModuleBase,
    source_indices: Sequence[int] | None = None,
    dest_indices: Sequence[int] | None = None,
) -> None:
    """Connect outputs of one module or holder to inputs of another.

    Each output node of ``source`` takes the place of the input node of ``dest`` that it is paired
    with: wherever that was an input or an output, the output node of ``source`` is now.

    Parameters
    ----------
    source : GraphModuleBase
        The module or holder whose outputs are connected.
    dest : GraphModuleBase
        The module or holder whose inputs are connected.
    source_indices : sequence of int, optional
        Which output nodes to connect. Default: all.
    dest_indices : sequence of int, optional
        Which input nodes to connect to, in the same order. Default: all.

    Raises
    ------
    ValueError
        If the numbers of nodes to connect differ. Nothing has been connected then.
    IndexError
        If an index is out of range. Nothing has been connected then.
    TypeError
        If one of them is neither module nor holder.
    """
    for name, module in (("source", source), ("dest", dest)):
        if not isinstance(module, GraphModuleBase):
            raise TypeError(
                f"connect_modules: {name} must be a module or holder of a graph, got {module!r}"
            )
    sources = range(len(source.output_nodes)) if source_indices is None else list(source_indices)
    dests = range(len(dest.input_nodes)) if dest_indices is None else list(dest_indices)
    if len(sources) != len(dests):
        raise ValueError(
            f"connect_modules: cannot connect {len(sources)} output nodes of {source!r} "
            f"to {len(dests)} input nodes of {dest!r}"
        )
    _check_indices("source_indices", sources, source.output_nodes)
    _check_indices("dest_indices", dests, dest.input_nodes)
    for source_index, dest_index in zip(sources, dests, strict=True):
        # Looked up each time: a module that is connected to itself changes on the way
        survivor, node = source.output_nodes[source_index], dest.input_nodes[dest_index]
        if survivor is not node:
            _merge_nodes(survivor, node)
            dest.input_nodes.replace(node, survivor)
            dest.output_nodes.replace(node, survivor)


def _check_indices(argument: str, indices: Sequence[int], nodes: SetList[GraphNode]) -> None:
    for index in indices:
        if not -len(nodes) <= index < len(nodes):
            raise IndexError(
                f"connect_modules: {argument} must be below {len(nodes)}, the number of nodes, "
                f"got {index}"
            )


def _merge_nodes(survivor: GraphNode, node: GraphNode) -> None:
    """Let one node take over all modules of another one, which has no links afterwards."""
    for sink in list(node.sink_modules):
        sink.input_nodes.replace(node, survivor)
        node.remove_sink(sink)
        survivor.add_sink(sink)
    for origin in list(node.source_modules):
        origin.output_nodes.replace(node, survivor)
        node.remove_source(origin)
        survivor.add_source(origin)


def bag_graph(
    graph: GraphModuleBase,
    nodes_bag: SetList[GraphNode] | None = None,
    modules_bag: SetList[GraphModule] | None = None,
) -> tuple[SetList[GraphNode], SetList[GraphModule]]:
    """Collect all nodes and modules that can be reached from a module or holder.

    Parameters
    ----------
    graph : GraphModuleBase
        Where to begin.
    nodes_bag : SetList, optional
        Nodes that have been collected already. Default: none.
    modules_bag : SetList, optional
        Modules that have been collected already. Default: none.

    Returns
    -------
    nodes : SetList of GraphNode
        The nodes.
    modules : SetList of GraphModule
        The modules, without holders; those of a chain in the order of evolution.
    """
    nodes: dict[GraphNode, None] = dict.fromkeys(nodes_bag or ())
    modules: dict[Any, None] = dict.fromkeys(modules_bag or ())
    if not isinstance(graph, GraphHolder):
        modules[graph] = None

    # Depth first without recursion, as deep as the network may be
    pending = [*reversed(graph.output_nodes), *reversed(graph.input_nodes)]
    while pending:
        node = pending.pop()
        if node in nodes:
            continue
        nodes[node] = None
        neighbours = SetList([*node.source_modules, *node.sink_modules])
        modules.update(dict.fromkeys(neighbours))
        for module in reversed(neighbours):
            pending.extend(reversed(module.output_nodes))
            pending.extend(reversed(module.input_nodes))
    return SetList(nodes), SetList(modules)


def find_modules_of_subclass(graph: GraphModuleBase, cls: type[M]) -> SetList[M]:
    """Return all modules of a graph that are instances of a class, in the order of `bag_graph`.

    `graph` is a module or holder of the graph.
    """
    _, modules = bag_graph(graph)
    return SetList(module for module in modules if isinstance(module, cls))


def find_recurrent_modules(
    graph: GraphModuleBase,
) -> tuple[SetList[GraphModule], SetList[GraphModule]]:
    """Find the modules of a graph that take part in a loop of two modules, or of one with itself.

    Returns
    -------
    modules : SetList of GraphModule
        All modules of the graph.
    recurrent_modules : SetList of GraphModule
        Those for which some module both writes to their inputs and reads from their outputs. Of
        recurrent neurons these are the neurons and their recurrent weights.
    """
    _, modules = bag_graph(graph)
    recurrent: SetList[GraphModule] = SetList()
    for module in modules:
        writers = {origin for node in module.input_nodes for origin in node.source_modules}
        readers = {sink for node in module.output_nodes for sink in node.sink_modules}
        if not writers.isdisjoint(readers):
            recurrent.append(module)
    return modules, recurrent


def replace_module(target_module: GraphModule, replacement_module: GraphModule) -> None:
    """Put a module in the place of another one in a graph.

    Parameters
    ----------
    target_module : GraphModule
        The module to take out. It has no nodes afterwards.
    replacement_module : GraphModule
        The module that gets its nodes; it loses those that it had.

    Raises
    ------
    ValueError
        If the numbers of input or output nodes differ. Nothing has been changed then.
    TypeError
        If one of them is no module but, for instance, a holder.
    """
    for name, module in (
        ("target_module", target_module),
        ("replacement_module", replacement_module),
    ):
        if not isinstance(module, GraphModule):
            raise TypeError(f"replace_module: {name} must be a GraphModule, got {module!r}")
    for side in ("input_nodes", "output_nodes"):
        present, new = len(getattr(target_module, side)), len(getattr(replacement_module, side))
        if present != new:
            raise ValueError(
                f"replace_module: the modules must have the same number of {side}, "
                f"got {present} in {target_module!r} and {new} in {replacement_module!r}"
            )
    inputs, outputs = list(target_module.input_nodes), list(target_module.output_nodes)
    target_module._take_places((), ())
    replacement_module._take_places(inputs, outputs)
