"""How a kernel is called from JAX: as a foreign function of XLA."""

from __future__ import annotations

import ctypes
from functools import cache
from typing import Any

import jax
import jax.numpy as jnp

from rockpool.nn.kernels.ffi import handler_address
from rockpool.nn.modules.jax._kernels.primitive import Arrays
from rockpool.nn.modules.jax._kernels.sharding import vary_alike

__all__ = ["absent", "call", "chosen", "or_zeros"]

_capsule = ctypes.pythonapi.PyCapsule_New
_capsule.restype = ctypes.py_object
_capsule.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p]


@cache
def _target(kernel: str) -> str:
    """Return the name under which XLA knows a kernel."""
    name = f"rockpool_{kernel}"
    handler = _capsule(handler_address(kernel), None, None)
    jax.ffi.register_ffi_target(name, handler, platform="cpu", api_version=1)
    return name


def call(kernel: str, shapes: list[tuple[int, ...]], *arguments: Any) -> Arrays:
    """Call a kernel; scalars among the arguments may be Python numbers."""
    dtype = arguments[0].dtype
    results = [jax.ShapeDtypeStruct(shape, dtype) for shape in shapes]
    arrays = [jnp.asarray(value, dtype) for value in arguments]
    call = jax.ffi.ffi_call(_target(f"{kernel}_{dtype.name}"), results)
    return tuple(call(*vary_alike(arrays)))


def absent(n_dim: int, like: Any) -> jax.Array:
    """Return the array that stands for an array which is not there."""
    return jnp.zeros((0,) * n_dim, like.dtype)


def chosen(values: Arrays, which: tuple[bool, ...]) -> Arrays:
    return tuple(value for value, wanted in zip(values, which, strict=True) if wanted)


def or_zeros(gradient: Any, like: Any) -> Any:
    return jnp.zeros_like(like) if gradient is None else gradient
