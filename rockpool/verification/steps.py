"""Each time step of a neuron on its own: is it what numpy does, from the same state and input?

Errors of rounding gather over the memory of a neuron: how far a membrane is from that of another
run says little of what it comes from. In a single step nothing gathers.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from rockpool.nn.conversion import build
from rockpool.verification.layers import Activity

__all__ = ["input_error", "step_error"]


def input_error(one: Activity, other: Activity, batch: int, step: int, precision: str) -> float:
    """Return how far the inputs of a layer in two runs are apart, up to a time step.

    In units in the last place of the largest number of them; NaN where they were not to be seen.
    """
    if one.given is None or other.given is None:
        return float("nan")
    first, second = (given[batch, : step + 1].astype(float) for given in (one.given, other.given))
    return float(_in_ulp(np.abs(first - second).max(), np.abs(first).max(), precision))


def step_error(layer: Activity, batch: int, step: int, neuron: int, precision: str) -> float:
    """Return how far the time steps of a neuron are from those of numpy.

    Each step, up to the one that is named, is taken anew in double precision, from the state and
    the input that were recorded. The result is the largest difference of a state, the membrane
    before its reset, in units in the last place of the largest number in that step; NaN where the
    records do not tell all states.
    """
    module: Any = build(layer.node.without_states(), "numpy", dtype="float64")
    rest = module.state()
    until = slice(step + 1)
    got = {
        name: np.asarray(layer.record[name][batch, until], dtype=float)
        for name, state in rest.items()
        if name in layer.record and layer.record[name].shape[2:] == np.shape(state)
    }
    if layer.given is None or got.keys() != rest.keys() or not {"vmem", "spikes"} <= got.keys():
        return float("nan")
    before = {
        name: np.concatenate([rest[name][np.newaxis], course[:-1]]) for name, course in got.items()
    }
    module.keep_batch_state()
    module.set_attributes(before)  # the steps are a batch
    module(layer.given[batch, until, np.newaxis].astype(float))
    due = module.state()
    threshold = layer.node.parameters["threshold"].array
    for states in (got, due):
        states["vmem"] = states["vmem"] + states["spikes"] * threshold
    size = np.zeros(step + 1)  # of the largest number that a state is computed from
    if "w_rec" in layer.node.parameters:
        sums = before["spikes"] @ np.abs(layer.node.parameters["w_rec"].array)
        size = _largest(sums.reshape(step + 1, got["vmem"].shape[-1], -1), neuron)
    largest = 0.0
    for name in sorted(got.keys() - {"spikes"}):  # the membrane comes last, and is made of all
        for states in (before, got):
            size = np.maximum(size, _largest(states[name], neuron))
        error = _largest(got[name] - due[name], neuron)
        largest = max(largest, float(_in_ulp(error, size, precision).max()))
    return largest


def _largest(values: np.ndarray, neuron: int) -> np.ndarray:
    """Return the largest size of the values (T, N, ...) of a neuron in each time step."""
    own: np.ndarray = np.abs(values[:, neuron].reshape(len(values), -1)).max(axis=1)
    return own


def _in_ulp(error: Any, size: Any, precision: str) -> np.ndarray:
    unit = np.spacing(np.asarray(size, dtype=precision))
    return np.asarray(error / unit.astype(float))
