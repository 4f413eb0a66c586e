"""Exponential synapses and leaky sums in torch, on CPU tensors, by kernels. Needs numba."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.autograd import Function

from rockpool.nn.kernels.exp_syn import (
    exp_syn_backward,
    exp_syn_forward,
    leaky_sum_backward,
    leaky_sum_forward,
)
from rockpool.nn.modules.torch._kernels.arrays import (
    array,
    broadcast,
    call,
    copied,
    empty,
    gradient_array,
    output_gradient,
    reduced,
)
from rockpool.nn.modules.torch._kernels.gradients import by_operations, keep, run, second_order
from rockpool.nn.modules.torch._loops import exp_syn as loops

__all__ = ["exp_syn", "leaky_sum"]


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
        """Run the kernel of synapses, whose input decays `at_once`, or that of leaky sums."""
        output, final = empty(x.shape, x), copied(start)
        values = broadcast(decay, x.shape[2:])
        sums, out = final.numpy(), output.numpy()
        if at_once:
            call(exp_syn_forward, x=array(x), beta=values, isyn=sums, output=out)
        else:
            call(leaky_sum_forward, x=array(x), decay=values, start=sums, output=out)
        keep(ctx, at_once, x, start, decay, output)
        return output, final

    @staticmethod
    def backward(ctx: Any, *grads: Tensor | None) -> Any:
        x, start, decay, output = ctx.saved_tensors
        at_once, inputs = ctx.settings, (x, start, decay)
        if by_operations(grads):
            loop = loops.exp_syn_loop if at_once else loops.leaky_sum
            return None, *second_order(loop, inputs, ctx.needs_input_grad[1:], grads)
        of_x = empty(x.shape, x)
        of_start, of_decay = gradient_array(grads[1], start), np.zeros(x.shape[2])
        values, before = broadcast(decay, x.shape[2:]), array(start)
        shared = {
            "grad_output": output_gradient(grads[0], array(output)),
            "output": array(output),
            "grad_x": of_x.numpy(),
        }
        if at_once:
            synapses = {"beta": values, "isyn": before, "grad_isyn": of_start}
            call(exp_syn_backward, **shared, **synapses, x=array(x), grad_beta=of_decay)
        else:
            sums = {"decay": values, "start": before, "grad_start": of_start}
            call(leaky_sum_backward, **shared, **sums, grad_decay=of_decay)
        return None, of_x, torch.from_numpy(of_start), reduced(of_decay, decay)
