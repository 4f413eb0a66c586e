"""The LIF neuron, compiled: backward, given what `rockpool.nn.kernels.lif` has kept.

The forward kernel keeps the membrane before the reset alone. The spikes and the membrane after the
reset follow from it. The gradients of the synaptic decays need the currents, which do not; but
with the gradients :math:`g_t` of the currents, the decay :math:`β` and the input :math:`x_t`,

.. math::

    \\sum_t g_t \\sum_{k \\le t} β^{t-k} x_k = \\sum_t x_t h_t, \\quad h_t = g_t + β h_{t+1}

so that the input is enough. The after-spike current is dealt with in the same way.

Gradients of parameters are summed up in single precision over few steps only, then in double.
"""

from __future__ import annotations

from math import exp
from typing import Any

import numpy as np

from rockpool.nn.kernels.compiling import borrowed, gradient_part, kernel, prefetch
from rockpool.nn.kernels.parts import (
    add,
    add_product,
    add_up,
    clear,
    copy,
    count_spikes,
    invert,
    move,
)
from rockpool.nn.kernels.recurrence import ROWS, add_outer, recurrent_backward

__all__ = ["PERIODIC_EXPONENTIAL", "STEP_PWL", "lif_backward"]

# the surrogates
STEP_PWL, PERIODIC_EXPONENTIAL = 0, 1

TOGETHER = 8  # batch elements of a recurrent layer that go through time together
SENT = 16  # steps and batch elements that are added to the gradient of the weights in one go
AHEAD = 4  # steps that memory is fetched ahead
AT_ONCE = 64  # steps whose contributions to gradients of parameters are summed up in one go


