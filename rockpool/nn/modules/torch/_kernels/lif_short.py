"""LIF neurons in torch by kernels, on arrays: without records, noise and the gradients of states.

With gradients it is one operation of autograd from the parameters as they are trained to the
spikes, where `lif` starts from decay factors and has a graph in front of it.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.autograd import Function

from rockpool.nn.kernels.compiling import Prepared
from rockpool.nn.kernels.lif import lif_forward, single_synapse_forward
from rockpool.nn.kernels.lif_backward import lif_backward
from rockpool.nn.modules.torch._kernels.arrays import (
    array,
    arrays,
    broadcast,
    broadcasts,
    call,
    empty,
    marks,
    output_gradient,
    outputs,
    reduced,
)
from rockpool.nn.modules.torch._kernels.gradients import only_needed, second_order
from rockpool.nn.modules.torch._kernels.lif import SURROGATES
from rockpool.nn.modules.torch._loops.lif import LIFParameters, LIFState, lif_loop

__all__ = ["Constants", "Short", "constants", "lif_short"]


class Constants(NamedTuple):
    """What the kernels take of the parameters."""

    given: dict[str, Any]  # by name of the argument
    forward: Prepared  # the kernel that runs the neurons, if they are not recurrent
    surrogate: dict[str, Any]
    slopes: dict[str, np.ndarray | None]  # derivatives of decay factors by what is trained
    settings: tuple[Any, Any, Any]  # spike function, window and most spikes


class Short(NamedTuple):
    """A call, but for its tensors."""

    constants: Constants
    states: dict[str, np.ndarray]  # to start from, and changed into the final ones
    names: tuple[str, ...]  # of the parameters, as the kernels call them
    made: Callable[[str, Tensor], Tensor]  # what a kernel takes, given what is trained


def constants(
    p: LIFParameters, n_out: int, n_synapses: int, slopes: dict[str, Tensor | None]
) -> Constants:
    """Return what kernels take of the parameters of some neurons.

    The slopes are those of the decay factors alpha, beta and gamma.
    """
    per_neuron = (n_out,)
    given: dict[str, Any] = {
        "alpha": broadcast(p.alpha, per_neuron),
        "beta": broadcast(p.beta, (n_out, n_synapses)),
        "bias": broadcast(p.bias, per_neuron),
        "threshold": broadcast(p.threshold, per_neuron),
        "max_spikes": float(p.max_spikes),
        **broadcasts(per_neuron, gamma=p.gamma, w_ahp=p.w_ahp),
    }
    function: Any = p.spike_fn
    surrogate = {"surrogate": SURROGATES[function.__self__], "window": float(p.window)}
    shapes = {"alpha": per_neuron, "beta": (n_out, n_synapses), "gamma": per_neuron}
    spread = {
        name: None if slope is None else broadcast(slope, shapes[name])
        for name, slope in slopes.items()
    }
    alone = n_synapses == 1 and p.gamma is None
    kernel = single_synapse_forward if alone else lif_forward
    forward = Prepared(kernel, given["alpha"].dtype, **given)
    return Constants(given, forward, surrogate, spread, (p.spike_fn, p.window, p.max_spikes))


def lif_short(short: Short, x: Tensor, parameters: tuple[Tensor, ...]) -> Tensor:
    """Run LIF neurons over time; the parameters are in the order of the names."""
    if torch.is_grad_enabled() and any(tensor.requires_grad for tensor in (x, *parameters)):
        output: Tensor = _Short.apply(short, x, *parameters)
        return output
    return _run(short, x, parameters)


def _run(short: Short, x: Tensor, parameters: tuple[Tensor, ...], **kept: np.ndarray) -> Tensor:
    """Run the kernel, which writes what gradients need into what is to be kept."""
    isyn = short.states["isyn"]
    n_batch, n_out, n_synapses = isyn.shape
    output = np.empty((n_batch, x.shape[1], n_out), isyn.dtype)
    arguments = {"x": array(x), "output": output, **short.states, **kept}
    arguments["isyn"] = isyn.reshape(n_batch, n_out * n_synapses)
    if "w_rec" in short.names:
        w_rec = array(parameters[short.names.index("w_rec")])
        call(lif_forward, **arguments, w_rec=w_rec, **short.constants.given)
    else:
        short.constants.forward(torch.get_num_threads(), **arguments)
    return torch.from_numpy(output)


class _Short(Function):
    @staticmethod
    def forward(ctx: Any, short: Short, x: Tensor, *parameters: Tensor) -> Tensor:
        """Run the kernel, and keep what gradients need."""
        started = {name: state.copy() for name, state in short.states.items()}
        isyn, n_steps = started["isyn"], x.shape[1]
        ctx.short = Short(short.constants, started, short.names, short.made)
        ctx.marked = marks(n_steps, isyn, "iahp" in started)
        if ctx.marked:
            ctx.save_for_backward(None, None, x, *parameters)
            return _run(short, x, parameters, **ctx.marked)
        before = np.empty((len(isyn), n_steps, isyn.shape[1]), isyn.dtype)
        recurrent = {"irec_record": empty(x.shape, x)} if "w_rec" in short.names else {}
        output = _run(short, x, parameters, before=before, **outputs(**recurrent))
        kept = torch.from_numpy(before), recurrent.get("irec_record")
        ctx.save_for_backward(*kept, x, *parameters)
        return output

    @staticmethod
    def backward(ctx: Any, given: Tensor) -> Any:  # type: ignore[override]
        """Return the gradients of input and parameters."""
        before, irec, *tensors = ctx.saved_tensors
        needed = ctx.needs_input_grad[1:]
        if torch.is_grad_enabled():
            loop = partial(_by_loop, ctx.short)
            return None, *second_order(loop, tensors, needed, (given,))
        if before is None:
            before = empty(given.shape, given)
        kept = {**ctx.marked, **arrays(irec_record=irec)}
        found = _gradients(ctx.short, before.numpy(), kept, tensors, needed, given)
        return None, *only_needed(found, needed)


def _by_loop(short: Short, x: Tensor, *parameters: Tensor) -> tuple[Tensor]:
    """Return the output, by operations of torch."""
    made = {
        name: value if name == "w_rec" else short.made(name, value)
        for name, value in zip(short.names, parameters, strict=True)
    }
    spike_fn, window, limit = short.constants.settings
    surrogate = {"spike_fn": spike_fn, "window": window, "max_spikes": limit}
    state = {name: torch.from_numpy(array) for name, array in short.states.items()}
    p = LIFParameters(**{"w_rec": None, **surrogate, **made})
    return (lif_loop(x, LIFState(**state), p)[0],)


def _gradients(
    short: Short,
    before: np.ndarray,
    kept: dict[str, np.ndarray],
    tensors: list[Tensor],
    needed: tuple[bool, ...],
    given: Tensor,
) -> list[Tensor | None]:
    """Return the gradients of the input and of the parameters, of which some need not be right.

    Besides `before`, the kernel has left what is `kept`. With marks, nothing of `before` is read.
    """
    x, *parameters = tensors
    marked = "marks_v" in kept
    wanted = dict(zip(short.names, needed[1:], strict=True))
    trained = dict(zip(short.names, parameters, strict=True))
    n_batch, n_out, n_synapses = short.states["isyn"].shape
    n_currents = n_out * n_synapses
    arguments = {**short.constants.given, **short.constants.surrogate, **short.states}
    arguments |= kept
    if not marked:
        del arguments["bias"]
    arguments["isyn"] = arguments["isyn"].reshape(n_batch, n_currents)
    sums = np.zeros((4 + n_synapses, n_out))
    found = {"alpha": sums[0], "bias": sums[1], "threshold": sums[2]}
    of_states = np.zeros((3 + n_synapses, n_batch, n_out), before.dtype)
    of_isyn = of_states[3:].reshape(n_batch, n_currents)
    of_x = np.empty(x.shape, before.dtype) if needed[0] else None
    optional: dict[str, np.ndarray] = {} if of_x is None else {"grad_x": of_x}
    if wanted["beta"]:
        found["beta"] = sums[4:].reshape(n_currents)
    if wanted["beta"] or marked:
        optional["x"] = array(x)
    if "w_rec" in trained:
        optional["w_rec"] = array(trained["w_rec"])
        if wanted["w_rec"]:
            found["w_rec"] = np.zeros((n_out, n_currents), before.dtype)
    if "gamma" in trained:
        found["gamma"], found["w_ahp"] = np.zeros((2, n_out))
        optional["grad_iahp"] = np.zeros((n_batch, n_out), before.dtype)
    call(
        lif_backward,
        grad_output=output_gradient(given, torch.from_numpy(before)),
        before_reset=False,
        before=before,
        grad_vmem=of_states[0],
        grad_isyn=of_isyn,
        grad_spikes=of_states[1],
        **{f"grad_{name}": values for name, values in found.items()},
        **arguments,
        **optional,
    )
    slopes = short.constants.slopes
    gradients = [None if of_x is None else torch.from_numpy(of_x)]
    for name, parameter in trained.items():
        gradient, slope = found.get(name), slopes.get(name, 1.0)
        gradient = None if gradient is None or slope is None else gradient * slope
        if gradient is not None and name == "beta":
            gradient = gradient.reshape(n_out, n_synapses)
        gradients.append(reduced(gradient, parameter))
    return gradients
