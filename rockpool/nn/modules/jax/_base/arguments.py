"""Arguments of constructors: as jax arrays, or as values that are known before tracing."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from rockpool.parameters import to_numpy

__all__ = [
    "any_array",
    "fit_for_jax",
    "float_array",
    "number_setting",
    "require_static",
    "static_bool",
]


def float_array(value: Any) -> jax.Array:
    """Return numbers as a new jax array of a floating-point type.

    The type is that of an array of floats that is given, else the default one of jax: float32, or
    float64 with ``jax_enable_x64``.
    """
    if isinstance(value, jax.Array):
        floats = jnp.issubdtype(value.dtype, jnp.floating)
        return jnp.asarray(value, value.dtype if floats else jnp.result_type(float))
    return jnp.asarray(np.array(to_numpy(value), dtype=jnp.result_type(float)))  # of a copy


def any_array(owner: str, name: str, value: Any) -> jax.Array:
    """Return numbers as a new jax array, of their own type; Python numbers become floats.

    Jax takes no tensors, and none of numpy's arrays in the byte order of another machine, of more
    than 64 bits or of objects. A TypeError says what cannot become numbers.
    """
    given = jnp.result_type(float) if isinstance(value, (int, float)) else None
    array = np.array(to_numpy(value), dtype=given)  # a copy, as an array of numpy may be edited
    wide = {"g": np.float64, "G": np.complex128, "O": np.float64}
    try:
        dtype = wide.get(array.dtype.char) or array.dtype.newbyteorder("=")
        return jnp.asarray(array.astype(dtype, copy=False))
    except (TypeError, ValueError) as error:
        raise TypeError(
            f"{owner}: {name} must be a number or an array of numbers, got {array.dtype}"
        ) from error


def fit_for_jax(owner: str, data: Any) -> Any:
    """Return input; an array of numpy that jax does not take as one that it does."""
    if isinstance(data, np.ndarray) and not (data.dtype.isnative and data.dtype.itemsize <= 8):
        return any_array(owner, "the input", data)
    return data


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
