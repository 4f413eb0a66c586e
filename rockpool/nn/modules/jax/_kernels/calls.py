"""How a kernel is called from JAX: as a foreign function of XLA."""

from __future__ import annotations

import ctypes
import itertools
import threading
from typing import Any

import jax
import jax.numpy as jnp

from rockpool.nn.kernels.ffi import INTERFACES, handler_address
from rockpool.nn.modules.jax._kernels.sharding import vary_alike

__all__ = ["absent", "call", "or_zeros"]

_capsule = ctypes.pythonapi.PyCapsule_New
_capsule.restype = ctypes.py_object
_capsule.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p]


_targets: dict[tuple[str, str], str] = {}
_registering = threading.RLock()


def _target(kernel: str, dtype: str) -> str:
    """Return the name under which XLA knows a kernel."""
    name = _targets.get((kernel, dtype))
    if name is None:
        with _registering:
            name = _targets.get((kernel, dtype)) or _registered(kernel, dtype)
            _targets[kernel, dtype] = name
    return name


def _registered(kernel: str, dtype: str) -> str:
    """Make a kernel known to XLA, which forgets nothing, and return the name.

    It is the same name in each process, as caches of compiled functions contain it, unless this
    package was imported before and dropped: that one's functions go on with its kernels.
    """
    handler = _capsule(handler_address(kernel, dtype), None, None)
    for number in itertools.count(1):
        name = f"rockpool_{kernel}_{dtype}" + (f"_{number}" if number > 1 else "")
        try:
            jax.ffi.register_ffi_target(name, handler, platform="cpu", api_version=1)
        except jax.errors.JaxRuntimeError as error:
            if "uplicate" not in str(error):
                raise
        else:
            break
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
