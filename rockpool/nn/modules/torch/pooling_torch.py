"""Pooling in torch: `SumPool2dTorch` and `AvgPool2dTorch`."""

from __future__ import annotations

from functools import partial
from typing import Any, Unpack

from torch import Tensor
from torch.nn import functional

from rockpool.nn.models.convolution import AVG_POOL_2D, SUM_POOL_2D, pooling_geometry
from rockpool.nn.modules.native.convolution import Size
from rockpool.nn.modules.native.shaped import WindowsMixin
from rockpool.nn.modules.torch.convolution_torch import padded
from rockpool.nn.modules.torch.torch_module import TorchModule, TorchModuleArguments

__all__ = ["AvgPool2dTorch", "SumPool2dTorch"]


class _PoolingTorch(WindowsMixin, TorchModule):  # type: ignore[misc]
    _geometry_of = partial(pooling_geometry, 2)
    _divisor: int | None  # of sums; None: how many entries a window has

    def __init__(
        self,
        shape_in: tuple[int, ...],
        kernel_size: Size,
        stride: Size | None = None,
        padding: Size | str | tuple[tuple[int, int], ...] = 0,
        *args: Any,
        **kwargs: Unpack[TorchModuleArguments],
    ) -> None:
        self._declare(locals(), super().__init__)

    evolve = TorchModule.evolve

    def forward(self, data: Tensor) -> Tensor:
        """Return the output (B, T, *shape_out) of pooling."""
        return self._of_steps(self._input(data))

    def _applied(self, steps: Tensor) -> Tensor:
        geometry = self._geometry
        return functional.avg_pool2d(
            padded(steps, geometry),
            geometry.kernel_size,
            geometry.stride,
            divisor_override=self._divisor,
        )


class SumPool2dTorch(_PoolingTorch):
    """Sums over windows of each channel.

    Parameters
    ----------
    shape_in, kernel_size, stride, padding
        As for `SumPool2d`.

    Examples
    --------
    >>> import torch
    >>> from rockpool.nn.modules import SumPool2dTorch
    >>> output, _, _ = SumPool2dTorch((1, 4, 6), 2)(torch.ones(5, 1, 4, 6))
    >>> tuple(output.shape), output[0, 0, 0, 0, 0].item()
    ((1, 5, 1, 2, 3), 4.0)
    """

    _model = SUM_POOL_2D
    _divisor = 1


class AvgPool2dTorch(_PoolingTorch):
    """Means over windows of each channel, the zeros around the input included.

    Parameters are those of `SumPool2d`.
    """

    _model = AVG_POOL_2D
    _divisor = None
