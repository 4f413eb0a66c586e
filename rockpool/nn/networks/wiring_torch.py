"""Networks of torch, from a conversion: `TorchWaveSense`, `TorchPotentials`."""

from __future__ import annotations

from rockpool.nn.modules.torch.torch_module import TorchModule
from rockpool.nn.networks.potentials import PotentialsMixin
from rockpool.nn.networks.wiring import WaveSenseMixin

__all__ = ["TorchPotentials", "TorchWaveSense"]


class TorchWaveSense(WaveSenseMixin, TorchModule):  # type: ignore[misc]
    """A block or a network of torch, of converted layers."""


class TorchPotentials(PotentialsMixin, TorchModule):  # type: ignore[misc]
    """A network of torch, of converted layers, whose output is potentials."""