@kernel
def lif_backward(
    grad_output: Any,
    grad_vmem_record: Any,
    grad_isyn_record: Any,
    grad_irec_record: Any,
    grad_iahp_record: Any,
    before_reset: bool,
    x: Any,
    before: Any,
    w_rec: Any,
    alpha: Any,
    beta: Any,
    threshold: Any,
    max_spikes: Any,
    window: Any,
    surrogate: int,
    gamma: Any,
    w_ahp: Any,
    vmem: Any,
    isyn: Any,
    spikes: Any,
    iahp: Any,
    grad_vmem: Any,
    grad_isyn: Any,
    grad_spikes: Any,
    grad_iahp: Any,
    grad_x: Any,
    grad_w_rec: Any,
    grad_alpha: Any,
    grad_beta: Any,
    grad_bias: Any,
    grad_threshold: Any,
    grad_gamma: Any,
    grad_w_ahp: Any,
) -> None:
    """Compute the gradients of LIF neurons.

    Parameters
    ----------
    grad_output : array (B, T, N)
        Gradient of the output.
    grad_vmem_record, ..., grad_iahp_record : array, or of size 0
        Gradients of the records, in their shapes.
    before_reset : bool
        Whether `grad_vmem_record` is the gradient of `before` instead.
    x, w_rec, alpha, beta, threshold, max_spikes, gamma, w_ahp
        As for `lif_forward`.
    before : array (B, T, N)
        From `lif_forward`.
    window : float
        Window of the surrogate.
    surrogate : int
        `STEP_PWL` or `PERIODIC_EXPONENTIAL`.
    vmem, isyn, spikes, iahp : array (B, N), (B, N * S), (B, N), (B, N) or of size 0
        The state before the first step.
    grad_vmem, grad_isyn, grad_iahp : array like the states
        Gradient of the last state; becomes that of the first.
    grad_spikes : array (B, N)
        For the gradient of the spikes before the first step.
    grad_x : array like `x`, or of size 0
        For the gradient of the input.
    grad_w_rec : array like `w_rec`, or of size 0
        For the gradient of the recurrent weights; it is added.
    grad_beta : array (N * S,) of float64, or of size 0
        For the gradient of the synaptic decays; it is added.
    grad_alpha, grad_bias, grad_threshold : array (N,) of float64
    grad_gamma, grad_w_ahp : array (N,) of float64, or of size 0
        For the gradients of the other parameters; they are added.
    """
    grad_output, grad_vmem_record = borrowed(grad_output), borrowed(grad_vmem_record)
    grad_isyn_record, grad_irec_record = borrowed(grad_isyn_record), borrowed(grad_irec_record)
    grad_iahp_record, x, before = borrowed(grad_iahp_record), borrowed(x), borrowed(before)
    vmem, isyn, spikes, iahp = borrowed(vmem), borrowed(isyn), borrowed(spikes), borrowed(iahp)
    grad_vmem, grad_isyn = borrowed(grad_vmem), borrowed(grad_isyn)
    grad_spikes, grad_iahp, grad_x = borrowed(grad_spikes), borrowed(grad_iahp), borrowed(grad_x)
    n_batch, n_steps, n_out = before.shape
    n_currents = beta.size
    limit, width = threshold.dtype.type(max_spikes), threshold.dtype.type(window)
    zero = threshold.dtype.type(0)
    recurrent, adaptive = w_rec.size > 0, gamma.size > 0
    train_beta, give_x = grad_beta.size > 0, grad_x.size > 0
    inverse = np.empty(n_out, before.dtype)
    exact = invert(threshold, inverse)
    together = TOGETHER if recurrent else 1

    count = np.empty((together, n_out), before.dtype)  # spikes of the step that is being looked at
    feedback = np.zeros((together, n_out), before.dtype)  # gradients of spikes, from the step after
    # spikes, and gradients of the recurrent input that they gave, still to be added to grad_w_rec
    sent = np.empty((max(SENT, together), n_out), before.dtype)
    through = np.empty((max(SENT, together), n_currents), before.dtype)
    n_sent = 0
    factors = np.empty(len(sent), before.dtype)
    chosen = np.empty(max(ROWS, len(sent)) + 1, np.intp)
    irec = np.zeros((together, n_currents), before.dtype)
    later = np.zeros((together, n_currents), before.dtype)  # h of the synapses
    later_ahp = np.zeros((together, n_out), before.dtype)  # h of the after-spike current
    grad_spiking = np.empty(n_out, before.dtype)
    grad_u = np.empty(n_out, before.dtype)
    grad_current = grad_u if n_currents == n_out else np.empty(n_currents, before.dtype)
    grad_arriving = np.empty(n_currents, before.dtype)
    sums = np.zeros((5, n_out), before.dtype)
    sums_beta = np.zeros(n_currents, before.dtype)
    pending = 0

    for first in range(0, n_batch, together):
        last = min(first + together, n_batch)
        for b in range(first, last):
            r = b - first
            clear(later[r])
            clear(later_ahp[r])
            clear(feedback[r])
            if n_steps > 0:
                count_row(before[b, n_steps - 1], threshold, inverse, exact, limit, count[r])
        for t in range(n_steps - 1, -1, -1):
            for b in range(first, last):
                r = b - first
                if t > AHEAD:
                    prefetch(grad_output[b, t - AHEAD])
                    prefetch(before[b, t - AHEAD - 1])
                    if train_beta:
                        prefetch(x[b, t - AHEAD])
                    if give_x:
                        prefetch(grad_x[b, t - AHEAD])
                given = grad_output[b, t]
                if recurrent or adaptive or before_reset:
                    add_up(given, feedback[r], grad_spiking)
                    given = grad_spiking
                if grad_vmem_record.size > 0:
                    add(grad_vmem_record[b, t], grad_vmem[b])
                    if before_reset:
                        undo_reset(
                            grad_vmem_record[b, t], threshold, count[r], grad_spiking, sums[2]
                        )
                previous = before[b, t - 1] if t > 0 else vmem[b]
                most = limit if t > 0 else zero  # no reset before the first step
                if surrogate == STEP_PWL:
                    membrane_backward(
                        given, before[b, t], previous, alpha, threshold, inverse, exact, most,
                        width, count[r], grad_vmem[b], grad_u, sums[0], sums[1], sums[2],
                    )  # fmt: skip
                else:
                    membrane_backward_periodic(
                        given, before[b, t], previous, alpha, threshold, inverse, exact, most,
                        limit, width, count[r], grad_vmem[b], grad_u, sums[0], sums[1], sums[2],
                    )  # fmt: skip
                if adaptive:
                    if grad_iahp_record.size > 0:
                        add(grad_iahp_record[b, t], grad_iahp[b])
                    ahp_backward(
                        grad_u, spikes[b] if t == 0 else count[r], w_ahp, gamma, grad_iahp[b],
                        later_ahp[r], feedback[r], sums[3], sums[4],
                    )  # fmt: skip
                if n_currents != n_out:
                    repeat(grad_u, grad_current)
                if grad_isyn_record.size > 0:
                    add(grad_isyn_record[b, t], grad_current)
                arriving = grad_x[b, t] if give_x else grad_arriving
                if train_beta:
                    synapses_backward(
                        grad_current, x[b, t], beta, grad_isyn[b], later[r], arriving, sums_beta
                    )
                else:
                    synapses_backward_only(grad_current, beta, grad_isyn[b], arriving)
            if recurrent:
                n_rows = last - first
                if n_sent + n_rows > len(sent):
                    add_outer(sent[:n_sent], through, grad_w_rec, factors, chosen)
                    n_sent = 0
                for b in range(first, last):
                    r, e = b - first, n_sent + b - first
                    copy(spikes[b] if t == 0 else count[r], sent[e])
                    copy(grad_isyn[b], through[e])
                    if grad_irec_record.size > 0:
                        add(grad_irec_record[b, t], through[e])
                    if not adaptive:
                        clear(feedback[r])
                near = surrogate == STEP_PWL and t > 0
                recurrent_backward(
                    sent[n_sent : n_sent + n_rows],
                    through[n_sent : n_sent + n_rows],
                    before[first:last, t - 1] if near else sent[n_sent : n_sent + n_rows],
                    near, threshold, width, w_rec, train_beta, irec, feedback, chosen,
                )  # fmt: skip
                if train_beta:
                    for r in range(n_rows):
                        add_product(irec[r], later[r], sums_beta)
                n_sent += n_rows
            pending += last - first
            if pending >= AT_ONCE:
                flush(sums, grad_alpha, grad_bias, grad_threshold, grad_w_ahp, grad_gamma)
                if train_beta:
                    move(sums_beta, grad_beta)
                pending = 0
        for b in range(first, last):
            copy(feedback[b - first], grad_spikes[b])
            if train_beta:
                add_product(isyn[b], later[b - first], sums_beta)
            if adaptive:
                add_product(iahp[b], later_ahp[b - first], sums[4])
        if recurrent:
            add_outer(sent[:n_sent], through, grad_w_rec, factors, chosen)
            n_sent = 0
    flush(sums, grad_alpha, grad_bias, grad_threshold, grad_w_ahp, grad_gamma)
    if train_beta:
        move(sums_beta, grad_beta)


