"""What `losses` computes with, in jax."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

amax, cumprod, where = jnp.max, jnp.cumprod, jnp.where


def like(value: Any, array: jax.Array) -> jax.Array:
    """Return numbers in the type of an array."""
    return jnp.asarray(value, array.dtype)


def floating(values: jax.Array) -> jax.Array:
    """Return values in a floating-point type."""
    return values if jnp.issubdtype(values.dtype, jnp.floating) else values.astype(float)


def known(value: Any) -> np.ndarray | None:
    """Return values for a look at them; None where there is none."""
    if isinstance(value, jax.core.Tracer):
        return None
    values = np.asarray(value)
    # numpy does not know the kind of the small types of machine learning
    return values.astype(np.float64) if values.dtype.isbuiltin == 2 else values


def whole(value: Any, array: jax.Array) -> jax.Array:
    """Return whole numbers."""
    return jnp.asarray(value).astype(int)


def log_softmax(scores: jax.Array) -> jax.Array:
    """Return the logarithm of the softmax over the last axis."""
    return jax.nn.log_softmax(scores, -1)


def chosen(values: jax.Array, labels: jax.Array) -> jax.Array:
    """Return one entry of the last axis each."""
    return jnp.take_along_axis(values, labels[..., None], -1)[..., 0]
