"""Torch modules whose input is added to their output: `TorchResidual`."""

from __future__ import annotations

from torch import Tensor

from rockpool.nn.combinators.residual import ResidualMixin
from rockpool.nn.combinators.sequential_torch import TorchChainMixin
from rockpool.nn.modules.torch.torch_module import TorchModule

__all__ = ["TorchResidual"]


class TorchResidual(TorchChainMixin, ResidualMixin, TorchModule):  # type: ignore[misc]
    """Torch modules whose input is added to their output; made by ``Residual``.

    Parameters
    ----------
    *modules : TorchModule or nn.Module, or dict of these by name
        The modules, in the order of evolution. Modules of torch alone are turned into
        `TorchModule` objects in place.
    **kwargs
        Keyword arguments of `TorchModule`, but for the shape and the spiking flags.
    """

    def _added(self, output: Tensor, data: Tensor) -> Tensor:
        return output + self._shaped(data).to(output.dtype)
