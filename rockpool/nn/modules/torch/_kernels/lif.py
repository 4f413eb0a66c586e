"""The time loop of LIF neurons in torch, on CPU tensors, by compiled kernels. Needs numba."""

from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.autograd import Function

from rockpool.nn.kernels.lif import lif_forward
from rockpool.nn.kernels.lif_backward import PERIODIC_EXPONENTIAL, STEP_PWL, lif_backward
from rockpool.nn.modules.torch._base.surrogates import PeriodicExponential, StepPWL
from rockpool.nn.modules.torch._kernels.arrays import (
    array,
    arrays,
    broadcast,
    broadcasts,
    call,
    copied,
    empty,
    gradient_array,
    marks,
    output_gradient,
    outputs,
    reduced,
    zeros_like,
)
from rockpool.nn.modules.torch._kernels.gradients import (
    by_operations,
    keep,
    only_needed,
    second_order,
)
from rockpool.nn.modules.torch._kernels.lif_forms import (
    RECORDS,
    Inputs,
    Results,
    Settings,
    by_loop,
    run_lif,
)
from rockpool.nn.modules.torch._loops.lif import LIFParameters, LIFState
from rockpool.nn.modules.torch._loops.steps import Records

__all__ = ["lif"]

SURROGATES: dict[Any, int] = {StepPWL: STEP_PWL, PeriodicExponential: PERIODIC_EXPONENTIAL}


def lif(
    x: Tensor,
    state: LIFState,
    parameters: LIFParameters,
    noise: Tensor | None = None,
    record: bool = False,
) -> tuple[Tensor, LIFState, Records]:
    """Run LIF neurons over time; as `lif_loop`."""
    return run_lif(_LIF, x, state, parameters, noise, record)


class _LIF(Function):
    @staticmethod
    def forward(ctx: Any, settings: Settings, *tensors: Any) -> Any:
        """Run the kernel; what the gradients need is kept in `ctx`, unless that is None."""
        p = Inputs(*tensors)
        n_batch, n_out, n_syn = p.isyn.shape
        per_step, per_neuron = (n_batch, p.x.shape[1], n_out), (n_out,)
        vmem, isyn, spikes = copied(p.vmem), copied(p.isyn), copied(p.spikes)
        iahp = None if p.iahp is None else copied(p.iahp)
        output = empty(per_step, p.x)
        marked = {} if ctx is None else marks(p.x.shape[1], p.isyn, iahp is not None)
        before = None if ctx is None or marked else empty(per_step, p.x)
        records: list[Tensor | None] = [None] * 4
        if settings.record:
            per_synapse = (*per_step, n_syn)
            records = [empty(shape, p.x) for shape in (per_step, per_synapse, per_synapse)]
            records.append(None if iahp is None else empty(per_step, p.x))
        irec = records[2]
        if irec is None and before is not None and p.w_rec is not None:
            irec = empty((*per_step, n_syn), p.x)
        recorded = zip(RECORDS, (*records[:2], irec, records[3]), strict=True)
        call(
            lif_forward,
            x=array(p.x),
            alpha=broadcast(p.alpha, per_neuron),
            beta=broadcast(p.beta, (n_out, n_syn)),
            bias=broadcast(p.bias, per_neuron),
            threshold=broadcast(p.threshold, per_neuron),
            max_spikes=float(settings.max_spikes),
            vmem=vmem.numpy(),
            isyn=isyn.numpy().reshape(n_batch, n_out * n_syn),
            spikes=spikes.numpy(),
            output=output.numpy(),
            **broadcasts(per_neuron, gamma=p.gamma, w_ahp=p.w_ahp),
            **arrays(w_rec=p.w_rec, noise=p.noise),
            **outputs(iahp=iahp, before=before, **dict(recorded)),
            **marked,
        )
        keep(ctx, settings, before, None if p.w_rec is None or marked else irec, *tensors)
        if ctx is not None:
            ctx.marked = marked
        if ctx is not None and p.w_rec is None and settings.record:
            ctx.mark_non_differentiable(records[2])
        return output, vmem, isyn, spikes, iahp, *records

    @staticmethod
    def backward(ctx: Any, *grads: Tensor | None) -> Any:
        before, irec, *tensors = ctx.saved_tensors
        inputs, needed = Inputs(*tensors), ctx.needs_input_grad[1:]
        if by_operations(grads):
            function = partial(by_loop, ctx.settings)
            return None, *second_order(function, inputs, needed, grads)
        if before is None:
            before = empty((*inputs.x.shape[:2], inputs.vmem.shape[1]), inputs.vmem)
        need, given = Inputs._make(needed), Results._make(grads)
        kept = {**ctx.marked, **arrays(irec_record=irec)}
        found = _gradients(ctx.settings, inputs, need, before, kept, given)
        return None, *only_needed(found, needed)


