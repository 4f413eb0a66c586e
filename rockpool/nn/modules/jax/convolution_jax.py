"""Convolutions in jax: `Conv2dJax` and `Conv1dJax`."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Unpack

import jax
import jax.numpy as jnp
import numpy  # noqa: F401 - waits where another thread is importing it

from rockpool.nn.models.convolution import CONV_1D, CONV_2D, convolution_geometry
from rockpool.nn.modules._module_base import Evolve
from rockpool.nn.modules.jax.jax_module import JaxModule
from rockpool.nn.modules.module import ModuleArguments
from rockpool.nn.modules.native.convolution import ConvolutionMixin, Size, kaiming_kernels
from rockpool.nn.modules.native.linear import uniform_sqrt
from rockpool.parameters import Shape
from rockpool.typehints import ArrayLike

__all__ = ["Conv1dJax", "Conv2dJax"]

_AXES = {1: ("NCH", "OIH", "NCH"), 2: ("NCHW", "OIHW", "NCHW")}


class _ConvolutionJax(ConvolutionMixin, JaxModule):
    weight: jax.Array
    bias: jax.Array | None

    evolve: Evolve[jax.Array]

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
        **kwargs: Unpack[ModuleArguments],
    ) -> None:
        self._declare(locals(), super().__init__)

    def _applied(self, steps: jax.Array) -> jax.Array:
        geometry = self._geometry
        dtype = jnp.result_type(steps, self.weight)
        output = jax.lax.conv_general_dilated(
            steps.astype(dtype),
            self.weight.astype(dtype),
            geometry.stride,
            geometry.pads,
            rhs_dilation=geometry.dilation,
            dimension_numbers=_AXES[len(geometry.kernel_size)],
            feature_group_count=geometry.groups,
            precision=jax.lax.Precision.HIGHEST,
        )
        return output if self.bias is None else output + self._bias_along(self.bias)


class Conv2dJax(_ConvolutionJax):
    """A convolution of images, in jax, in the highest precision that a device has.

    Parameters and errors are those of `Conv2d`.

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> from rockpool.nn.modules import Conv2dJax
    >>> layer = Conv2dJax((2, 8, 8), 4, kernel_size=(3, 5), padding=1)
    >>> output, _, _ = layer(jnp.zeros((1, 10, 2, 8, 8)))
    >>> output.shape
    (1, 10, 4, 8, 6)
    """

    _model = CONV_2D
    _geometry_of = partial(convolution_geometry, 2)


class Conv1dJax(_ConvolutionJax):
    """A convolution along one axis besides time, in jax.

    Parameters and errors are those of `Conv1d`.
    """

    _model = CONV_1D
    _geometry_of = partial(convolution_geometry, 1)
