"""The time loop of rate neurons in torch, on CPU tensors, by compiled kernels. Needs numba.

The function has the signature of that in `rockpool.nn.modules.torch._loops`.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.autograd import Function

from rockpool.nn.kernels.compiling import call
from rockpool.nn.kernels.rate import RELU, SIGMOID, TANH, rate_backward, rate_forward
from rockpool.nn.modules.torch._base.activations import relu, sigmoid, tanh
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
from rockpool.nn.modules.torch._kernels.gradients import needs_graph, second_order
from rockpool.nn.modules.torch._loops import rate as loops

__all__ = ["rate"]

ACTIVATIONS: dict[Any, int] = {relu: RELU, tanh: TANH, sigmoid: SIGMOID}
AT_THRESHOLD = 1.0  # the slope that torch gives a clamp at its limit


class _Inputs(NamedTuple):
    """All tensors that go in; None where there is none."""

    data: Tensor
    x: Tensor
    gain: Tensor
    bias: Tensor
    threshold: Tensor
    w_rec: Tensor | None
    noise: Tensor | None


class _Results(NamedTuple):
    """All that comes out; None where there is nothing."""

    output: Tensor
    x: Tensor
    x_record: Tensor | None
    rec_record: Tensor | None


def rate(
    x: Tensor,
    state: Tensor,
    parameters: loops.RateParameters,
    noise: Tensor | None = None,
    record: bool = False,
) -> tuple[Tensor, Tensor, loops.Records]:
    """Run rate neurons over time; as `loops.rate_loop`."""
    inputs = _Inputs(x, state, *parameters[:4], noise)
    if needs_graph(inputs):
        results = _Results(*_Rate.apply(parameters.act_fn, record, *inputs))
    else:
        results = _forward(parameters.act_fn, record, record, inputs)
    output, final, x_record, rec_record = results
    if x_record is None or rec_record is None:
        return output, final, {}
    return output, final, {"rec_input": rec_record, "x": x_record}


def _forward(act_fn: Any, record: bool, keep: bool, inputs: _Inputs) -> _Results:
    p = inputs
    per_neuron = p.x.shape[1:]
    x = copied(p.x)
    results = _Results(
        fresh(p.data.shape, p.data),
        x,
        fresh(p.data.shape, p.data) if keep else None,
        fresh(p.data.shape, p.data) if record else None,
    )
    kind = x.numpy().dtype
    call(
        rate_forward,
        array(p.data),
        array_or_absent(p.w_rec, 2, kind),
        *(spread_out(value, per_neuron) for value in (p.gain, p.bias, p.threshold)),
        ACTIVATIONS[act_fn],
        array_or_absent(p.noise, 3, kind),
        x.numpy(),
        *(array_or_absent(value, 3, kind) for value in (results.output, *results[2:])),
    )
    return results


class _Rate(Function):
    @staticmethod
    def forward(ctx: Any, act_fn: Any, record: bool, *tensors: Any) -> Any:
        inputs = _Inputs(*tensors)
        results = _forward(act_fn, record, True, inputs)
        ctx.act_fn, ctx.record = act_fn, record
        ctx.save_for_backward(results.output, results.x_record, *inputs)
        ctx.set_materialize_grads(False)
        if inputs.w_rec is None and results.rec_record is not None:
            ctx.mark_non_differentiable(results.rec_record)
        return (*results[:2], *(results[2:] if record else (None, None)))

    @staticmethod
    def backward(ctx: Any, *grads: Tensor | None) -> Any:
        output, states, *tensors = ctx.saved_tensors
        inputs, needed = _Inputs(*tensors), ctx.needs_input_grad[2:]
        if torch.is_grad_enabled():
            found: Any = second_order(
                lambda *values: _loop(ctx.act_fn, ctx.record, _Inputs(*values)),
                inputs,
                needed,
                grads,
            )
        else:
            found = _backward(ctx.act_fn, inputs, needed, output, states, grads)
        kept = (value if need else None for value, need in zip(found, needed, strict=True))
        return None, None, *kept


def _loop(act_fn: Any, record: bool, inputs: _Inputs) -> tuple[Tensor | None, ...]:
    """Return what `_forward` returns, by the loop in torch."""
    p = inputs
    parameters = loops.RateParameters(*p[2:6], act_fn)
    output, x, records = loops.rate_loop(p.data, p.x, parameters, p.noise, record)
    return output, x, records.get("x"), records.get("rec_input")


def _backward(
    act_fn: Any,
    inputs: _Inputs,
    needed: Any,
    output: Tensor,
    states: Tensor,
    grads: tuple[Tensor | None, ...],
) -> _Inputs:
    """Return the gradients of all inputs, given those of the results."""
    p = inputs
    of_output, of_x, of_x_record, of_rec_record = grads
    per_neuron = p.x.shape[1:]
    kind = output.numpy().dtype
    of_data = fresh(p.data.shape, p.data)
    of_state = gradient_array(of_x, p.x)
    of_w_rec = torch.zeros_like(p.w_rec) if p.w_rec is not None and _Inputs(*needed).w_rec else None
    of_gain, of_bias, of_threshold = np.zeros((3, *per_neuron))
    call(
        rate_backward,
        over_time(of_output, output),
        array_or_absent(of_x_record, 3, kind),
        array_or_absent(of_rec_record, 3, kind),
        array(p.data),
        array(output),
        array(states),
        array_or_absent(p.w_rec, 2, kind),
        *(spread_out(value, per_neuron) for value in (p.gain, p.bias, p.threshold)),
        ACTIVATIONS[act_fn],
        AT_THRESHOLD,
        array_or_absent(p.noise, 3, kind),
        array(p.x),
        of_state,
        of_data.numpy(),
        array_or_absent(of_w_rec, 2, kind),
        of_gain,
        of_bias,
        of_threshold,
    )
    return _Inputs(
        data=of_data,
        x=torch.from_numpy(of_state),
        gain=reduced(of_gain, p.gain),
        bias=reduced(of_bias, p.bias),
        threshold=reduced(of_threshold, p.threshold),
        w_rec=of_w_rec,
        noise=of_data,
    )
