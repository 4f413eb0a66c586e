"""One kernel for any network, step by step: it interprets a plan (`rockpool.streaming`).

Each operation is rounded as in the numpy module of that model, in the same order. A product with
weights adds the rows of those inputs that are not 0, in their order, each product and each sum
rounded by itself: what it gives does not depend on the engine, nor on how many inputs are 0.
"""

from __future__ import annotations

from math import exp, sqrt, tanh
from typing import Any, no_type_check

import numpy as np

from rockpool.nn.kernels import operations as op
from rockpool.nn.kernels.compiling import inner, kernel, part, view
from rockpool.nn.kernels.euler import (
    AHEAD,
    LATE,
    ahead_row,
    fire_row,
    membrane_step,
    reset_row,
    synapse_step,
)
from rockpool.nn.kernels.lif import (
    ahp_step,
    decay_and_add,
    fire,
    single_synapse_step,
    synapses_step,
)
from rockpool.nn.kernels.parts import add, add_up, clear, copy
from rockpool.nn.kernels.rate import activate, approach

__all__ = ["plan_forward", "plan_step"]

_ABSOLUTE, _EXP, _FLOOR, _NEGATIVE, _RELU, _SQRT, _SQUARE, _TANH = range(len(op.FUNCTIONS))


@no_type_check
@kernel(like="memory")
def plan_step(operations: Any, numbers: Any, memory: Any, chosen: Any) -> None:
    """Do one time step of each stream, on the input that its memory has.

    Parameters
    ----------
    operations : array (K, COLUMNS) of int64
        The plan; see `operations`.
    numbers : array (n,)
        Weights and parameters.
    memory : array (B, M)
        Of each stream, changed in place.
    chosen : array of int64
        Room for as many numbers as any operation has inputs.
    """
    operations, numbers = view(operations), view(numbers)
    memory, chosen = view(memory), view(chosen)
    for b in range(memory.shape[0]):
        interpret(operations, numbers, memory[b], chosen)


@no_type_check
@kernel()
def plan_forward(
    operations: Any,
    numbers: Any,
    memory: Any,
    chosen: Any,
    x: Any,
    starts: Any,
    channels: Any,
    counts: Any,
    output: Any,
) -> None:
    """Do many time steps of each stream.

    Parameters
    ----------
    operations, numbers, memory, chosen
        As for `plan_step`.
    x : array (B, T, Nin), or of size 0
        The input.
    starts : array (B, T + 1) of int64, or of size 0
        Without `x`: which events, of those that follow, each time step begins and ends with.
    channels, counts : array (events,) of int64, array (events,)
        The channel of each event, and how many there are of it.
    output : array (B, T, Nout)
        For the output.
    """
    operations, numbers, memory = view(operations), view(numbers), view(memory)
    chosen, x, output, starts = view(chosen), view(x), view(output), view(starts)
    begin, n_in = operations[0, op.SOURCE], operations[0, op.N_IN]
    first, n_out = operations[0, op.TARGET], operations[0, op.N_OUT]
    given = starts.size == 0
    for b in range(output.shape[0]):
        row = memory[b]
        arriving, leaving = row[begin : begin + n_in], row[first : first + n_out]
        if not given:
            clear(arriving)
        for t in range(output.shape[1]):
            if given:
                copy(x[b, t], arriving)
            else:
                for e in range(starts[b, t], starts[b, t + 1]):
                    arriving[channels[e]] += counts[e]
            interpret(operations, numbers, row, chosen)
            copy(leaving, output[b, t])
            if not given:
                for e in range(starts[b, t], starts[b, t + 1]):
                    arriving[channels[e]] = 0


@no_type_check
@inner
def interpret(operations: Any, numbers: Any, row: Any, chosen: Any) -> None:
    """Do one time step of one stream."""
    operations, numbers, row, chosen = view(operations), view(numbers), view(row), view(chosen)
    for number in range(1, operations.shape[0]):
        now = operations[number]
        kind, n_in, n_out = now[op.KIND], now[op.N_IN], now[op.N_OUT]
        source = row[now[op.SOURCE] : now[op.SOURCE] + n_in]
        target = row[now[op.TARGET] : now[op.TARGET] + n_out]
        if kind == op.PRODUCT:
            add_rows(source, some(numbers, now[op.WEIGHT], n_in * n_out), target, chosen)
            if now[op.BIAS] >= 0:
                add(some(numbers, now[op.BIAS], n_out), target)
        elif kind == op.LIF:
            lif(now, numbers, row, chosen, source, target)
        elif kind == op.EXP_SYN:
            filter_step(source, some(numbers, now[op.BETA], n_out), target)
        elif kind == op.RATE:
            rate(now, numbers, row, chosen, source, target)
        elif kind == op.EULER:
            euler(now, numbers, row, chosen, source, target)
        elif kind == op.CONNECT:
            connect(now, numbers, source, target)
        elif kind == op.FUNCTION:
            apply(now[op.OPTION], source, target)
        else:
            add_up(source, some(row, now[op.OTHER], n_out), target)


