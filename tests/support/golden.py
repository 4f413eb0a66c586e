"""Deterministic inputs and weights, for which the right answers are known."""

from __future__ import annotations

import numpy as np

# constants of a layer of two LIF neurons with two synapses each
LIF_CONSTANTS = {
    "tau_mem": [0.01, 0.03],
    "tau_syn": [[0.005, 0.02], [0.01, 0.015]],
    "bias": [0.05, -0.02],
    "threshold": [1.0, 0.8],
}


def inputs(n_batch: int, n_steps: int, n_channels: int, scale: float = 1.0) -> np.ndarray:
    """Return ``((7 b + 3 t + 5 i) mod 11) / 11 * scale``, shape (batch, time, channel)."""
    b, t, i = np.ogrid[:n_batch, :n_steps, :n_channels]
    return ((7 * b + 3 * t + 5 * i) % 11) / 11 * scale


def weights(n_rows: int, n_columns: int, scale: float = 0.5) -> np.ndarray:
    """Return ``((7 k mod 13) / 13 - 0.4) * scale`` for the k-th element in row-major order."""
    k = np.arange(n_rows * n_columns)
    return (((7 * k) % 13 / 13 - 0.4) * scale).reshape(n_rows, n_columns)


# What a recurrent layer of these constants, with w_rec = weights(2, 4), answers to
# inputs(2, 6, 4, 1.5): spikes of both batch elements, and the record of batch element 0 in
# row-major order (time, neuron, synapse).
LIF_SPIKES = [
    [0, 2, 2, 3, 3, 6, 4, 8, 4, 8, 6, 11],
    [0, 0, 3, 3, 3, 4, 4, 6, 5, 7, 6, 9],
]
# fmt: off
LIF_VMEM = [0.6985655, 0.1241457, 0.7481809, 0.6259435, 0.2634986, 0.5757042,
        0.0112746, 0.264531, 0.4017814, 0.7579451, 0.2473071, 0.3713242]
LIF_ISYN = [0., 0.6485655, 1.2338692, 0.5102765, 0.1334016, 1.9326911, 1.2100985, 1.7157692,
        0.1492977, 2.3872189, 1.1898555, 3.6004261, 0.0312009, 3.6916502, 1.165844, 4.9618567,
        -1.3239292, 5.665509, -0.1422703, 7.0643567, -2.0984807, 7.9322409, -0.9557402,
        9.4139676]
LIF_IREC = [0., 0., 0., 0., -0.2461538, 0.2923077, -0.1692308, 0.3692308, -0.7692308, 0.5769231,
        -0.5769231, 0.7692308, -1.3384615, 1.0846154, -0.9923077, 1.4307692, -1.7846154,
        1.4461538, -1.3230769, 1.9076923, -1.7846154, 1.4461538, -1.3230769, 1.9076923]
# fmt: on
