"""The dense linear layer in torch: `LinearTorch`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Unpack

import torch
from torch import Tensor

import rockpool.graph
from rockpool.nn.models.linear import LINEAR
from rockpool.nn.modules.torch._base.checks import Required, plainly_finite, require_values
from rockpool.nn.modules.torch._base.initialisers import kaiming_rows, spiking_columns, uniform_sqrt
from rockpool.nn.modules.torch._base.registry import Values
from rockpool.nn.modules.torch.torch_module import TorchModule, TorchModuleArguments
from rockpool.parameters import Shape

__all__ = ["LinearTorch"]


class LinearTorch(TorchModule):
    """A dense linear layer: ``output = input @ weight + bias``.

    The layer has no time: it treats each time step of each batch element alike.

    Parameters
    ----------
    shape, weight, bias
        As for `Linear`.
    has_bias : bool
        Whether the layer has biases. Default: False; the attribute `bias` is then None.
    weight_init_func, bias_init_func : callable
        ``shape -> values``. Default: U(±√(6 / Nin)) for weights and U(±√(1 / Nout)) for biases.
        "spiking" for weights is as for `Linear`, drawn by torch.

    Examples
    --------
    >>> import torch
    >>> from rockpool.nn.modules import LinearTorch
    >>> output, _, _ = LinearTorch((2, 3), weight=torch.ones(2, 3))(torch.ones(4, 5, 2))
    >>> tuple(output.shape), output[0, 0, 0].item()
    ((4, 5, 3), 2.0)
    """

    _model = LINEAR.changed("weight", named={"spiking": spiking_columns})

    weight: Tensor
    bias: Tensor | None

    def __init__(
        self,
        shape: tuple[int, int],
        weight: Values | None = None,
        bias: Values | None = None,
        has_bias: bool = False,
        weight_init_func: Callable[[Shape], Any] | str = kaiming_rows,
        bias_init_func: Callable[[Shape], Any] = uniform_sqrt,
        *args: Any,
        **kwargs: Unpack[TorchModuleArguments],
    ) -> None:
        self._declare(locals(), super().__init__)

    def _declare_absent(self, name: str, shape: Shape) -> None:
        self.bias = None

    def forward(self, data: Tensor) -> Tensor:
        """Return ``data @ weight + bias``."""
        weight, bias = self.weight, self.bias
        data = self._input(data, weight)
        output = torch.matmul(data, weight)
        output = output if bias is None else output + bias
        if not plainly_finite(data, weight, bias, output):
            require_values(self._label, self, _REQUIRED if bias is None else _REQUIRED_WITH_BIAS)
            self._require_finite_data(data, output)
        return output

    def as_graph(self) -> rockpool.graph.LinearWeights:
        """Return the layer as one node of dense weights."""
        from rockpool.graph.from_modules import linear_graph
        from rockpool.nn.modules.torch._base.graphs import to_array

        biases = None if self.bias is None else to_array(self.bias)
        return linear_graph(self, to_array(self.weight), biases)


_REQUIRED = (Required("weight"),)
_REQUIRED_WITH_BIAS = (*_REQUIRED, Required("bias"))
