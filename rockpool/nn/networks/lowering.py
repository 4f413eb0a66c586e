"""The descriptions of whole networks as rows of layers, and as layers with edges between them."""

from __future__ import annotations

from typing import Any

from rockpool.nn.description import Node

__all__ = ["SEPARATOR", "has_two_outputs", "lowered", "potentials_of"]

SEPARATOR = "."  # between the names of a block and of a layer in it


def lowered(node: Node) -> Node:
    """Return a network of this package as containers of which all are a `Sequential` or `Wired`.

    Layers within blocks have the name of the block in front of theirs; see `SEPARATOR`. What is no
    network of this package is returned as it is. A network that gives the potentials of its last
    layer becomes the row that gives the spikes of it; see `potentials_of`.

    Parameters
    ----------
    node : Node
        A description.

    Raises
    ------
    ValueError
        The module has two outputs, or a file made it up.
    """
    wiring = node.settings.get("wiring") if node.user_class is not None else None
    if wiring in ("row", "potentials"):
        return Node("Sequential", node.shape, children=node.children)
    return _as_edges(node) if wiring == "wavesense" else node


def has_two_outputs(node: Node) -> bool:
    """Return whether a module is a block of a WaveSense network, of which each has two outputs."""
    return node.settings.get("wiring") == "wavesense" and "spk2_skip" in node.children


def potentials_of(node: Node) -> tuple[tuple[str, ...], Node] | None:
    """Return the layer of which the membrane potentials are the output: its path, and the layer.

    None if the output of the network is that of its last layer, as it mostly is.
    """
    if node.user_class is None or node.settings.get("wiring") != "potentials":
        return None
    row = node.children.get("seq")
    if row is None or not row.children:
        raise ValueError(f"{node.model} has no row of layers")
    last = next(reversed(row.children))
    return ("seq", last), row.children[last]


def _as_edges(node: Node) -> Node:
    """Return a WaveSense network as it is wired."""
    from rockpool.nn.networks.wiring import wired_output

    children: dict[str, Node] = {}
    edges: list[tuple[str, str]] = []

    def layers_of(parent: Node, prefix: str, data: list[str]) -> Any:
        """Return the names of those layers whose sum is an output."""

        def evolved(name: str, data: list[str]) -> Any:
            child, label = parent.children.get(name), prefix + name
            if child is None:
                raise ValueError(f"{node.model} has no layer {label!r}")
            if has_two_outputs(child):
                return layers_of(child, label + SEPARATOR, data)
            children[label] = child
            edges.extend((source, label) for source in data)
            return [label]

        return wired_output(evolved, list(parent.children), data)

    if has_two_outputs(node):
        raise ValueError(f"{node.model} has two outputs; on its own it is no network")
    edges.extend((source, "output") for source in layers_of(node, "", ["input"]))
    return Node("Wired", node.shape, settings={"edges": tuple(edges)}, children=children)
