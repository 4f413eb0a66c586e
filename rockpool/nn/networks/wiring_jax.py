"""Networks of jax, from a conversion: `JaxWaveSense`, `JaxPotentials`."""

from __future__ import annotations

from rockpool.nn.modules.jax.jax_module import JaxModule
from rockpool.nn.networks.potentials import PotentialsMixin
from rockpool.nn.networks.wiring import WaveSenseMixin

__all__ = ["JaxPotentials", "JaxWaveSense"]


class JaxWaveSense(WaveSenseMixin, JaxModule):  # type: ignore[misc]
    """A block or a network of jax, of converted layers."""


class JaxPotentials(PotentialsMixin, JaxModule):  # type: ignore[misc]
    """A network of jax, of converted layers, whose output is potentials."""
