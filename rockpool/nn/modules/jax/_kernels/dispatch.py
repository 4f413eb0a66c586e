"""Which way a time loop goes: by a compiled kernel where one serves, else by a scan.

The result is the same, the speed is not. The kernels need numba, a CPU, and that version of XLA's
interface for foreign functions which they are made for; numba is not imported before the first call
that they serve. Within the same function the scan stands for a kernel where XLA cannot call one:

* on another device than the CPU;
* in what ``jax.export`` exports, which is to run elsewhere too;
* where one computation is divided among several devices (``jax.sharding``). Where each device has
  a computation of its own (``jax.shard_map``), kernels serve.

`rockpool.nn.kernels.switch` has the setting that turns kernels off. The logger ``rockpool.kernels``
says, as each function is compiled, which way its loops go, and why if it is the scan.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Callable
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp

from rockpool.nn.kernels.switch import kernels_wanted
from rockpool.nn.kernels.threads import number_of_threads
from rockpool.utilities.backend_management import backend_available

__all__ = ["chosen_loop", "kernels_serve"]

LOGGER = logging.getLogger("rockpool.kernels")


def kernels_serve() -> bool:
    """Whether time loops that are compiled now are to use kernels.

    Raises
    ------
    ValueError
        ``ROCKPOOL_NUM_THREADS``, which kernels look at when they run, is no whole number >= 1.
    """
    number_of_threads()
    return kernels_wanted() and _obstacle() is None


def _obstacle() -> str | None:
    """Return what is missing for kernels, or None.

    Numba that is missing now may be there later; once it has served it stays.
    """
    if "rockpool.nn.kernels.ffi" not in sys.modules and not backend_available("numba"):
        return "numba is not available"
    from rockpool.nn.kernels.ffi import API_VERSION

    if _api_version() != API_VERSION:
        return f"the interface for foreign functions has version {_api_version()}"
    return None


@cache
def _api_version() -> tuple[int, ...]:
    """Return the version of XLA's interface for foreign functions; () if it is not stated."""
    header = Path(jax.ffi.include_dir(), "xla", "ffi", "api", "c_api.h")
    try:
        text = header.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ()
    found = (re.search(rf"#define XLA_FFI_API_{part} (\d+)", text) for part in ("MAJOR", "MINOR"))
    return tuple(int(match[1]) for match in found if match)


def chosen_loop(
    name: str, loop: Callable[..., Any], x: jax.Array, kernels: bool, *functions: Any
) -> Callable[..., Any]:
    """Return the kernel that stands for a time loop where it serves, else the loop.

    `name` is that of the kernel and of its file in this folder, `loop` the one by ``jax.lax.scan``,
    `x` its input, `kernels` what `kernels_serve` returned, and `functions` those that it uses.
    """
    reason = _unserved(x, kernels, functions)
    if reason:
        LOGGER.debug("rockpool_%s: scan (%s)", name, reason)
        return loop  # if not, it is only known when it is lowered: `primitive`
    found: Callable[..., Any] = getattr(
        import_module(f"rockpool.nn.modules.jax._kernels.{name}"), name
    )
    return found


def _unserved(x: jax.Array, kernels: bool, functions: tuple[Any, ...]) -> str | None:
    if not kernels:
        return (kernels_wanted() and _obstacle()) or "kernels are turned off"
    if x.dtype not in (jnp.float32, jnp.float64):
        return f"no kernel for {x.dtype}"
    if x.size == 0:
        return "there is nothing to do"
    if functions:
        from rockpool.nn.modules.jax._kernels.rate import activation_number

        for function in functions:
            if activation_number(function) is None:
                return f"the activation function {function!r}"
    return None