@gradient_part
def count_row(u: Any, threshold: Any, inverse: Any, exact: bool, limit: Any, count: Any) -> None:
    """Write the number of spikes, given the membrane before the reset."""
    for k in range(count.size):
        count[k] = count_spikes(u[k] * inverse[k] if exact else u[k] / threshold[k], limit)


@gradient_part
def undo_reset(of_u: Any, threshold: Any, count: Any, given: Any, sum_threshold: Any) -> None:
    """Take back what a gradient of the membrane after the reset would do to spikes and threshold.

    What is left of it is a gradient of the membrane before the reset.
    """
    for k in range(of_u.size):
        given[k] += threshold[k] * of_u[k]
        sum_threshold[k] += count[k] * of_u[k]


@gradient_part
def membrane_backward(
    given: Any,
    u: Any,
    previous: Any,
    alpha: Any,
    threshold: Any,
    inverse: Any,
    exact: bool,
    most: Any,
    width: Any,
    count: Any,
    grad_v: Any,
    grad_u: Any,
    sum_alpha: Any,
    sum_bias: Any,
    sum_threshold: Any,
) -> None:
    """Go back through reset, spikes and leak of the membrane, with the surrogate `StepPWL`.

    `count` goes from the spikes of this step to those of the step before, `grad_v` from the
    gradient of the membrane after this step to that after the step before.
    """
    for k in range(u.size):
        height = threshold[k]
        ratio = previous[k] * inverse[k] if exact else previous[k] / height
        fired_before = count_spikes(ratio, most)
        v_before = previous[k] - fired_before * height
        of_v = grad_v[k]
        of_spikes = (given[k] - height * of_v) * inverse[k]
        if u[k] < height - width:
            of_spikes = type(of_spikes)(0)
        of_u = of_v + of_spikes
        sum_threshold[k] -= count[k] * of_v + of_spikes * u[k] * inverse[k]
        sum_bias[k] += of_u
        sum_alpha[k] += of_u * v_before
        count[k] = fired_before
        grad_u[k] = of_u
        grad_v[k] = of_u * alpha[k]


