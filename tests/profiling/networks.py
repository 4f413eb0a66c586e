"""Networks whose work NeuroBench has counted as well, and their input, made on numpy."""

from __future__ import annotations

from typing import Any

import numpy as np

from rockpool.nn.combinators import Residual, Sequential
from rockpool.nn.modules import LIF, Instant, Linear, Rate

BATCH, STEPS, N_IN = 4, 50, 16


def weights(seed: int, *shape: int, zeros: float = 0.0) -> np.ndarray:
    """Multiples of 1/16 between -1 and 1, some of them 0."""
    generator = np.random.default_rng(seed)
    values = generator.integers(1, 17, shape) * generator.choice([-1, 1], shape) / 16
    return values * (generator.random(shape) >= zeros)


def spikes(seed: int, rate: float = 0.3) -> np.ndarray:
    return (np.random.default_rng(seed).random((BATCH, STEPS, N_IN)) < rate).astype(float)


def one_spike(n_neurons: int, **options: Any) -> LIF:
    return LIF(n_neurons, tau_mem=10e-3, tau_syn=5e-3, max_spikes_per_dt=1, **options)


def linear(seed: int, n_in: int, n_out: int, *, bias: bool = False, zeros: float = 0.0) -> Linear:
    given = {"bias": weights(seed + 100, n_out) / 8} if bias else {}
    return Linear((n_in, n_out), weight=weights(seed, n_in, n_out, zeros=zeros), **given)


def feed_forward() -> tuple[Any, np.ndarray]:
    """Binary input, dense weights, one spike a step."""
    return (
        Sequential(linear(1, N_IN, 32), one_spike(32), linear(2, 32, 10), one_spike(10)),
        spikes(3),
    )


def pruned() -> tuple[Any, np.ndarray]:
    """Real input, biases, half of the weights zero."""
    net = Sequential(
        linear(4, N_IN, 24, bias=True, zeros=0.5),
        one_spike(24),
        linear(5, 24, 8, bias=True, zeros=0.7),
        one_spike(8),
    )
    return net, np.random.default_rng(6).integers(-16, 17, (BATCH, STEPS, N_IN)) / 16


def recurrent() -> tuple[Any, np.ndarray]:
    """Recurrent weights, a third of them zero."""
    rec = one_spike(20, has_rec=True, w_rec=weights(7, 20, 20, zeros=0.3) / 2)
    return Sequential(linear(8, N_IN, 20), rec, linear(9, 20, 5), one_spike(5)), spikes(10)


def graded() -> tuple[Any, np.ndarray]:
    """Ternary input, and neurons with several spikes in some steps."""
    net = Sequential(
        linear(11, N_IN, 12),
        LIF(12, tau_mem=10e-3, tau_syn=5e-3, threshold=4.0),
        linear(12, 12, 6, bias=True),
        LIF(6),
    )
    return net, spikes(13, 0.2) - spikes(14, 0.2)


def analogue() -> tuple[Any, np.ndarray]:
    """No spikes: rate neurons, of which those below threshold are silent, in a residual block."""
    net = Sequential(
        linear(15, N_IN, 12, bias=True),
        Rate(12, tau=5e-3, activation_func="relu"),
        Residual(linear(16, 12, 12, zeros=0.2), Rate(12, tau=2e-3)),
        Instant(12),
        linear(17, 12, 4, bias=True),
    )
    return net, np.random.default_rng(18).integers(-16, 17, (BATCH, STEPS, N_IN)) / 16


NETWORKS = {
    function.__name__: function for function in (feed_forward, pruned, recurrent, graded, analogue)
}
