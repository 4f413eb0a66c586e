"""Decay factors, the same number as on every other back-end."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, no_type_check

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from rockpool.utilities._unchecked import unchecked

__all__ = ["decay", "decays", "in_double"]


def decay(dt: Any, tau: Any) -> jax.Array:
    """Return the decay factor ``exp(-dt / tau)``, computed in float64 and cast once.

    Single-precision `exp` differs in its last bit from one library to another, and a difference in
    the last bit moves spikes. The result here is what numpy gives in float64, cast to the type of
    `tau`, an array of floats, in its shape; also where `tau` is traced, and without
    ``jax_enable_x64``. It can be differentiated any number of times.
    """
    tau = jnp.asarray(tau)
    if isinstance(dt, (int, float, np.number)):
        # two numbers of single precision hold a time step to 48 bits
        high = np.float32(dt)
        return _decay(high, np.float32(float(dt) - float(high)), tau)
    return _decay(dt, np.float32(0.0), tau)


def decays(dt: Any, *taus: Any) -> tuple[jax.Array, ...]:
    """Return the decay factors of several arrays of time constants, of one type; see `decay`.

    They are computed in one go, which takes XLA half as long to compile.
    """
    arrays = [jnp.asarray(tau) for tau in taus]
    joint = decay(dt, jnp.concatenate([tau.reshape(-1) for tau in arrays]))
    pieces = jnp.split(joint, np.cumsum([tau.size for tau in arrays])[:-1])
    return tuple(piece.reshape(tau.shape) for piece, tau in zip(pieces, arrays, strict=True))


@no_type_check
@unchecked
@jax.custom_jvp
def _decay(dt: Any, dt_rest: Any, tau: Any) -> jax.Array:
    with jax.enable_x64(True):
        wide = [lax.convert_element_type(jnp.asarray(x), np.float64) for x in (dt, dt_rest, tau)]
        decays = jnp.exp(-(wide[0] + wide[1]) / wide[2])
        return lax.convert_element_type(decays, jnp.asarray(tau).dtype)


@_decay.defjvp
def _decay_jvp(primals: tuple[Any, ...], tangents: tuple[Any, ...]) -> tuple[jax.Array, jax.Array]:
    decays = _decay(*primals)
    exact = jnp.promote_types(jnp.result_type(*primals), np.float32)
    dt, dt_rest, tau = (lax.convert_element_type(x, exact) for x in primals)
    dt_dot, rest_dot, tau_dot = tangents
    dt = dt + dt_rest
    exponent_dot = (dt * tau_dot / tau - (dt_dot + rest_dot)) / tau
    return decays, decays * lax.convert_element_type(exponent_dot, decays.dtype)


@no_type_check
@unchecked
@partial(jax.custom_jvp, nondiff_argnums=(0, 1))
def in_double(function: Callable[[Any], Any], dtype: Any, values: Any) -> Any:
    """Return a function of a tree of arrays, computed in float64 and cast once to a type.

    It can be differentiated any number of times, in the precision of the arrays.
    """
    with jax.enable_x64(True):
        wide = jax.tree.map(lambda x: lax.convert_element_type(jnp.asarray(x), np.float64), values)
        return jax.tree.map(
            lambda result: lax.convert_element_type(jnp.asarray(result), dtype), function(wide)
        )


@in_double.defjvp
def _in_double_jvp(
    function: Callable[[Any], Any], dtype: Any, primals: tuple[Any], tangents: tuple[Any]
) -> tuple[Any, Any]:
    def cast(values: Any) -> Any:
        return jax.tree.map(lambda result: jnp.asarray(result, dtype), function(values))

    return in_double(function, dtype, *primals), jax.jvp(cast, primals, tangents)[1]
