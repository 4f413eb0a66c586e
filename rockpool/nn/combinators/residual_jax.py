"""Jax modules whose input is added to their output: `JaxResidual`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp

from rockpool.nn.combinators.residual import ResidualMixin
from rockpool.nn.modules.jax.jax_module import JaxModule

if TYPE_CHECKING:
    from rockpool.nn.modules.module import Evolve

__all__ = ["JaxResidual"]


class JaxResidual(ResidualMixin, JaxModule):  # type: ignore[misc]
    """Jax modules, their input added to the output; made by ``Residual``, with its arguments."""

    evolve: Evolve[jax.Array]

    def _added(self, output: Any, data: Any) -> jax.Array:
        data = jnp.asarray(data)
        return output + (data[:, jnp.newaxis] if data.ndim == 1 else data)