@no_type_check
@inner
def some(array: Any, start: int, size: int) -> Any:
    """Return so many numbers of an array; none where they are absent."""
    return array[0:0] if start < 0 else array[start : start + size]


@no_type_check
@part
def add_rows(factors: Any, weight: Any, target: Any, chosen: Any) -> None:
    """Write ``factors @ weight`` into `target`, leaving out the rows whose factor is 0.

    Four rows in one go, added up one after the other.
    """
    n, size = 0, target.size
    for j in range(factors.size):
        chosen[n] = j
        n += factors[j] != 0
    for k in range(size):
        target[k] = 0
    n_fours = n // 4 * 4
    for i in range(0, n_fours, 4):
        j0, j1, j2, j3 = chosen[i], chosen[i + 1], chosen[i + 2], chosen[i + 3]
        f0, f1, f2, f3 = factors[j0], factors[j1], factors[j2], factors[j3]
        r0, r1, r2, r3 = j0 * size, j1 * size, j2 * size, j3 * size
        for k in range(size):
            two = (target[k] + f0 * weight[r0 + k]) + f1 * weight[r1 + k]
            target[k] = (two + f2 * weight[r2 + k]) + f3 * weight[r3 + k]
    for i in range(n_fours, n):
        factor, start = factors[chosen[i]], chosen[i] * size
        for k in range(size):
            target[k] += factor * weight[start + k]


@no_type_check
@inner
def connect(now: Any, numbers: Any, factors: Any, target: Any) -> None:
    """Add up what single connections bring, input by input, leaving out those that are 0."""
    starts = some(numbers, now[op.ALPHA], factors.size + 1)
    n = int(starts[factors.size])
    outputs, weights = some(numbers, now[op.BETA], n), some(numbers, now[op.WEIGHT], n)
    clear(target)
    for j in range(factors.size):
        factor = factors[j]
        if factor != 0:
            for c in range(int(starts[j]), int(starts[j + 1])):
                target[int(outputs[c])] += factor * weights[c]
    if now[op.LIMIT] >= 0:
        for k in range(target.size):
            target[k] /= numbers[now[op.LIMIT]]
    if now[op.BIAS] >= 0:
        add(some(numbers, now[op.BIAS], target.size), target)


@no_type_check
@inner
def lif(now: Any, numbers: Any, row: Any, chosen: Any, source: Any, spikes: Any) -> None:
    """Do one time step of LIF neurons; `spikes` are those of the step before, then of this one."""
    n_in, n_out = source.size, spikes.size
    alpha, bias = some(numbers, now[op.ALPHA], n_out), some(numbers, now[op.BIAS], n_out)
    beta = some(numbers, now[op.BETA], n_in)
    threshold, limit = some(numbers, now[op.THRESHOLD], n_out), numbers[now[op.LIMIT]]
    v, i = some(row, now[op.VMEM], n_out), some(row, now[op.ISYN], n_in)
    arriving = source
    if now[op.WEIGHT] >= 0:
        add(source, i)
        arriving = some(row, now[op.ARRIVING], n_in)
        add_rows(spikes, some(numbers, now[op.WEIGHT], n_out * n_in), arriving, chosen)
    if n_in == n_out and now[op.IAHP] < 0:
        single_synapse_step(
            arriving=arriving, alpha=alpha, beta=beta, drive=bias,
            threshold=threshold, inverse=threshold, exact=False, limit=limit,
            v=v, i=i, reached=None, fired=spikes,
        )  # fmt: skip
        return
    total = some(row, now[op.TOTAL], n_out)
    synapses_step(arriving, beta, i, total)
    decay_and_add(alpha, total, v)
    if now[op.IAHP] >= 0:
        iahp = some(row, now[op.IAHP], n_out)
        w_ahp, gamma = some(numbers, now[op.W_AHP], n_out), some(numbers, now[op.GAMMA], n_out)
        ahp_step(spikes, w_ahp, gamma, iahp)
        add(iahp, v)
    fire(bias, threshold, threshold, False, limit, v, total, spikes)


