"""The neurons of NIR, compiled: backward, given what `rockpool.nn.kernels.euler` has kept.

What comes out of the forward kernel are the membrane before any reset, the spikes and the currents,
over time. The membrane after the reset follows from the first two.
"""

from __future__ import annotations

from typing import Any, no_type_check

import numpy as np

from rockpool.nn.kernels.compiling import SUM, gradient_part, kernel, view
from rockpool.nn.kernels.euler import AHEAD, LATE, NONE, VALUE, ahead_row, reset_row
from rockpool.nn.kernels.parts import AT_ONCE, add, clear, copy, move
from rockpool.nn.kernels.rate import recurrent_back, recurrent_input

__all__ = ["euler_backward"]


@no_type_check
@kernel(
    like="reached", over="reached",
    w_rec=2, a_syn=1, g_syn=1, threshold=1, v_reset=1, isyn=2, spikes=2,
    fired=3, currents=3, grad_fired=3, grad_currents=3, grad_w_rec=2, grad_isyn=2, grad_spikes=2,
    grad_a_syn=SUM, grad_g_syn=SUM, grad_threshold=SUM, grad_v_reset=SUM,
)  # fmt: skip
def euler_backward(
    grad_reached: Any,
    grad_fired: Any,
    grad_currents: Any,
    x: Any,
    w_rec: Any,
    a_mem: Any,
    g_mem: Any,
    a_syn: Any,
    g_syn: Any,
    threshold: Any,
    v_reset: Any,
    rules: Any,
    window: float,
    vmem: Any,
    isyn: Any,
    spikes: Any,
    reached: Any,
    fired: Any,
    currents: Any,
    grad_vmem: Any,
    grad_isyn: Any,
    grad_spikes: Any,
    grad_x: Any,
    grad_w_rec: Any,
    grad_a_mem: Any,
    grad_g_mem: Any,
    grad_leak: Any,
    grad_a_syn: Any,
    grad_g_syn: Any,
    grad_threshold: Any,
    grad_v_reset: Any,
) -> None:
    """Compute the gradients of neurons of NIR.

    Parameters
    ----------
    grad_reached, grad_fired, grad_currents : array (B, T, N); the last two or of size 0
        Gradients of what came out.
    x, w_rec, a_mem, g_mem, a_syn, g_syn, threshold, v_reset, rules
        As for `euler_forward`.
    window : float
        Window of the surrogate.
    vmem, isyn, spikes : array (B, N); the last two or of size 0
        The state before the first step.
    reached, fired, currents : array (B, T, N); the last two or of size 0
        From `euler_forward`.
    grad_vmem, grad_isyn, grad_spikes : array (B, N); the last two or of size 0
        For the gradient of the state before the first step.
    grad_x : array (B, T, N)
        For the gradient of the input.
    grad_w_rec : array (N, N) or of size 0
        For the gradient of the recurrent weights; it is added.
    grad_a_mem, grad_g_mem, grad_leak : array (N,) of float64
    grad_a_syn, grad_g_syn, grad_threshold, grad_v_reset : array (N,) of float64, or of size 0
        For the gradients of the other parameters; they are added.
    """
    grad_reached, grad_fired = view(grad_reached), view(grad_fired)
    grad_currents, x = view(grad_currents), view(x)
    vmem, isyn, spikes = view(vmem), view(isyn), view(spikes)
    reached, fired, currents = view(reached), view(fired), view(currents)
    grad_vmem, grad_isyn, grad_spikes = view(grad_vmem), view(grad_isyn), view(grad_spikes)
    grad_x = view(grad_x)
    n_batch, n_steps, n = reached.shape
    at_once, old, how, when = rules[0] != 0, rules[1] != 0, int(rules[2]), int(rules[3])
    strict = rules[4] != 0
    recurrent, synaptic, spiking = w_rec.size > 0, isyn.size > 0, threshold.size > 0
    kind = reached.dtype
    memory = np.zeros((19, n), kind)
    rows = view(memory)  # which does not keep the memory: see the end
    arriving, irec, before, after = rows[0], rows[1], rows[2], rows[3]
    of_u, of_v, of_i, of_n = rows[4], rows[5], rows[6], rows[7]
    of_current, feedback, span, begin = rows[8], rows[9], rows[10], rows[11]
    for k in range(threshold.size):
        span[k] = threshold[k] - v_reset[k]
        begin[k] = threshold[k] - kind.type(window)
    sum_a_mem, sum_g_mem, sum_leak = rows[12], rows[13], rows[14]
    sum_a_syn, sum_g_syn, sum_threshold, sum_reset = rows[15], rows[16], rows[17], rows[18]

    for b in range(n_batch):
        clear(of_v)
        clear(of_i)
        clear(of_n)
        for t in range(n_steps - 1, -1, -1):
            # the membrane before this step
            copy(reached[b, t - 1] if t > 0 else vmem[b], before)
            if spiking and t > 0:
                if when != LATE:
                    reset_row(how, fired[b, t - 1], v_reset, span, before)
                elif t > 1:
                    reset_row(how, fired[b, t - 2], v_reset, span, before)
                else:
                    reset_row(how, spikes[b], v_reset, span, before)

            if spiking:
                earlier = fired[b, t - 1] if t > 0 else spikes[b]
                add(grad_fired[b, t], of_n)
                if when == LATE:
                    copy(reached[b, t], after)
                    reset_row(how, earlier, v_reset, span, after)
                    fire_back(after, begin, v_reset, span, of_n, of_v, sum_threshold, sum_reset)
                    clear(of_n)
                    reset_back(
                        how, reached[b, t], earlier, v_reset, span, of_v, of_u, of_n,
                        sum_threshold, sum_reset,
                    )  # fmt: skip
                else:
                    reset_back(
                        how, reached[b, t], fired[b, t], v_reset, span, of_v, of_u, of_n,
                        sum_threshold, sum_reset,
                    )  # fmt: skip
                    if when == AHEAD:
                        ahead_row(threshold, span, strict, before, reached[b, t], after)
                    else:
                        copy(reached[b, t], after)
                    fire_back(after, begin, v_reset, span, of_n, of_u, sum_threshold, sum_reset)
                    clear(of_n)
            else:
                copy(of_v, of_u)
            add(grad_reached[b, t], of_u)

            # what arrived
            copy(x[b, t], arriving)
            if recurrent:
                recurrent_input(earlier, w_rec, irec)
                add(irec, arriving)

            if synaptic:
                isyn_before = currents[b, t - 1] if t > 0 else isyn[b]
                seen = isyn_before if old else currents[b, t]
                membrane_back(
                    of_u,
                    before,
                    seen,
                    a_mem,
                    g_mem,
                    of_v,
                    of_current,
                    sum_a_mem,
                    sum_g_mem,
                    sum_leak,
                )
                add(grad_currents[b, t], of_i)
                if not old:
                    add(of_current, of_i)
                synapse_back(
                    isyn_before, arriving, a_syn, g_syn, at_once, of_i, grad_x[b, t],
                    sum_a_syn, sum_g_syn,
                )  # fmt: skip
                if old:
                    add(of_current, of_i)
            else:
                membrane_back(
                    of_u, before, arriving, a_mem, g_mem, of_v, of_current,
                    sum_a_mem, sum_g_mem, sum_leak,
                )  # fmt: skip
                copy(of_current, grad_x[b, t])
            if recurrent:
                copy(grad_x[b, t], of_current)
                recurrent_back(earlier, of_current, w_rec, grad_w_rec, feedback)
                add(feedback, of_n)

            if t % AT_ONCE == 0:
                move(sum_a_mem, grad_a_mem)
                move(sum_g_mem, grad_g_mem)
                move(sum_leak, grad_leak)
                if synaptic:
                    move(sum_a_syn, grad_a_syn)
                    move(sum_g_syn, grad_g_syn)
                if spiking:
                    move(sum_threshold, grad_threshold)
                    move(sum_reset, grad_v_reset)
        copy(of_v, grad_vmem[b])
        if synaptic:
            copy(of_i, grad_isyn[b])
        if spiking:
            copy(of_n, grad_spikes[b])
    clear(memory[0])  # it is in use up to here