def _gradients(
    settings: Settings,
    inputs: Inputs,
    need: Any,
    before: Tensor,
    kept: dict[str, np.ndarray],
    given: Any,
) -> Inputs:
    """Return the gradients of all inputs, given those of the results.

    Besides `before`, the kernel has left what is `kept`. With marks, nothing of `before` is read.
    """
    p, marked = inputs, "marks_v" in kept
    n_batch, n_out, n_syn = p.isyn.shape
    per_neuron = (n_out,)
    of_output = output_gradient(given.output, array(before))
    of_spikes = np.zeros((n_batch, n_out), of_output.dtype)
    if given.spikes is not None:  # the last spikes of the output are a part of the state as well
        of_output = np.broadcast_to(of_output, before.shape).copy()
        last = of_output[:, -1] if of_output.shape[1] else of_spikes
        last += array(given.spikes)
    of_x: Any = empty(p.x.shape, p.x) if need.x else None
    of_vmem, of_isyn = gradient_array(given.vmem, p.vmem), gradient_array(given.isyn, p.isyn)
    of_w_rec = zeros_like(p.w_rec) if p.w_rec is not None and need.w_rec else None
    of_alpha, of_bias, of_threshold = np.zeros((3, n_out))
    of_beta = of_iahp = of_gamma = of_w_ahp = None
    optional: dict[str, np.ndarray] = {}
    if need.beta:
        of_beta = np.zeros((n_out, n_syn))
        optional["grad_beta"] = of_beta.reshape(-1)
    if need.beta or marked:
        optional["x"] = array(p.x)
    if marked:
        optional |= {"bias": broadcast(p.bias, per_neuron), **arrays(noise=p.noise)}
    if p.iahp is not None:
        of_iahp = gradient_array(given.iahp, p.iahp)
        of_gamma, of_w_ahp = np.zeros((2, n_out))
        optional |= {"grad_iahp": of_iahp, "grad_gamma": of_gamma, "grad_w_ahp": of_w_ahp}
    call(
        lif_backward,
        grad_output=of_output,
        before_reset=False,
        before=array(before),
        alpha=broadcast(p.alpha, per_neuron),
        beta=broadcast(p.beta, (n_out, n_syn)),
        threshold=broadcast(p.threshold, per_neuron),
        max_spikes=float(settings.max_spikes),
        window=float(settings.window),
        surrogate=SURROGATES[settings.spike_fn.__self__],
        vmem=array(p.vmem),
        isyn=array(p.isyn).reshape(n_batch, n_out * n_syn),
        spikes=array(p.spikes),
        grad_vmem=of_vmem,
        grad_isyn=of_isyn.reshape(n_batch, n_out * n_syn),
        grad_spikes=of_spikes,
        grad_alpha=of_alpha,
        grad_bias=of_bias,
        grad_threshold=of_threshold,
        **broadcasts(per_neuron, gamma=p.gamma, w_ahp=p.w_ahp),
        **arrays(w_rec=p.w_rec, iahp=p.iahp),
        **outputs(grad_x=of_x, grad_w_rec=of_w_rec),
        **arrays(
            grad_vmem_record=given.vmem_record,
            grad_isyn_record=given.isyn_record,
            grad_irec_record=given.irec_record,
            grad_iahp_record=given.iahp_record,
        ),
        **optional,
        **kept,
    )
    return Inputs(
        x=of_x,
        noise=None,
        vmem=torch.from_numpy(of_vmem),
        isyn=torch.from_numpy(of_isyn),
        spikes=torch.from_numpy(of_spikes),
        iahp=None if of_iahp is None else torch.from_numpy(of_iahp),
        alpha=reduced(of_alpha, p.alpha),
        beta=reduced(of_beta, p.beta),
        bias=reduced(of_bias, p.bias),
        threshold=reduced(of_threshold, p.threshold),
        w_rec=of_w_rec,
        gamma=reduced(of_gamma, p.gamma),
        w_ahp=reduced(of_w_ahp, p.w_ahp),
    )
