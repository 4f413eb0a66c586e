"""How many weights each entry of the input of a layer meets: `Connections`."""

from typing import NamedTuple

import numpy as np

from rockpool.nn.description import Node
from rockpool.nn.models.convolution import Geometry, convolution_geometry

__all__ = ["Connections", "connections_of"]

_AXES = {"Conv1d": 1, "Conv2d": 2}


class Connections(NamedTuple):
    """The weights of a layer, and which inputs meet them."""

    weight: np.ndarray
    fan_out: np.ndarray  # (Nin,): weights that are not 0, for each entry of a time step
    dense: int  # how often an entry meets a weight in a time step, be it 0 or not


def connections_of(node: Node) -> Connections | None:
    """Return the connections of a layer of weights; None: it is none, or has none of its own."""
    if node.model == "Linear":
        weight = node.parameters["weight"].array
        return Connections(weight, np.count_nonzero(weight, axis=1), weight.size)
    if node.model == "Scale":
        weight = node.parameters["weight"].array
        fan_out = np.full(node.shape[0] or 0, weight != 0, dtype=np.intp)
        return Connections(weight, fan_out, fan_out.size)
    if node.model in _AXES:
        weight = node.parameters["weight"].array
        geometry = convolution_geometry(_AXES[node.model], node.model, node.settings)
        every = int(_fan_out(np.ones(weight.shape), geometry).sum())
        return Connections(weight, _fan_out(weight, geometry), every)
    return None


def _fan_out(weight: np.ndarray, geometry: Geometry) -> np.ndarray:
    """Return how many weights of a convolution that are not 0 each entry of the input meets.

    Zeros around the input meet weights too, but are no input.
    """
    n_groups = geometry.groups
    per_group = np.count_nonzero(weight.reshape(n_groups, -1, *weight.shape[1:]), axis=1)
    reached = per_group.reshape(geometry.shape_in[0], *geometry.kernel_size)
    pads = geometry.pads
    axes = zip(geometry.shape_in[1:], pads, strict=True)
    around = np.zeros((geometry.shape_in[0], *(n + sum(pad) for n, pad in axes)), np.intp)
    for entry in np.ndindex(*geometry.kernel_size):
        places = zip(entry, geometry.dilation, geometry.stride, geometry.axes_out, strict=True)
        where = [slice(i * d, i * d + s * (n - 1) + 1, s) for i, d, s, n in places]
        counts = reached[(slice(None), *entry)]
        around[(slice(None), *where)] += counts.reshape(-1, *[1] * len(entry))
    axes = zip(geometry.shape_in[1:], pads, strict=True)
    inside = [slice(before, before + n) for n, (before, _) in axes]
    return around[(slice(None), *inside)].ravel()
