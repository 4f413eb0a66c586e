"""Which way a time loop goes: by a compiled kernel where one serves, else as it is written.

The result is the same, the speed is not. The kernels are for the CPU and need numba, which is not
imported before the first call that they serve. `rockpool.nn.kernels.switch` has the setting that
turns them off. Each module says in ``last_path`` which way its last call went, and
so does the logger ``rockpool.kernels``, with the reason where it was the loop.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from functools import cache
from importlib import import_module
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd import forward_ad

from rockpool.nn.kernels.switch import kernels_wanted
from rockpool.nn.modules.torch._base.activations import ACTIVATION_FUNCTIONS
from rockpool.nn.modules.torch._base.surrogates import PeriodicExponential, StepPWL
from rockpool.nn.modules.torch._base.transforms import in_transform
from rockpool.nn.modules.torch._loops import exp_syn, lif, rate
from rockpool.utilities.backend_management import backend_available

__all__ = ["run"]

LOGGER = logging.getLogger("rockpool.kernels")

_HERE = "rockpool.nn.modules.torch._kernels"
# loop -> (file, function) that serve in its place, by type of device
_KERNELS: dict[str, dict[Callable[..., Any], tuple[str, str]]] = {
    "cpu": {
        lif.lif_loop: ("lif", "lif"),
        lif.alif_loop: ("lif", "alif"),
        exp_syn.exp_syn_loop: ("exp_syn", "exp_syn"),
        exp_syn.leaky_sum: ("exp_syn", "leaky_sum"),
        rate.rate_loop: ("rate", "rate"),
    },
}
_NEEDED = {"cpu": "numba"}
_missing: set[str] = set()  # what was looked for and not found


def run(module: Any, loop: Callable[..., Any], *arguments: Any) -> Any:
    """Run a time loop of `_loops` for a module, by a kernel if there is one that serves.

    Parameters
    ----------
    module : TorchModule
        Its ``last_path`` becomes "numba" or "loop".
    loop : callable
        A function of `_loops`.
    *arguments
        Its arguments.

    Returns
    -------
    Any
        What the loop returns.
    """
    tensors = list(_tensors(arguments))
    device = tensors[0].device.type
    obstacle = _obstacle(loop, device) or _unserved(arguments, tensors)
    path = "loop" if obstacle else _NEEDED[device]
    module.__dict__["last_path"] = path
    if LOGGER.isEnabledFor(logging.DEBUG):
        LOGGER.debug("%s: %s%s", type(module).__name__, path, f" ({obstacle})" if obstacle else "")
    return loop(*arguments) if obstacle else _kernel(device, loop)(*arguments)


@cache
def _kernel(device: str, loop: Callable[..., Any]) -> Callable[..., Any]:
    file, name = _KERNELS[device][loop]
    found: Callable[..., Any] = getattr(import_module(f"{_HERE}.{file}"), name)
    return found


def _obstacle(loop: Callable[..., Any], device: str) -> str | None:
    """Return what keeps kernels away from this call, whatever its values, or None."""
    if not kernels_wanted():
        return "kernels are turned off"
    if loop not in _KERNELS.get(device, ()):
        return f"no kernel for {device}"
    return _surroundings(device) or _needed(device)


def _unserved(arguments: tuple[Any, ...], tensors: list[Tensor]) -> str | None:
    """Return what is among the arguments that no kernel serves, or None."""
    first = tensors[0]
    if first.dtype not in (torch.float32, torch.float64):
        return f"no kernel for {first.dtype}"
    for tensor in tensors:
        if type(tensor) is not Tensor and type(tensor) is not nn.Parameter:
            return f"a {type(tensor).__name__} among the tensors"
        if (tensor.dtype, tensor.device) != (first.dtype, first.device):
            return "tensors of several types or devices"
        if tensor.layout is not torch.strided or tensor.is_neg():
            return "a tensor that is not laid out as its values are"
    if any(q.requires_grad for q in arguments[3:] if isinstance(q, Tensor)):
        return "noise that has a gradient"
    return _unknown_function(arguments)


def _surroundings(device: str) -> str | None:
    """Return what goes on around the call that kernels cannot be part of, or None."""
    if torch.compiler.is_compiling():
        return "within torch.compile"
    if torch.jit.is_tracing():
        return "within torch.jit.trace"
    if in_transform():
        return "within a transform of torch.func"
    if getattr(forward_ad, "_current_level", -1) >= 0:
        return "within forward-mode differentiation"
    if _modes() > 0:
        return "within a dispatch mode of torch"
    if _autocast(device):
        return "within autocast"
    return None


# torch has no public question for this one
_modes: Callable[[], int] = getattr(torch._C, "_len_torch_dispatch_stack", lambda: 0)


def _autocast(device: str) -> bool:
    try:
        return torch.is_autocast_enabled(device)
    except TypeError:  # torch before 2.4
        asked = torch.is_autocast_enabled if device == "cuda" else torch.is_autocast_cpu_enabled
        return asked()


def _unknown_function(arguments: tuple[Any, ...]) -> str | None:
    """Return which function among the arguments the kernels do not know, or None."""
    for argument in arguments:
        if isinstance(argument, lif.LIFParameters):
            owner = getattr(argument.spike_fn, "__self__", None)
            if owner is not StepPWL and owner is not PeriodicExponential:
                return f"the spike function {argument.spike_fn!r}"
        known = ACTIVATION_FUNCTIONS.values()
        if isinstance(argument, rate.RateParameters) and argument.act_fn not in known:
            return f"the activation function {argument.act_fn!r}"
    return None


def _needed(device: str) -> str | None:
    """Return what is not there, or None; what was not there once is not looked for again."""
    name = _NEEDED[device]
    if name not in _missing and not backend_available(name):
        _missing.add(name)
    return f"{name} is not available" if name in _missing else None


def _tensors(arguments: tuple[Any, ...]) -> Iterator[Tensor]:
    for argument in arguments:
        if isinstance(argument, Tensor):
            yield argument
        elif isinstance(argument, tuple):
            yield from _tensors(argument)
