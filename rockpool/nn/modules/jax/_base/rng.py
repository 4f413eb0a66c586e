"""Keys for random numbers: what a module is given, stores and splits."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

__all__ = ["draw_noise", "initial_key", "split_key"]


def initial_key(owner: str, rng_key: Any = None) -> jax.Array:
    """Return the key that a module stores for the ``rng_key`` argument of its constructor.

    It is split off from the one given, and of the same kind; by default it is drawn from the global
    state of numpy, which is the only use of a global state. TypeError says that it is no key.
    """
    if rng_key is None:
        # as many words as a key of the kind that jax is set to has
        n_words = 2 if jax.config.jax_default_prng_impl == "threefry2x32" else 4
        return jnp.asarray(np.random.randint(0, 2**32, size=n_words, dtype=np.uint32))
    if hasattr(rng_key, "dtype") and jnp.issubdtype(rng_key.dtype, jax.dtypes.prng_key):
        if rng_key.shape != ():
            raise TypeError(f"{owner}: rng_key must be one key, got keys of shape {rng_key.shape}")
        return jax.random.split(rng_key)[1]
    shape, dtype = np.shape(rng_key), getattr(rng_key, "dtype", None)
    if len(shape) != 1 or dtype is None or not np.issubdtype(dtype, np.integer):
        raise TypeError(
            f"{owner}: rng_key must be a key, as jax.random.key(seed) or "
            f"jax.random.PRNGKey(seed) make it, got {rng_key!r}"
        )
    _, own_key = jax.random.split(jax.random.wrap_key_data(jnp.asarray(rng_key, dtype=np.uint32)))
    return jax.random.key_data(own_key)


@jax.jit
def split_key(rng_key: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Return the next key of a module, of the same kind, and the one for the noise of this call."""
    if jnp.issubdtype(rng_key.dtype, jax.dtypes.prng_key):
        next_key, own_key = jax.random.split(rng_key)
        return next_key, own_key
    # words alone; jax may be set to make keys of them
    next_key, own_key = jax.random.split(jax.random.wrap_key_data(rng_key))
    return jax.random.key_data(next_key), own_key


def draw_noise(
    key: jax.Array | None, settings: dict[str, Any], shape: tuple[int, ...], dtype: Any
) -> jax.Array | None:
    """Return normal noise of the standard deviation ``noise_std sqrt(dt)``, or None for none.

    Where ``noise_std`` is the Python number 0 nothing is drawn; where it is an array nothing is
    drawn at run time while it is 0.
    """
    noise_std, dt = settings["noise_std"], settings["dt"]

    def draw() -> jax.Array:
        return (jax.random.normal(key, shape, dtype) * (noise_std * dt**0.5)).astype(dtype)

    if not isinstance(noise_std, (int, float)):
        return jax.lax.cond(noise_std > 0, draw, lambda: jnp.zeros(shape, dtype))
    return None if noise_std == 0 else draw()