@no_type_check
@gradient_part
def fire_back(
    v: Any,
    begin: Any,
    v_reset: Any,
    span: Any,
    of_n: Any,
    of_v: Any,
    sum_threshold: Any,
    sum_reset: Any,
) -> None:
    """Go back through the spikes, by their surrogate; add to the gradient of the membrane."""
    zero, one = v.dtype.type(0), v.dtype.type(1)
    for k in range(v.size):
        slope = of_n[k] / span[k] if v[k] >= begin[k] else zero
        above = (v[k] - v_reset[k]) / span[k]
        of_v[k] += slope
        sum_threshold[k] -= slope * above
        sum_reset[k] += slope * (above - one)


@no_type_check
@gradient_part
def reset_back(
    how: int,
    u: Any,
    spikes: Any,
    v_reset: Any,
    span: Any,
    of_v: Any,
    of_u: Any,
    of_n: Any,
    sum_threshold: Any,
    sum_reset: Any,
) -> None:
    """Go back through the reset: write the gradient of the membrane before it, add to others."""
    if how == NONE:
        copy(of_v, of_u)
    elif how == VALUE:
        one = u.dtype.type(1)
        for k in range(u.size):
            of_u[k] = of_v[k] * (one - spikes[k])
            of_n[k] += of_v[k] * (v_reset[k] - u[k])
            sum_reset[k] += of_v[k] * spikes[k]
    else:
        for k in range(u.size):
            of_u[k] = of_v[k]
            of_n[k] -= of_v[k] * span[k]
            sum_threshold[k] -= of_v[k] * spikes[k]
            sum_reset[k] += of_v[k] * spikes[k]


@no_type_check
@gradient_part
def membrane_back(
    of_u: Any,
    before: Any,
    current: Any,
    a_mem: Any,
    g_mem: Any,
    of_v: Any,
    of_current: Any,
    sum_a: Any,
    sum_g: Any,
    sum_leak: Any,
) -> None:
    """Go back through one time step of the membrane."""
    for k in range(before.size):
        sum_a[k] += of_u[k] * before[k]
        sum_g[k] += of_u[k] * current[k]
        sum_leak[k] += of_u[k]
        of_v[k] = of_u[k] * a_mem[k]
        of_current[k] = of_u[k] * g_mem[k]


@no_type_check
@gradient_part
def synapse_back(
    before: Any,
    arriving: Any,
    a_syn: Any,
    g_syn: Any,
    at_once: bool,
    of_i: Any,
    of_input: Any,
    sum_a: Any,
    sum_g: Any,
) -> None:
    """Go back through one time step of the synaptic currents."""
    if at_once:
        for k in range(before.size):
            sum_a[k] += of_i[k] * (before[k] + arriving[k])
            of_i[k] *= a_syn[k]
            of_input[k] = of_i[k]
    else:
        for k in range(before.size):
            sum_a[k] += of_i[k] * before[k]
            sum_g[k] += of_i[k] * arriving[k]
            of_input[k] = of_i[k] * g_syn[k]
            of_i[k] *= a_syn[k]
