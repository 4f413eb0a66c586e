"""A description of a whole graph: its layers with shapes and names, in a row or wired."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from rockpool.files.tensors import FileFormatError
from rockpool.nir.graph import INPUT, NEURONS, GraphNode
from rockpool.nir.images import KINDS, flattened, image_layer
from rockpool.nir.layers import Reading, branches_of, layer_of
from rockpool.nir.wiring import Wiring
from rockpool.nn.description import Node

__all__ = ["container", "network_of", "safe_name"]

Shape = tuple[int, ...]

MOST_WEIGHTS = 10**7  # of zeros, where a bias needs a node of its own
MOST_ENTRIES = 5 * 10**7  # of what goes from layer to layer, which a few bytes of a file can say

# What modules of one back-end or another have as attributes
_TAKEN = frozenset(
    "T_destination add_module append apply as_graph attributes_named bfloat16 bias buffers "
    "call_super_init children class_name compile cpu cuda double dt dump_patches edges eval evolve "
    "extra_repr float forward from_torch full_name half input ipu json_to_param "
    "keep_batch_state keeps_batch_state load load_state_dict merge modules mtia name output "
    "param_to_json parameters record requires_grad_ reset_parameters reset_state save "
    "set_attributes shape share_memory simulation_parameters size size_in size_out spiking_input "
    "spiking_output state state_dict summary threshold timed to to_empty to_json to_torch train "
    "training tree_flatten tree_unflatten type xpu zero_grad".split()
)
# and the beginnings of more of them
_TAKEN_AHEAD = ("_", "get_", "named_", "register_", "set_")


def network_of(reading: Reading, wiring: Wiring) -> Node:
    """Return the description of a graph.

    Raises
    ------
    FileFormatError
        A node does not fit what leads to it, or cannot be held.
    """
    shapes: dict[str, Shape] = {INPUT: _input_shape(reading, wiring)}
    _add_recurrent_bias(wiring, math.prod(shapes[INPUT]))
    ends: dict[str, list[str]] = {INPUT: [INPUT]}  # the layers that give what a node gives
    layers: dict[str, Node] = {}
    sources: dict[str, list[str]] = {}
    for name, node in wiring.nodes.items():
        shape = _sum_shape(reading, name, wiring.sources[name], shapes)
        if math.prod(shape) > MOST_ENTRIES:
            raise reading.fail(name, f"input of the shape {shape} is too large")
        given = [end for source in wiring.sources[name] for end in ends[source]]
        branches = branches_of(reading, name, node, shape)
        if branches is not None:
            ends[name], shapes[name] = [], shape
            for branch in branches:
                last = given
                for suffix, layer in branch:
                    label = safe_name(f"{name}{suffix}", layers)
                    layers[label], sources[label], last = layer, last, [label]
                ends[name] += last
            continue
        label = safe_name(name, layers)
        ends[name] = [label]
        if len(shape) > 1 and node.kind in ("Linear", "Affine"):
            flat = safe_name(f"{label}_flatten", {**layers, label: None})
            layers[flat], sources[flat], given = flattened(shape), given, [flat]
            shape = (math.prod(shape),)
        if reading.dialect == "spyx" and node.kind in ("Linear", "Affine"):
            node = _channels_first(wiring, name, node, shapes)
        make: Any = image_layer if node.kind in KINDS else layer_of
        rest = () if node.kind in KINDS else (wiring.recurrent.get(name),)
        layers[label], shapes[name] = make(reading, name, node, shape, *rest)
        sources[label] = given
    _check_output(reading, wiring, shapes)
    outputs = [end for name in wiring.outputs for end in ends[name]]
    return container(layers, sources, outputs, math.prod(shapes[INPUT]))


def _channels_first(
    wiring: Wiring, name: str, node: GraphNode, shapes: Mapping[str, Shape]
) -> GraphNode:
    """Return weights behind a Flatten of images, of which spyx has channels as the last axis."""
    source = wiring.sources[name][0]
    before = wiring.nodes.get(source)
    if before is None or before.kind != "Flatten" or len(wiring.sources[name]) > 1:
        return node
    axes = shapes[wiring.sources[source][0]]
    weight = node.fields["weight"]
    if len(axes) != 3 or weight.ndim != 2 or weight.shape[1] != math.prod(axes):
        return node
    channels, height, width = axes
    turned = weight.reshape(-1, height, width, channels).transpose(0, 3, 1, 2)
    wiring.notes.append(f"the columns of {name!r} are in the order height, width, channels")
    return GraphNode(
        node.kind, {**node.fields, "weight": turned.reshape(weight.shape)}, node.metadata
    )


def container(
    layers: Mapping[str, Node],
    sources: Mapping[str, list[str]],
    outputs: list[str],
    size_in: int,
) -> Node:
    """Return layers as a `Sequential` if they are in a row, else as they are wired."""
    names = list(layers)
    row = [[INPUT], *([name] for name in names[:-1])]
    size_out = layers[outputs[0]].shape[-1] if outputs[0] != INPUT else size_in
    shape = (size_in, size_out)
    if outputs == names[-1:] and [sources[name] for name in names] == row:
        return Node("Sequential", shape, children=dict(layers))
    edges = [(source, name) for name, found in sources.items() for source in found]
    edges += [(source, "output") for source in outputs]
    wires = tuple(("input" if a == INPUT else a, b) for a, b in edges)
    return Node("Wired", shape, settings={"edges": wires}, children=dict(layers))


def safe_name(name: str, taken: Any) -> str:
    """Return the name of a node as one of a module that is not taken."""
    name = re.sub(r"\W", "_", name) or "_"
    if name in _TAKEN or (name.startswith(_TAKEN_AHEAD) and not re.match(r"_\d", name)):
        name = f"node_{name}"
    while name in taken:
        name += "_"
    return name


def _add_recurrent_bias(wiring: Wiring, size_in: int) -> None:
    """Add what a recurrence adds in each step to the bias before it, or to a node of its own."""
    for name, bias in wiring.rec_bias.items():
        sources = wiring.sources[name]
        first = sources[0]
        node = wiring.nodes.get(first)
        alone = len(sources) == 1 and len(wiring.targets(first)) == 1
        alone = alone and first not in wiring.outputs
        if node is not None and node.kind in ("Linear", "Affine") and alone:
            held = np.ravel(node.fields.get("bias", 0.0))
            fields = {**node.fields, "bias": held + bias}
            wiring.nodes[first] = GraphNode("Affine", fields, node.metadata)
            continue
        if bias.size * size_in > MOST_WEIGHTS:
            raise FileFormatError(f"{wiring.name}: no place for the recurrent bias of {name!r}")
        extra = {"weight": np.zeros((bias.size, size_in)), "bias": bias}
        label = f"{name}_bias"
        while label in wiring.nodes:
            label += "_"
        wiring.nodes = {label: GraphNode("Affine", extra), **wiring.nodes}
        wiring.sources = {label: [INPUT], **wiring.sources}
        wiring.sources[name] = [*sources, label]


def _sum_shape(
    reading: Reading, name: str, sources: list[str], shapes: Mapping[str, Shape]
) -> Shape:
    """Return the shape of the sum of what leads to a node."""
    found = [shapes[source] for source in sources]
    if len({math.prod(shape) for shape in found}) > 1:
        given = ", ".join(f"{source!r} {shapes[source]}" for source in sources)
        raise reading.fail(name, f"what leads to it differs in shape: {given}")
    return max(found, key=len)


def _input_shape(reading: Reading, wiring: Wiring) -> Shape:
    """Return the axes of the input, without those of batch and time that some files have."""
    said = wiring.shape_in
    if any(n < 0 for n in said):
        raise FileFormatError(f"{wiring.name}: the input has the shape {said}")
    first = wiring.targets(INPUT)
    cuts = [said[k:] for k in range(len(said))]
    for name in first:
        cuts = [cut for cut in cuts if _takes(wiring.nodes[name], cut)] or cuts
        fitting = [cut for cut in cuts if _takes(wiring.nodes[name], cut)]
        if not fitting:
            raise reading.fail(name, f"it cannot take the input, of the shape {said}")
    wanted = [axes for name in first for axes in _own_axes(wiring.nodes[name])]
    best = next((cut for cut in cuts if cut in wanted), cuts[0] if cuts else ())
    if not best or math.prod(best) < 1:
        raise FileFormatError(f"{wiring.name}: the input has the shape {said}")
    if best != said:
        wiring.notes.append(f"the input {list(said)} is one of {list(best)}, with batch or time")
    return best


def _own_axes(node: GraphNode) -> list[Shape]:
    """Return the axes that a node by itself takes."""
    f = node.fields
    if node.kind in ("Linear", "Affine"):
        return [f["weight"].shape[-1:]]
    if node.kind in NEURONS:
        return [np.shape(f["r"])] if np.ndim(f["r"]) else []
    if node.kind == "Flatten" and "input_type" in f:
        return [tuple(int(n) for n in np.ravel(f["input_type"]))]
    return []


def _takes(node: GraphNode, axes: Shape) -> bool:
    """Return whether a node can take input of some axes."""
    f = node.fields
    if node.kind.startswith("Conv"):
        channels = f["weight"].shape[1] * int(np.ravel(f["groups"])[0])
        n_axes = f["weight"].ndim - 1
        return (len(axes) == n_axes and axes[0] == channels) or math.prod(axes) == math.prod(
            (channels, *np.ravel(f.get("input_shape", 0)))
        )
    if node.kind.endswith("Pool2d"):
        return len(axes) == 3
    own = _own_axes(node)
    return not own or math.prod(own[0]) == math.prod(axes)


def _check_output(reading: Reading, wiring: Wiring, shapes: Mapping[str, Shape]) -> None:
    shape = _sum_shape(reading, "output", wiring.outputs, shapes)
    said = wiring.shape_out
    sizes = {math.prod(said[k:]) for k in range(len(said))}
    if said and math.prod(shape) not in sizes:
        if len(said) == len(shape) and said[0] == shape[0] and _has_oblong_kernels(wiring):
            # `nir` (seen to 1.0.8) infers the axes behind those from one side of the kernel alone
            wiring.notes.append(f"the output {list(said)} is {list(shape)}, by its kernels")
            return
        raise FileFormatError(
            f"{wiring.name}: the output has the shape {shape}, but the file says {said}"
        )


def _has_oblong_kernels(wiring: Wiring) -> bool:
    kernels = [n.fields["weight"].shape[2:] for n in wiring.nodes.values() if n.kind == "Conv2d"]
    return any(len(set(sides)) > 1 for sides in kernels)
