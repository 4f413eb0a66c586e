"""The neurons of NIR, compiled: forward. See `rockpool.nn.models.euler` for the model."""

from __future__ import annotations

from typing import Any, no_type_check

import numpy as np

from rockpool.nn.kernels.compiling import kernel, part, view
from rockpool.nn.kernels.parts import add, copy
from rockpool.nn.kernels.recurrence import ROWS, recurrent_input

__all__ = ["AHEAD", "LATE", "NONE", "VALUE", "ahead_row", "euler_forward", "reset_row"]

NONE, VALUE = 0, 1  # resets; another one is by subtraction
LATE, AHEAD = 1, 2  # when it comes; else at once


@no_type_check
@kernel(
    like="vmem", over="x", w_rec=2, a_syn=1, g_syn=1, threshold=1, v_reset=1, isyn=2, spikes=2,
    reached=3, fired=3, currents=3, vmem_record=3,
)  # fmt: skip
def euler_forward(
    x: Any,
    w_rec: Any,
    a_mem: Any,
    g_mem: Any,
    leak: Any,
    a_syn: Any,
    g_syn: Any,
    threshold: Any,
    v_reset: Any,
    rules: Any,
    vmem: Any,
    isyn: Any,
    spikes: Any,
    reached: Any,
    fired: Any,
    currents: Any,
    vmem_record: Any,
) -> None:
    """Run neurons of NIR over time.

    Parameters
    ----------
    x : array (B, T, N)
        Input; of the type of the other arrays, or in single precision where they are in double.
    w_rec : array (N, N) or of size 0
        Recurrent weights. Only the rows of neurons that spike are read.
    a_mem, g_mem, leak : array (N,)
        What is left of the membrane, the gain of the current, and what is added in any case.
    a_syn, g_syn : array (N,) or of size 0
        What is left of the synaptic current, and the gain of the input.
    threshold, v_reset : array (N,) or of size 0
        Where neurons fire, and where they are reset to.
    rules : array (7,)
        As numbers: whether input decays at once; whether the membrane sees the old current; the
        reset, `NONE`, `VALUE` or another; when it comes, `LATE`, `AHEAD` or at once; whether the
        threshold has to be passed; the most spikes in one step; the last one is not looked at.
    vmem, isyn, spikes : array (B, N), the last two or of size 0
        The state, changed in place.
    reached, vmem_record : array (B, T, N) or of size 0
        For the membrane before any reset, which `euler_backward` needs, and after it.
    fired, currents : array (B, T, N) or of size 0
        For the number of spikes and the synaptic current.
    """
    x, vmem, isyn, spikes = view(x), view(vmem), view(isyn), view(spikes)
    reached, fired = view(reached), view(fired)
    currents, vmem_record = view(currents), view(vmem_record)
    n_batch, n_steps, n = x.shape
    at_once, old, how, when = rules[0] != 0, rules[1] != 0, int(rules[2]), int(rules[3])
    strict, limit = rules[4] != 0, vmem.dtype.type(rules[5])
    recurrent, synaptic, spiking = w_rec.size > 0, isyn.size > 0, threshold.size > 0
    arriving, before, seen = np.empty((3, n), vmem.dtype)
    irec = np.zeros((1, n), vmem.dtype)
    chosen = np.empty(ROWS + 1, np.intp)
    span = np.empty(threshold.size, vmem.dtype)
    for k in range(threshold.size):
        span[k] = threshold[k] - v_reset[k]

    for b in range(n_batch):
        v = vmem[b]
        for t in range(n_steps):
            copy(x[b, t], arriving)
            if recurrent:
                recurrent_input(spikes[b : b + 1], w_rec, irec, chosen)
                add(irec[0], arriving)
            if synaptic:
                synapse_step(a_syn, g_syn, at_once, old, isyn[b], arriving)
            if when == AHEAD:
                copy(v, before)
            membrane_step(arriving, a_mem, g_mem, leak, v)
            if reached.size > 0:
                copy(v, reached[b, t])
            if spiking:
                if when == LATE:
                    reset_row(how, spikes[b], v_reset, span, v)
                if when == AHEAD:
                    ahead_row(threshold, span, strict, before, v, seen)
                    fire_row(threshold, v_reset, span, limit, strict, seen, spikes[b])
                else:
                    fire_row(threshold, v_reset, span, limit, strict, v, spikes[b])
                if when != LATE:
                    reset_row(how, spikes[b], v_reset, span, v)
                copy(spikes[b], fired[b, t])
            if currents.size > 0:
                copy(isyn[b], currents[b, t])
            if vmem_record.size > 0:
                copy(v, vmem_record[b, t])


@no_type_check
@part
def synapse_step(a_syn: Any, g_syn: Any, at_once: bool, old: bool, isyn: Any, current: Any) -> None:
    """Do one time step of the synaptic currents; `current`, the input, becomes what is seen."""
    if at_once:
        for k in range(isyn.size):
            new = (isyn[k] + current[k]) * a_syn[k]
            current[k] = isyn[k] if old else new
            isyn[k] = new
    else:
        for k in range(isyn.size):
            new = isyn[k] * a_syn[k] + current[k] * g_syn[k]
            current[k] = isyn[k] if old else new
            isyn[k] = new


@no_type_check
@part
def membrane_step(current: Any, a_mem: Any, g_mem: Any, leak: Any, v: Any) -> None:
    """Do one time step of the membrane, before it fires."""
    for k in range(v.size):
        v[k] = (v[k] * a_mem[k] + current[k] * g_mem[k]) + leak[k]


@no_type_check
@part
def fire_row(
    threshold: Any, v_reset: Any, span: Any, limit: Any, strict: bool, v: Any, spikes: Any
) -> None:
    """Count the spikes."""
    zero, one = v.dtype.type(0), v.dtype.type(1)
    if limit == one:
        for k in range(v.size):
            above = v[k] > threshold[k] if strict else v[k] >= threshold[k]
            spikes[k] = one if above else zero
        return
    for k in range(v.size):
        above = v[k] > threshold[k] if strict else v[k] >= threshold[k]
        times = (v[k] - v_reset[k]) / span[k]
        times = np.ceil(times) - one if strict else np.floor(times)
        spikes[k] = min(max(times, one), limit) if above else zero


@no_type_check
@part
def reset_row(how: int, spikes: Any, v_reset: Any, span: Any, v: Any) -> None:
    """Reset the membrane by some spikes."""
    if how == NONE:
        return
    if how == VALUE:
        for k in range(v.size):
            v[k] = v_reset[k] if spikes[k] > 0 else v[k]
    else:
        for k in range(v.size):
            v[k] = v[k] - spikes[k] * span[k]


@no_type_check
@part
def ahead_row(threshold: Any, span: Any, strict: bool, before: Any, v: Any, seen: Any) -> None:
    """Take one reset off where the membrane was above the threshold before the step."""
    for k in range(v.size):
        above = before[k] > threshold[k] if strict else before[k] >= threshold[k]
        seen[k] = v[k] - span[k] if above else v[k]
