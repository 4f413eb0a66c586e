"""WaveSense networks of jax, from a conversion: `JaxWaveSense`."""

from __future__ import annotations

from rockpool.nn.modules.jax.jax_module import JaxModule
from rockpool.nn.networks.wiring import WaveSenseMixin

__all__ = ["JaxWaveSense"]


class JaxWaveSense(WaveSenseMixin, JaxModule):  # type: ignore[misc]
    """A block or a network of jax, of converted layers."""
