"""The time loop of exponential synapses."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jax import lax

__all__ = ["exp_syn_loop"]


def exp_syn_loop(
    x: jax.Array, isyn: jax.Array, beta: jax.Array, noise: jax.Array | None = None
) -> tuple[jax.Array, jax.Array]:
    """Run exponential synapses over time: ``isyn <- (isyn + x_t + noise_t) beta``.

    Input and noise, if there is any, are (B, T, N), the state before the first step (B, N), the
    decay in one time step (N,) or (). Returns the currents (B, T, N), and the last ones (B, N).
    """
    beta = jnp.broadcast_to(beta, isyn.shape)

    def step(isyn: jax.Array, x: jax.Array) -> tuple[jax.Array, jax.Array]:
        isyn = (isyn + x) * beta
        return isyn, isyn

    steps = x if noise is None else x + noise
    final, course = lax.scan(step, isyn, steps.swapaxes(0, 1))
    return course.swapaxes(0, 1), final