@no_type_check
@part
def filter_step(arriving: Any, beta: Any, i: Any) -> None:
    """Do one time step of exponential synapses."""
    for k in range(i.size):
        i[k] = (i[k] + arriving[k]) * beta[k]


@no_type_check
@inner
def rate(now: Any, numbers: Any, row: Any, chosen: Any, source: Any, activity: Any) -> None:
    """Do one time step of rate neurons."""
    n = activity.size
    threshold, state = some(numbers, now[op.THRESHOLD], n), some(row, now[op.VMEM], n)
    arriving, drive = some(row, now[op.ARRIVING], n), some(row, now[op.TOTAL], n)
    if now[op.WEIGHT] >= 0:
        activate(state, threshold, now[op.OPTION], activity)  # that of the step before
        add_rows(activity, some(numbers, now[op.WEIGHT], n * n), arriving, chosen)
    else:
        clear(arriving)
    add_up(source, some(numbers, now[op.BIAS], n), drive)
    approach(drive, arriving, some(numbers, now[op.ALPHA], n), state)
    activate(state, threshold, now[op.OPTION], activity)


@no_type_check
@inner
def euler(now: Any, numbers: Any, row: Any, chosen: Any, source: Any, target: Any) -> None:
    """Do one time step of neurons of NIR, as `rockpool.nn.kernels.euler` does many."""
    n = target.size
    v, isyn, spikes = (
        some(row, now[op.VMEM], n),
        some(row, now[op.ISYN], n),
        some(row, now[op.IAHP], n),
    )
    arriving, irec = some(row, now[op.ARRIVING], n), some(row, now[op.OTHER], n)
    before, seen = some(row, now[op.TOTAL], n), some(row, now[op.TOTAL] + n, n)
    span = some(row, now[op.TOTAL] + 2 * n, n)
    rules, mem = some(numbers, now[op.BIAS], 7), some(numbers, now[op.ALPHA], 3 * n)
    threshold = some(numbers, now[op.THRESHOLD], n)
    late_output, when, strict = rules[6] != 0, int(rules[3]), rules[4] != 0
    if late_output:
        copy(spikes if spikes.size > 0 else v, target)
    copy(source, arriving)
    if now[op.WEIGHT] >= 0:
        add_rows(spikes, some(numbers, now[op.WEIGHT], n * n), irec, chosen)
        add(irec, arriving)
    if isyn.size > 0:
        syn = some(numbers, now[op.BETA], 2 * n)
        synapse_step(syn[:n], syn[n:], rules[0] != 0, rules[1] != 0, isyn, arriving)
    copy(v, before)
    membrane_step(arriving, mem[:n], mem[n : 2 * n], mem[2 * n :], v)
    if threshold.size > 0:
        v_reset = some(numbers, now[op.THRESHOLD] + n, n)
        for k in range(n):
            span[k] = threshold[k] - v_reset[k]
        if when == LATE:
            reset_row(int(rules[2]), spikes, v_reset, span, v)
        if when == AHEAD:
            ahead_row(threshold, span, strict, before, v, seen)
        else:
            copy(v, seen)
        fire_row(threshold, v_reset, span, rules[5], strict, seen, spikes)
        if when != LATE:
            reset_row(int(rules[2]), spikes, v_reset, span, v)
    if not late_output:
        copy(spikes if spikes.size > 0 else v, target)


@no_type_check
@part
def apply(function: int, source: Any, target: Any) -> None:
    """Write a function of each number into `target`."""
    zero = target.dtype.type(0)
    for k in range(target.size):
        value = source[k]
        if function == _ABSOLUTE:
            target[k] = abs(value)
        elif function == _EXP:
            target[k] = exp(value)
        elif function == _FLOOR:
            target[k] = np.floor(value)
        elif function == _NEGATIVE:
            target[k] = -value
        elif function == _RELU:
            target[k] = zero if value < zero else value
        elif function == _SQRT:
            target[k] = sqrt(value)
        elif function == _SQUARE:
            target[k] = value * value
        else:
            target[k] = tanh(value)
