"""The kernels of LIF neurons for CPU tensors, in torch. Needs numba.

The functions have the signatures of those in `rockpool.nn.modules.torch._loops`, and give the same
spikes and gradients.
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np
import torch
from torch import Tensor

from rockpool.nn.kernels.compiling import absent, call
from rockpool.nn.kernels.lif import lif_forward
from rockpool.nn.kernels.lif_backward import PERIODIC_EXPONENTIAL, STEP_PWL, lif_backward
from rockpool.nn.modules.torch._base.surrogates import PeriodicExponential, StepPWL
from rockpool.nn.modules.torch._kernels import lif_function
from rockpool.nn.modules.torch._kernels.arrays import (
    array,
    array_or_absent,
    copied,
    fresh,
    gradient_array,
    over_time,
    reduced,
    spread_out,
)
from rockpool.nn.modules.torch._kernels.lif_function import Inputs, Kernels, Results, Settings
from rockpool.nn.modules.torch._loops import lif as loops

__all__ = ["alif", "lif"]

SURROGATES: dict[Any, int] = {StepPWL: STEP_PWL, PeriodicExponential: PERIODIC_EXPONENTIAL}
NO_GRADIENT = absent(1, np.float64)


def lif(
    x: Tensor,
    state: loops.LIFState,
    parameters: loops.LIFParameters,
    noise: Tensor | None = None,
    record: bool = False,
) -> tuple[Tensor, loops.LIFState, loops.Records]:
    """Run LIF neurons over time; as `loops.lif_loop`."""
    return lif_function.lif(KERNELS, x, state, parameters, noise, record)


def alif(
    x: Tensor,
    state: loops.AHPState,
    parameters: loops.LIFParameters,
    ahp: loops.AHPParameters,
    noise: Tensor | None = None,
    record: bool = False,
) -> tuple[Tensor, loops.AHPState, loops.Records]:
    """Run LIF neurons with an after-spike current over time; as `loops.alif_loop`."""
    return lif_function.alif(KERNELS, x, state, parameters, ahp, noise, record)


def _forward(settings: Settings, inputs: Inputs, keep: bool) -> tuple[Results, Tensor | None]:
    """Run the kernel; return its results and, if it is to be kept, the membrane before resets."""
    p = inputs
    n_batch, n_out, n_syn = p.isyn.shape
    over_time = (n_batch, p.x.shape[1], n_out)
    vmem, isyn, spikes = copied(p.vmem), copied(p.isyn), copied(p.spikes)
    iahp = None if p.iahp is None else copied(p.iahp)
    output = fresh(over_time, p.x)
    before = fresh(over_time, p.x) if keep else None
    records: list[Tensor | None] = [None] * 4
    if settings.record:
        per_synapse = (*over_time, n_syn)
        shapes = (over_time, per_synapse, per_synapse, over_time)
        records = [fresh(shape, p.x) for shape in shapes[: 3 if iahp is None else 4]]
        records += [None] * (4 - len(records))
    results = Results(output, vmem, isyn, spikes, iahp, *records)
    kind = output.numpy().dtype
    per_neuron = (n_out,)
    call(
        lif_forward,
        array(p.x),
        array_or_absent(p.w_rec, 2, kind),
        spread_out(p.alpha, per_neuron),
        spread_out(p.beta, (n_out, n_syn)),
        spread_out(p.bias, per_neuron),
        spread_out(p.threshold, per_neuron),
        float(settings.max_spikes),
        array_or_absent(p.noise, 3, kind),
        *_ahp(p, kind),
        vmem.numpy(),
        isyn.numpy().reshape(n_batch, n_out * n_syn),
        spikes.numpy(),
        array_or_absent(iahp, 2, kind),
        output.numpy(),
        array_or_absent(before, 3, kind),
        *_record_arrays(records, kind),
    )
    return results, before


def _backward(
    settings: Settings,
    inputs: Inputs,
    needed: Any,
    before: Tensor,
    grads: Any,
) -> tuple[Tensor | None, ...]:
    """Return the gradients of all inputs, given those of the results."""
    p, need, given = inputs, Inputs(*needed), Results(*grads)
    n_batch, n_out, n_syn = p.isyn.shape
    kind = before.numpy().dtype
    per_neuron = (n_out,)
    of_output = over_time(given.output, before)
    of_spikes = np.zeros((n_batch, n_out), kind)
    if given.spikes is not None:  # the last spikes of the output are a part of the state as well
        of_output = np.broadcast_to(of_output, before.shape).copy()
        last = of_output[:, -1] if of_output.shape[1] else of_spikes
        last += array(given.spikes)
    of_x = fresh(p.x.shape, p.x) if need.x else None
    of_vmem, of_isyn = gradient_array(given.vmem, p.vmem), gradient_array(given.isyn, p.isyn)
    of_iahp = absent(2, kind) if p.iahp is None else gradient_array(given.iahp, p.iahp)
    of_w_rec = torch.zeros_like(p.w_rec) if p.w_rec is not None and need.w_rec else None
    of_alpha, of_bias, of_threshold = np.zeros((3, n_out))
    of_beta = np.zeros(n_out * n_syn) if need.beta else NO_GRADIENT
    of_gamma, of_w_ahp = (NO_GRADIENT, NO_GRADIENT) if p.iahp is None else np.zeros((2, n_out))
    call(
        lif_backward,
        of_output,
        *_record_arrays(given[5:], kind),
        False,
        array(p.x) if need.beta else absent(3, kind),
        array(before),
        array_or_absent(p.w_rec, 2, kind),
        spread_out(p.alpha, per_neuron),
        spread_out(p.beta, (n_out, n_syn)),
        spread_out(p.threshold, per_neuron),
        float(settings.max_spikes),
        float(settings.window),
        SURROGATES[settings.spike_fn.__self__],
        *_ahp(p, kind),
        array(p.vmem),
        array(p.isyn).reshape(n_batch, n_out * n_syn),
        array(p.spikes),
        array_or_absent(p.iahp, 2, kind),
        of_vmem,
        of_isyn.reshape(n_batch, n_out * n_syn),
        of_spikes,
        of_iahp,
        array_or_absent(of_x, 3, kind),
        array_or_absent(of_w_rec, 2, kind),
        of_alpha,
        of_beta,
        of_bias,
        of_threshold,
        of_gamma,
        of_w_ahp,
    )
    return (
        of_x,
        reduced(of_alpha, p.alpha),
        reduced(of_beta.reshape(n_out, n_syn), p.beta) if need.beta else None,
        reduced(of_bias, p.bias),
        reduced(of_threshold, p.threshold),
        of_w_rec,
        None,  # noise
        None if p.gamma is None else reduced(of_gamma, p.gamma),
        None if p.w_ahp is None else reduced(of_w_ahp, p.w_ahp),
        torch.from_numpy(of_vmem),
        torch.from_numpy(of_isyn),
        torch.from_numpy(of_spikes),
        None if p.iahp is None else torch.from_numpy(of_iahp),
    )


def _ahp(inputs: Inputs, kind: np.dtype) -> tuple[np.ndarray, np.ndarray]:
    """Return decays and weights of the after-spike current."""
    if inputs.gamma is None or inputs.w_ahp is None:
        return absent(1, kind), absent(1, kind)
    per_neuron = inputs.vmem.shape[1:]
    return spread_out(inputs.gamma, per_neuron), spread_out(inputs.w_ahp, per_neuron)


def _record_arrays(records: Any, kind: np.dtype) -> list[np.ndarray]:
    """Return records, or their gradients, as arrays (B, T, ...)."""
    arrays = [array_or_absent(value, 3, kind) for value in records]
    return [values.reshape(*values.shape[:2], prod(values.shape[2:])) for values in arrays]


KERNELS = Kernels(_forward, _backward)
