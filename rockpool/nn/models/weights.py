"""Initial weights with which spiking neurons pass on about as many spikes as they get.

Layers of LIF neurons silence what is weak and amplify what is strong, and the default weights, made
for layers without time, are a hundredfold too large: an input goes on acting for a whole time
constant. A neuron with a synaptic decay ``beta`` and a membrane decay ``alpha`` gets the charge
``w beta / (1 - beta)`` from an input, and needs its threshold ``theta`` for each spike, and about
half of ``(1 - alpha) theta`` in each time step for the leak. To pass on ``p`` spikes per time step
of each of its ``n`` inputs it needs weights of the sum ``g`` with ``g p beta / (1 - beta) = theta
(p + c (1 - alpha))``. The ``c``, near one half, was found by simulation: the less, the stronger the
fluctuations are.
"""

from typing import NamedTuple

import numpy as np

__all__ = ["Spiking", "spiking_weights", "uniform_about"]


class Spiking(NamedTuple):
    """What spiking weights are made for: by default, LIF neurons with their defaults at 50 Hz."""

    rate: float = 50.0  # of each input, in Hz
    tau_mem: float = 20e-3  # s
    tau_syn: float = 20e-3  # s
    threshold: float = 1.0
    dt: float = 1e-3  # s

    def total(self) -> float:
        """Return the sum of the weights of one neuron."""
        p = self.rate * self.dt
        leak = -np.expm1(-self.dt / self.tau_mem)
        beta = np.exp(-self.dt / self.tau_syn)
        share = max(0.56 - 0.07 * leak / p, 0.2)
        return float(self.threshold * (p + share * leak) * (1 - beta) / (p * beta))


def uniform_about(drawn: np.ndarray, total: float | int, spread: float | int = 1.0) -> np.ndarray:
    """Return weights (Nin, Nout), each column of which has a sum.

    Parameters
    ----------
    drawn : np.ndarray
        Random numbers (Nin, Nout) from U(-1, 1).
    total : float
        The sum.
    spread : float
        Standard deviation of the weights, in units of ``total / sqrt(Nin)``. Default: 1.
    """
    n_in = len(drawn)
    around = drawn * (spread * total * np.sqrt(3.0 / n_in))
    return around - around.mean(0) + total / n_in


def spiking_weights(shape: tuple[int, ...]) -> np.ndarray:
    """Draw weights (Nin, Nout) for LIF neurons with their default values, at about 50 Hz."""
    drawn = np.random.uniform(-1.0, 1.0, shape)
    return uniform_about(drawn, Spiking().total())
