"""Which way a time loop goes: by a compiled kernel where one serves, else as it is written.

The result is the same, the speed is not. The kernels for the CPU need numba, those for CUDA devices
Triton; neither is imported before the first call that it serves.
`rockpool.nn.kernels.switch` has the setting that turns them off. Each module says in ``last_path``
which way its last call went, and so does the logger ``rockpool.kernels``, with the reason where it
was the loop.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterator
from functools import cache
from importlib import import_module
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd import forward_ad

from rockpool.nn.kernels.switch import interpreter_wanted, kernels_wanted, numba_wanted
from rockpool.nn.modules.torch._base.activations import ACTIVATION_FUNCTIONS
from rockpool.nn.modules.torch._base.surrogates import PeriodicExponential, StepPWL
from rockpool.nn.modules.torch._base.transforms import compiling, in_transform
from rockpool.nn.modules.torch._kernels import operators
from rockpool.nn.modules.torch._loops.euler import euler_loop
from rockpool.nn.modules.torch._loops.exp_syn import exp_syn_loop, leaky_sum
from rockpool.nn.modules.torch._loops.lif import LIFParameters, LIFState, lif_loop
from rockpool.nn.modules.torch._loops.rate import RateParameters, rate_loop
from rockpool.utilities.backend_management import backend_available

__all__ = ["arrays_serve", "chosen_loop", "known_spikes", "short_file", "takes_half"]

LOGGER = logging.getLogger("rockpool.kernels")

# what compiles kernels -> loop -> the file here, and the function in it, that serves in its place
_KERNELS: dict[str, dict[Callable[..., Any], tuple[str, str]]] = {
    "numba": {
        lif_loop: ("lif", "lif"),
        exp_syn_loop: ("exp_syn", "exp_syn"),
        leaky_sum: ("exp_syn", "leaky_sum"),
        rate_loop: ("rate", "rate"),
        euler_loop: ("euler", "euler"),
    },
    "triton": {
        lif_loop: ("triton.lif", "lif"),
        exp_syn_loop: ("triton.exp_syn", "exp_syn"),
        leaky_sum: ("triton.exp_syn", "leaky_sum"),
        rate_loop: ("triton.rate", "rate"),
    },
}
_SHORT_FILE = f"{__package__}.lif_short"
# types of input that kernels for GPUs read as they are, where all else is in single precision
_HALF = (torch.float16, torch.bfloat16)
MOST_SYNAPSES = 16  # of a neuron, that kernels for GPUs have


def chosen_loop(module: nn.Module, loop: Callable[..., Any], *arguments: Any) -> Callable[..., Any]:
    """Return what is to be called for a time loop of `_loops`: a kernel that serves, or itself.

    The arguments are what it is going to be called with: input, state, parameters and noise. The
    ``last_path`` of the module becomes "numba", "triton" or "loop".
    """
    if compiling():
        module.__dict__["last_path"] = "loop"
        function: Any = module._function_name
        return operators.operator_for(loop, function)
    compiler = _compiler(arguments[0].device.type)
    obstacle = _obstacle(loop, arguments)
    path = "loop" if obstacle else compiler
    module.__dict__["last_path"] = path
    if LOGGER.isEnabledFor(logging.DEBUG):
        LOGGER.debug("%s: %s%s", type(module).__name__, path, f" ({obstacle})" if obstacle else "")
    return loop if obstacle else _kernel(loop, compiler)


def arrays_serve() -> bool:
    """Whether kernels may be called on the arrays of tensors, as far as that lies around a call."""
    return not compiling() and numba_wanted() and _around("numba") is None


def takes_half(data: Tensor, like: Tensor) -> bool:
    """Whether input in half precision can stay so in a layer whose parameters are like another."""
    return (
        data.dtype in _HALF
        and like.dtype is torch.float32
        and _compiler(data.device.type) == "triton"
        and not (compiling() or torch.jit.is_tracing())
    )


@cache
def short_file() -> Any:
    """Return the file here with the kernels on arrays alone."""
    return import_module(_SHORT_FILE)


def _compiler(device: str) -> str:
    """Return what compiles the kernels for a device, or "" where nothing does."""
    if device == "cpu":
        return "triton" if interpreter_wanted() else "numba"
    return "triton" if device == "cuda" else ""


def _obstacle(loop: Callable[..., Any], arguments: tuple[Any, ...]) -> str | None:
    """Return what keeps kernels away from a call with these arguments, or None."""
    tensors = list(_tensors(arguments))
    device = tensors[0].device.type
    compiler = _compiler(device)
    if compiler and loop not in _KERNELS[compiler]:
        return f"no kernel of {compiler} for this loop"
    return (
        _turned_off(device, compiler)
        or _around(compiler)
        or _unserved(arguments, tensors, compiler)
        or (_triton_fails(tensors[0].device) if compiler == "triton" else None)
    )


@cache
def _kernel(loop: Callable[..., Any], compiler: str) -> Callable[..., Any]:
    file, name = _KERNELS[compiler][loop]
    found: Callable[..., Any] = getattr(import_module(f"{__package__}.{file}"), name)
    return found


def _run_by(loop: Callable[..., Any], arguments: tuple[Any, ...]) -> Callable[..., Any]:
    """Return what runs a loop with these arguments within a graph."""
    if _obstacle(loop, arguments):
        return loop
    return _kernel(loop, _compiler(arguments[0].device.type))


for _loop, _form in operators.LOOPS.items():
    operators.define(_loop, _form, _run_by)


def _turned_off(device: str, compiler: str) -> str | None:
    """Return why there are no kernels at all, or None."""
    if not kernels_wanted():
        return "kernels are turned off"
    return None if compiler else f"no kernel for {device}"


def _around(compiler: str) -> str | None:
    """Return what keeps kernels away from this call, whatever its arguments, or None."""
    if torch.jit.is_tracing():
        return "within torch.jit.trace"
    if in_transform():
        return "within a transform of torch.func"
    if getattr(forward_ad, "_current_level", -1) >= 0:
        return "within forward-mode differentiation"
    if _modes() > 0:
        return "within a dispatch mode of torch"
    if compiler == "numba" and _autocast():
        return "within autocast"
    if compiler == "triton" and not hasattr(torch, "get_autocast_dtype"):
        return "torch is older than 2.4"
    if compiler == "numba" and _SHORT_FILE in sys.modules:  # which has imported it
        return None
    return None if backend_available(compiler) else f"{compiler} is not available"


@cache
def _triton_fails(device: torch.device) -> str | None:
    """Return why Triton cannot run a kernel on a device, or None: one is tried, once."""
    trial = import_module(f"{__package__}.triton.trial")
    failure: str | None = trial.failure(device)
    return failure


def _unserved(arguments: tuple[Any, ...], tensors: list[Tensor], compiler: str) -> str | None:
    """Return what is among the arguments that no kernel serves, or None."""
    x, first = tensors[0], tensors[0]
    if compiler == "triton" and x.dtype in _HALF:
        first = tensors[1]
    if first.dtype not in (torch.float32, torch.float64):
        return f"no kernel for {first.dtype}"
    for tensor in tensors:
        if type(tensor) is not Tensor and type(tensor) is not nn.Parameter:
            return f"a {type(tensor).__name__} among the tensors"
        dtype = first.dtype if tensor is x else tensor.dtype
        if (dtype, tensor.device) != (first.dtype, first.device):
            return "tensors of several types or devices"
        if tensor.layout is not torch.strided or tensor.is_neg():
            return "a tensor that is not laid out as its values are"
    if any(q.requires_grad for q in arguments[3:] if isinstance(q, Tensor)):
        return "noise that has a gradient"
    if compiler == "triton" and (reason := _too_much(arguments)):
        return reason
    return _unknown_function(arguments)


def _too_much(arguments: tuple[Any, ...]) -> str | None:
    """Return what a call has that the kernels for GPUs do not, or None."""
    _, state, parameters, *_ = arguments
    if isinstance(state, LIFState) and state.isyn.shape[-1] > MOST_SYNAPSES:
        return f"more than {MOST_SYNAPSES} synapses a neuron"
    if isinstance(parameters, RateParameters) and parameters.w_rec is not None:
        return "no kernel of triton for recurrent rate neurons"
    return None


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
