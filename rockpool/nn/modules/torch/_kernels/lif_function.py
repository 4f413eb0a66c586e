"""The time loops of LIF neurons as one operation of autograd, whatever the kernels behind it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.autograd import Function

from rockpool.nn.modules.torch._kernels.gradients import needs_graph, second_order
from rockpool.nn.modules.torch._loops import lif as loops

__all__ = ["Inputs", "Kernels", "Results", "Settings", "alif", "lif"]


class Inputs(NamedTuple):
    """All tensors that go in; None where there is none."""

    x: Tensor
    alpha: Tensor
    beta: Tensor
    bias: Tensor
    threshold: Tensor
    w_rec: Tensor | None
    noise: Tensor | None
    gamma: Tensor | None
    w_ahp: Tensor | None
    vmem: Tensor
    isyn: Tensor
    spikes: Tensor
    iahp: Tensor | None


class Settings(NamedTuple):
    """All else that goes in."""

    spike_fn: Any
    window: float | Tensor
    max_spikes: float | Tensor
    record: bool


class Results(NamedTuple):
    """All that comes out; None where there is nothing."""

    output: Tensor
    vmem: Tensor
    isyn: Tensor
    spikes: Tensor
    iahp: Tensor | None
    vmem_record: Tensor | None
    isyn_record: Tensor | None
    irec_record: Tensor | None
    iahp_record: Tensor | None


class Kernels(NamedTuple):
    """One implementation."""

    # (settings, inputs, keep) -> results and, with `keep`, the membrane before resets
    forward: Callable[[Settings, Inputs, bool], tuple[Results, Tensor | None]]
    # (settings, inputs, needed, before, grads) -> gradients of all inputs
    backward: Callable[..., tuple[Tensor | None, ...]]


def lif(
    kernels: Kernels,
    x: Tensor,
    state: loops.LIFState,
    parameters: loops.LIFParameters,
    noise: Tensor | None,
    record: bool,
) -> tuple[Tensor, loops.LIFState, loops.Records]:
    """Run LIF neurons over time by kernels; as `loops.lif_loop`."""
    inputs = Inputs(x, *parameters[:5], noise, None, None, *state, None)
    output, final, records = _run(kernels, inputs, parameters, record)
    return output, loops.LIFState(*final[:3]), records


def alif(
    kernels: Kernels,
    x: Tensor,
    state: loops.AHPState,
    parameters: loops.LIFParameters,
    ahp: loops.AHPParameters,
    noise: Tensor | None,
    record: bool,
) -> tuple[Tensor, loops.AHPState, loops.Records]:
    """Run LIF neurons with an after-spike current by kernels; as `loops.alif_loop`."""
    inputs = Inputs(x, *parameters[:5], noise, *ahp, *state)
    output, final, records = _run(kernels, inputs, parameters, record)
    return output, loops.AHPState(*final), records


def _run(
    kernels: Kernels, inputs: Inputs, parameters: loops.LIFParameters, record: bool
) -> tuple[Tensor, tuple[Any, ...], loops.Records]:
    p = parameters
    settings = Settings(p.spike_fn, p.window, p.max_spikes, record)
    if needs_graph(inputs):
        results = Results(*_LIF.apply(kernels, settings, *inputs))
    else:
        results, _ = kernels.forward(settings, inputs, False)
    named = dict(zip(("vmem", "isyn", "irec", "iahp"), results[5:], strict=True))
    records = {name: value for name, value in named.items() if value is not None}
    if record:
        records["spikes"] = results.output
    return results.output, results[1:5], records


class _LIF(Function):
    @staticmethod
    def forward(ctx: Any, kernels: Kernels, settings: Settings, *tensors: Any) -> Any:
        inputs = Inputs(*tensors)
        results, before = kernels.forward(settings, inputs, True)
        ctx.kernels, ctx.settings = kernels, settings
        ctx.save_for_backward(before, *inputs)
        ctx.set_materialize_grads(False)
        if inputs.w_rec is None and results.irec_record is not None:
            ctx.mark_non_differentiable(results.irec_record)
        return tuple(results)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor | None) -> Any:
        before, *tensors = ctx.saved_tensors
        inputs, needed = Inputs(*tensors), ctx.needs_input_grad[2:]
        if torch.is_grad_enabled():
            given = second_order(
                lambda *values: _loop(ctx.settings, Inputs(*values)), inputs, needed, grads
            )
            return None, None, *given
        found = ctx.kernels.backward(ctx.settings, inputs, needed, before, grads)
        kept = (value if need else None for value, need in zip(found, needed, strict=True))
        return None, None, *kept


def _loop(settings: Settings, inputs: Inputs) -> tuple[Tensor | None, ...]:
    """Return what the kernels return, by the loop in torch."""
    p = inputs
    parameters = loops.LIFParameters(*p[1:6], *settings[:3])
    final: tuple[Any, ...]
    if p.gamma is None or p.w_ahp is None or p.iahp is None:
        output, state, records = loops.lif_loop(
            p.x, loops.LIFState(*p[9:12]), parameters, p.noise, settings.record
        )
        final = (*state, None)
    else:
        ahp = loops.AHPParameters(p.gamma, p.w_ahp)
        ahp_state = loops.AHPState(p.vmem, p.isyn, p.spikes, p.iahp)
        output, final, records = loops.alif_loop(
            p.x, ahp_state, parameters, ahp, p.noise, settings.record
        )
    return output, *final, *(records.get(name) for name in ("vmem", "isyn", "irec", "iahp"))
