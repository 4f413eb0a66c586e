"""Spike generation with a surrogate gradient, `step_pwl`, and `clip_gradient`."""

from __future__ import annotations

from typing import Any, no_type_check

import jax
import jax.numpy as jnp
from jax import lax

from rockpool.utilities._unchecked import unchecked

__all__ = ["WINDOW", "clip_gradient", "count_spikes", "step_pwl"]

WINDOW = 0.5  # width of the surrogate gradient below the threshold


def count_spikes(x: Any, threshold: Any, max_spikes_per_dt: Any) -> jax.Array:
    """Return the number of spikes ``min([x >= threshold] floor(x / threshold), max)``.

    Has no gradient. To give the answer of the other back-ends for multiples of the threshold,
    `threshold` must not be a constant of the compiler: see `optimization_barrier`.
    """
    # below the threshold the quotient is below 1, so that the lower bound stands for the bracket
    return jnp.clip(jnp.floor(x / threshold), 0.0, max_spikes_per_dt)


def optimization_barrier(threshold: Any, shape: tuple[int, ...]) -> jax.Array:
    """Return a threshold, broadcast to a shape, of which the compiler knows nothing.

    XLA turns a division by a constant, or by a number that it broadcasts itself, into a product
    with the reciprocal. That rounds differently, and 3 times the threshold would be 2 spikes.
    """
    return lax.optimization_barrier(jnp.broadcast_to(threshold, shape))


@no_type_check
@unchecked
@jax.custom_jvp
def step_pwl(
    x: Any, threshold: Any, window: Any = WINDOW, max_spikes_per_dt: Any = 2.0**16
) -> jax.Array:
    """Return the number of spikes of membrane potentials, with a surrogate for its gradient.

    ``S(x, θ) = min([x >= θ] floor(x / θ), max_spikes_per_dt)`` and, with the window w,
    ``∂S/∂x = [x >= θ - w] / θ`` and ``∂S/∂θ = -[x >= θ - w] x / θ²``: piecewise linear, without an
    upper limit, and not stopped by the maximum number of spikes.

    Parameters
    ----------
    x : array
        Membrane potentials before the reset, of any shape.
    threshold : array
        Firing thresholds, > 0, of a shape that broadcasts with `x`.
    window : float
        Width of the surrogate gradient below the threshold. Default: 0.5.
    max_spikes_per_dt : float
        Most spikes in one time step. Default: 2**16.

    Returns
    -------
    jax.Array
        Whole numbers as floats.

    References
    ----------
    E. O. Neftci, H. Mostafa, F. Zenke, Surrogate gradient learning in spiking neural networks,
    IEEE Signal Processing Magazine 36 (2019).
    """
    shape = jnp.broadcast_shapes(jnp.shape(x), jnp.shape(threshold))
    return count_spikes(x, optimization_barrier(threshold, shape), max_spikes_per_dt)


@step_pwl.defjvp
def _step_pwl_jvp(
    primals: tuple[Any, ...], tangents: tuple[Any, ...]
) -> tuple[jax.Array, jax.Array]:
    x, threshold, window, max_spikes_per_dt = primals
    x_dot, threshold_dot = tangents[:2]
    shape = jnp.broadcast_shapes(jnp.shape(x), jnp.shape(threshold))
    x, threshold, x_dot, threshold_dot = (
        jnp.broadcast_to(values, shape) for values in (x, threshold, x_dot, threshold_dot)
    )
    spikes = step_pwl(x, threshold, window, max_spikes_per_dt)
    slope = jnp.where(x >= threshold - window, (x_dot - threshold_dot * x / threshold), 0.0)
    return spikes, lax.convert_element_type(slope / threshold, spikes.dtype)


@no_type_check
@unchecked
@jax.custom_vjp
def clip_gradient(lo: Any, hi: Any, x: Any) -> Any:
    """Return an array `x`; the gradient that comes back is limited to between `lo` and `hi`."""
    return x


def _clip_gradient_forward(lo: Any, hi: Any, x: Any) -> tuple[Any, tuple[Any, Any]]:
    return x, (lo, hi)


def _clip_gradient_backward(limits: tuple[Any, Any], gradient: Any) -> tuple[None, None, Any]:
    return None, None, jnp.clip(gradient, *limits)


clip_gradient.defvjp(_clip_gradient_forward, _clip_gradient_backward)
