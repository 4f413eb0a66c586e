"""Functions that are called from C, by their address: compiled once per machine, as kernels are."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Any

import numba  # noqa: F401 - waits where another thread is importing it
from numba.core.ccallback import CFunc
from numba.core.compiler_lock import global_compiler_lock
from numba.core.runtime import rtsys

from rockpool.nn.kernels.compiling import OPTIONS, PATIENCE
from rockpool.nn.kernels.keeping import KeptCode

__all__ = ["callback_address", "keep_alive"]


@global_compiler_lock  # type: ignore[untyped-decorator]
def callback_address(function: Callable[..., Any], signature: Any) -> int:
    """Return the address of a C function of that signature, compiled if it is not on disk.

    Whoever calls it by its address does not tell when they no longer do: it stays for ever.
    """
    callback: Any = CFunc(function, (signature.args, signature.return_type), {}, OPTIONS)
    callback._cache = kept = KeptCode(function)
    # Numba's own way to load it imports all that can be compiled first, ten times as long
    context = callback._targetdescr.target_context
    rtsys.initialize(context)
    found = kept.load(callback._sig, context)
    if found is not None:
        keep_alive(found)
        name = found.fndesc.llvm_cfunc_wrapper_name
        return int(found.library.get_pointer_to_function(name))
    with kept.announced(PATIENCE):
        callback.compile()
    keep_alive(callback)
    return int(callback.address)


def keep_alive(owner: Any) -> None:
    """Keep an object, and the machine code that it owns, even where this module is dropped."""
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(owner))
