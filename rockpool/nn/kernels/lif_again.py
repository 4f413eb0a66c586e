"""The LIF neuron, compiled: time steps once more, for gradients that take less memory.

With *marks* in place of the membrane of every step, `rockpool.nn.kernels.lif_backward` goes back in
stretches of `mark_steps`, and has the membranes of each computed again from its start. A mark is
what `lif_forward` wrote of the step before: the membrane before the reset, and the currents. So the
membranes have the same bits, and all sums are added up in the same order.
"""

from __future__ import annotations

from typing import Any, no_type_check

import numpy as np

from rockpool.nn.kernels.compiling import inner, part
from rockpool.nn.kernels.lif import lif_forward, single_synapse_step
from rockpool.nn.kernels.parts import add, copy, count_spikes, mark_steps

__all__ = ["lif_again", "number_of_marks", "single_synapse_again"]


def number_of_marks(n_steps: int) -> int:
    """Return how many marks so many time steps have; 0: they are too few for it."""
    return max(0, n_steps - 1) // mark_steps.py_func(n_steps)  # type: ignore[no-any-return]


@no_type_check
@part
def after_step(
    u: Any, threshold: Any, inverse: Any, exact: bool, limit: Any, v: Any, count: Any
) -> None:
    """Write the membrane after the reset, and the spikes, given the membrane before it."""
    for k in range(u.size):
        n_spikes = count_spikes(u[k] * inverse[k] if exact else u[k] / threshold[k], limit)
        count[k] = n_spikes
        v[k] = u[k] - n_spikes * threshold[k]


@no_type_check
@inner
def single_synapse_again(
    x: Any,
    noise: Any,
    rows: Any,
    exact: bool,
    limit: Any,
    u: Any,
    vmem: Any,
    isyn: Any,
    reached: Any,
) -> None:
    """Write the membranes before the reset of a few steps of one batch element.

    The rows are alpha, beta, bias, threshold and its inverse; four are free. The membrane to start
    from is `u`, before the reset, or `vmem` where that is of size 0.
    """
    n = isyn.size
    alpha, beta, bias = rows[0, :n], rows[1, :n], rows[2, :n]
    threshold, inverse = rows[3, :n], rows[4, :n]
    v, i, fired, drive = rows[5, :n], rows[6, :n], rows[7, :n], rows[8, :n]
    copy(bias, drive)
    copy(isyn, i)
    if u.size > 0:
        after_step(u, threshold, inverse, exact, limit, v, fired)
    else:
        copy(vmem, v)
    for t in range(reached.shape[0]):
        if noise.size > 0:
            copy(bias, drive)
            add(noise[t], drive)
        single_synapse_step(
            arriving=x[t], alpha=alpha, beta=beta, drive=drive, threshold=threshold,
            inverse=inverse, exact=exact, limit=limit, v=v, i=i, reached=reached[t], fired=fired,
        )  # fmt: skip


@no_type_check
@inner
def lif_again(
    x: Any,
    w_rec: Any,
    alpha: Any,
    beta: Any,
    bias: Any,
    threshold: Any,
    inverse: Any,
    exact: bool,
    max_spikes: Any,
    limit: Any,
    noise: Any,
    gamma: Any,
    w_ahp: Any,
    vmem: Any,
    isyn: Any,
    spikes: Any,
    iahp: Any,
    marks_v: Any,
    marks_i: Any,
    marks_ahp: Any,
    first: int,
    last: int,
    begin: int,
    end: int,
    mark: int,
) -> Any:
    """Return the membranes before the reset of some batch elements in some steps, (b, t, N).

    They start from a mark, or from the state before the first step where `mark` is -1.
    """
    n_rows, n_steps, n_out, kind = last - first, end - begin, alpha.size, alpha.dtype
    drive = np.empty((n_rows, n_steps, x.shape[2]), x.dtype)
    added = np.empty((n_rows if noise.size > 0 else 0, n_steps, n_out), kind)
    v, i = np.empty((n_rows, n_out), kind), np.empty((n_rows, beta.size), kind)
    count, current = np.empty((n_rows, n_out), kind), np.empty((n_rows, gamma.size), kind)
    for r in range(n_rows):
        b = first + r
        for t in range(n_steps):
            copy(x[b, begin + t], drive[r, t])
            if noise.size > 0:
                copy(noise[b, begin + t], added[r, t])
        if mark < 0:
            copy(vmem[b], v[r])
            copy(spikes[b], count[r])
        else:
            after_step(marks_v[b, mark], threshold, inverse, exact, limit, v[r], count[r])
        copy(isyn[b] if mark < 0 else marks_i[b, mark], i[r])
        if gamma.size > 0:
            copy(iahp[b] if mark < 0 else marks_ahp[b, mark], current[r])
    reached, absent = np.empty((n_rows, n_steps, n_out), kind), np.empty((0, 0, 0), kind)
    lif_forward(
        x=drive, w_rec=w_rec, alpha=alpha, beta=beta, bias=bias, threshold=threshold,
        max_spikes=max_spikes, noise=added, gamma=gamma, w_ahp=w_ahp, vmem=v, isyn=i, spikes=count,
        iahp=current, output=np.empty((n_rows, n_steps, n_out), kind), before=reached,
        vmem_record=absent, isyn_record=absent, irec_record=absent, iahp_record=absent,
        marks_v=absent, marks_i=absent, marks_ahp=absent, tally=absent,
    )  # fmt: skip
    return reached
