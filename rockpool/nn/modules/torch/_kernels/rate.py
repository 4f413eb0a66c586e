"""The time loop of rate neurons in torch, on CPU tensors, by compiled kernels. Needs numba."""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.autograd import Function

from rockpool.nn.kernels.rate import RELU, SIGMOID, TANH, rate_backward, rate_forward
from rockpool.nn.modules.torch._base.activations import relu, sigmoid, tanh
from rockpool.nn.modules.torch._kernels.arrays import (
    array,
    arrays,
    broadcast,
    call,
    copied,
    empty,
    gradient_array,
    output_gradient,
    outputs,
    reduced,
    zeros_like,
)
from rockpool.nn.modules.torch._kernels.gradients import (
    by_operations,
    keep,
    only_needed,
    run,
    second_order,
)
from rockpool.nn.modules.torch._loops.rate import RateParameters, rate_loop
from rockpool.nn.modules.torch._loops.steps import Records

__all__ = ["rate"]

ACTIVATIONS: dict[Any, int] = {relu: RELU, tanh: TANH, sigmoid: SIGMOID}
AT_THRESHOLD = 1.0  # the slope that torch gives a clamp at its limit


class _Settings(NamedTuple):
    """What goes in besides tensors."""

    act_fn: Callable[..., Tensor]
    record: bool


class _Inputs(NamedTuple):
    """All tensors that go in, or their gradients, or whether those are needed."""

    data: Tensor
    x: Tensor
    gain: Tensor
    bias: Tensor
    threshold: Tensor
    w_rec: Tensor | None
    noise: Tensor | None


class _Results(NamedTuple):
    """All that comes out, or the gradients of that; None where there is nothing."""

    output: Tensor
    x: Tensor
    x_record: Tensor | None
    rec_record: Tensor | None


def rate(
    x: Tensor,
    state: Tensor,
    parameters: RateParameters,
    noise: Tensor | None = None,
    record: bool = False,
) -> tuple[Tensor, Tensor, Records]:
    """Run rate neurons over time; as `rate_loop`."""
    inputs = _Inputs(x, state, *parameters[:4], noise)
    settings = _Settings(parameters.act_fn, record)
    output, final, x_record, rec_record = run(_Rate, settings, *inputs)
    return output, final, {"rec_input": rec_record, "x": x_record} if record else {}


class _Rate(Function):
    @staticmethod
    def forward(ctx: Any, settings: _Settings, *tensors: Any) -> Any:
        """Run the kernel; what the gradients need is kept in `ctx`, unless that is None."""
        p = _Inputs(*tensors)
        per_neuron = p.x.shape[1:]
        x, output = copied(p.x), empty(p.data.shape, p.data)
        record = settings.record
        x_record = empty(p.data.shape, p.data) if record or ctx is not None else None
        rec_record = empty(p.data.shape, p.data) if record else None
        call(
            rate_forward,
            data=array(p.data),
            gain=broadcast(p.gain, per_neuron),
            bias=broadcast(p.bias, per_neuron),
            threshold=broadcast(p.threshold, per_neuron),
            activation=ACTIVATIONS[settings.act_fn],
            x=x.numpy(),
            output=output.numpy(),
            **arrays(w_rec=p.w_rec, noise=p.noise),
            **outputs(x_record=x_record, rec_record=rec_record),
        )
        keep(ctx, settings, output, x_record, *tensors)
        if ctx is not None and p.w_rec is None and record:
            ctx.mark_non_differentiable(rec_record)
        return output, x, x_record if record else None, rec_record

    @staticmethod
    def backward(ctx: Any, *grads: Tensor | None) -> Any:
        output, states, *tensors = ctx.saved_tensors
        inputs, needed = _Inputs(*tensors), ctx.needs_input_grad[1:]
        if by_operations(grads):
            function = partial(_loop, ctx.settings)
            return None, *second_order(function, inputs, needed, grads)
        act_fn, given = ctx.settings.act_fn, _Results._make(grads)
        found = _gradients(act_fn, inputs, _Inputs._make(needed), output, states, given)
        return None, *only_needed(found, needed)


def _loop(settings: _Settings, *tensors: Any) -> _Results:
    """Return what the kernel returns, by the loop in torch."""
    p = _Inputs(*tensors)
    parameters = RateParameters(p.gain, p.bias, p.threshold, p.w_rec, settings.act_fn)
    output, x, records = rate_loop(p.data, p.x, parameters, p.noise, settings.record)
    return _Results(output, x, records.get("x"), records.get("rec_input"))


def _gradients(
    act_fn: Callable[..., Tensor],
    inputs: _Inputs,
    need: Any,
    output: Tensor,
    states: Tensor,
    given: Any,
) -> _Inputs:
    """Return the gradients of all inputs, given those of the results."""
    p = inputs
    per_neuron = p.x.shape[1:]
    of_data = empty(p.data.shape, p.data)
    of_x = gradient_array(given.x, p.x)
    of_w_rec = zeros_like(p.w_rec) if p.w_rec is not None and need.w_rec else None
    of_gain, of_bias, of_threshold = np.zeros((3, *per_neuron))
    call(
        rate_backward,
        grad_output=output_gradient(given.output, array(output)),
        data=array(p.data),
        output=array(output),
        x_record=array(states),
        gain=broadcast(p.gain, per_neuron),
        bias=broadcast(p.bias, per_neuron),
        threshold=broadcast(p.threshold, per_neuron),
        activation=ACTIVATIONS[act_fn],
        at_threshold=AT_THRESHOLD,
        x=array(p.x),
        grad_x=of_x,
        grad_data=of_data.numpy(),
        grad_gain=of_gain,
        grad_bias=of_bias,
        grad_threshold=of_threshold,
        **arrays(w_rec=p.w_rec, noise=p.noise),
        **outputs(grad_w_rec=of_w_rec),
        **arrays(grad_x_record=given.x_record, grad_rec_record=given.rec_record),
    )
    return _Inputs(
        data=of_data,
        x=torch.from_numpy(of_x),
        gain=reduced(of_gain, p.gain),
        bias=reduced(of_bias, p.bias),
        threshold=reduced(of_threshold, p.threshold),
        w_rec=of_w_rec,
        noise=of_data,
    )
