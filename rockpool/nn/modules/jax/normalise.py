"""The softmax functions, over all elements of an array or along one dimension."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

__all__ = ["logsoftmax", "softmax"]


def softmax(x: Any, temperature: float = 1.0, axis: int | None = None) -> jax.Array:
    """Return ``exp(x / temperature)``, divided by its sum.

    Parameters
    ----------
    x : array
        Any values.
    temperature : float
        The higher, the more even is the result. Default: 1.
    axis : int, optional
        The dimension to sum over. Default: all of them, batch and time included.
    """
    return jax.nn.softmax(_scaled(x, temperature), axis=axis)


def logsoftmax(x: Any, temperature: float = 1.0, axis: int | None = None) -> jax.Array:
    """Return the logarithm of `softmax`, whose parameters these are."""
    return jax.nn.log_softmax(_scaled(x, temperature), axis=axis)


def _scaled(x: Any, temperature: float) -> jax.Array:
    return jnp.asarray(x) / temperature
