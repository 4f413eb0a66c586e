"""The time loop of rate neurons, and their activation functions."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import lax

__all__ = [
    "ACTIVATION_FUNCTIONS",
    "H_LReLU",
    "H_ReLU",
    "H_sigmoid",
    "H_tanh",
    "RateParameters",
    "rate_loop",
]


def H_ReLU(x: Any, threshold: Any) -> jax.Array:
    """Return ``max(x - threshold, 0)``; its gradient at the threshold is 0."""
    return jax.nn.relu(x - threshold)


def H_tanh(x: Any, threshold: Any) -> jax.Array:
    """Return ``tanh(x - threshold)``."""
    return jnp.tanh(x - threshold)


def H_sigmoid(x: Any, threshold: Any) -> jax.Array:
    """Return ``(tanh(x - threshold) + 1) / 2``."""
    return (jnp.tanh(x - threshold) + 1.0) / 2.0


def H_LReLU(x: Any, threshold: Any, negative_slope: float | int = 1e-2) -> jax.Array:
    """Return ``x - threshold`` where that is positive, ``negative_slope`` times it elsewhere."""
    above = jnp.asarray(x) - threshold
    return jnp.where(above >= 0, above, negative_slope * above)


ACTIVATION_FUNCTIONS = {"relu": H_ReLU, "sigmoid": H_sigmoid, "tanh": H_tanh}


class RateParameters(NamedTuple):
    """Parameters of rate neurons; the arrays are of one floating-point type."""

    gain: jax.Array  # dt / tau, (N,) or ()
    bias: jax.Array  # (N,) or ()
    threshold: jax.Array  # (N,) or ()
    w_rec: jax.Array | None  # (N, N); None where the layer is not recurrent
    act_fn: Callable[[jax.Array, jax.Array], jax.Array]  # of x (N,) and threshold


def rate_loop(
    x: jax.Array, state: jax.Array, parameters: RateParameters, noise: jax.Array | None = None
) -> tuple[jax.Array, jax.Array, dict[str, jax.Array]]:
    """Run rate neurons over time.

    Input and noise, if there is any, are (B, T, N), the state before the first step (B, N). Returns
    the activation (B, T, N), the state after the last step, and the records ``x`` and ``rec_input``
    (B, T, N).
    """
    p = parameters
    gain = jnp.broadcast_to(p.gain, state.shape)
    bias = jnp.broadcast_to(p.bias, (1, 1, *state.shape[1:]))
    drive = (x + bias if noise is None else x + noise + bias).swapaxes(0, 1)
    activation = jax.vmap(lambda x: p.act_fn(x, p.threshold))  # over the batch
    if p.w_rec is None:

        def leak(state: jax.Array, drive: jax.Array) -> tuple[jax.Array, jax.Array]:
            state = state + gain * (drive - state)
            return state, state

        final, course = lax.scan(leak, state, drive)
        output = jax.vmap(activation)(course) if len(course) else course
        records = {"rec_input": jnp.zeros_like(x), "x": course.swapaxes(0, 1)}
        return output.swapaxes(0, 1), final, records

    def step(
        carry: tuple[jax.Array, jax.Array], drive: jax.Array
    ) -> tuple[tuple[jax.Array, jax.Array], tuple[jax.Array, ...]]:
        state, active = carry
        rec_input = jnp.matmul(active, p.w_rec, precision=lax.Precision.HIGHEST)
        state = state + gain * (drive + rec_input - state)
        active = activation(state)
        return (state, active), (active, state, rec_input)

    (final, _), course = lax.scan(step, (state, activation(state)), drive)
    output, states, rec_inputs = (values.swapaxes(0, 1) for values in course)
    return output, final, {"rec_input": rec_inputs, "x": states}
