"""Convolutions in numpy: `Conv2d` and `Conv1d`."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any, Unpack

import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.typing import DTypeLike

from rockpool.nn.models.convolution import CONV_1D, CONV_2D, Geometry, convolution_geometry
from rockpool.nn.modules._module_base import Evolve
from rockpool.nn.modules.module import Module, ModuleArguments
from rockpool.nn.modules.native.linear import uniform_sqrt
from rockpool.nn.modules.native.shaped import WindowsMixin
from rockpool.parameters import Shape
from rockpool.typehints import ArrayLike

__all__ = ["Conv1d", "Conv2d", "ConvolutionMixin", "convolved", "kaiming_kernels", "padded"]

Size = int | tuple[int, ...]

_MOST_AT_ONCE = 2**22  # numbers in the windows that are laid out at a time: 32 MiB


def kaiming_kernels(s: Shape) -> np.ndarray:
    """Draw weights (to, from, *kernel) from U(-a, a) with ``a = sqrt(6 / n)``.

    ``n`` is how many weights there are for each output. For the source see `kaiming`.
    """
    limit = np.sqrt(6.0 / math.prod(s[1:]))
    return np.random.uniform(-limit, limit, size=s)


def padded(steps: np.ndarray, geometry: Geometry) -> np.ndarray:
    """Return time steps (M, C, *axes) with zeros around their axes."""
    if not any(map(any, geometry.pads)):
        return np.ascontiguousarray(steps)
    return np.pad(steps, ((0, 0), (0, 0), *geometry.pads))


def convolved(steps: np.ndarray, weight: np.ndarray, geometry: Geometry) -> np.ndarray:
    """Return the convolution of time steps.

    What comes out for a time step is the same to the bit, whatever others there are.

    Parameters
    ----------
    steps : np.ndarray
        Shape (M, C, *axes).
    weight : np.ndarray
        Shape (C', C / groups, *kernel).
    geometry : Geometry
        Stride, padding, dilation and groups.

    Returns
    -------
    np.ndarray
        Shape (M, C', *axes of the output).
    """
    windows = _windows(padded(steps, geometry), geometry)
    groups, axes_out = geometry.groups, geometry.axes_out
    n_places, n_weights = math.prod(axes_out), math.prod(weight.shape[1:])
    kernels = weight.reshape((groups, len(weight) // groups, n_weights))
    output = np.empty(
        (len(steps), groups, kernels.shape[1], n_places), np.result_type(steps, weight)
    )
    at_once = max(1, _MOST_AT_ONCE // (groups * n_weights * n_places))
    for start in range(0, len(steps), at_once):
        part = windows[start : start + at_once]
        columns = part.reshape((len(part), groups, n_weights, n_places))
        with np.errstate(invalid="ignore", over="ignore"):  # as in `linear`
            np.matmul(kernels, columns, out=output[start : start + at_once])
    return output.reshape((len(steps), *geometry.shape_out))


def _windows(steps: np.ndarray, geometry: Geometry) -> np.ndarray:
    """Return a view (M, C, *kernel, *axes of the output) of padded time steps."""
    per_step, strides = steps.strides[:2], steps.strides[2:]
    within = [s * d for s, d in zip(strides, geometry.dilation, strict=True)]
    between = [s * d for s, d in zip(strides, geometry.stride, strict=True)]
    shape = (*steps.shape[:2], *geometry.kernel_size, *geometry.axes_out)
    return as_strided(steps, shape, (*per_step, *within, *between), writeable=False)


class ConvolutionMixin(WindowsMixin):
    """What the convolutions of all back-ends share; to be combined with a class of modules."""

    weight: Any
    bias: Any

    @property
    def n_channels(self) -> int:
        """Channels of the output."""
        return self._geometry.n_channels

    @property
    def dilation(self) -> Shape:
        """How far the entries of a window are apart, along each axis."""
        return self._geometry.dilation

    @property
    def groups(self) -> int:
        """Into how many groups, each of which sees but its own, channels are divided."""
        return self._geometry.groups

    def _declare_absent(self, name: str, shape: Shape) -> None:
        self.bias = None

    def _of_steps(self, data: Any) -> Any:
        output = super()._of_steps(data)
        self._require_finite_data(data, output)
        return output

    def _bias_along(self, bias: Any) -> Any:
        """Return biases in the shape in which they are added to time steps of output."""
        return bias if not bias.shape else bias.reshape((1, -1, *[1] * len(self.kernel_size)))


class _Convolution(ConvolutionMixin, Module):
    evolve: Evolve[np.ndarray]

    def __init__(
        self,
        shape_in: tuple[int, ...],
        n_channels: int,
        kernel_size: Size,
        stride: Size = 1,
        padding: Size | str | tuple[tuple[int, int], ...] = 0,
        dilation: Size = 1,
        groups: int = 1,
        weight: ArrayLike | None = None,
        bias: ArrayLike | None = None,
        has_bias: bool = True,
        weight_init_func: Callable[[Shape], Any] = kaiming_kernels,
        bias_init_func: Callable[[Shape], Any] = uniform_sqrt,
        *args: Any,
        dtype: DTypeLike = np.float64,
        **kwargs: Unpack[ModuleArguments],
    ) -> None:
        self._declare(locals(), super().__init__)

    def _applied(self, steps: np.ndarray) -> np.ndarray:
        output = convolved(steps, self.weight, self._geometry)
        if self.bias is not None:
            output += self._bias_along(self.bias)
        return output


class Conv2d(_Convolution):
    """A convolution of images: each output is a weighted sum over a window of the input.

    The layer has no time: it treats each time step of each batch element alike. With stride
    ``s``, dilation ``d``, ``p`` zeros before each axis, and ``first(o)`` for the first channel of
    the group of output channel ``o``::

        output[o, y, x] = bias[o] + sum over c, i, j of
                          weight[o, c, i, j] input[first(o) + c, s y + d i - p, s x + d j - p]

    Parameters
    ----------
    shape_in : tuple of int
        ``(C, H, W)``: channels, height and width of the input.
    n_channels : int
        Channels of the output, ``C'``.
    kernel_size : int or tuple of int
        Height and width of a window.
    stride : int or tuple of int
        How far windows are apart. Default: 1.
    padding : int, tuple of int, tuple of pairs of int, or str
        Zeros on both sides of each axis, or before and behind it. "same": as many as give the
        output the axes of the input, the odd one behind; "valid": none. Default: 0.
    dilation : int or tuple of int
        How far the entries of a window are apart. Default: 1.
    groups : int
        Into how many groups channels are divided: an output channel sees those of its group.
        Default: 1.
    weight : array_like, optional
        Weights, shape (C', C / groups, kernel height, kernel width); drawn by `weight_init_func`.
    bias : array_like, optional
        Biases, shape (C',) or (); drawn by `bias_init_func` if `has_bias`. A bias that is given
        implies `has_bias`.
    has_bias : bool
        Whether the layer has biases. Default: True; without, the attribute `bias` is None.
    weight_init_func, bias_init_func : callable
        ``shape -> values``. Default: U(±√(6 / n)) for n weights of each output, and
        U(±√(1 / C')) for biases.
    dtype : dtype
        As for `LIF`.

    Attributes
    ----------
    shape_in, shape_out : tuple of int
        ``(C, H, W)`` and ``(C', H', W')``.
    shape : tuple of int
        ``(Nin, Nout)``, numbers of entries, as of other modules.
    kernel_size, stride, padding, dilation, n_channels, groups
        As given, for each axis; they cannot be changed.

    Raises
    ------
    ValueError
        A size out of range, channels that `groups` does not divide, an output without entries,
        weights of another shape, NaN.
    TypeError
        Sizes that are no ints.

    Examples
    --------
    >>> import numpy as np
    >>> from rockpool.nn.modules import Conv2d
    >>> layer = Conv2d((2, 8, 8), 4, kernel_size=(3, 5), padding=1)
    >>> output, _, _ = layer(np.zeros((1, 10, 2, 8, 8)))
    >>> output.shape, layer.shape
    ((1, 10, 4, 8, 6), (128, 192))
    """

    _model = CONV_2D
    _geometry_of = partial(convolution_geometry, 2)


class Conv1d(_Convolution):
    """A convolution along one axis besides time; see `Conv2d`.

    Parameters
    ----------
    shape_in : tuple of int
        ``(C, L)``: channels and length of the input.
    n_channels, kernel_size, stride, padding, dilation, groups, bias, has_bias, dtype
        As for `Conv2d`, with one axis.
    weight : array_like, optional
        Weights, shape (C', C / groups, kernel length); drawn by `weight_init_func`.
    weight_init_func, bias_init_func : callable
        As for `Conv2d`.

    Examples
    --------
    >>> import numpy as np
    >>> from rockpool.nn.modules import Conv1d
    >>> Conv1d((2, 16), 3, kernel_size=4, stride=2).shape_out
    (3, 7)
    """

    _model = CONV_1D
    _geometry_of = partial(convolution_geometry, 1)
