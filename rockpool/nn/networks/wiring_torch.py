"""WaveSense networks of torch, from a conversion: `TorchWaveSense`."""

from __future__ import annotations

from rockpool.nn.modules.torch.torch_module import TorchModule
from rockpool.nn.networks.wiring import WaveSenseMixin

__all__ = ["TorchWaveSense"]


class TorchWaveSense(WaveSenseMixin, TorchModule):  # type: ignore[misc]
    """A block or a network of torch, of converted layers."""
