"""Jax modules whose input is added to their output: `JaxResidual`."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from rockpool.nn.combinators.residual import ResidualMixin
from rockpool.nn.modules.jax.jax_module import JaxModule

__all__ = ["JaxResidual"]


class JaxResidual(ResidualMixin, JaxModule):  # type: ignore[misc]
    """Jax modules whose input is added to their output; made by ``Residual``.

    Parameters
    ----------
    *modules : JaxModule, or dict of JaxModule by name
        The modules, in the order of evolution.
    **kwargs
        Keyword arguments of `JaxModule`, but for the shape and the spiking flags.

    Raises
    ------
    ValueError
        A module is not of jax, an output does not fit the next input, or the last output does not
        have as many channels as the first input.
    """

    def _added(self, output: Any, data: Any) -> jax.Array:
        data = jnp.asarray(data)
        return output + (data[:, jnp.newaxis] if data.ndim == 1 else data)
