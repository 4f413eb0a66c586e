"""The LIF neuron, compiled: backward, given what `rockpool.nn.kernels.lif` has kept.

The forward kernel keeps the membrane before the reset alone. The spikes and the membrane after the
reset follow from it. With marks instead, it is computed again; see `lif_again`. The gradients of
the synaptic decays need the currents, which do not; but with the gradients :math:`g_t` of the
currents, the decay :math:`β` and the input :math:`x_t`,

.. math::

    \\sum_t g_t \\sum_{k \\le t} β^{t-k} x_k = \\sum_t x_t h_t, \\quad h_t = g_t + β h_{t+1}

so that the input is enough. The after-spike current is dealt with in the same way.

Gradients of parameters are summed up in single precision over few steps only, then in double.
"""

from __future__ import annotations

from typing import Any, no_type_check

import numpy as np

from rockpool.nn.kernels.compiling import SUM, inner, kernel, prefetch, view
from rockpool.nn.kernels.lif_again import lif_again, single_synapse_again
from rockpool.nn.kernels.lif_backward_parts import (
    ahp_backward,
    count_row,
    flush,
    membrane_backward,
    membrane_backward_periodic,
    repeat,
    single_synapse_step_back,
    synapses_backward,
    synapses_backward_only,
    undo_reset,
)
from rockpool.nn.kernels.parts import (
    AT_ONCE,
    add,
    add_product,
    add_up,
    clear,
    copy,
    invert,
    mark_steps,
    move,
    padded_rows,
)
from rockpool.nn.kernels.recurrence import ROWS, add_outer, recurrent_backward

__all__ = ["PERIODIC_EXPONENTIAL", "STEP_PWL", "lif_backward"]

# the surrogates
STEP_PWL, PERIODIC_EXPONENTIAL = 0, 1

TOGETHER = 8  # batch elements of a recurrent layer that go through time together
SENT = 16  # steps and batch elements that are added to the gradient of the weights in one go
AHEAD = 4  # steps that memory is fetched ahead
# That pays where the arrays are larger than the caches near a processor and the rows are short
# (as measured on one kind of processor): bytes of an array; fewest and most bytes of a row.
FAR, SHORT, LONG = 2**20, 256, 1024


