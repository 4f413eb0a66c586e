"""Pooling in numpy: `SumPool2d` and `AvgPool2d`."""

from __future__ import annotations

import math
from functools import partial
from typing import Any, Unpack

import numpy as np
from numpy.typing import DTypeLike

from rockpool.nn.models.convolution import AVG_POOL_2D, SUM_POOL_2D, Geometry, pooling_geometry
from rockpool.nn.modules._module_base import Evolve
from rockpool.nn.modules.module import Module, ModuleArguments
from rockpool.nn.modules.native.convolution import Size, padded
from rockpool.nn.modules.native.shaped import WindowsMixin

__all__ = ["AvgPool2d", "SumPool2d"]


def window_sums(steps: np.ndarray, geometry: Geometry) -> np.ndarray:
    """Return the sums over windows of time steps (M, C, *axes), entry by entry of a window."""
    steps = padded(steps, geometry)
    total = np.zeros((len(steps), *geometry.shape_out), steps.dtype)
    for first in np.ndindex(*geometry.kernel_size):
        places = zip(first, geometry.stride, geometry.axes_out, strict=True)
        entries = [slice(start, start + step * (n - 1) + 1, step) for start, step, n in places]
        total += steps[(slice(None), slice(None), *entries)]
    return total


class _Pooling(WindowsMixin, Module):
    _geometry_of = partial(pooling_geometry, 2)

    evolve: Evolve[np.ndarray]

    def __init__(
        self,
        shape_in: tuple[int, ...],
        kernel_size: Size,
        stride: Size | None = None,
        padding: Size | str | tuple[tuple[int, int], ...] = 0,
        *args: Any,
        dtype: DTypeLike = np.float64,
        **kwargs: Unpack[ModuleArguments],
    ) -> None:
        self._declare(locals(), super().__init__)


class SumPool2d(_Pooling):
    """Sums over windows of each channel, as in spiking networks: no spike is lost.

    The layer has no time: it treats each time step of each batch element alike.

    Parameters
    ----------
    shape_in : tuple of int
        ``(C, H, W)``: channels, height and width of the input.
    kernel_size : int or tuple of int
        Height and width of a window.
    stride : int or tuple of int, optional
        How far windows are apart; by default `kernel_size`.
    padding : int, tuple of int, or tuple of pairs of int
        Zeros on both sides of each axis, or before and behind it. Default: 0.
    dtype : dtype
        As for `LIF`.

    Attributes
    ----------
    shape_in, shape_out, shape, kernel_size, stride, padding
        As of `Conv2d`.

    Raises
    ------
    ValueError
        A size out of range, or an output without entries.
    TypeError
        Sizes that are no ints.

    Examples
    --------
    >>> import numpy as np
    >>> from rockpool.nn.modules import SumPool2d
    >>> output, _, _ = SumPool2d((1, 4, 6), 2)(np.ones((5, 1, 4, 6)))
    >>> output.shape, output[0, 0, 0, 0, 0]
    ((1, 5, 1, 2, 3), np.float64(4.0))
    """

    _model = SUM_POOL_2D

    def _applied(self, steps: np.ndarray) -> np.ndarray:
        return window_sums(steps, self._geometry)


class AvgPool2d(_Pooling):
    """Means over windows of each channel, the zeros around the input included.

    Errors are those of `SumPool2d`.

    Parameters
    ----------
    shape_in, kernel_size, stride, padding, dtype
        As for `SumPool2d`.

    Examples
    --------
    >>> import numpy as np
    >>> from rockpool.nn.modules import AvgPool2d
    >>> output, _, _ = AvgPool2d((1, 4, 6), 2)(np.ones((5, 1, 4, 6)))
    >>> output.shape, output[0, 0, 0, 0, 0]
    ((1, 5, 1, 2, 3), np.float64(1.0))
    """

    _model = AVG_POOL_2D

    def _applied(self, steps: np.ndarray) -> np.ndarray:
        return window_sums(steps, self._geometry) / math.prod(self.kernel_size)
