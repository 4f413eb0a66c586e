"""Exponential synapses and leaky sums in torch, on CPU tensors, by kernels. Needs numba."""

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
    broadcast,
    copied,
    empty,
    gradient_array,
    output_gradient,
    reduced,
)
from rockpool.nn.modules.torch._kernels.gradients import needs_graph, second_order
from rockpool.nn.modules.torch._loops import exp_syn as loops

__all__ = ["exp_syn", "leaky_sum"]


def exp_syn(
    x: Tensor, isyn: Tensor, beta: Tensor, noise: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """Run exponential synapses over time; as `exp_syn_loop`."""
    drive = x if noise is None else x + noise
    if needs_graph((drive, isyn, beta)):
        return _ExpSyn.apply(drive, isyn, beta)
    return _ExpSyn.forward(None, drive, isyn, beta)


def leaky_sum(drive: Tensor, start: Tensor, decay: Tensor) -> tuple[Tensor, Tensor]:
    """Return ``y_t = decay y_{t-1} + drive_t`` for all t; as `leaky_sum` of the loops."""
    if needs_graph((drive, start, decay)):
        return _LeakySum.apply(drive, start, decay)
    return _LeakySum.forward(None, drive, start, decay)


class _ExpSyn(Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, isyn: Tensor, beta: Tensor) -> Any:
        """Run the kernel; what the gradients need is kept in `ctx`, unless that is None."""
        output, final = empty(x.shape, x), copied(isyn)
        call(
            exp_syn_forward,
            x=array(x),
            beta=broadcast(beta, x.shape[2:]),
            isyn=final.numpy(),
            output=output.numpy(),
        )
        _keep(ctx, x, isyn, beta, output)
        return output, final

    @staticmethod
    def backward(ctx: Any, *grads: Tensor | None) -> Any:
        x, isyn, beta, output = ctx.saved_tensors
        needed = ctx.needs_input_grad
        if torch.is_grad_enabled():
            return tuple(second_order(loops.exp_syn_loop, (x, isyn, beta), needed, grads))
        of_x = empty(x.shape, x)
        of_isyn, of_beta = gradient_array(grads[1], isyn), np.zeros(x.shape[2])
        call(
            exp_syn_backward,
            grad_output=output_gradient(grads[0], output),
            x=array(x),
            output=array(output),
            beta=broadcast(beta, x.shape[2:]),
            isyn=array(isyn),
            grad_isyn=of_isyn,
            grad_x=of_x.numpy(),
            grad_beta=of_beta,
        )
        return of_x, torch.from_numpy(of_isyn), reduced(of_beta, beta)


class _LeakySum(Function):
    @staticmethod
    def forward(ctx: Any, drive: Tensor, start: Tensor, decay: Tensor) -> Any:
        """Run the kernel; what the gradients need is kept in `ctx`, unless that is None."""
        output, final = empty(drive.shape, drive), copied(start)
        call(
            leaky_sum_forward,
            x=array(drive),
            decay=broadcast(decay, drive.shape[2:]),
            start=final.numpy(),
            output=output.numpy(),
        )
        _keep(ctx, drive, start, decay, output)
        return output, final

    @staticmethod
    def backward(ctx: Any, *grads: Tensor | None) -> Any:
        drive, start, decay, output = ctx.saved_tensors
        needed = ctx.needs_input_grad
        if torch.is_grad_enabled():
            return tuple(second_order(loops.leaky_sum, (drive, start, decay), needed, grads))
        of_drive = empty(drive.shape, drive)
        of_start, of_decay = gradient_array(grads[1], start), np.zeros(drive.shape[2])
        call(
            leaky_sum_backward,
            grad_output=output_gradient(grads[0], output),
            output=array(output),
            decay=broadcast(decay, drive.shape[2:]),
            start=array(start),
            grad_start=of_start,
            grad_x=of_drive.numpy(),
            grad_decay=of_decay,
        )
        return of_drive, torch.from_numpy(of_start), reduced(of_decay, decay)


def _keep(ctx: Any, *tensors: Tensor) -> None:
    if ctx is not None:
        ctx.save_for_backward(*tensors)
        ctx.set_materialize_grads(False)
