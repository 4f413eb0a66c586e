"""Arguments of constructors: as jax arrays, or as values that are known before tracing."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

__all__ = ["float_array", "number_setting", "require_static", "static_bool"]


def float_array(value: Any) -> jax.Array:
    """Return numbers as a new jax array of a floating-point type.

    The type is that of an array of floats that is given, else the default one of jax: float32, or
    float64 with ``jax_enable_x64``.
    """
    if isinstance(value, jax.Array):
        floats = jnp.issubdtype(value.dtype, jnp.floating)
        return jnp.asarray(value, value.dtype if floats else jnp.result_type(float))
    return jnp.asarray(np.array(value, dtype=jnp.result_type(float)))  # of a copy


def number_setting(value: Any) -> Any:
    """Return a number as a float, which is never traced; or as it is if it is traced already."""
    return value if isinstance(value, jax.core.Tracer) else float(value)


def static_bool(owner: str, name: str, value: Any) -> bool:
    """Return an argument as a bool; a TypeError says so if it is traced."""
    require_static(owner, name, "True or False", value)
    return bool(value)


def require_static(owner: str, name: str, allowed: str, value: Any) -> None:
    """Raise a TypeError if an argument, or an entry of it, is traced."""
    for entry in value if isinstance(value, (tuple, list)) else [value]:
        if isinstance(entry, jax.core.Tracer):
            raise TypeError(
                f"{owner}: {name} must be {allowed} that is known before anything is traced, got "
                f"{entry}; if it is an argument of a transformed function, make it static "
                "(static_argnames of jax.jit)"
            )
