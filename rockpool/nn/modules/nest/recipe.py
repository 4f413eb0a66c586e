"""The reference neuron in the terms of NEST: which of its parameters and weights give the same.

The model is ``gif_psc_exp_multisynapse``. It has any number of exponential synapses and an adaptive
threshold. Without a refractory time it never resets. Its threshold rises with each spike by what
the reference subtracts from the membrane, and decays as the membrane does: the same thing, seen
from the other side. Its spikes are drawn at random, with a rate that grows with
``exp((V_m - threshold) / Delta_V)``; with a `Delta_V` far below the resolution of the numbers there
is nothing left to chance. It emits one spike a step at most, which is the reference with
``max_spikes_per_dt = 1``.

NEST adds a spike to the synaptic current at the end of a step, and the current to the membrane in
the next, by exact integration. An input thus reaches the membrane one step late, for which the
simulation runs longer. A spike from another neuron takes one more step to arrive, and that would be
one too many. So a recurrent layer runs with two steps of NEST for each time step, and a recurrent
input goes to two synapses: to the real one, which then has half a time step left to act, and to one
so short that it only makes the membrane jump, by what is missing. In the steps between the time
steps a jump holds all neurons down, and the opposite one lets them go.

R. Pozzorini, S. Mensi, O. Hagens, R. Naud, C. Koch, W. Gerstner, Automated high-throughput
characterization of single neurons by means of simplified spiking models, PLoS Computational Biology
11 (2015), for the model.
"""

from __future__ import annotations

import numpy as np

Arrays = dict[str, np.ndarray]

# A step is so many time constants of the synapse that only makes jumps: nothing is left of it.
# (NEST's formula ends at about 700.)
_JUMP_STEP = 500.0
# A step is so many of the shortest time constants: 1e-65 is left of them.
_LONGEST_STEP = 150.0
# Time steps that stand for an infinite time constant: the decay in a step is exactly 1.
INFINITE = 1e17
# The part of the threshold by which a membrane may miss it, to make up for rounding.
TOLERANCE = 1e-10


def neurons(
    tau_mem: np.ndarray,  # (N,), in time steps
    tau_syn: np.ndarray,  # (N, S), in time steps
    bias: np.ndarray,  # (N,)
    threshold: np.ndarray,  # (N,)
    substeps: int,  # steps of NEST for each time step: 1, or 2 for a recurrent layer
    hold: float | int,  # by how many thresholds neurons are held down between two time steps
) -> Arrays:
    """Return the parameters and weights for N neurons with S synapses, in arrays by name.

    Parameters: ``tau_mem`` (N,), ``tau_syn`` (N, S + 1; the last one makes jumps), ``threshold``,
    ``rise`` (of the threshold with a spike) and ``current`` (N,).

    Weights: ``input_weight`` (N, S) for an input of 1, ``jump_weight`` (N,) for a jump of the
    membrane by 1, and with two substeps ``recurrent_weight`` and ``recurrent_jump`` (N, S) for
    a recurrent input of 1, ``hold_weight`` and ``release_weight`` (N,).
    """
    step = 1.0 / substeps
    shortest, jumps = step / _LONGEST_STEP, np.full(tau_mem.shape, step / _JUMP_STEP)
    tau_mem = np.clip(tau_mem, shortest, INFINITE)
    tau_syn = np.clip(tau_syn, shortest, INFINITE)
    alpha, beta = np.exp(-step / tau_mem), np.exp(-step / tau_syn)  # decays in a step of NEST
    effect = propagator(tau_mem[:, np.newaxis], tau_syn, step)
    jump_weight = 1.0 / propagator(tau_mem, jumps, step)
    common: Arrays = {
        "tau_mem": tau_mem,
        "tau_syn": np.column_stack([tau_syn, jumps]),
        "threshold": threshold * (1.0 - TOLERANCE),
        "rise": threshold * alpha,
        "jump_weight": jump_weight,
    }
    if substeps == 1:
        per_current = -tau_mem * np.expm1(-step / tau_mem)
        return {**common, "current": bias / per_current, "input_weight": beta / effect}
    both = alpha[:, np.newaxis] + beta
    return {
        **common,
        "current": np.zeros(tau_mem.shape),
        "input_weight": beta**2 / (both * effect),
        "recurrent_weight": beta**3 / (both * effect),
        "recurrent_jump": beta**2 * (alpha * jump_weight)[:, np.newaxis] / both,
        "hold_weight": -hold * threshold * jump_weight,
        "release_weight": (hold * threshold * alpha + bias) * jump_weight,
    }


def connections(w_rec: np.ndarray, recipe: Arrays) -> Arrays:
    """Return the recurrent connections of weights (N, N * S); those of weight 0 are left out.

    ``pre``, ``post`` (indices of neurons), ``receptor`` (from 1) and ``weight``, all (C,).
    """
    if "recurrent_weight" not in recipe:
        nothing = np.empty(0, dtype=np.int64)
        return {"pre": nothing, "post": nothing, "receptor": nothing, "weight": np.empty(0)}
    n_out, n_syn = recipe["recurrent_weight"].shape
    weights = w_rec.reshape(n_out, n_out, n_syn)
    jumps = (weights * recipe["recurrent_jump"]).sum(axis=2, keepdims=True)
    scaled = np.concatenate([weights * recipe["recurrent_weight"], jumps], axis=2)
    pre, post, receptor = np.nonzero(scaled)
    weight = scaled[pre, post, receptor]
    return {"pre": pre, "post": post, "receptor": receptor + 1, "weight": weight}


def propagator(tau_mem: np.ndarray, tau_syn: np.ndarray, step: float | int) -> np.ndarray:
    """Return what a current of 1 adds, within a step, to a membrane of capacity 1.

    That is ``(exp(-step / tau_mem) - exp(-step / tau_syn)) / (1 / tau_syn - 1 / tau_mem)``, and its
    limit where both are equal.
    """
    slower = np.exp(-step / np.maximum(tau_mem, tau_syn))
    difference = np.abs(step / tau_syn - step / tau_mem)
    equal = difference == 0
    difference = np.where(equal, 1.0, difference)
    return step * slower * np.where(equal, 1.0, -np.expm1(-difference) / difference)
