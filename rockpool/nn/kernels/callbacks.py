"""Functions that are called from C, by their address: compiled once per machine, as kernels are."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import numba  # noqa: F401 - waits where another thread is importing it
from numba.core.ccallback import CFunc
from numba.core.compiler_lock import global_compiler_lock
from numba.core.runtime import rtsys

from rockpool.nn.kernels.compiling import OPTIONS, announced, keep_on_disk

__all__ = ["callback_address"]

_alive: list[Any] = []  # machine code lives as long as what it belongs to


def callback_address(function: Callable[..., Any], signature: Any) -> int:
    """Return the address of a C function of that signature, compiled if it is not on disk."""
    callback: Any = CFunc(function, (signature.args, signature.return_type), {}, OPTIONS)
    keep_on_disk(callback)
    address = _kept_address(callback)
    if address is None:
        with announced(function.__name__):
            callback.compile()
        _alive.append(callback)
        address = callback.address
    return int(address)


@global_compiler_lock  # type: ignore[untyped-decorator]
def _kept_address(callback: Any) -> int | None:
    """Return the address of a function whose machine code is on disk; None if it is not.

    Numba's own way to load it imports all that can be compiled first, which takes ten times as
    long. Where its inner parts are others than those used here, that way is left to it.
    """
    context, kept = callback._targetdescr.target_context, callback._cache
    load = getattr(kept, "_load_overload", None)
    guard = getattr(kept, "_guard_against_spurious_io_errors", nullcontext)
    if load is None:
        return None
    rtsys.initialize(context)
    found = None
    with guard():
        found = load(callback._sig, context)
    if found is None:
        return None
    _alive.append(found)
    address: int = found.library.get_pointer_to_function(found.fndesc.llvm_cfunc_wrapper_name)
    return address
