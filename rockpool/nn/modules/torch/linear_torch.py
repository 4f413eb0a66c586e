"""The dense linear layer in torch: `LinearTorch`."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from rockpool.nn.models import linear as model
from rockpool.nn.modules.torch._base.checks import Required, require_values
from rockpool.nn.modules.torch._base.initialisers import kaiming_rows, uniform_sqrt
from rockpool.nn.modules.torch.torch_module import TorchModule, to_float_tensor
from rockpool.parameters import Parameter, Shape

if TYPE_CHECKING:
    from rockpool.graph import LinearWeights

__all__ = ["LinearTorch"]


class LinearTorch(TorchModule):
    """A dense linear layer: ``output = input @ weight + bias``.

    The layer has no time: it treats each time step of each batch element alike.

    Parameters
    ----------
    shape : tuple of int
        ``(Nin, Nout)``.
    weight : array_like, optional
        Weights, shape (Nin, Nout); drawn by `weight_init_func`.
    bias : array_like, optional
        Biases, shape (Nout,) or (); drawn by `bias_init_func` if `has_bias`. A bias that is given
        implies `has_bias`.
    has_bias : bool
        Whether the layer has biases. Default: False; the attribute `bias` is then None.
    weight_init_func, bias_init_func : callable
        ``shape -> values``. Default: U(±√(6 / Nin)) for weights and U(±√(1 / Nout)) for biases.

    Raises
    ------
    ValueError, TypeError
        An argument has a wrong shape, type or value; the message says what is allowed.

    Examples
    --------
    >>> import torch
    >>> from rockpool.nn.modules import LinearTorch
    >>> output, _, _ = LinearTorch((2, 3), weight=torch.ones(2, 3))(torch.ones(4, 5, 2))
    >>> tuple(output.shape), output[0, 0, 0].item()
    ((4, 5, 3), 2.0)
    """

    weight: Any
    bias: Any

    def __init__(
        self,
        shape: tuple[int, int],
        weight: Any = None,
        bias: Any = None,
        has_bias: bool = False,
        weight_init_func: Callable[[Shape], Any] = kaiming_rows,
        bias_init_func: Callable[[Shape], Any] = uniform_sqrt,
        *args: Any,
        **kwargs: Any,
    ) -> None:
        owner = type(self).__name__
        settled = model.module_shape(owner, shape)
        model.check_arguments(owner, settled, weight=weight, bias=bias)
        super().__init__(*args, shape=settled, **kwargs)
        specs = model.parameter_specs(settled)
        self.weight = specs["weight"].wrap(Parameter, weight, weight_init_func, to_float_tensor)
        self.bias = None
        if has_bias or bias is not None:
            self.bias = specs["bias"].wrap(Parameter, bias, bias_init_func, to_float_tensor)

    def forward(self, data: Tensor) -> Tensor:
        """Return ``data @ weight + bias``.

        Parameters
        ----------
        data : Tensor
            Shape (B, T, Nin), (T, Nin) or (T,).

        Returns
        -------
        Tensor
            Shape (B, T, Nout).
        """
        data = self._input(data, self.weight)
        require_values(self._label, self, _REQUIRED if self.bias is None else _REQUIRED_WITH_BIAS)
        output = torch.matmul(data, self.weight)
        return output if self.bias is None else output + self.bias

    def as_graph(self) -> LinearWeights:
        """Return the layer as one node of dense weights."""
        from rockpool.nn.models.graphs import linear_graph
        from rockpool.nn.modules.torch._base.graphs import to_array

        biases = None if self.bias is None else to_array(self.bias)
        return linear_graph(self, to_array(self.weight), biases)


_REQUIRED = (Required("weight"),)
_REQUIRED_WITH_BIAS = (*_REQUIRED, Required("bias"))
