"""One time step of neurons of NIR in numpy, on rows of memory that are changed in place."""

from __future__ import annotations

import numpy as np

from rockpool.nn.models import euler

__all__ = ["membrane_step", "spiking_step", "synapse_step"]

Row = np.ndarray


def synapse_step(rules: euler.Rules, a_syn: Row, g_syn: Row, isyn: Row, current: Row) -> None:
    """Do one time step of the synaptic currents; `current`, the input, becomes what is seen."""
    new = (isyn + current) * a_syn if rules.at_once else isyn * a_syn + current * g_syn
    current[...] = isyn if rules.old else new
    isyn[...] = new


def membrane_step(a_mem: Row, g_mem: Row, leak: Row, current: Row, v: Row) -> None:
    """Do one time step of the membrane, before it fires."""
    v[...] = v * a_mem + current * g_mem + leak


def spiking_step(
    rules: euler.Rules,
    a_mem: Row,
    g_mem: Row,
    leak: Row,
    threshold: Row,
    v_reset: Row,
    current: Row,
    v: Row,
    spikes: Row,
) -> None:
    """Do one time step of membranes that fire."""
    passes = np.greater if rules.strict else np.greater_equal
    again = passes(v, threshold) if rules.reset_delay == euler.AHEAD else None
    span = threshold - v_reset
    membrane_step(a_mem, g_mem, leak, current, v)
    if rules.reset_delay == euler.LATE:
        _reset(rules, spikes, v_reset, span, v)
    seen = v if again is None else v - again * span
    fires = passes(seen, threshold)
    if rules.max_spikes == 1:
        spikes[...] = fires
    else:
        times = (seen - v_reset) / span
        times = np.ceil(times) - 1 if rules.strict else np.floor(times)
        spikes[...] = np.where(fires, np.clip(times, 1, rules.max_spikes), 0)
    if rules.reset_delay != euler.LATE:
        _reset(rules, spikes, v_reset, span, v)


def _reset(rules: euler.Rules, spikes: Row, v_reset: Row, span: Row, v: Row) -> None:
    if rules.reset == euler.VALUE:
        np.copyto(v, v_reset, where=spikes > 0)
    elif rules.reset == euler.SUBTRACT:
        v -= spikes * span
