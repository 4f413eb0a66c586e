"""Exponential synapses and leaky sums in torch by kernels of Triton. Needs triton."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function

from rockpool.nn.modules.torch._kernels.gradients import by_operations, keep, run, second_order
from rockpool.nn.modules.torch._kernels.triton.exp_syn_kernels import (
    leaky_sum_backward,
    leaky_sum_forward,
)
from rockpool.nn.modules.torch._kernels.triton.launching import (
    chosen_shape,
    copied,
    gradient_of,
    launch,
    reduced,
    spread,
    strided,
)
from rockpool.nn.modules.torch._loops import exp_syn as loops

__all__ = ["exp_syn", "leaky_sum"]

AXES = ("batch", "step", "channel")


def exp_syn(
    x: Tensor, isyn: Tensor, beta: Tensor, noise: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """Run exponential synapses over time; as `exp_syn_loop`."""
    drive = x if noise is None else x + noise
    sums: tuple[Tensor, Tensor] = run(_LeakySum, True, drive, isyn, beta)
    return sums


def leaky_sum(drive: Tensor, start: Tensor, decay: Tensor) -> tuple[Tensor, Tensor]:
    """Return ``y_t = decay y_{t-1} + drive_t`` for all t; as `leaky_sum` of the loops."""
    sums: tuple[Tensor, Tensor] = run(_LeakySum, False, drive, start, decay)
    return sums


class _LeakySum(Function):
    @staticmethod
    def forward(ctx: Any, at_once: bool, x: Tensor, start: Tensor, decay: Tensor) -> Any:
        """Run the kernel; input of synapses decays `at_once`, that of leaky sums does not."""
        n_batch, n_steps, n_out = x.shape
        output, final = start.new_empty(x.shape), copied(start)
        arguments = {
            **strided("x", x, AXES),
            "decay": spread(decay, (n_out,)),
            "value": final,
            "output": output,
            "n_out": n_out,
            "n_steps": n_steps,
        }
        if n_steps:
            shape = chosen_shape(n_batch, n_out, 1, x, start)
            launch(leaky_sum_forward, n_batch, n_out, arguments, shape, AT_ONCE=at_once)
        keep(ctx, at_once, x, start, decay, output)
        return output, final

    @staticmethod
    def backward(ctx: Any, *grads: Tensor | None) -> Any:
        x, start, decay, output = ctx.saved_tensors
        if by_operations(grads):
            loop = loops.exp_syn_loop if ctx.settings else loops.leaky_sum
            inputs = (x, start, decay)
            return None, *second_order(loop, inputs, ctx.needs_input_grad[1:], grads)
        return None, *_gradients(x if ctx.settings else None, start, decay, output, grads)


def _gradients(
    x: Tensor | None,
    start: Tensor,
    decay: Tensor,
    output: Tensor,
    grads: tuple[Tensor | None, ...],
) -> tuple[Tensor, Tensor, Tensor]:
    """Return the gradients of input, start and decay, given those of the results."""
    n_batch, n_steps, n_out = output.shape
    of_output, of_start = grads[0], gradient_of(grads[1], start)
    if of_output is None:
        of_output = output.new_zeros(()).expand(output.shape)
    of_x = torch.empty_like(output)
    sums = torch.zeros(start.shape, dtype=torch.float64, device=start.device)
    arguments = {
        **strided("grad_output", of_output, AXES),
        **strided("x", x, AXES),
        "decay": spread(decay, (n_out,)),
        "start": start.contiguous(),
        "output": output,
        "grad_value": of_start,
        "grad_x": of_x,
        "sums": sums,
        "n_out": n_out,
        "n_steps": n_steps,
    }
    if n_steps:
        shape = chosen_shape(n_batch, n_out, 1, output, start)
        launch(leaky_sum_backward, n_batch, n_out, arguments, shape)
    return of_x, of_start, reduced(sums.sum(0), decay)
