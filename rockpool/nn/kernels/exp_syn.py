"""Exponential synapses and leaky sums, compiled. See `rockpool.nn.models.exp_syn` for the model.

The two differ in when an input decays for the first time: in its own step, or in the next one.
"""

from __future__ import annotations

from typing import Any, no_type_check

import numpy as np

from rockpool.nn.kernels.compiling import gradient_part, kernel, part, view
from rockpool.nn.kernels.parts import AT_ONCE, copy, move

__all__ = ["exp_syn_backward", "exp_syn_forward", "leaky_sum_backward", "leaky_sum_forward"]


@no_type_check
@kernel(over="output")
def exp_syn_forward(x: Any, beta: Any, isyn: Any, output: Any) -> None:
    """Run exponential synapses over time.

    Parameters
    ----------
    x : array (B, T, N)
        Input; of the type of the other arrays, or in single precision where they are in double.
    beta : array (N,)
        Decay in one time step.
    isyn : array (B, N)
        The state, changed in place.
    output : array (B, T, N)
        For the synaptic currents.
    """
    x, isyn, output = view(x), view(isyn), view(output)
    n_steps = output.shape[1]
    for b in range(output.shape[0]):
        last = isyn[b]
        for t in range(n_steps):
            exp_syn_step(x[b, t], beta, last, output[b, t])
            last = output[b, t]
        if n_steps > 0:
            copy(last, isyn[b])


@no_type_check
@part
def exp_syn_step(x: Any, beta: Any, last: Any, output: Any) -> None:
    for k in range(output.size):
        output[k] = (last[k] + x[k]) * beta[k]


@no_type_check
@kernel(over="output")
def leaky_sum_forward(x: Any, decay: Any, start: Any, output: Any) -> None:
    """Run ``y_t = decay y_{t-1} + x_t`` over time; the arguments are as for `exp_syn_forward`."""
    x, start, output = view(x), view(start), view(output)
    n_steps = output.shape[1]
    for b in range(output.shape[0]):
        last = start[b]
        for t in range(n_steps):
            leaky_sum_step(x[b, t], decay, last, output[b, t])
            last = output[b, t]
        if n_steps > 0:
            copy(last, start[b])


@no_type_check
@part
def leaky_sum_step(x: Any, decay: Any, last: Any, output: Any) -> None:
    for k in range(output.size):
        output[k] = last[k] * decay[k] + x[k]


@no_type_check
@kernel(over="output")
def exp_syn_backward(
    grad_output: Any,
    x: Any,
    output: Any,
    beta: Any,
    isyn: Any,
    grad_isyn: Any,
    grad_x: Any,
    grad_beta: Any,
) -> None:
    """Compute the gradients of exponential synapses.

    Parameters
    ----------
    grad_output : array (B, T, N), or (B, 1, N) where it is the same for all steps
        Gradient of the output.
    x, output : array (B, T, N)
        Input and output of `exp_syn_forward`.
    beta : array (N,)
        Decay in one time step.
    isyn : array (B, N)
        The state before the first step.
    grad_isyn : array (B, N)
        Gradient of the last state; becomes that of the first.
    grad_x : array (B, T, N)
        For the gradient of the input.
    grad_beta : array (N,) of float64
        For the gradient of the decays; it is added.
    """
    grad_output, x, output = view(grad_output), view(x), view(output)
    isyn, grad_isyn, grad_x = view(isyn), view(grad_isyn), view(grad_x)
    n_batch, n_steps = output.shape[:2]
    changing = min(grad_output.shape[1] - 1, 1)  # 0: the gradient is the same for all steps
    sums = np.zeros(beta.size, beta.dtype)
    for b in range(n_batch):
        of_i = grad_isyn[b]
        for t in range(n_steps - 1, -1, -1):
            before = output[b, t - 1] if t > 0 else isyn[b]
            given = grad_output[b, changing * t]
            exp_syn_back(given, x[b, t], before, beta, of_i, grad_x[b, t], sums)
            if t % AT_ONCE == 0:
                move(sums, grad_beta)


@no_type_check
@gradient_part
def exp_syn_back(
    given: Any, x: Any, before: Any, beta: Any, of_i: Any, of_x: Any, sums: Any
) -> None:
    for k in range(beta.size):
        of_current = given[k] + of_i[k]
        sums[k] += of_current * (before[k] + x[k])
        of_i[k] = of_current * beta[k]
        of_x[k] = of_i[k]


@no_type_check
@kernel(over="output")
def leaky_sum_backward(
    grad_output: Any,
    output: Any,
    decay: Any,
    start: Any,
    grad_start: Any,
    grad_x: Any,
    grad_decay: Any,
) -> None:
    """Compute the gradients of leaky sums; the arguments are as for `exp_syn_backward`."""
    grad_output, output = view(grad_output), view(output)
    start, grad_start, grad_x = view(start), view(grad_start), view(grad_x)
    n_batch, n_steps = output.shape[:2]
    changing = min(grad_output.shape[1] - 1, 1)  # 0: the gradient is the same for all steps
    sums = np.zeros(decay.size, decay.dtype)
    for b in range(n_batch):
        of_y = grad_start[b]
        for t in range(n_steps - 1, -1, -1):
            before = output[b, t - 1] if t > 0 else start[b]
            given = grad_output[b, changing * t]
            leaky_sum_back(given, before, decay, of_y, grad_x[b, t], sums)
            if t % AT_ONCE == 0:
                move(sums, grad_decay)


@no_type_check
@gradient_part
def leaky_sum_back(given: Any, before: Any, decay: Any, of_y: Any, of_x: Any, sums: Any) -> None:
    for k in range(decay.size):
        of_total = given[k] + of_y[k]
        sums[k] += of_total * before[k]
        of_y[k] = of_total * decay[k]
        of_x[k] = of_total
