"""Convolutions in torch: `Conv2dTorch` and `Conv1dTorch`."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import chain
from typing import Any, Unpack

from torch import Tensor
from torch.nn import functional

from rockpool.nn.models.convolution import CONV_1D, CONV_2D, Geometry, convolution_geometry
from rockpool.nn.modules.native.convolution import ConvolutionMixin, Size
from rockpool.nn.modules.torch._base.checks import Required, require_values
from rockpool.nn.modules.torch._base.initialisers import kaiming_kernels, uniform_sqrt
from rockpool.nn.modules.torch._base.registry import Values
from rockpool.nn.modules.torch.torch_module import TorchModule, TorchModuleArguments
from rockpool.parameters import Shape

__all__ = ["Conv1dTorch", "Conv2dTorch", "padded"]

_CONVOLUTIONS: dict[int, Callable[..., Tensor]] = {1: functional.conv1d, 2: functional.conv2d}
_REQUIRED = (Required("weight"),)
_REQUIRED_WITH_BIAS = (*_REQUIRED, Required("bias"))


def padded(steps: Tensor, geometry: Geometry) -> Tensor:
    """Return time steps (M, C, *axes) with zeros around their axes."""
    pads = list(chain(*reversed(geometry.pads)))  # the last axis comes first
    return functional.pad(steps, pads) if any(pads) else steps


class _ConvolutionTorch(ConvolutionMixin, TorchModule):  # type: ignore[misc]
    weight: Tensor
    bias: Tensor | None

    def __init__(
        self,
        shape_in: tuple[int, ...],
        n_channels: int,
        kernel_size: Size,
        stride: Size = 1,
        padding: Size | str | tuple[tuple[int, int], ...] = 0,
        dilation: Size = 1,
        groups: int = 1,
        weight: Values | None = None,
        bias: Values | None = None,
        has_bias: bool = True,
        weight_init_func: Callable[[Shape], Any] = kaiming_kernels,
        bias_init_func: Callable[[Shape], Any] = uniform_sqrt,
        *args: Any,
        **kwargs: Unpack[TorchModuleArguments],
    ) -> None:
        self._declare(locals(), super().__init__)

    evolve = TorchModule.evolve

    def forward(self, data: Tensor) -> Tensor:
        """Return the output (B, T, *shape_out) of the convolution."""
        data = self._input(data, self.weight)
        require_values(self._label, self, _REQUIRED if self.bias is None else _REQUIRED_WITH_BIAS)
        return self._of_steps(data)

    def _applied(self, steps: Tensor) -> Tensor:
        geometry = self._geometry
        bias = self.bias
        if bias is not None and not bias.shape:
            bias = bias.expand(geometry.n_channels)
        return _CONVOLUTIONS[len(geometry.kernel_size)](
            padded(steps, geometry),
            self.weight,
            bias,
            geometry.stride,
            0,
            geometry.dilation,
            geometry.groups,
        )


class Conv2dTorch(_ConvolutionTorch):
    """A convolution of images: each output is a weighted sum over a window of the input.

    Parameters
    ----------
    shape_in, n_channels, kernel_size, stride, padding, dilation, groups, weight, bias, has_bias
        As for `Conv2d`.
    weight_init_func, bias_init_func : callable
        ``shape -> values``. Default: as for `Conv2d`, drawn by torch.

    Examples
    --------
    >>> import torch
    >>> from rockpool.nn.modules import Conv2dTorch
    >>> layer = Conv2dTorch((2, 8, 8), 4, kernel_size=(3, 5), padding=1)
    >>> output, _, _ = layer(torch.zeros(1, 10, 2, 8, 8))
    >>> tuple(output.shape)
    (1, 10, 4, 8, 6)
    """

    _model = CONV_2D
    _geometry_of = partial(convolution_geometry, 2)


class Conv1dTorch(_ConvolutionTorch):
    """A convolution along one axis besides time.

    Parameters
    ----------
    shape_in, n_channels, kernel_size, stride, padding, dilation, groups, weight, bias, has_bias
        As for `Conv1d`.
    weight_init_func, bias_init_func : callable
        As for `Conv2dTorch`.
    """

    _model = CONV_1D
    _geometry_of = partial(convolution_geometry, 1)
