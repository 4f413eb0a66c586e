"""Convolutions, pools and scales as single connections from inputs to outputs, for a plan."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.lib.stride_tricks import as_strided

from rockpool.nn.description import Node
from rockpool.nn.models.convolution import Geometry, convolution_geometry, pooling_geometry

__all__ = ["MOST_CONNECTIONS", "Connections", "connections", "n_connections"]

MOST_CONNECTIONS = 2**24  # of which single precision holds each number


class Connections(NamedTuple):
    """Connections in the order of their inputs, and of their outputs.

    Attributes
    ----------
    starts : np.ndarray (Nin + 1,) of int64
        Where those of each input begin, and where the last ones end.
    targets : np.ndarray (n,) of int64
        Outputs.
    weights : np.ndarray (n,)
        Weights.
    """

    starts: np.ndarray
    targets: np.ndarray
    weights: np.ndarray


def n_connections(node: Node) -> int:
    """Return how many connections a layer has; more than that where windows reach outside."""
    if node.model == "Scale":
        return int(node.shape[0] or 0)
    geometry = _geometry(node)
    channels = geometry.shape_in[0] // geometry.groups
    return math.prod(geometry.shape_out) * channels * math.prod(geometry.kernel_size)


def connections(node: Node, values: dict[str, np.ndarray]) -> Connections:
    """Return the connections of a layer.

    Parameters
    ----------
    node : Node
        A `Conv1d`, `Conv2d`, `SumPool2d`, `AvgPool2d` or `Scale`.
    values : dict of np.ndarray
        Its parameters. Windows that are pooled have weights of 1.
    """
    size = int(node.shape[0] or 0)
    if node.model == "Scale":
        each = np.arange(size)
        return Connections(
            np.arange(size + 1), each, np.broadcast_to(values["weight"].ravel(), (size,))
        )
    geometry = _geometry(node)
    windows = _windows(geometry)  # (groups, channels of each, kernel, axes of the output)
    per_group = geometry.n_channels // geometry.groups
    shape = (per_group, *windows.shape[1:])
    sources = np.stack([np.broadcast_to(group, shape) for group in windows])
    outputs = np.arange(math.prod(geometry.shape_out)).reshape(
        (geometry.groups, per_group, 1, 1, math.prod(geometry.axes_out))
    )
    targets = np.broadcast_to(outputs, sources.shape)
    kernels = values.get("weight", np.ones(geometry.weight_shape))
    weights = np.broadcast_to(kernels.reshape((*sources.shape[:-1], 1)), sources.shape)
    inside = sources >= 0
    order = np.lexsort((targets[inside], sources[inside]))
    starts = np.zeros(size + 1, np.int64)
    np.cumsum(np.bincount(sources[inside], minlength=size), out=starts[1:])
    return Connections(starts, targets[inside][order], weights[inside][order])


def _geometry(node: Node) -> Geometry:
    settings: Any = node.settings
    if node.model.startswith("Conv"):
        return convolution_geometry(int(node.model[4]), node.model, settings)
    return pooling_geometry(2, node.model, settings)


def _windows(geometry: Geometry) -> np.ndarray:
    """Return which inputs are in the windows: -1 for the zeros around them."""
    numbers = np.arange(math.prod(geometry.shape_in)).reshape(geometry.shape_in)
    padded = np.pad(numbers, ((0, 0), *geometry.pads), constant_values=-1)
    channel, *strides = padded.strides
    within = [s * d for s, d in zip(strides, geometry.dilation, strict=True)]
    between = [s * d for s, d in zip(strides, geometry.stride, strict=True)]
    shape = (geometry.shape_in[0], *geometry.kernel_size, *geometry.axes_out)
    found = as_strided(padded, shape, (channel, *within, *between), writeable=False)
    of_each = geometry.shape_in[0] // geometry.groups
    places = math.prod(geometry.axes_out)
    return found.reshape((geometry.groups, of_each, math.prod(geometry.kernel_size), places))