@no_type_check
@kernel(
    like="before", over="before",
    grad_vmem_record=3, grad_isyn_record=3, grad_irec_record=3, grad_iahp_record=3,
    x=3, w_rec=2, gamma=1, w_ahp=1, iahp=2,
    grad_iahp=2, grad_x=3, grad_w_rec=2, grad_beta=SUM, grad_gamma=SUM, grad_w_ahp=SUM,
    bias=1, noise=3, marks_v=3, marks_i=3, marks_ahp=3, irec_record=3,
)  # fmt: skip
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
    bias: Any,
    noise: Any,
    marks_v: Any,
    marks_i: Any,
    marks_ahp: Any,
    irec_record: Any,
) -> None:
    """Compute the gradients of LIF neurons.

    Parameters
    ----------
    grad_output : array (B, T, N), or (B, 1, N) where it is the same for all steps
        Gradient of the output.
    grad_vmem_record, ..., grad_iahp_record : array, or of size 0
        Gradients of the records, in their shapes.
    before_reset : bool
        Whether `grad_vmem_record` is the gradient of `before` instead.
    x, w_rec, alpha, beta, threshold, max_spikes, gamma, w_ahp
        As for `lif_forward`.
    before : array (B, T, N)
        From `lif_forward`; with marks, nothing of it is read.
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
    bias, noise, marks_v, marks_i, marks_ahp
        As for `lif_forward`, where there are marks; then `x` is needed as well.
    irec_record : array (B, T, N * S) or of size 0
        From `lif_forward`; without it, the recurrent input is computed again, in a third of the
        time that the gradients of a large recurrent layer take.
    """
    grad_output, grad_vmem_record = view(grad_output), view(grad_vmem_record)
    grad_isyn_record, grad_irec_record = view(grad_isyn_record), view(grad_irec_record)
    grad_iahp_record, x, before = view(grad_iahp_record), view(x), view(before)
    vmem, isyn, spikes, iahp = view(vmem), view(isyn), view(spikes), view(iahp)
    grad_vmem, grad_isyn = view(grad_vmem), view(grad_isyn)
    grad_spikes, grad_iahp, grad_x = view(grad_spikes), view(grad_iahp), view(grad_x)
    noise, irec_record = view(noise), view(irec_record)
    marks_v, marks_i, marks_ahp = view(marks_v), view(marks_i), view(marks_ahp)
    n_marks, every = marks_v.shape[1], mark_steps(before.shape[1])
    n_batch, n_steps, n_out = before.shape
    n_currents = beta.size
    limit, width = threshold.dtype.type(max_spikes), threshold.dtype.type(window)
    zero = threshold.dtype.type(0)
    recurrent, adaptive = w_rec.size > 0, gamma.size > 0
    train_beta, give_x = grad_beta.size > 0, grad_x.size > 0
    changing = min(grad_output.shape[1] - 1, 1)  # 0: the gradient is the same for all steps
    row_bytes = n_out * before.itemsize
    ahead = SHORT <= row_bytes <= LONG and before.size * before.itemsize > FAR
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

    if (
        surrogate == STEP_PWL
        and train_beta
        and n_currents == n_out
        and not (recurrent or adaptive)
        and grad_vmem_record.size == 0
        and grad_isyn_record.size == 0
    ):
        rows = padded_rows(13, n_out, before)
        for row, values in enumerate((alpha, beta, threshold, inverse)):
            copy(values, rows[row, :n_out])
        again = np.empty((every if n_marks > 0 else 0, n_out), before.dtype)
        rows_again = padded_rows(9, n_out, before)
        if n_marks > 0:
            for row, values in enumerate((alpha, beta, bias, threshold, inverse)):
                copy(values, rows_again[row, :n_out])
        single_synapse_backward(
            grad_output=grad_output, x=x, before=before, rows=rows, exact=exact, limit=limit,
            width=width, ahead=ahead, vmem=vmem, isyn=isyn,
            noise=noise, rows_again=rows_again, again=again, marks_v=marks_v, marks_i=marks_i,
            grad_vmem=grad_vmem, grad_isyn=grad_isyn, grad_spikes=grad_spikes, grad_x=grad_x,
            grad_alpha=grad_alpha, grad_beta=grad_beta, grad_bias=grad_bias,
            grad_threshold=grad_threshold,
        )  # fmt: skip
        return

    for first in range(0, n_batch, together):
        last = min(first + together, n_batch)
        for b in range(first, last):
            r = b - first
            clear(later[r])
            clear(later_ahp[r])
            clear(feedback[r])
        reached, begin, mark = before[first:last], 0, -1
        for t in range(n_steps - 1, -1, -1):
            if n_marks > 0 and (t == n_steps - 1 or t < begin):
                mark = n_marks - 1 - (n_steps - 1 - t) // every
                begin = t + 1 - every if mark >= 0 else 0
                reached = lif_again(
                    x=x, w_rec=w_rec, alpha=alpha, beta=beta, bias=bias, threshold=threshold,
                    inverse=inverse, exact=exact, max_spikes=max_spikes, limit=limit, noise=noise,
                    gamma=gamma, w_ahp=w_ahp, vmem=vmem, isyn=isyn, spikes=spikes, iahp=iahp,
                    marks_v=marks_v, marks_i=marks_i, marks_ahp=marks_ahp,
                    first=first, last=last, begin=begin, end=t + 1, mark=mark,
                )  # fmt: skip
            for b in range(first, last):
                r = b - first
                if t == n_steps - 1:
                    count_row(reached[r, t - begin], threshold, inverse, exact, limit, count[r])
                if ahead and t > AHEAD:
                    prefetch(grad_output[b, changing * (t - AHEAD)])
                    prefetch(before[b, t - AHEAD - 1])
                    if train_beta:
                        prefetch(x[b, t - AHEAD])
                    if give_x:
                        prefetch(grad_x[b, t - AHEAD])
                given = grad_output[b, changing * t]
                if recurrent or adaptive or before_reset:
                    add_up(given, feedback[r], grad_spiking)
                    given = grad_spiking
                if grad_vmem_record.size > 0:
                    add(grad_vmem_record[b, t], grad_vmem[b])
                    if before_reset:
                        undo_reset(
                            grad_vmem_record[b, t], threshold, count[r], grad_spiking, sums[2]
                        )
                if t > begin:
                    previous = reached[r, t - 1 - begin]
                else:
                    previous = marks_v[b, mark] if t > 0 else vmem[b]
                most = limit if t > 0 else zero  # no reset before the first step
                if surrogate == STEP_PWL:
                    membrane_backward(
                        given=given, u=reached[r, t - begin], previous=previous, alpha=alpha,
                        threshold=threshold, inverse=inverse, exact=exact, most=most, limit=limit,
                        width=width, count=count[r], grad_v=grad_vmem[b], grad_u=grad_u,
                        sum_alpha=sums[0], sum_bias=sums[1], sum_threshold=sums[2],
                    )  # fmt: skip
                else:
                    membrane_backward_periodic(
                        given=given, u=reached[r, t - begin], previous=previous, alpha=alpha,
                        threshold=threshold, inverse=inverse, exact=exact, most=most, limit=limit,
                        width=width, count=count[r], grad_v=grad_vmem[b], grad_u=grad_u,
                        sum_alpha=sums[0], sum_bias=sums[1], sum_threshold=sums[2],
                    )  # fmt: skip
                if adaptive:
                    if grad_iahp_record.size > 0:
                        add(grad_iahp_record[b, t], grad_iahp[b])
                    ahp_backward(
                        grad_u=grad_u, fired_before=spikes[b] if t == 0 else count[r],
                        w_ahp=w_ahp, gamma=gamma, grad_iahp=grad_iahp[b], later=later_ahp[r],
                        feedback=feedback[r], sum_w_ahp=sums[3], sum_gamma=sums[4],
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
                if t > begin:
                    u_before = reached[:, t - 1 - begin]
                else:
                    u_before = marks_v[first:last, mark] if near else sent[n_sent : n_sent + n_rows]
                recurrent_backward(
                    spikes=sent[n_sent : n_sent + n_rows],
                    through=through[n_sent : n_sent + n_rows],
                    u=u_before,
                    near_only=near, threshold=threshold, width=width, w_rec=w_rec,
                    with_input=train_beta and irec_record.size == 0,
                    irec=irec, feedback=feedback, chosen=chosen,
                )  # fmt: skip
                if train_beta:
                    for r in range(n_rows):
                        arrived = irec[r] if irec_record.size == 0 else irec_record[first + r, t]
                        add_product(arrived, later[r], sums_beta)
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


@no_type_check
@inner
def single_synapse_backward(
    grad_output: Any,
    x: Any,
    before: Any,
    rows: Any,
    exact: bool,
    limit: Any,
    width: Any,
    ahead: bool,
    vmem: Any,
    isyn: Any,
    grad_vmem: Any,
    grad_isyn: Any,
    grad_spikes: Any,
    grad_x: Any,
    grad_alpha: Any,
    grad_beta: Any,
    grad_bias: Any,
    grad_threshold: Any,
    noise: Any,
    rows_again: Any,
    again: Any,
    marks_v: Any,
    marks_i: Any,
) -> None:
    """Compute the gradients of neurons with one synapse each, without recurrence and records.

    The first four rows are alpha, beta, threshold and its inverse; nine are free. With marks,
    `again` has room for the membranes of a stretch, which `single_synapse_again` writes.
    """
    grad_output, x, before = view(grad_output), view(x), view(before)
    rows, vmem, isyn = view(rows), view(vmem), view(isyn)
    grad_vmem, grad_isyn, grad_x = view(grad_vmem), view(grad_isyn), view(grad_x)
    grad_spikes, noise = view(grad_spikes), view(noise)
    rows_again, again = view(rows_again), view(again)
    marks_v, marks_i = view(marks_v), view(marks_i)
    n_batch, n_steps, n = before.shape
    n_marks, every = marks_v.shape[1], again.shape[0]
    zero = vmem.dtype.type(0)
    changing = min(grad_output.shape[1] - 1, 1)
    give_x = grad_x.size > 0
    alpha, beta, threshold, inverse = rows[0, :n], rows[1, :n], rows[2, :n], rows[3, :n]
    count, grad_v, grad_i, later = rows[4, :n], rows[5, :n], rows[6, :n], rows[7, :n]
    sum_alpha, sum_bias, sum_threshold = rows[8, :n], rows[9, :n], rows[10, :n]
    sum_beta, unused = rows[11, :n], rows[12, :n]
    clear(sum_alpha)
    clear(sum_bias)
    clear(sum_threshold)
    clear(sum_beta)
    pending = 0
    for b in range(n_batch):
        clear(later)
        copy(grad_vmem[b], grad_v)
        copy(grad_isyn[b], grad_i)
        reached, begin, mark = before[b], 0, -1
        for t in range(n_steps - 1, -1, -1):
            if n_marks > 0 and (t == n_steps - 1 or t < begin):
                mark = n_marks - 1 - (n_steps - 1 - t) // every
                begin = t + 1 - every if mark >= 0 else 0
                reached = again[: t + 1 - begin]
                single_synapse_again(
                    x=x[b, begin : t + 1], rows=rows_again, exact=exact, limit=limit,
                    noise=noise[b, begin : t + 1] if noise.size > 0 else again[:0],
                    u=marks_v[b, mark] if mark >= 0 else vmem[b, :0], vmem=vmem[b],
                    isyn=marks_i[b, mark] if mark >= 0 else isyn[b], reached=reached,
                )  # fmt: skip
            if t == n_steps - 1:
                count_row(reached[t - begin], threshold, inverse, exact, limit, count)
            if ahead and t > AHEAD:
                prefetch(grad_output[b, changing * (t - AHEAD)])
                prefetch(before[b, t - AHEAD - 1])
                prefetch(x[b, t - AHEAD])
                if give_x:
                    prefetch(grad_x[b, t - AHEAD])
            if t > begin:
                previous = reached[t - 1 - begin]
            else:
                previous = marks_v[b, mark] if t > 0 else vmem[b]
            most = limit if t > 0 else zero  # no reset before the first step
            arriving = grad_x[b, t] if give_x else unused
            single_synapse_step_back(
                given=grad_output[b, changing * t], u=reached[t - begin], previous=previous,
                x=x[b, t], alpha=alpha, beta=beta, threshold=threshold, inverse=inverse,
                exact=exact, most=most, width=width, count=count, grad_v=grad_v, grad_isyn=grad_i,
                later=later, arriving=arriving, sum_alpha=sum_alpha, sum_bias=sum_bias,
                sum_threshold=sum_threshold, sum_beta=sum_beta,
            )  # fmt: skip
            pending += 1
            if pending == AT_ONCE or t == 0:
                move(sum_alpha, grad_alpha)
                move(sum_bias, grad_bias)
                move(sum_threshold, grad_threshold)
                move(sum_beta, grad_beta)
                pending = 0
        copy(grad_v, grad_vmem[b])
        copy(grad_i, grad_isyn[b])
        clear(grad_spikes[b])
        add_product(isyn[b], later, sum_beta)
    move(sum_beta, grad_beta)
