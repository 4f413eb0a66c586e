"""Batches of unequal length: what a call says of them to all modules inside."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

__all__ = ["Lengths", "checked_lengths", "current_lengths", "lengths_set"]


class Lengths(NamedTuple):
    """How many of the time steps of the input each batch element has, (B,)."""

    values: jax.Array
    n_steps: int

    def cut(self, tree: Any) -> Any:
        """Return outputs or records with zeros beyond each end, those (B, T, ...) of a tree."""
        shape = (len(self.values), self.n_steps)
        within = jnp.arange(self.n_steps) < self.values[:, jnp.newaxis]

        def cut(value: Any) -> Any:
            given = np.shape(value)
            if given[:2] == shape and len(given) > 2:
                return jnp.where(within.reshape(*shape, *[1] * (len(given) - 2)), value, 0)
            if shape[0] == 1 and given[:1] == shape[1:] and len(given) == 2:  # without a batch
                return jnp.where(within[0][:, jnp.newaxis], value, 0)
            return value

        return jax.tree.map(cut, tree)

    def last(self, course: jax.Array, before: jax.Array) -> jax.Array:
        """Return a state at each end, of its time course (B, T, ...) and what it was before."""
        values = jnp.concatenate((before[:, jnp.newaxis], course.astype(before.dtype)), axis=1)
        return values[jnp.arange(len(self.values)), self.values]


_current: ContextVar[Lengths | None] = ContextVar("rockpool_jax_lengths", default=None)


def current_lengths() -> Lengths | None:
    """Return the lengths of the call that is going on, if it has any."""
    return _current.get()


@contextmanager
def lengths_set(lengths: Lengths) -> Iterator[None]:
    """Set the lengths for a call."""
    token = _current.set(lengths)
    try:
        yield
    finally:
        _current.reset(token)


def checked_lengths(label: str, lengths: Any, n_batch: int, n_steps: int) -> Lengths:
    """Return the argument `lengths`, checked, as whole numbers for each of `n_batch` elements."""
    values = jnp.asarray(lengths)
    if not jnp.issubdtype(values.dtype, jnp.integer):
        raise TypeError(f"{label}: lengths must be whole numbers, got {lengths!r}")
    if values.shape != (n_batch,) and not (n_batch == 1 and values.ndim == 0):
        raise ValueError(
            f"{label}: lengths must be one number for each of {n_batch} batch elements, got the "
            f"shape {values.shape}"
        )
    traced = isinstance(values, jax.core.Tracer)
    if not traced and bool(jnp.any((values < 0) | (values > n_steps))):
        raise ValueError(
            f"{label}: lengths must be from 0 to the {n_steps} time steps of the input, got "
            f"{values.tolist()}"
        )
    return Lengths(values.reshape(n_batch), n_steps)
