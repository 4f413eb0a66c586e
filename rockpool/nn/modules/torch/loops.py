"""The time loops of the dynamical torch modules, one function a model.

Each loop is a pure function: input over time, state at the start (with a batch dimension),
parameters and noise go in; output, state at the end and records come out. It checks nothing,
draws nothing and touches no module, so that another implementation can take its place.

They are lean for the sake of the backward pass, whose cost has to be linear in time: the input is
taken apart once, the output put together once, and nothing is written by index. Parameters are
expanded over the batch before the loop, such that their gradients are summed over it once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import repeat
from typing import NamedTuple

import torch
from torch import Tensor

Records = dict[str, Tensor]


class LIFState(NamedTuple):
    """State of LIF neurons: membrane (B, N), synaptic currents (B, N, S), last spikes (B, N)."""

    vmem: Tensor
    isyn: Tensor
    spikes: Tensor


class AHPState(NamedTuple):
    """State of LIF neurons with an after-spike current `iahp` (B, N)."""

    vmem: Tensor
    isyn: Tensor
    spikes: Tensor
    iahp: Tensor


class LIFParameters(NamedTuple):
    """Parameters of LIF neurons; the tensors are of one dtype, on one device."""

    alpha: Tensor  # decay of the membrane in one time step, (N,) or ()
    beta: Tensor  # decay of the synaptic currents, (N, S), (1, S) or ()
    bias: Tensor  # (N,) or ()
    threshold: Tensor  # (N,) or ()
    w_rec: Tensor | None  # (N, N * S); None where the layer is not recurrent
    spike_fn: Callable[..., Tensor]  # (vmem, threshold, window, max_spikes) -> spikes
    window: float | Tensor
    max_spikes: float | Tensor


def lif_loop(
    x: Tensor,
    state: LIFState,
    parameters: LIFParameters,
    noise: Tensor | None = None,
    record: bool = False,
) -> tuple[Tensor, LIFState, Records]:
    """Run LIF neurons over time.

    Parameters
    ----------
    x : Tensor
        Input (B, T, N * S); channel ``n * S + s`` reaches synapse ``s`` of neuron ``n``.
    state : LIFState
        State before the first time step.
    parameters : LIFParameters
        Decays, biases, thresholds, recurrent weights and spike function.
    noise : Tensor, optional
        Added to the membrane, (B, T, N). Default: none.
    record : bool
        Whether to keep all states. Default: False.

    Returns
    -------
    output : Tensor
        Number of spikes (B, T, N).
    state : LIFState
        State after the last time step.
    records : dict
        ``vmem`` (B, T, N) after the reset, ``isyn`` and ``irec`` (B, T, N, S), ``spikes``
        (B, T, N); empty without `record`.
    """
    p, (vmem, isyn, spikes) = parameters, state
    batch, n_neurons, n_synapses = isyn.shape
    alpha, bias, threshold = _expand((batch, n_neurons), p.alpha, p.bias, p.threshold)
    inputs, isyn, beta = _synapses(x, isyn, p.beta)

    outputs, vmems, isyns, irecs = [], [], [], []
    for x_t, drive in zip(inputs.unbind(1), _per_step(bias, noise), strict=False):
        isyn = isyn + x_t
        if p.w_rec is not None:
            irec = (spikes @ p.w_rec).view_as(isyn)
            isyn = isyn + irec
        isyn = isyn * beta
        vmem = vmem * alpha + _total(isyn) + drive
        spikes = p.spike_fn(vmem, threshold, p.window, p.max_spikes)
        vmem = vmem - spikes * threshold
        outputs.append(spikes)
        if record:
            vmems.append(vmem)
            isyns.append(isyn)
            if p.w_rec is not None:
                irecs.append(irec)

    final = LIFState(vmem, isyn.reshape(batch, n_neurons, n_synapses), spikes)
    output = _stack(outputs, spikes)
    return output, final, _lif_records(output, final, vmems, isyns, irecs) if record else {}


class AHPParameters(NamedTuple):
    """Parameters of an after-spike current: its decay and its weight, each (N,), (1,) or ()."""

    gamma: Tensor
    w_ahp: Tensor


def alif_loop(
    x: Tensor,
    state: AHPState,
    parameters: LIFParameters,
    ahp: AHPParameters,
    noise: Tensor | None = None,
    record: bool = False,
) -> tuple[Tensor, AHPState, Records]:
    """Run LIF neurons with an after-spike current over time.

    Parameters and results are as for `lif_loop`; the records have ``iahp`` (B, T, N) besides.
    """
    p, (vmem, isyn, spikes, iahp) = parameters, state
    batch, n_neurons, n_synapses = isyn.shape
    alpha, bias, threshold = _expand((batch, n_neurons), p.alpha, p.bias, p.threshold)
    gamma, w_ahp = _expand((batch, n_neurons), *ahp)
    inputs, isyn, beta = _synapses(x, isyn, p.beta)

    outputs, vmems, isyns, irecs, iahps = [], [], [], [], []
    for x_t, drive in zip(inputs.unbind(1), _per_step(bias, noise), strict=False):
        isyn = isyn + x_t
        if p.w_rec is not None:
            irec = (spikes @ p.w_rec).view_as(isyn)
            isyn = isyn + irec
        isyn = isyn * beta
        iahp = (iahp + spikes * w_ahp) * gamma
        vmem = vmem * alpha + _total(isyn) + iahp + drive
        spikes = p.spike_fn(vmem, threshold, p.window, p.max_spikes)
        vmem = vmem - spikes * threshold
        outputs.append(spikes)
        if record:
            vmems.append(vmem)
            isyns.append(isyn)
            iahps.append(iahp)
            if p.w_rec is not None:
                irecs.append(irec)

    final = AHPState(vmem, isyn.reshape(batch, n_neurons, n_synapses), spikes, iahp)
    output = _stack(outputs, spikes)
    if not record:
        return output, final, {}
    records = _lif_records(output, final, vmems, isyns, irecs)
    return output, final, records | {"iahp": _stack(iahps, iahp)}


class MembraneState(NamedTuple):
    """State of spiking neurons without synapses: membrane (B, N)."""

    vmem: Tensor


class MembraneParameters(NamedTuple):
    """Parameters of spiking neurons without synapses, as in `LIFParameters`."""

    alpha: Tensor
    bias: Tensor
    threshold: Tensor
    spike_fn: Callable[..., Tensor]
    window: float | Tensor
    max_spikes: float | Tensor


def membrane_loop(
    x: Tensor,
    state: MembraneState,
    parameters: MembraneParameters,
    noise: Tensor | None = None,
    record: bool = False,
) -> tuple[Tensor, MembraneState, Records]:
    """Run spiking neurons that have a membrane and no synapses over time.

    Parameters and results are as for `lif_loop`; the records are ``vmem`` and ``spikes``.
    """
    p, (vmem,) = parameters, state
    alpha, bias, threshold = _expand(vmem.shape, p.alpha, p.bias, p.threshold)
    drive = x + bias.unsqueeze(1) if noise is None else x + noise + bias.unsqueeze(1)

    outputs, vmems = [], []
    for drive_t in drive.unbind(1):
        vmem = vmem * alpha + drive_t
        spikes = p.spike_fn(vmem, threshold, p.window, p.max_spikes)
        vmem = vmem - spikes * threshold
        outputs.append(spikes)
        if record:
            vmems.append(vmem)

    output = _stack(outputs, vmem)
    records = {"vmem": _stack(vmems, vmem), "spikes": output} if record else {}
    return output, MembraneState(vmem), records


def leaky_sum(drive: Tensor, start: Tensor, decay: Tensor) -> tuple[Tensor, Tensor]:
    """Return ``y_t = decay y_{t-1} + drive_t`` for all t, (B, T, N), and its last value (B, N).

    Parameters
    ----------
    drive : Tensor
        What is added in each step, (B, T, N).
    start : Tensor
        Value before the first step, (B, N).
    decay : Tensor
        (N,) or ().
    """
    (decay,) = _expand(start.shape, decay)
    value, values = start, []
    for drive_t in drive.unbind(1):
        value = torch.addcmul(drive_t, value, decay)
        values.append(value)
    return _stack(values, value), value


def exp_syn_loop(
    x: Tensor, isyn: Tensor, beta: Tensor, noise: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """Run exponential synapses over time: ``isyn <- (isyn + x_t + noise_t) beta``.

    Parameters
    ----------
    x : Tensor
        Input (B, T, N).
    isyn : Tensor
        State before the first step, (B, N).
    beta : Tensor
        Decay in one time step, (N,) or ().
    noise : Tensor, optional
        Added to the input, (B, T, N). Default: none.

    Returns
    -------
    output, isyn : Tensor
        Currents (B, T, N), and the last ones (B, N).
    """
    return leaky_sum((x if noise is None else x + noise) * beta, isyn, beta)


class RateParameters(NamedTuple):
    """Parameters of rate neurons."""

    gain: Tensor  # dt / tau, (N,) or ()
    bias: Tensor  # (N,) or ()
    threshold: Tensor  # (N,) or ()
    w_rec: Tensor | None  # (N, N); None where the layer is not recurrent
    act_fn: Callable[[Tensor, Tensor], Tensor]  # (x, threshold) -> activation


def rate_loop(
    x: Tensor,
    state: Tensor,
    parameters: RateParameters,
    noise: Tensor | None = None,
    record: bool = False,
) -> tuple[Tensor, Tensor, Records]:
    """Run rate neurons over time.

    Parameters
    ----------
    x : Tensor
        Input (B, T, N).
    state : Tensor
        State before the first step, (B, N).
    parameters : RateParameters
        Gain, bias, threshold, recurrent weights and activation function.
    noise : Tensor, optional
        Added to the input, (B, T, N). Default: none.
    record : bool
        Whether to keep the state and the recurrent input of all time steps. Default: False.

    Returns
    -------
    output : Tensor
        Activation (B, T, N).
    state : Tensor
        State after the last step, (B, N).
    records : dict
        ``x`` and ``rec_input`` (B, T, N); empty without `record`.
    """
    p = parameters
    drive = (x + p.bias if noise is None else x + noise + p.bias) * p.gain
    if p.w_rec is None:
        states, state = leaky_sum(drive, state, 1.0 - p.gain)
        records = {"rec_input": torch.zeros_like(states), "x": states} if record else {}
        return p.act_fn(states, p.threshold), state, records

    gain, decay, threshold = _expand(state.shape, p.gain, 1.0 - p.gain, p.threshold)
    activation = p.act_fn(state, threshold)
    outputs, state_list, rec_inputs = [], [], []
    for drive_t in drive.unbind(1):
        rec_input = activation @ p.w_rec
        state = torch.addcmul(torch.addcmul(drive_t, rec_input, gain), state, decay)
        activation = p.act_fn(state, threshold)
        outputs.append(activation)
        if record:
            state_list.append(state)
            rec_inputs.append(rec_input)
    records = (
        {"rec_input": _stack(rec_inputs, state), "x": _stack(state_list, state)} if record else {}
    )
    return _stack(outputs, state), state, records


def _expand(shape: tuple[int, ...], *values: Tensor) -> tuple[Tensor, ...]:
    return tuple(value.expand(shape) for value in values)


def _synapses(x: Tensor, isyn: Tensor, beta: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return input (B, T, N, S), currents and decays (B, N, S), all without S where S = 1."""
    beta = beta.expand(isyn.shape)
    if isyn.shape[-1] == 1:
        return x, isyn.squeeze(-1), beta.squeeze(-1)
    return x.unflatten(-1, isyn.shape[1:]), isyn, beta


def _total(isyn: Tensor) -> Tensor:
    """Return the sum over the synapses of each neuron."""
    return isyn if isyn.dim() == 2 else isyn.sum(-1)


def _per_step(bias: Tensor, noise: Tensor | None) -> Iterable[Tensor]:
    """Return what is added to the membrane besides the currents, step by step."""
    return repeat(bias) if noise is None else (noise + bias.unsqueeze(1)).unbind(1)


def _stack(steps: list[Tensor], like: Tensor) -> Tensor:
    """Put (B, ...) tensors of all time steps together, (B, T, ...)."""
    return torch.stack(steps, 1) if steps else like.unsqueeze(1)[:, :0]


def _lif_records(
    output: Tensor,
    final: LIFState | AHPState,
    vmems: list[Tensor],
    isyns: list[Tensor],
    irecs: list[Tensor],
) -> Records:
    shape = (*output.shape, final.isyn.shape[-1])
    isyn = _stack(isyns, final.vmem).reshape(shape) if isyns else output.new_zeros(shape)
    return {
        "vmem": _stack(vmems, final.vmem),
        "isyn": isyn,
        "irec": torch.stack(irecs, 1).reshape(shape) if irecs else output.new_zeros(shape),
        "spikes": output,
    }
