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
from rockpool.nn.modules.torch._kernels.gradients import by_operations, only_needed, second_order
from rockpool.nn.modules.torch._kernels.lif import SURROGATES
from rockpool.nn.modules.torch._loops.lif import LIFParameters, LIFState, lif_loop

__all__ = ["Constants", "Short", "constants", "lif_short"]


class Constants(NamedTuple):
    """What the kernels take of the parameters."""

    given: dict[str, Any]  # by name of the argument
    forward: Prepared  # the kernel that runs the neurons, if they are not recurrent
    backward: Prepared
    rows: dict[str, int]  # of the sums that gradients of parameters are: one a neuron and parameter
    slopes: np.ndarray  # derivatives of what is given by what is trained, in these rows
    flat: frozenset[str]  # the parameters that have none
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
    shapes = {"alpha": per_neuron, "beta": (n_out, n_synapses), "gamma": per_neuron}
    names = [name for name in given if name not in ("beta", "max_spikes")]
    rows = {name: row for row, name in enumerate([*names, "beta"])}  # the last, one a synapse
    by_row = np.ones((len(names) + n_synapses, n_out))
    for name, slope in slopes.items():
        if slope is not None:
            _sums_of(by_row, rows, name)[:] = broadcast(slope, shapes[name])
    function: Any = p.spike_fn
    surrogate = {"surrogate": SURROGATES[function.__self__], "window": float(p.window)}
    alone, kind = n_synapses == 1 and p.gamma is None, given["alpha"].dtype
    return Constants(
        given=given,
        forward=Prepared(single_synapse_forward if alone else lif_forward, kind, **given),
        backward=Prepared(lif_backward, kind, before_reset=False, **surrogate, **given),
        rows=rows,
        slopes=by_row,
        flat=frozenset(name for name, slope in slopes.items() if slope is None),
        settings=(p.spike_fn, p.window, p.max_spikes),
    )


def _sums_of(sums: np.ndarray, rows: dict[str, int], name: str) -> np.ndarray:
    """Return the numbers of one parameter, in one dimension."""
    return sums[rows[name] :].reshape(-1) if name == "beta" else sums[rows[name]]


def lif_short(
    short: Short, x: Tensor, parameters: tuple[Tensor, ...]
) -> tuple[Tensor, float | None]:
    """Run LIF neurons over time; the parameters are in the order of the names.

    Returns
    -------
    output : Tensor
        The spikes, (B, T, N).
    squares : float or None
        The sum of the squares of the final currents; None where it is not known.
    """
    if torch.is_grad_enabled() and any(tensor.requires_grad for tensor in (x, *parameters)):
        return _Short.apply(short, x, *parameters), None
    return _run(short, x, parameters)


def _run(
    short: Short, x: Tensor, parameters: tuple[Tensor, ...], **kept: np.ndarray
) -> tuple[Tensor, float]:
    """Run the kernel, which writes what gradients need into what is to be kept."""
    isyn = short.states["isyn"]
    n_batch, n_out, n_synapses = isyn.shape
    output = np.empty((n_batch, x.shape[1], n_out), isyn.dtype)
    arguments = {"x": array(x), **short.states, "output": output, **kept}
    arguments["isyn"] = isyn.reshape(n_batch, n_out * n_synapses)
    if "w_rec" in short.names:
        w_rec = array(parameters[short.names.index("w_rec")])
        squares = call(lif_forward, **arguments, w_rec=w_rec, **short.constants.given)
    else:
        squares = short.constants.forward(torch.get_num_threads(), **arguments)
    return torch.from_numpy(output), squares


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
            return _run(short, x, parameters, **ctx.marked)[0]
        before = np.empty((len(isyn), n_steps, isyn.shape[1]), isyn.dtype)
        recurrent = {"irec_record": empty(x.shape, x)} if "w_rec" in short.names else {}
        output, _ = _run(short, x, parameters, before=before, **outputs(**recurrent))
        kept = torch.from_numpy(before), recurrent.get("irec_record")
        ctx.save_for_backward(*kept, x, *parameters)
        return output

    @staticmethod
    def backward(ctx: Any, given: Tensor) -> Any:  # type: ignore[override]
        """Return the gradients of input and parameters."""
        before, irec, *tensors = ctx.saved_tensors
        needed = ctx.needs_input_grad[1:]
        if by_operations((given,)):
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
    constants, rows, kind = short.constants, short.constants.rows, before.dtype
    wanted = dict(zip(short.names, needed[1:], strict=True))
    trained = dict(zip(short.names, parameters, strict=True))
    n_batch, n_out, n_synapses = short.states["isyn"].shape
    n_currents = n_out * n_synapses
    sums = np.zeros_like(constants.slopes)
    of_states = np.zeros((3 + n_synapses, n_batch, n_out), kind)
    arguments = {
        **short.states,
        "isyn": short.states["isyn"].reshape(n_batch, n_currents),
        "grad_vmem": of_states[0],
        "grad_isyn": of_states[3:].reshape(n_batch, n_currents),
        "grad_spikes": of_states[1],
        **kept,
    }
    for name in rows:
        if wanted[name] or name != "beta":
            arguments[f"grad_{name}"] = _sums_of(sums, rows, name)
    of_x = of_w_rec = None
    if needed[0]:
        arguments["grad_x"] = of_x = np.empty(x.shape, kind)
    if "w_rec" in trained:
        arguments["w_rec"] = array(trained["w_rec"])
        if wanted["w_rec"]:
            arguments["grad_w_rec"] = of_w_rec = np.zeros((n_out, n_currents), kind)
    if "gamma" in trained:
        arguments["grad_iahp"] = of_states[2]
    constants.backward(
        torch.get_num_threads(),
        x=array(x),
        before=before,
        grad_output=output_gradient(given, before),
        **arguments,
    )
    sums *= constants.slopes
    rounded = sums.astype(kind)
    gradients = [None if of_x is None else torch.from_numpy(of_x)]
    for name, parameter in trained.items():
        shape = (n_out, n_synapses) if name == "beta" else (n_out,)
        if name == "w_rec":
            gradients.append(reduced(of_w_rec, parameter))
        elif name in constants.flat or not wanted[name]:
            gradients.append(None)
        elif parameter.shape == shape:
            gradients.append(torch.from_numpy(_sums_of(rounded, rows, name).reshape(shape)))
        else:  # it is the same for several, which are added up before that is rounded
            gradients.append(reduced(_sums_of(sums, rows, name).reshape(shape), parameter))
    return gradients
