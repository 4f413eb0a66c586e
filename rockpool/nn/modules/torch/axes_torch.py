"""Layers that go by the axes of their input, in torch: `FlattenTorch` and `ScaleTorch`."""

from __future__ import annotations

from typing import Any, Unpack

from torch import Tensor

from rockpool.nn.modules.native.axes import FlattenMixin, ScaleMixin
from rockpool.nn.modules.torch._base.checks import Required, require_values
from rockpool.nn.modules.torch._base.registry import Values
from rockpool.nn.modules.torch.torch_module import TorchModule, TorchModuleArguments
from rockpool.parameters import Shape

__all__ = ["FlattenTorch", "ScaleTorch"]

_REQUIRED = (Required("weight"),)


class FlattenTorch(FlattenMixin, TorchModule):  # type: ignore[misc]
    """All axes of a time step as one, in C order.

    Parameters
    ----------
    shape_in : int or tuple of int
        The axes of the input.
    """

    def __init__(
        self, shape_in: int | Shape, *args: Any, **kwargs: Unpack[TorchModuleArguments]
    ) -> None:
        self._declare(locals(), super().__init__)

    evolve = TorchModule.evolve

    def forward(self, data: Tensor) -> Tensor:
        """Return the data as (B, T, N)."""
        return self._of_steps(self._input(data))


class ScaleTorch(ScaleMixin, TorchModule):  # type: ignore[misc]
    """A weight for each entry of a time step: ``output = weight * input``.

    Parameters
    ----------
    shape_in, weight
        As for `Scale`.
    """

    weight: Tensor

    def __init__(
        self,
        shape_in: int | Shape,
        weight: Values | None = None,
        *args: Any,
        **kwargs: Unpack[TorchModuleArguments],
    ) -> None:
        self._declare(locals(), super().__init__)

    evolve = TorchModule.evolve

    def forward(self, data: Tensor) -> Tensor:
        """Return ``weight * data``, of the shape (B, T, *shape_in)."""
        data = self._input(data, self.weight)
        require_values(self._label, self, _REQUIRED)
        return self._of_steps(data)
