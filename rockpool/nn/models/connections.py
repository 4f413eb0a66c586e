"""Windows over images and rows as single connections from inputs to outputs."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.lib.stride_tricks import as_strided

from rockpool.nn.models.convolution import Geometry

__all__ = ["Connections", "connections", "dense", "n_connections"]


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


def n_connections(geometry: Geometry) -> int:
    """Return how many connections windows make, those from the zeros around the input too."""
    channels = geometry.shape_in[0] // geometry.groups
    return math.prod(geometry.shape_out) * channels * math.prod(geometry.kernel_size)


def connections(geometry: Geometry, kernels: np.ndarray | None = None) -> Connections:
    """Return the connections of a convolution or of pooling.

    Parameters
    ----------
    geometry : Geometry
        How the axes of the input go to those of the output.
    kernels : np.ndarray, optional
        Weights, shape ``geometry.weight_shape``. Default: 1 each.
    """
    windows = _windows(geometry)  # (groups, channels of each, kernel, axes of the output)
    per_group = geometry.n_channels // geometry.groups
    shape = (per_group, *windows.shape[1:])
    sources = np.stack([np.broadcast_to(group, shape) for group in windows])
    outputs = np.arange(math.prod(geometry.shape_out)).reshape(
        (geometry.groups, per_group, 1, 1, math.prod(geometry.axes_out))
    )
    targets = np.broadcast_to(outputs, sources.shape)
    kernels = np.ones(geometry.weight_shape) if kernels is None else kernels
    weights = np.broadcast_to(kernels.reshape((*sources.shape[:-1], 1)), sources.shape)
    inside = sources >= 0
    order = np.lexsort((targets[inside], sources[inside]))
    size = math.prod(geometry.shape_in)
    starts = np.zeros(size + 1, np.int64)
    np.cumsum(np.bincount(sources[inside], minlength=size), out=starts[1:])
    return Connections(starts, targets[inside][order], weights[inside][order])


def dense(geometry: Geometry, kernels: np.ndarray | None = None) -> np.ndarray:
    """Return the same connections as weights (Nin, Nout), most of which are 0."""
    made = connections(geometry, kernels)
    size = math.prod(geometry.shape_in)
    weights = np.zeros((size, math.prod(geometry.shape_out)), made.weights.dtype)
    weights[np.repeat(np.arange(size), np.diff(made.starts)), made.targets] = made.weights
    return weights


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
