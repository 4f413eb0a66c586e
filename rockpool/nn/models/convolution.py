"""Layers of weights and sums over images and rows: `Conv2d`, `Conv1d`, and pooling.

Each time step is an array of channels and of one or two axes. A layer treats all time steps of all
batch elements alike, and has no state. As in most of the field's software, the kernel of a
convolution is not turned over. Padding is zeros; what counts in the equations is how many stand
before the first entry of an axis. Pooling gives the sum, or the mean, of all entries of a window,
zeros outside of the input included.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from rockpool.nn.models import checks
from rockpool.nn.models.model import Model, ParameterSpec, SettingSpec, Shape

__all__ = ["AVG_POOL_2D", "CONV_1D", "CONV_2D", "SUM_POOL_2D", "Geometry"]

Padding = tuple[int | tuple[int, int], ...]


@dataclass(frozen=True)
class Geometry:
    """How the axes of an input go through windows to those of an output.

    Attributes
    ----------
    shape_in : tuple of int
        Channels and axes of the input.
    n_channels : int
        Channels of the output.
    kernel_size, stride, dilation : tuple of int
        For each axis: entries of a window, how far windows are apart, and their entries.
    padding : tuple of int, or of pairs of int
        For each axis: zeros on both sides, or before and behind.
    groups : int
        Into how many groups channels are divided.
    """

    shape_in: Shape
    n_channels: int
    kernel_size: Shape
    stride: Shape
    padding: Padding
    dilation: Shape
    groups: int

    @property
    def pads(self) -> tuple[tuple[int, int], ...]:
        """Zeros before and behind, for each axis."""
        return tuple((pad, pad) if isinstance(pad, int) else pad for pad in self.padding)

    @property
    def extent(self) -> Shape:
        """How far a window reaches, for each axis."""
        sizes = zip(self.kernel_size, self.dilation, strict=True)
        return tuple(dilation * (size - 1) + 1 for size, dilation in sizes)

    @property
    def axes_out(self) -> Shape:
        """The axes of the output without its channels; an entry < 1 where no window fits."""
        axes = zip(self.shape_in[1:], self.pads, self.extent, self.stride, strict=True)
        return tuple((size + sum(pads) - reach) // step + 1 for size, pads, reach, step in axes)

    @property
    def shape_out(self) -> Shape:
        """Channels and axes of the output."""
        return (self.n_channels, *self.axes_out)

    @property
    def weight_shape(self) -> Shape:
        """The shape of the weights of a convolution: to, from within the group, kernel."""
        return (self.n_channels, self.shape_in[0] // self.groups, *self.kernel_size)


def convolution_geometry(n_axes: int, owner: str, arguments: Mapping[str, Any]) -> Geometry:
    """Return what the arguments of a convolution mean.

    Parameters
    ----------
    n_axes : int
        Number of axes besides the channels.
    owner : str
        The class, for messages.
    arguments : mapping
        ``shape_in``, ``n_channels``, ``kernel_size``, ``stride``, ``padding``, ``dilation`` and
        ``groups``.

    Raises
    ------
    ValueError
        A size out of range, channels that groups do not divide, an output without entries.
    TypeError
        Sizes that are no ints.
    """
    shape_in = _shape_in(owner, arguments["shape_in"], n_axes)
    n_channels = _count(owner, "n_channels", arguments["n_channels"])
    groups = _count(owner, "groups", arguments["groups"])
    for name, channels in (("input channels", shape_in[0]), ("n_channels", n_channels)):
        if channels % groups:
            raise ValueError(f"{owner}: groups must divide the {name}, {channels}, got {groups}")
    return _geometry(owner, shape_in, n_channels, groups, arguments)


def pooling_geometry(n_axes: int, owner: str, arguments: Mapping[str, Any]) -> Geometry:
    """Return what the arguments of pooling mean: windows that, by default, lie side by side.

    Parameters and errors are as for `convolution_geometry`; there are ``shape_in``,
    ``kernel_size``, ``stride`` and ``padding``.
    """
    shape_in = _shape_in(owner, arguments["shape_in"], n_axes)
    stride = arguments["stride"]
    given = {**arguments, "dilation": 1}
    given["stride"] = arguments["kernel_size"] if _is_absent(stride) else stride
    return _geometry(owner, shape_in, shape_in[0], shape_in[0], given)


def _is_absent(stride: Any) -> bool:
    return stride is None or (isinstance(stride, tuple) and not stride)


def _geometry(
    owner: str, shape_in: Shape, n_channels: int, groups: int, arguments: Mapping[str, Any]
) -> Geometry:
    n_axes = len(shape_in) - 1
    kernel_size = _per_axis(owner, "kernel_size", arguments["kernel_size"], n_axes)
    stride = _per_axis(owner, "stride", arguments["stride"], n_axes)
    dilation = _per_axis(owner, "dilation", arguments["dilation"], n_axes)
    padding = _padding(owner, arguments["padding"], kernel_size, stride, dilation)
    geometry = Geometry(shape_in, n_channels, kernel_size, stride, padding, dilation, groups)
    if min(geometry.axes_out) < 1:
        raise ValueError(
            f"{owner}: the output would be empty: a window of {_by(geometry.extent)} does not fit "
            f"into input of {_by(shape_in[1:])} with padding {padding}"
        )
    for name, shape in (("input", shape_in), ("output", geometry.shape_out)):
        if math.prod(shape) > checks.LARGEST_SIZE:
            raise ValueError(f"{owner}: the {name} must have < 2**31 entries, got {_by(shape)}")
    return geometry


def _shape_in(owner: str, shape: Any, n_axes: int) -> Shape:
    entries = checks.shape_entries(owner, shape, "shape_in")
    if len(entries) != 1 + n_axes:
        axes = ("channels", "length") if n_axes == 1 else ("channels", "height", "width")
        raise ValueError(f"{owner}: shape_in must be ({', '.join(axes)}), got {shape!r}")
    return entries


def _count(owner: str, name: str, value: Any) -> int:
    entries = checks.shape_entries(owner, value, name)
    if len(entries) != 1:
        raise ValueError(f"{owner}: {name} must be a single int, got {value!r}")
    return entries[0]


def _per_axis(owner: str, name: str, value: Any, n_axes: int, least: int = 1) -> Shape:
    """Return an int for each axis; one that is given stands for all."""
    entries = checks.shape_entries(owner, value, name, least)
    if len(entries) not in (1, n_axes):
        raise ValueError(f"{owner}: {name} must be one int{_or_more(n_axes)}, got {value!r}")
    return entries * n_axes if len(entries) == 1 else entries


def _padding(owner: str, value: Any, kernel: Shape, stride: Shape, dilation: Shape) -> Padding:
    """Return the argument `padding` as one number for each axis, or a pair where sides differ."""
    n_axes = len(kernel)
    if isinstance(value, str):
        if value not in ("same", "valid"):
            raise ValueError(
                f"{owner}: padding must be numbers of zeros, 'same' or 'valid', got {value!r}"
            )
        if value == "same" and max(stride) > 1:
            raise ValueError(f"{owner}: padding='same' needs stride 1, got {stride}")
        sizes = zip(kernel, dilation, strict=True)
        totals = [d * (k - 1) if value == "same" else 0 for k, d in sizes]
        pairs = [(total // 2, total - total // 2) for total in totals]
    elif any(len(checks.as_entries(entry)) == 2 for entry in checks.as_entries(value)):
        rows = checks.as_entries(value)
        if len(rows) != n_axes:
            raise ValueError(f"{owner}: padding must have {n_axes} pairs, got {value!r}")
        both = [_per_axis(owner, "padding", row, 2, least=0) for row in rows]
        pairs = [(before, behind) for before, behind in both]
    else:
        pairs = [(pad, pad) for pad in _per_axis(owner, "padding", value, n_axes, least=0)]
    if all(before == behind for before, behind in pairs):
        return tuple(before for before, _ in pairs)
    return tuple(pairs)


def _or_more(n_axes: int) -> str:
    return f" or {n_axes}" if n_axes > 1 else ""


def _by(sizes: Shape) -> str:
    return " x ".join(map(str, sizes))


def no_shape(owner: str, shape: Any) -> Shape:
    """Raise: the shape of these layers follows from their other arguments."""
    raise TypeError(f"{owner}: shape follows from shape_in, it cannot be given")


def _convolution(n_axes: int, name: str, kernel: tuple[str, ...], equations: str) -> Model:
    geometry_of = partial(convolution_geometry, n_axes)

    def shape_from(owner: str, arguments: Mapping[str, Any]) -> Shape:
        geometry = geometry_of(owner, arguments)
        sizes = (math.prod(geometry.shape_in), math.prod(geometry.shape_out))
        return (*sizes, *geometry.weight_shape)

    def dimensions(shape: Shape) -> dict[str, int]:
        return dict(zip(("Nin", "Nout", "Cout", "Cin", *kernel), shape, strict=True))

    return Model(
        name=name,
        title=f"convolution of {n_axes} {'axis' if n_axes == 1 else 'axes'}",
        module_shape=no_shape,
        dimensions=dimensions,
        attributes=(
            SettingSpec("shape_in", ()),
            SettingSpec("n_channels", 0),
            SettingSpec("kernel_size", ()),
            SettingSpec("stride", (1,) * n_axes),
            SettingSpec("padding", (0,) * n_axes),
            SettingSpec("dilation", (1,) * n_axes),
            SettingSpec("groups", 1),
            SettingSpec("has_bias", True, stored_as=None),
            ParameterSpec(
                "weight",
                "weights",
                (("Cout", "Cin", *kernel),),
                drawn_by="weight_init_func",
                exact=True,
            ),
            ParameterSpec(
                "bias",
                "biases",
                (("Cout",), ()),
                drawn_by="bias_init_func",
                only_with="has_bias",
                implies_flag=True,
            ),
        ),
        equations=equations,
        source="Y. LeCun, L. Bottou, Y. Bengio, P. Haffner, Gradient-based learning applied to "
        "document recognition, Proceedings of the IEEE 86 (1998)",
        classes={"numpy": name, "torch": f"{name}Torch", "jax": f"{name}Jax"},
        shape_from=shape_from,
    )


def _pooling(name: str, title: str, equation: str) -> Model:
    def shape_from(owner: str, arguments: Mapping[str, Any]) -> Shape:
        geometry = pooling_geometry(2, owner, arguments)
        return (math.prod(geometry.shape_in), math.prod(geometry.shape_out))

    return Model(
        name=name,
        title=title,
        module_shape=no_shape,
        dimensions=lambda shape: {"Nin": shape[0], "Nout": shape[1]},
        attributes=(
            SettingSpec("shape_in", ()),
            SettingSpec("kernel_size", ()),
            SettingSpec("stride", ()),
            SettingSpec("padding", (0, 0)),
        ),
        equations=equation,
        classes={"numpy": name, "torch": f"{name}Torch", "jax": f"{name}Jax"},
        shape_from=shape_from,
    )


_X, _Y = "stride * x + dilation * j - padding", "stride * y + dilation * i - padding"
CONV_1D = _convolution(
    1,
    "Conv1d",
    ("k",),
    f"output[o, x] = bias[o] + sum(weight[o, c, j] * input[first(o) + c, {_X}] for c, j in kernel)",
)
CONV_2D = _convolution(
    2,
    "Conv2d",
    ("kh", "kw"),
    "output[o, y, x] = bias[o] + "
    f"sum(weight[o, c, i, j] * input[first(o) + c, {_Y}, {_X}] for c, i, j in kernel)",
)

_WINDOW = "sum(input[c, stride * y + i - padding, stride * x + j - padding] for i, j in window)"

SUM_POOL_2D = _pooling(
    "SumPool2d",
    "sums over windows",
    "output[c, y, x] = " + _WINDOW,
)
AVG_POOL_2D = _pooling(
    "AvgPool2d",
    "means over windows",
    "output[c, y, x] = " + _WINDOW + " / (kernel_size[0] * kernel_size[1])",
)
