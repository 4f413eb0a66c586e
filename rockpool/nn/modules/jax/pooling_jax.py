"""Pooling in jax: `SumPool2dJax` and `AvgPool2dJax`."""

from __future__ import annotations

import math
from functools import partial
from typing import Any, Unpack

import jax

from rockpool.nn.models.convolution import AVG_POOL_2D, SUM_POOL_2D, pooling_geometry
from rockpool.nn.modules._module_base import Evolve
from rockpool.nn.modules.jax.jax_module import JaxModule
from rockpool.nn.modules.module import ModuleArguments
from rockpool.nn.modules.native.convolution import Size
from rockpool.nn.modules.native.shaped import WindowsMixin

__all__ = ["AvgPool2dJax", "SumPool2dJax"]


class _PoolingJax(WindowsMixin, JaxModule):
    _geometry_of = partial(pooling_geometry, 2)

    evolve: Evolve[jax.Array]

    def __init__(
        self,
        shape_in: tuple[int, ...],
        kernel_size: Size,
        stride: Size | None = None,
        padding: Size | str | tuple[tuple[int, int], ...] = 0,
        *args: Any,
        **kwargs: Unpack[ModuleArguments],
    ) -> None:
        self._declare(locals(), super().__init__)

    def _sums(self, steps: jax.Array) -> jax.Array:
        geometry = self._geometry
        window, stride = (1, 1, *geometry.kernel_size), (1, 1, *geometry.stride)
        pads = ((0, 0), (0, 0), *geometry.pads)
        return jax.lax.reduce_window(steps, 0.0, jax.lax.add, window, stride, pads)


class SumPool2dJax(_PoolingJax):
    """Sums over windows of each channel, in jax.

    Parameters and errors are those of `SumPool2d`.

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> from rockpool.nn.modules import SumPool2dJax
    >>> output, _, _ = SumPool2dJax((1, 4, 6), 2)(jnp.ones((5, 1, 4, 6)))
    >>> output.shape, float(output[0, 0, 0, 0, 0])
    ((1, 5, 1, 2, 3), 4.0)
    """

    _model = SUM_POOL_2D

    def _applied(self, steps: jax.Array) -> jax.Array:
        return self._sums(steps)


class AvgPool2dJax(_PoolingJax):
    """Means over windows of each channel, in jax, the zeros around the input included.

    Parameters and errors are those of `SumPool2d`.
    """

    _model = AVG_POOL_2D

    def _applied(self, steps: jax.Array) -> jax.Array:
        return self._sums(steps) / math.prod(self.kernel_size)