@gradient_part
def membrane_backward_periodic(
    given: Any,
    u: Any,
    previous: Any,
    alpha: Any,
    threshold: Any,
    inverse: Any,
    exact: bool,
    most: Any,
    limit: Any,
    width: Any,
    count: Any,
    grad_v: Any,
    grad_u: Any,
    sum_alpha: Any,
    sum_bias: Any,
    sum_threshold: Any,
) -> None:
    """Do what `membrane_backward` does, with the surrogate `PeriodicExponential`."""
    for k in range(u.size):
        height = threshold[k]
        ratio = previous[k] * inverse[k] if exact else previous[k] / height
        fired_before = count_spikes(ratio, most)
        v_before = previous[k] - fired_before * height
        distance = u[k] - height
        if distance >= 0:
            period = np.floor((u[k] - height / 2) / height)
            distance -= min(period, limit - 1) * height
        of_v = grad_v[k]
        slope = type(height)(exp(-abs(distance) / width)) * inverse[k]
        of_spikes = (given[k] - height * of_v) * slope
        of_u = of_v + of_spikes
        sum_threshold[k] -= count[k] * of_v + of_spikes * u[k] * inverse[k]
        sum_bias[k] += of_u
        sum_alpha[k] += of_u * v_before
        count[k] = fired_before
        grad_u[k] = of_u
        grad_v[k] = of_u * alpha[k]


@gradient_part
def ahp_backward(
    grad_u: Any,
    fired_before: Any,
    w_ahp: Any,
    gamma: Any,
    grad_iahp: Any,
    later: Any,
    feedback: Any,
    sum_w_ahp: Any,
    sum_gamma: Any,
) -> None:
    """Go back through the after-spike current; `feedback` gets the gradient of its spikes."""
    for k in range(grad_u.size):
        of_current = grad_u[k] + grad_iahp[k]
        later[k] = of_current + gamma[k] * later[k]
        arriving = of_current * gamma[k]
        grad_iahp[k] = arriving
        feedback[k] = w_ahp[k] * arriving
        sum_w_ahp[k] += fired_before[k] * arriving
        sum_gamma[k] += fired_before[k] * w_ahp[k] * later[k]


@gradient_part
def synapses_backward(
    gradient: Any,
    x: Any,
    beta: Any,
    grad_isyn: Any,
    later: Any,
    arriving: Any,
    sum_beta: Any,
) -> None:
    """Go back through the synapses.

    `grad_isyn` goes from the gradient of the currents after this step to that after the step
    before, which is the gradient of the input as well.
    """
    for k in range(beta.size):
        of_current = gradient[k] + grad_isyn[k]
        later[k] = of_current + beta[k] * later[k]
        sum_beta[k] += later[k] * x[k]
        of_input = of_current * beta[k]
        grad_isyn[k] = of_input
        arriving[k] = of_input


@gradient_part
def synapses_backward_only(gradient: Any, beta: Any, grad_isyn: Any, arriving: Any) -> None:
    """Do what `synapses_backward` does, without the gradient of the decays."""
    for k in range(beta.size):
        of_input = (gradient[k] + grad_isyn[k]) * beta[k]
        grad_isyn[k] = of_input
        arriving[k] = of_input


@gradient_part
def flush(sums: Any, alpha: Any, bias: Any, threshold: Any, w_ahp: Any, gamma: Any) -> None:
    """Add the sums of a few steps to the gradients of the parameters, and begin anew."""
    move(sums[0], alpha)
    move(sums[1], bias)
    move(sums[2], threshold)
    if gamma.size > 0:
        move(sums[3], w_ahp)
        move(sums[4], gamma)


@gradient_part
def repeat(source: Any, target: Any) -> None:
    """Write the value of each neuron to all of its synapses."""
    n_synapses = target.size // source.size
    for n in range(source.size):
        for s in range(n_synapses):
            target[n * n_synapses + s] = source[n]
