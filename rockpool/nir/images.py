"""Convolutions, pooling and flattening of NIR as nodes of a description."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from rockpool.nir.graph import GraphNode
from rockpool.nir.layers import Reading
from rockpool.nn.description import Node, Value
from rockpool.nn.models import convolution

__all__ = ["KINDS", "flattened", "image_layer"]

Shape = tuple[int, ...]

KINDS = ("Conv1d", "Conv2d", "SumPool2d", "AvgPool2d", "Flatten")


def image_layer(reading: Reading, name: str, node: GraphNode, shape: Shape) -> tuple[Node, Shape]:
    """Return a node of one of `KINDS` as one of a description, and the shape that it gives.

    Parameters and errors are as for `rockpool.nir.layers.layer_of`.
    """
    if node.kind == "Flatten":
        return _flatten(reading, name, node, shape)
    n_axes = 1 if node.kind == "Conv1d" else 2
    shape = _with_channels(reading, name, node, shape, n_axes)
    try:
        if node.kind.startswith("Conv"):
            return _convolution(reading, name, node, shape, n_axes)
        return _pooling(reading, node, shape)
    except (ValueError, TypeError) as error:
        if isinstance(error, type(reading.fail("", ""))):
            raise
        raise reading.fail(name, str(error)) from error


def _with_channels(
    reading: Reading, name: str, node: GraphNode, shape: Shape, n_axes: int
) -> Shape:
    """Return the axes of the input, of a flat one as the node itself has them."""
    if len(shape) == n_axes + 1:
        return shape
    said = node.fields.get("input_shape")
    if said is not None and "weight" in node.fields:
        channels = node.fields["weight"].shape[1] * int(np.ravel(node.fields["groups"])[0])
        axes = (channels, *_ints(said))
        if math.prod(axes) == math.prod(shape):
            return axes
    raise reading.fail(name, f"a {node.kind} cannot take input of the shape {shape}")


def _convolution(
    reading: Reading, name: str, node: GraphNode, shape: Shape, n_axes: int
) -> tuple[Node, Shape]:
    f = node.fields
    weight, bias = f["weight"], np.ravel(f["bias"])
    if weight.ndim != 2 + n_axes or bias.size not in (1, weight.shape[0]):
        raise reading.fail(name, f"weights of the shape {weight.shape}, bias of {bias.shape}")
    padding = f["padding"] if isinstance(f["padding"], str) else _ints(f["padding"])
    arguments: dict[str, Any] = {
        "shape_in": shape,
        "n_channels": weight.shape[0],
        "kernel_size": weight.shape[2:],
        "stride": _ints(f["stride"]),
        "padding": padding,
        "dilation": _ints(f["dilation"]),
        "groups": int(np.ravel(f["groups"])[0]),
    }
    geometry = convolution.convolution_geometry(n_axes, node.kind, arguments)
    if weight.shape != geometry.weight_shape:
        raise reading.fail(
            name,
            f"weights of the shape {weight.shape} for input of the shape {shape}, with groups "
            f"{geometry.groups} they must be {geometry.weight_shape}",
        )
    parameters = {
        "weight": Value(np.ascontiguousarray(weight), "weights"),
        "bias": Value(np.ascontiguousarray(np.broadcast_to(bias, weight.shape[:1])), "biases"),
    }
    settings = {
        **arguments,
        "stride": geometry.stride,
        "padding": geometry.padding,
        "dilation": geometry.dilation,
    }
    sizes = (math.prod(shape), math.prod(geometry.shape_out))
    return Node(node.kind, sizes, parameters, settings=settings), geometry.shape_out


def _pooling(reading: Reading, node: GraphNode, shape: Shape) -> tuple[Node, Shape]:
    settings: dict[str, Any] = {
        "shape_in": shape,
        "kernel_size": _ints(node.fields["kernel_size"]),
        "stride": _ints(node.fields["stride"]),
        "padding": _ints(node.fields["padding"]),
    }
    if reading.dialect == "spyx":  # what it writes is the sum of both sides
        pads = settings["padding"]
        settings["padding"] = tuple((total // 2, total - total // 2) for total in pads)
    geometry = convolution.pooling_geometry(2, node.kind, settings)
    settings |= {
        "kernel_size": geometry.kernel_size,
        "stride": geometry.stride,
        "padding": geometry.padding,
    }
    sizes = (math.prod(shape), math.prod(geometry.shape_out))
    return Node(node.kind, sizes, settings=settings), geometry.shape_out


def _flatten(reading: Reading, name: str, node: GraphNode, shape: Shape) -> tuple[Node, Shape]:
    start, end = (int(np.ravel(node.fields[key])[0]) for key in ("start_dim", "end_dim"))
    first, last = (axis + len(shape) if axis < 0 else axis for axis in (start, end))
    if not 0 <= first <= last < len(shape):
        raise reading.fail(name, f"cannot flatten axes {start} to {end} of the shape {shape}")
    out = (*shape[:first], math.prod(shape[first : last + 1]), *shape[last + 1 :])
    return flattened(shape), out


def flattened(shape: Shape) -> Node:
    """Return a layer that makes one axis of all."""
    return Node("Flatten", (math.prod(shape),) * 2, settings={"shape_in": shape})


def _ints(values: Any) -> Shape:
    return tuple(int(v) for v in np.ravel(np.asarray(values)))
