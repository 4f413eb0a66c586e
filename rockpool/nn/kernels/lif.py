"""The LIF neuron, compiled: forward. See `rockpool.nn.models.lif` for the model.

With an after-spike current (`gamma`, `w_ahp`) it is the adaptive neuron as well.
"""

from __future__ import annotations

from typing import Any, no_type_check

import numpy as np

from rockpool.nn.kernels.compiling import gradient_part, inner, kernel, part, view
from rockpool.nn.kernels.parts import (
    add,
    copy,
    count_spikes,
    invert,
    mark_steps,
    padded_rows,
    squares_of_rows,
)
from rockpool.nn.kernels.recurrence import ROWS, recurrent_input

__all__ = ["lif_forward", "single_synapse_forward"]

# Batch elements of a recurrent layer that go through time together, such that they share each row
# of the weights while it is in the cache.
TOGETHER = 16


@no_type_check
@kernel(
    over="output", w_rec=2, noise=3, gamma=1, w_ahp=1, iahp=2, before=3,
    vmem_record=3, isyn_record=3, irec_record=3, iahp_record=3, marks_v=3, marks_i=3, marks_ahp=3,
    tally=3,
)  # fmt: skip
def lif_forward(
    x: Any,
    vmem: Any,
    isyn: Any,
    spikes: Any,
    output: Any,
    w_rec: Any,
    alpha: Any,
    beta: Any,
    bias: Any,
    threshold: Any,
    max_spikes: Any,
    noise: Any,
    gamma: Any,
    w_ahp: Any,
    iahp: Any,
    before: Any,
    vmem_record: Any,
    isyn_record: Any,
    irec_record: Any,
    iahp_record: Any,
    marks_v: Any,
    marks_i: Any,
    marks_ahp: Any,
    tally: Any,
) -> float:
    """Run LIF neurons over time.

    Parameters
    ----------
    x : array (B, T, N * S)
        Input; of the type of the other arrays, or in single precision where they are in double.
    vmem, isyn, spikes : array (B, N), (B, N * S), (B, N)
        The state, changed in place.
    output : array (B, T, N)
        For the number of spikes.
    w_rec : array (N, N * S) or of size 0
        Recurrent weights. Only the rows of neurons that spike are read.
    alpha : array (N,)
        Decay of the membrane in one time step.
    beta : array (N * S,)
        Decay of the synaptic currents.
    bias, threshold : array (N,)
    max_spikes : float
        Most spikes of a neuron in one time step.
    noise : array (B, T, N) or of size 0
        Added to the membrane.
    gamma, w_ahp : array (N,) or of size 0
        Decay and weight of the after-spike current.
    iahp : array (B, N) or of size 0
        The state of the after-spike current, changed in place.
    before : array (B, T, N) or of size 0
        For the membrane before the reset, which is what `lif_backward` needs.
    vmem_record, isyn_record : array (B, T, N), (B, T, N * S); or both of size 0
        For the membrane after the reset and the synaptic currents.
    irec_record : array (B, T, N * S) or of size 0
        For the recurrent input, with the other records or, which `lif_backward` is faster for, of a
        recurrent layer without them.
    iahp_record : array (B, T, N) or of size 0
        For the after-spike current.
    marks_v, marks_i, marks_ahp : array (B, M, N), (B, M, N * S), (B, M, N); or of size 0
        For what is needed to compute `before` again, in place of `before`: the membrane before the
        reset, and the currents, every `mark_steps` steps counted from the end.
    tally : array (B, T, 2) or of size 0
        For how many neurons spiked, and for the sum of their spikes.

    Returns
    -------
    float
        The sum of squares of the synaptic currents, after the last time step.
    """
    x, noise = view(x), view(noise)
    vmem, isyn, spikes, iahp = view(vmem), view(isyn), view(spikes), view(iahp)
    output, before, vmem_record = view(output), view(before), view(vmem_record)
    isyn_record, irec_record = view(isyn_record), view(irec_record)
    iahp_record = view(iahp_record)
    marks_v, marks_i, marks_ahp = view(marks_v), view(marks_i), view(marks_ahp)
    tally = view(tally)
    n_batch, n_steps, n_out = output.shape
    n_currents = x.shape[2]
    limit = threshold.dtype.type(max_spikes)
    recurrent, noisy, adaptive = w_rec.size > 0, noise.size > 0, gamma.size > 0
    kept, recorded = before.size > 0, vmem_record.size > 0
    irec_recorded = irec_record.size > 0
    if n_currents == n_out and not (recurrent or noisy or adaptive or recorded):
        return single_synapse_forward(
            x=x, alpha=alpha, beta=beta, bias=bias, threshold=threshold, max_spikes=max_spikes,
            vmem=vmem, isyn=isyn, spikes=spikes, output=output, before=before,
            marks_v=marks_v, marks_i=marks_i, tally=tally,
        )  # fmt: skip

    inverse = np.empty(n_out, vmem.dtype)
    exact = invert(threshold, inverse)
    together = TOGETHER if recurrent else 1
    irec = np.zeros((together, n_currents), vmem.dtype)
    chosen = np.empty(ROWS + 1, np.intp)
    drive = np.empty(n_out, vmem.dtype)
    copy(bias, drive)
    total = np.empty(n_out, vmem.dtype)
    unused = np.empty(n_out, vmem.dtype)
    reached = unused
    n_marks, every = marks_v.shape[1], mark_steps(n_steps)

    for first in range(0, n_batch, together):
        last = min(first + together, n_batch)
        m, marked = 0, n_steps - 1 - n_marks * every
        for t in range(n_steps):
            marking = m < n_marks and t == marked
            if recurrent:
                recurrent_input(spikes[first:last], w_rec, irec, chosen)
            for b in range(first, last):
                v, i, fired = vmem[b], isyn[b], output[b, t]
                if recurrent:
                    add(x[b, t], i)
                if noisy:
                    copy(bias, drive)
                    add(noise[b, t], drive)
                reached = before[b, t] if kept else marks_v[b, m] if marking else unused
                if n_currents == n_out and recurrent and not adaptive:
                    single_synapse_step(
                        arriving=irec[b - first], alpha=alpha, beta=beta, drive=drive,
                        threshold=threshold, inverse=inverse, exact=exact, limit=limit,
                        v=v, i=i, reached=reached, fired=fired,
                    )  # fmt: skip
                elif n_currents == n_out and not adaptive:
                    single_synapse_step(
                        arriving=x[b, t], alpha=alpha, beta=beta, drive=drive,
                        threshold=threshold, inverse=inverse, exact=exact, limit=limit,
                        v=v, i=i, reached=reached, fired=fired,
                    )  # fmt: skip
                else:
                    if recurrent:
                        synapses_step(irec[b - first], beta, i, total)
                    else:
                        synapses_step(x[b, t], beta, i, total)
                    decay_and_add(alpha, total, v)
                    if adaptive:
                        ahp_step(spikes[b], w_ahp, gamma, iahp[b])
                        add(iahp[b], v)
                    fire(drive, threshold, inverse, exact, limit, v, reached, fired)
                if recurrent or adaptive or t == n_steps - 1:
                    copy(fired, spikes[b])
                if marking:
                    copy(i, marks_i[b, m])
                    if adaptive:
                        copy(iahp[b], marks_ahp[b, m])
                if recorded:
                    copy(v, vmem_record[b, t])
                    copy(i, isyn_record[b, t])
                    if adaptive:
                        copy(iahp[b], iahp_record[b, t])
                if irec_recorded:
                    copy(irec[b - first], irec_record[b, t])
            if marking:
                m += 1
                marked += every
            if tally.size > 0:
                for b in range(first, last):
                    tally_row(output[b, t], tally[b, t])
    return squares_of_rows(isyn)


