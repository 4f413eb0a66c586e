"""Which way a time loop goes: by a compiled kernel where one serves, else as it is written.

The result is the same, the speed is not. The kernels are for the CPU and need numba, which is not
imported before the first call that they serve; one for another device would be chosen here as well.
`rockpool.nn.kernels.switch` has the setting that turns them off. Each module says in ``last_path``
which way its last call went, and so does the logger ``rockpool.kernels``, with the reason where it
was the loop.
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
from rockpool.nn.modules.torch._base.transforms import compiling, in_transform, no_dynamo
from rockpool.nn.modules.torch._kernels import operators
from rockpool.nn.modules.torch._loops.euler import euler_loop
from rockpool.nn.modules.torch._loops.exp_syn import exp_syn_loop, leaky_sum
from rockpool.nn.modules.torch._loops.lif import LIFParameters, lif_loop
from rockpool.nn.modules.torch._loops.rate import RateParameters, rate_loop
from rockpool.utilities.backend_management import backend_available

__all__ = ["arrays_serve", "chosen_loop", "known_spikes", "short_file"]

LOGGER = logging.getLogger("rockpool.kernels")

# loop -> the file here, and the function in it, that serves in its place
_KERNELS: dict[Callable[..., Any], tuple[str, str]] = {
    lif_loop: ("lif", "lif"),
    exp_syn_loop: ("exp_syn", "exp_syn"),
    leaky_sum: ("exp_syn", "leaky_sum"),
    rate_loop: ("rate", "rate"),
    euler_loop: ("euler", "euler"),
}


def chosen_loop(module: nn.Module, loop: Callable[..., Any], *arguments: Any) -> Callable[..., Any]:
    """Return what is to be called for a time loop of `_loops`: a kernel that serves, or itself.

    The arguments are what it is going to be called with: input, state, parameters and noise. The
    ``last_path`` of the module becomes "numba" or "loop".
    """
    if compiling():
        module.__dict__["last_path"] = "loop"
        function: Any = module._function_name
        return operators.operator_for(loop, function) or _LOOPS_APART[loop]
    obstacle = _obstacle(loop, arguments)
    path = "loop" if obstacle else "numba"
    module.__dict__["last_path"] = path
    if LOGGER.isEnabledFor(logging.DEBUG):
        LOGGER.debug("%s: %s%s", type(module).__name__, path, f" ({obstacle})" if obstacle else "")
    return loop if obstacle else _kernel(loop)


def arrays_serve() -> bool:
    """Whether kernels may be called on the arrays of tensors, as far as that lies around a call."""
    return not compiling() and _surroundings("cpu") is None


@cache
def short_file() -> Any:
    """Return the file here with the kernels on arrays alone."""
    return import_module(f"{__package__}.lif_short")


def _obstacle(loop: Callable[..., Any], arguments: tuple[Any, ...]) -> str | None:
    """Return what keeps kernels away from a call with these arguments, or None."""
    if loop not in _KERNELS:
        return "no kernel for this loop"
    tensors = list(_tensors(arguments))
    return _surroundings(tensors[0].device.type) or _unserved(arguments, tensors)


# a compiler would unroll a loop that is no operator, take minutes over it and gain next to nothing
_LOOPS_APART = {loop: no_dynamo(loop) for loop in operators.FORMS}


@cache
def _kernel(loop: Callable[..., Any]) -> Callable[..., Any]:
    file, name = _KERNELS[loop]
    found: Callable[..., Any] = getattr(import_module(f"{__package__}.{file}"), name)
    return found


operators.define(lambda loop, arguments: loop if _obstacle(loop, arguments) else _kernel(loop))


def _surroundings(device: str) -> str | None:
    """Return what keeps kernels away from this call, whatever its arguments, or None."""
    if not kernels_wanted():
        return "kernels are turned off"
    if device != "cpu":
        return f"no kernel for {device}"
    if torch.jit.is_tracing():
        return "within torch.jit.trace"
    if in_transform():
        return "within a transform of torch.func"
    if getattr(forward_ad, "_current_level", -1) >= 0:
        return "within forward-mode differentiation"
    if _modes() > 0:
        return "within a dispatch mode of torch"
    if _autocast():
        return "within autocast"
    return None if backend_available("numba") else "numba is not available"


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


# torch has no public question for this one
_modes: Callable[[], int] = getattr(torch._C, "_len_torch_dispatch_stack", lambda: 0)


def _autocast() -> bool:
    try:
        return torch.is_autocast_enabled("cpu")
    except TypeError:  # torch before 2.4
        return torch.is_autocast_cpu_enabled()


def known_spikes(function: Any) -> bool:
    """Whether kernels know a spike function."""
    return getattr(function, "__self__", None) in (StepPWL, PeriodicExponential)


def _unknown_function(arguments: tuple[Any, ...]) -> str | None:
    """Return which function among the arguments the kernels do not know, or None."""
    for argument in arguments:
        if isinstance(argument, LIFParameters) and not known_spikes(argument.spike_fn):
            return f"the spike function {argument.spike_fn!r}"
        known = ACTIVATION_FUNCTIONS.values()
        if isinstance(argument, RateParameters) and argument.act_fn not in known:
            return f"the activation function {argument.act_fn!r}"
    return None


def _tensors(arguments: tuple[Any, ...]) -> Iterator[Tensor]:
    for argument in arguments:
        if isinstance(argument, Tensor):
            yield argument
        elif isinstance(argument, tuple):
            yield from _tensors(argument)
