"""The time loops of LIF neurons in torch: plain, with an after-spike current, without synapses."""

from collections.abc import Callable, Iterable
from functools import reduce
from itertools import repeat
from typing import NamedTuple

import torch
from torch import Tensor

from rockpool.nn.modules.torch._loops.steps import Records, expand, stack


class LIFState(NamedTuple):
    """State of LIF neurons."""

    vmem: Tensor  # membrane, (B, N)
    isyn: Tensor  # synaptic currents, (B, N, S)
    spikes: Tensor  # last spikes, (B, N)
    iahp: Tensor | None = None  # after-spike current, (B, N); None where there is none


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
    gamma: Tensor | None = None  # decay of the after-spike current in one time step, (N,) or ()
    w_ahp: Tensor | None = None  # weight of the after-spike current, (N,) or ()


def lif_loop(
    x: Tensor,
    state: LIFState,
    parameters: LIFParameters,
    noise: Tensor | None = None,
    record: bool = False,
) -> tuple[Tensor, LIFState, Records]:
    """Run LIF neurons over time.

    Channel ``n * S + s`` of the input, (B, T, N * S), reaches synapse ``s`` of neuron ``n``; noise
    is added to the membrane. The output is the number of spikes, and the records are ``vmem``
    after the reset, ``isyn`` and ``irec`` (B, T, N, S), ``spikes``, and ``iahp`` where there is
    such a current.
    """
    p, (vmem, isyn, spikes, iahp) = parameters, state
    batch, n_neurons, n_synapses = isyn.shape
    alpha, bias, threshold = expand((batch, n_neurons), p.alpha, p.bias, p.threshold)
    inputs, isyn, beta = _synapses(x, isyn, p.beta)
    if p.gamma is not None and p.w_ahp is not None:
        gamma, w_ahp = expand((batch, n_neurons), p.gamma, p.w_ahp)

    outputs, vmems, isyns, irecs, iahps = [], [], [], [], []
    for x_t, drive in zip(inputs.unbind(1), _per_step(bias, noise), strict=False):
        isyn = isyn + x_t
        if p.w_rec is not None:
            irec = (spikes @ p.w_rec).view_as(isyn)
            isyn = isyn + irec
        isyn = isyn * beta
        vmem = vmem * alpha + _total(isyn)
        if iahp is not None:
            iahp = (iahp + spikes * w_ahp) * gamma
            vmem = vmem + iahp
        vmem = vmem + drive
        spikes = p.spike_fn(vmem, threshold, p.window, p.max_spikes)
        vmem = vmem - spikes * threshold
        outputs.append(spikes)
        if record:
            vmems.append(vmem)
            isyns.append(isyn)
            if iahp is not None:
                iahps.append(iahp)
            if p.w_rec is not None:
                irecs.append(irec)

    final = LIFState(vmem, isyn.reshape(batch, n_neurons, n_synapses), spikes, iahp)
    output = stack(outputs, spikes)
    if not record:
        return output, final, {}
    records = _lif_records(output, final, vmems, isyns, irecs)
    return output, final, records if iahp is None else records | {"iahp": stack(iahps, iahp)}


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
    vmem: Tensor,
    parameters: MembraneParameters,
    noise: Tensor | None = None,
    record: bool = False,
) -> tuple[Tensor, Tensor, Records]:
    """Run spiking neurons that have a membrane and no synapses over time.

    As `lif_loop`, with the input on the membrane, whose values (B, N) are the state; the records
    are ``vmem`` and ``spikes``.
    """
    p = parameters
    alpha, bias, threshold = expand(vmem.shape, p.alpha, p.bias, p.threshold)
    drive = x + bias.unsqueeze(1) if noise is None else x + noise + bias.unsqueeze(1)

    outputs, vmems = [], []
    for drive_t in drive.unbind(1):
        vmem = vmem * alpha + drive_t
        spikes = p.spike_fn(vmem, threshold, p.window, p.max_spikes)
        vmem = vmem - spikes * threshold
        outputs.append(spikes)
        if record:
            vmems.append(vmem)

    output = stack(outputs, vmem)
    records = {"vmem": stack(vmems, vmem), "spikes": output} if record else {}
    return output, vmem, records


def _synapses(x: Tensor, isyn: Tensor, beta: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return input (B, T, N, S), currents and decays (B, N, S), all without S where S = 1."""
    beta = beta.expand(isyn.shape)
    if isyn.shape[-1] == 1:
        return x, isyn.squeeze(-1), beta.squeeze(-1)
    return x.unflatten(-1, isyn.shape[1:]), isyn, beta


def sum_in_order(isyn: Tensor) -> Tensor:
    """Return the sum over the last dimension, added up from its first entry to its last.

    That of torch takes another order, from five entries on.
    """
    return reduce(torch.add, isyn.unbind(-1))


def _total(isyn: Tensor) -> Tensor:
    """Return the sum over the synapses of each neuron."""
    return isyn if isyn.dim() == 2 else sum_in_order(isyn)


def _per_step(bias: Tensor, noise: Tensor | None) -> Iterable[Tensor]:
    """Return what is added to the membrane besides the currents, step by step."""
    return repeat(bias) if noise is None else (noise + bias.unsqueeze(1)).unbind(1)


def _lif_records(
    output: Tensor,
    final: LIFState,
    vmems: list[Tensor],
    isyns: list[Tensor],
    irecs: list[Tensor],
) -> Records:
    shape = (*output.shape, final.isyn.shape[-1])
    isyn = stack(isyns, final.vmem).reshape(shape) if isyns else output.new_zeros(shape)
    return {
        "vmem": stack(vmems, final.vmem),
        "isyn": isyn,
        "irec": torch.stack(irecs, 1).reshape(shape) if irecs else output.new_zeros(shape),
        "spikes": output,
    }