@no_type_check
@kernel(over="output", before=3, marks_v=3, marks_i=3, tally=3)
def single_synapse_forward(
    x: Any,
    vmem: Any,
    isyn: Any,
    spikes: Any,
    output: Any,
    alpha: Any,
    beta: Any,
    bias: Any,
    threshold: Any,
    max_spikes: Any,
    before: Any,
    marks_v: Any,
    marks_i: Any,
    tally: Any,
) -> float:
    """Run neurons with one synapse each, without noise, recurrence and records; as `lif_forward`.

    It is called on its own as well: with half as many arguments, a short call takes less.
    """
    n_out = output.shape[2]
    rows = padded_rows(7, n_out, vmem)
    exact = invert(threshold, rows[4, :n_out])
    for row, values in enumerate((alpha, beta, bias, threshold)):
        copy(values, rows[row, :n_out])
    single_synapse_steps(
        x=x, rows=rows, exact=exact, limit=threshold.dtype.type(max_spikes),
        vmem=vmem, isyn=isyn, spikes=spikes, output=output, before=before,
        marks_v=marks_v, marks_i=marks_i, tally=tally,
    )  # fmt: skip
    return squares_of_rows(isyn)


@no_type_check
@inner
def single_synapse_steps(
    x: Any,
    rows: Any,
    exact: bool,
    limit: Any,
    vmem: Any,
    isyn: Any,
    spikes: Any,
    output: Any,
    before: Any,
    marks_v: Any,
    marks_i: Any,
    tally: Any,
) -> None:
    """Do what `single_synapse_forward` does, on rows that are there.

    The first five rows are alpha, beta, bias, threshold and its inverse; two are free.
    """
    x, rows = view(x), view(rows)
    vmem, isyn, spikes = view(vmem), view(isyn), view(spikes)
    output, before = view(output), view(before)
    marks_v, marks_i, tally = view(marks_v), view(marks_i), view(tally)
    n_batch, n_steps, n_out = output.shape
    alpha, beta, bias = rows[0, :n_out], rows[1, :n_out], rows[2, :n_out]
    threshold, inverse = rows[3, :n_out], rows[4, :n_out]
    v, i = rows[5, :n_out], rows[6, :n_out]
    n_marks, every = marks_v.shape[1], mark_steps(n_steps)
    for b in range(n_batch):
        copy(vmem[b], v)
        copy(isyn[b], i)
        m, marked = 0, n_steps - 1 - n_marks * every
        for t in range(n_steps):
            marking = m < n_marks and t == marked
            if before.size > 0 or marking:
                single_synapse_step(
                    arriving=x[b, t], alpha=alpha, beta=beta, drive=bias,
                    threshold=threshold, inverse=inverse, exact=exact, limit=limit,
                    v=v, i=i, reached=marks_v[b, m] if marking else before[b, t],
                    fired=output[b, t],
                )  # fmt: skip
                if marking:
                    copy(i, marks_i[b, m])
                    m += 1
                    marked += every
            else:
                single_synapse_step(
                    arriving=x[b, t], alpha=alpha, beta=beta, drive=bias,
                    threshold=threshold, inverse=inverse, exact=exact, limit=limit,
                    v=v, i=i, reached=None, fired=output[b, t],
                )  # fmt: skip
            if tally.size > 0:
                tally_row(output[b, t], tally[b, t])
        copy(v, vmem[b])
        copy(i, isyn[b])
        if n_steps > 0:
            copy(output[b, n_steps - 1], spikes[b])


