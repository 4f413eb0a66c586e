"""A network as a flat list of layers with what leads to each: what a graph of NIR is made of."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from rockpool.nir.graph import INPUT
from rockpool.nn.combinators._wiring import evolution_order
from rockpool.nn.description import Node, Value
from rockpool.nn.networks.lowering import SEPARATOR, has_two_outputs, lowered, potentials_of
from rockpool.nn.networks.makers import maker_of

__all__ = ["Unit", "Units", "axes_in", "axes_out", "units_of"]

Shape = tuple[int, ...]
Tree = dict[str, Any]


@dataclass
class Unit:
    """One layer: its name in the graph, its description, and the names of what leads to it."""

    name: str
    node: Node
    sources: list[str]


@dataclass
class Units:
    """The layers of a network.

    Attributes
    ----------
    units : list of Unit
        The layers, in order.
    outputs : list of str
        What leads out of the network; `INPUT` is its input.
    tree : dict
        The containers, with the names of layers as leaves.
    """

    units: list[Unit] = field(default_factory=list)
    outputs: list[str] = field(default_factory=list)
    tree: Tree = field(default_factory=dict)

    @property
    def is_row(self) -> bool:
        """Whether each layer gets what the one before it gives."""
        names = [unit.name for unit in self.units]
        row = [[INPUT], *([name] for name in names[:-1])]
        return [unit.sources for unit in self.units] == row and self.outputs == names[-1:]

    def targets(self, name: str) -> list[Unit]:
        """Return the layers that a layer leads to."""
        return [unit for unit in self.units if name in unit.sources]


def units_of(node: Node, single: str = "rockpool") -> Units:
    """Return the layers of a network.

    Parameters
    ----------
    node : Node
        The network.
    single : str, optional
        The name of a network that is one layer. Default: "rockpool".

    Raises
    ------
    ValueError
        A container that no graph can hold, which is named.
    """
    units = Units()
    units.outputs, units.tree = _add(units, node.without_dropout(), (), [INPUT], single)
    if not units.units:
        raise ValueError("to_nir: the network has no layers")
    return units


def _add(
    units: Units, node: Node, path: tuple[str, ...], sources: list[str], single: str
) -> tuple[list[str], Tree]:
    """Add a layer or all layers of a container; return what leads out of it, and its tree."""
    where = ".".join(path) or "the network"
    if potentials_of(node) is not None:
        raise ValueError(
            f"to_nir: {where} is a {node.model} that gives membrane potentials, which no layer of "
            "spiking neurons gives in NIR; with output='spikes' it can be written"
        )
    if maker_of(node) is not None and not has_two_outputs(node):
        node = _without_loose_ends(lowered(node))
    if node.user_class is not None or node.model == "TimedModuleWrapper":
        raise ValueError(f"to_nir: {where} is a {node.model}, a container that NIR cannot hold")
    if not node.children:
        name = _free_name(units, path or (single,))
        units.units.append(Unit(name, node, sources))
        return [name], {"node": name}
    add = _CONTAINERS.get(node.model)
    if add is None:
        raise ValueError(f"to_nir: {where} is a {node.model}, a container that NIR cannot hold")
    tree: Tree = {"model": node.model, "shape": list(node.shape), "children": []}
    if "edges" in node.settings:
        tree["settings"] = {"edges": [list(edge) for edge in node.settings["edges"]]}
    return add(units, node, path, sources, tree), tree


def _without_loose_ends(node: Node) -> Node:
    """Return layers with edges between them, without those that lead to no output.

    Other readers take what leads nowhere for an output of the network. Names are those of modules.
    """
    if "edges" not in node.settings:
        return node
    edges = list(node.settings["edges"])
    while loose := {b for _, b in edges} - {a for a, _ in edges} - {"output"}:
        edges = [(a, b) for a, b in edges if b not in loose]
    names: dict[str, str] = {}
    for name in node.children:
        names[name] = _free_of(name.replace(SEPARATOR, "_"), names.values())
    ends = {"input": "input", "output": "output"}
    plain = tuple((ends.get(a) or names[a], ends.get(b) or names[b]) for a, b in edges)
    layers = {label: node.children[name] for name, label in names.items()}
    children = {name: layers[name] for name in evolution_order(node.model, plain)}
    return Node(node.model, node.shape, settings={"edges": plain}, children=children)


def _free_of(name: str, taken: Collection[str]) -> str:
    while name in taken:
        name += "_"
    return name


def _free_name(units: Units, path: tuple[str, ...]) -> str:
    taken = {unit.name for unit in units.units} | {"input", "output"}
    return _free_of(re.sub(r"\W", "_", "_".join(path)), taken)


def _row(
    units: Units, node: Node, path: tuple[str, ...], sources: list[str], tree: Tree
) -> list[str]:
    for name, child in node.children.items():
        sources, inner = _add(units, child, (*path, name), sources, "")
        tree["children"].append([name, inner])
    return sources


def _residual(
    units: Units, node: Node, path: tuple[str, ...], sources: list[str], tree: Tree
) -> list[str]:
    outputs = _row(units, node, path, sources, tree)
    twice = set(outputs) & set(sources)
    if twice:
        raise ValueError(f"to_nir: {twice.pop()!r} would lead to one place twice, as residuals")
    return [*outputs, *sources]


def _stack(
    units: Units, node: Node, path: tuple[str, ...], sources: list[str], tree: Tree
) -> list[str]:
    """Add layers with weights between them, which become layers too."""
    tree["weights"] = {}
    weights = dict(node.parameters)
    for number, (name, child) in enumerate(node.children.items()):
        if number:
            key = f"{number - 1}_{number}_weight"
            value = weights[key]
            linear = Node("Linear", value.array.shape, {"weight": Value(value.array, "weights")})
            between = _free_name(units, (*path, key))
            units.units.append(Unit(between, linear, sources))
            tree["weights"][key] = [between, value.family, value.constant]
            sources = [between]
        sources, inner = _add(units, child, (*path, name), sources, "")
        tree["children"].append([name, inner])
    return sources


def _wired(
    units: Units, node: Node, path: tuple[str, ...], sources: list[str], tree: Tree
) -> list[str]:
    outputs = {"input": sources}
    edges = node.settings["edges"]

    def leading_to(name: str) -> list[str]:
        found = [source for a, b in edges if b == name for source in outputs[a]]
        if len(set(found)) < len(found):
            raise ValueError(f"to_nir: something would lead to {name!r} twice")
        return found

    for name, child in node.children.items():
        outputs[name], inner = _add(units, child, (*path, name), leading_to(name), "")
        tree["children"].append([name, inner])
    return leading_to("output")


_CONTAINERS = {"Sequential": _row, "Residual": _residual, "FFwdStack": _stack, "Wired": _wired}


def axes_in(node: Node) -> Shape:
    """Return the axes of the input of a layer."""
    for name in ("neuron_shape", "shape_in"):
        if name in node.settings:
            return tuple(node.settings[name])
    return (int(node.shape[0] or 1),)


def axes_out(node: Node) -> Shape:
    """Return the axes of the output of a layer."""
    if "neuron_shape" in node.settings:
        return tuple(node.settings["neuron_shape"])
    if node.model in ("Conv1d", "Conv2d", "SumPool2d", "AvgPool2d"):
        return geometry_out(node)
    if node.model == "Scale":
        return axes_in(node)
    return (int(node.shape[-1] or 1),)


def geometry_out(node: Node) -> Shape:
    """Return channels and axes of the output of a convolution or of pooling."""
    from rockpool.nn.models import convolution

    settings: Mapping[str, Any] = node.settings
    if node.model.startswith("Conv"):
        n_axes = int(node.model[4])
        return convolution.convolution_geometry(n_axes, node.model, settings).shape_out
    return convolution.pooling_geometry(2, node.model, settings).shape_out
