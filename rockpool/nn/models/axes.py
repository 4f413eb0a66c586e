"""Layers that go by the axes of their input and give as many numbers: `Flatten` and `Scale`.

`Flatten` makes one axis of all, in C order: the last axis runs fastest. `Scale` multiplies each
entry of a time step by a number of its own: ``output = weight * input``.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rockpool.nn.models import checks
from rockpool.nn.models.convolution import no_shape
from rockpool.nn.models.model import Model, ParameterSpec, SettingSpec, Shape

__all__ = ["FLATTEN", "SCALE", "Axes"]


@dataclass(frozen=True)
class Axes:
    """The axes of a time step of input and output.

    Attributes
    ----------
    shape_in, shape_out : tuple of int
        The axes.
    """

    shape_in: Shape
    shape_out: Shape


def flattened(owner: str, arguments: Mapping[str, Any]) -> Axes:
    """Return the axes for ``shape_in``, and one axis.

    Raises
    ------
    ValueError
        An entry < 1, or too many of them.
    TypeError
        Not ints.
    """
    shape_in = _shape_in(owner, arguments)
    return Axes(shape_in, (math.prod(shape_in),))


def unchanged(owner: str, arguments: Mapping[str, Any]) -> Axes:
    """Return the axes for ``shape_in``, twice; errors are as for `flattened`."""
    shape_in = _shape_in(owner, arguments)
    return Axes(shape_in, shape_in)


def _shape_in(owner: str, arguments: Mapping[str, Any]) -> Shape:
    entries = checks.shape_entries(owner, arguments["shape_in"], "shape_in")
    if math.prod(entries) > checks.LARGEST_SIZE:
        raise ValueError(f"{owner}: shape_in must have < 2**31 entries, got {entries}")
    return entries


def _flat_shape(owner: str, arguments: Mapping[str, Any]) -> Shape:
    size = math.prod(_shape_in(owner, arguments))
    return (size, size)


FLATTEN = Model(
    name="Flatten",
    title="all axes as one",
    module_shape=no_shape,
    dimensions=lambda shape: {"N": shape[0]},
    attributes=(SettingSpec("shape_in", ()),),
    equations="output[(c * shape_in[1] + y) * shape_in[2] + x] = input[c, y, x]",
    classes={"numpy": "Flatten", "torch": "FlattenTorch", "jax": "FlattenJax"},
    shape_from=_flat_shape,
)
SCALE = Model(
    name="Scale",
    title="a weight for each entry",
    module_shape=no_shape,
    dimensions=lambda shape: {"N": shape[0]},
    attributes=(
        SettingSpec("shape_in", ()),
        ParameterSpec("weight", "weights", (("N",), ()), 1.0),
    ),
    equations="output = weight * input",
    classes={"numpy": "Scale", "torch": "ScaleTorch", "jax": "ScaleJax"},
    shape_from=_flat_shape,
)