@no_type_check
@part
def single_synapse_step(
    arriving: Any,
    alpha: Any,
    beta: Any,
    drive: Any,
    threshold: Any,
    inverse: Any,
    exact: bool,
    limit: Any,
    v: Any,
    i: Any,
    reached: Any,
    fired: Any,
) -> None:
    """Do one time step of neurons with one synapse each.

    `reached` is None where the membrane before the reset is to be forgotten. That is compiled
    apart: with a flag instead, rows of 100 neurons took half as long again.
    """
    for k in range(v.size):
        current = (i[k] + arriving[k]) * beta[k]
        u = (v[k] * alpha[k] + current) + drive[k]
        count = count_spikes(u * inverse[k] if exact else u / threshold[k], limit)
        i[k] = current
        if reached is not None:
            reached[k] = u
        fired[k] = count
        v[k] = u - count * threshold[k]


@no_type_check
@gradient_part
def tally_row(fired: Any, tally: Any) -> None:
    """Write how many neurons spiked, and the sum of their spikes.

    These are whole numbers: their sums may be reordered.
    """
    none, one = tally.dtype.type(0), tally.dtype.type(1)
    active = total = none
    for k in range(fired.size):
        active += one if fired[k] != 0 else none
        total += fired[k]
    tally[0] = active
    tally[1] = total


@no_type_check
@part
def synapses_step(arriving: Any, beta: Any, i: Any, total: Any) -> None:
    """Do one time step of the synaptic currents, and add up those of each neuron."""
    n_synapses = i.size // total.size
    for k in range(i.size):
        i[k] = (i[k] + arriving[k]) * beta[k]
    if n_synapses == 2:
        for k in range(total.size):
            total[k] = i[2 * k] + i[2 * k + 1]
        return
    for k in range(total.size):
        total[k] = i[k * n_synapses]
    for s in range(1, n_synapses):
        for k in range(total.size):
            total[k] += i[k * n_synapses + s]


@no_type_check
@part
def decay_and_add(alpha: Any, total: Any, v: Any) -> None:
    """Let the membrane decay, and add the synaptic currents."""
    for k in range(v.size):
        v[k] = v[k] * alpha[k] + total[k]


@no_type_check
@part
def ahp_step(spikes: Any, w_ahp: Any, gamma: Any, iahp: Any) -> None:
    """Do one time step of the after-spike currents."""
    for k in range(iahp.size):
        iahp[k] = (iahp[k] + spikes[k] * w_ahp[k]) * gamma[k]


@no_type_check
@part
def fire(
    drive: Any,
    threshold: Any,
    inverse: Any,
    exact: bool,
    limit: Any,
    v: Any,
    reached: Any,
    fired: Any,
) -> None:
    """Add bias and noise to the membrane; count the spikes and reset."""
    for k in range(v.size):
        u = v[k] + drive[k]
        count = count_spikes(u * inverse[k] if exact else u / threshold[k], limit)
        reached[k] = u
        fired[k] = count
        v[k] = u - count * threshold[k]
