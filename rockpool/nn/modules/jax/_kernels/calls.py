"""How a kernel is called from JAX: as a foreign function of XLA."""

from __future__ import annotations

import ctypes
from functools import cache
from typing import Any

import jax
import jax.numpy as jnp

from rockpool.nn.kernels.ffi import INTERFACES, handler_address
from rockpool.nn.modules.jax._kernels.sharding import vary_alike

__all__ = ["absent", "call", "or_zeros"]

_capsule = ctypes.pythonapi.PyCapsule_New
_capsule.restype = ctypes.py_object
_capsule.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p]


@cache
def _target(kernel: str, dtype: str) -> str:
    """Return the name under which XLA knows a kernel."""
    name = f"rockpool_{kernel}_{dtype}"
    handler = _capsule(handler_address(kernel, dtype), None, None)
    jax.ffi.register_ffi_target(name, handler, platform="cpu", api_version=1)
    return name


def call(
    kernel: str, shapes: dict[str, tuple[int, ...]], arguments: dict[str, Any]
) -> dict[str, jax.Array]:
    """Call a kernel of `rockpool.nn.kernels.ffi.INTERFACES`, and return its results by name.

    All arguments get the type of the first one; scalars may be Python numbers.
    """
    interface = INTERFACES[kernel]
    dtype = arguments[interface.arguments[0]].dtype
    results = [jax.ShapeDtypeStruct(shapes[name], dtype) for name in interface.results]
    arrays = [jnp.asarray(arguments[name], dtype) for name in interface.arguments]
    function = jax.ffi.ffi_call(_target(kernel, dtype.name), results)
    return dict(zip(interface.results, function(*vary_alike(arrays)), strict=True))


def absent(n_dim: int, like: Any) -> jax.Array:
    """Return the array that stands for an array which is not there."""
    return jnp.zeros((0,) * n_dim, like.dtype)


def or_zeros(gradient: Any, like: Any) -> jax.Array:
    """Return a gradient of an array, or zeros where there is none."""
    return jnp.zeros_like(like) if gradient is None else gradient
