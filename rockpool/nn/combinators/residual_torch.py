"""Torch modules whose input is added to their output: `TorchResidual`."""

from __future__ import annotations

from torch import Tensor

from rockpool.nn.combinators.residual import ResidualMixin
from rockpool.nn.combinators.sequential_torch import TorchChainMixin
from rockpool.nn.modules.torch.torch_module import TorchModule

__all__ = ["TorchResidual"]


class TorchResidual(TorchChainMixin, ResidualMixin, TorchModule):  # type: ignore[misc]
    """Torch modules, their input added to the output; made by ``Residual``, with its arguments.

    Modules of torch alone are turned into `TorchModule` objects, in place.
    """

    def _added(self, output: Tensor, data: Tensor) -> Tensor:
        return output + self._shaped(data).to(output.dtype)
