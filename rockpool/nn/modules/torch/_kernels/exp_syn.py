"""Exponential synapses and leaky sums in torch, on CPU tensors, by compiled kernels. Needs numba.

The functions have the signatures of those in `rockpool.nn.modules.torch._loops`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.autograd import Function

from rockpool.nn.kernels.compiling import call
from rockpool.nn.kernels.exp_syn import (
    exp_syn_backward,
    exp_syn_forward,
    leaky_sum_backward,
    leaky_sum_forward,
)
from rockpool.nn.modules.torch._kernels.arrays import (
    array,
    copied,
    fresh,
    gradient_array,
    over_time,
    reduced,
    spread_out,
)
from rockpool.nn.modules.torch._kernels.gradients import needs_graph, second_order
from rockpool.nn.modules.torch._loops import exp_syn as loops

__all__ = ["exp_syn", "leaky_sum"]


def exp_syn(
    x: Tensor, isyn: Tensor, beta: Tensor, noise: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """Run exponential synapses over time; as `loops.exp_syn_loop`."""
    drive = x if noise is None else x + noise
    if needs_graph((drive, isyn, beta)):
        return _ExpSyn.apply(drive, isyn, beta)
    return _run(exp_syn_forward, drive, isyn, beta)


def leaky_sum(drive: Tensor, start: Tensor, decay: Tensor) -> tuple[Tensor, Tensor]:
    """Return ``y_t = decay y_{t-1} + drive_t`` for all t; as `loops.leaky_sum`."""
    if needs_graph((drive, start, decay)):
        return _LeakySum.apply(drive, start, decay)
    return _run(leaky_sum_forward, drive, start, decay)


def _run(forward: Any, x: Tensor, start: Tensor, decay: Tensor) -> tuple[Tensor, Tensor]:
    output = fresh(x.shape, x)
    final = copied(start)
    call(forward, array(x), spread_out(decay, x.shape[2:]), final.numpy(), output.numpy())
    return output, final


class _ExpSyn(Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, isyn: Tensor, beta: Tensor) -> Any:
        output, final = _run(exp_syn_forward, x, isyn, beta)
        ctx.save_for_backward(x, isyn, beta, output)
        ctx.set_materialize_grads(False)
        return output, final

    @staticmethod
    def backward(ctx: Any, *grads: Tensor | None) -> Any:
        x, isyn, beta, output = ctx.saved_tensors
        if torch.is_grad_enabled():
            needed = ctx.needs_input_grad
            return tuple(second_order(loops.exp_syn_loop, (x, isyn, beta), needed, grads))
        of_x = fresh(x.shape, x)
        of_isyn, of_beta = gradient_array(grads[1], isyn), np.zeros(x.shape[2])
        call(
            exp_syn_backward,
            over_time(grads[0], output),
            array(x),
            array(output),
            spread_out(beta, x.shape[2:]),
            array(isyn),
            of_isyn,
            of_x.numpy(),
            of_beta,
        )
        return of_x, torch.from_numpy(of_isyn), reduced(of_beta, beta)


class _LeakySum(Function):
    @staticmethod
    def forward(ctx: Any, drive: Tensor, start: Tensor, decay: Tensor) -> Any:
        output, final = _run(leaky_sum_forward, drive, start, decay)
        ctx.save_for_backward(drive, start, decay, output)
        ctx.set_materialize_grads(False)
        return output, final

    @staticmethod
    def backward(ctx: Any, *grads: Tensor | None) -> Any:
        drive, start, decay, output = ctx.saved_tensors
        if torch.is_grad_enabled():
            needed = ctx.needs_input_grad
            return tuple(second_order(loops.leaky_sum, (drive, start, decay), needed, grads))
        of_drive = fresh(drive.shape, drive)
        of_start, of_decay = gradient_array(grads[1], start), np.zeros(drive.shape[2])
        call(
            leaky_sum_backward,
            over_time(grads[0], output),
            array(output),
            spread_out(decay, drive.shape[2:]),
            array(start),
            of_start,
            of_drive.numpy(),
            of_decay,
        )
        return of_drive, torch.from_numpy(of_start), reduced(of_decay, decay)
