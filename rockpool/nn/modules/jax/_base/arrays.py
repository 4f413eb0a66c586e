"""Arrays of an evolution: input, states and parameters in their shapes and one type."""

from __future__ import annotations

from typing import Any, no_type_check

import jax
import jax.numpy as jnp
import numpy as np

from rockpool.parameters import Shape
from rockpool.utilities._unchecked import unchecked

__all__ = [
    "above",
    "aligned",
    "at_least",
    "batched_input",
    "batched_state",
    "cast",
    "common_type",
    "state_to_keep",
]


def aligned(values: Any, like: jax.Array) -> Any:
    """Return values with as many dimensions as an array that they are to be combined with.

    Jax does so itself, but where ``jax_numpy_rank_promotion`` is set to ask for it.
    """
    shape = jnp.shape(values)
    if jax.config.jax_numpy_rank_promotion == "allow" or not shape:
        return values
    return jnp.reshape(values, (1,) * (like.ndim - len(shape)) + shape)


@no_type_check
@unchecked
@jax.custom_jvp
def at_least(value: Any, least: Any) -> jax.Array:
    """Return ``max(value, least)``, whose derivative by the value is 1 everywhere."""
    # what is smaller is zero to XLA
    smallest = jnp.finfo(jnp.promote_types(value.dtype, jnp.float32)).tiny.astype(value.dtype)
    # rounding may have brought a value, that was the limit, below it
    limit = jnp.maximum(least * (1 - 1e-6), smallest)
    return jnp.where(value < limit, jnp.maximum(least, smallest), value)


@at_least.defjvp
def _at_least_jvp(primals: tuple[Any, ...], tangents: tuple[Any, ...]) -> tuple[jax.Array, Any]:
    limited = at_least(*primals)
    return limited, jnp.broadcast_to(tangents[0], limited.shape)


@no_type_check
@unchecked
@jax.custom_jvp
def above(value: Any, limit: Any, by: Any) -> jax.Array:
    """Return ``limit + by`` where a value is not above a limit; its derivative is 1 everywhere."""
    return jnp.where(value <= limit, limit + by, value)


@above.defjvp
def _above_jvp(primals: tuple[Any, ...], tangents: tuple[Any, ...]) -> tuple[jax.Array, Any]:
    raised = above(*primals)
    return raised, jnp.broadcast_to(tangents[0], raised.shape)


def batched_input(data: Any, shape: Shape, dtype: Any = None) -> jax.Array:
    """Return input, that was checked, in the shape ``(B, T, N)`` that it stands for.

    Without a type it keeps that of floats that are given, else it gets the default one of jax.
    """
    array = jnp.asarray(data)
    if dtype is None:
        floats = jnp.issubdtype(array.dtype, jnp.floating)
        dtype = array.dtype if floats else jnp.result_type(float)
    array = jnp.asarray(array, dtype)
    if array.size == 0:
        return jnp.zeros(shape, dtype)
    return jnp.broadcast_to(array.reshape((*shape[:2], -1)), shape)


def batched_state(state: Any, shape: Shape, dtype: Any) -> jax.Array:
    """Return a state as ``(B, ...)``."""
    return jnp.broadcast_to(jnp.asarray(state, dtype), shape)


def cast(number: Any, dtype: Any) -> jax.Array:
    """Return a number as an array of a type; what is too large for a narrow one is infinite."""
    too_large = isinstance(number, (int, float)) and number > float(jnp.finfo(dtype).max)
    return jnp.asarray(jnp.inf if too_large else number, dtype)


def state_to_keep(final: jax.Array, before: Any, keep: bool) -> jax.Array:
    """Return what is to be stored of a final state ``(B, ...)``; for no batch, that before.

    Its type is not narrower than that of the state before, so that a module stays what it is from
    one time to the next, as ``jax.lax.scan`` asks for.
    """
    dtype = jnp.promote_types(final.dtype, jnp.asarray(before).dtype)
    if len(final) == 0:
        return jnp.asarray(before, dtype)
    return (final if keep else final[0]).astype(dtype)


def common_type(*values: Any) -> Any:
    """Return the floating-point type in which to compute with some values.

    Integers and bools count as floats; numpy arrays as what jax makes of them.
    """
    arrays = [value for value in values if isinstance(value, (jax.Array, np.ndarray))]
    types = {value.dtype for value in arrays if jnp.issubdtype(value.dtype, jnp.floating)}
    return jnp.result_type(*types) if types else jnp.result_type(float)
