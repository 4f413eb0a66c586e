"""Two layers of `LIF`, for what is looked at between layers, and after `rockpool.convert`."""

from typing import Any, NamedTuple

import numpy as np

import rockpool
from rockpool.nn.combinators import Sequential
from rockpool.nn.modules import LIF, Linear

TAU_MEM, TAU_SYN = 20e-3, 5e-3


class Stacked(NamedTuple):
    """Input, and what two layers make of it."""

    spikes_in: np.ndarray  # (T, 8)
    jumps: tuple[np.ndarray, np.ndarray]  # of the synaptic current, in thresholds
    wanted: tuple[np.ndarray, np.ndarray]  # (T, 6) and (T, 4)

    def lateness(self, step: Any, neuron: Any, wanted: np.ndarray) -> int | None:
        """By how many steps spikes are late; None if they are not the wanted ones."""
        step = np.rint(np.asarray(step)).astype(int)
        for late in range(10):
            inside = (step >= late) & (step - late < len(wanted))
            found = np.zeros_like(wanted)
            np.add.at(found, (step[inside] - late, np.asarray(neuron)[inside].astype(int)), 1)
            if wanted.any() and np.array_equal(found, wanted):
                return late
        return None


def weight_of(jump: Any, dt: float) -> Any:
    """Return the weight of `LIF` for a jump of the current in ``tau_mem dV/dt = -V + I``."""
    a, b = np.exp(-dt / TAU_MEM), np.exp(-dt / TAU_SYN)
    return jump * TAU_SYN / (TAU_MEM - TAU_SYN) * (a - b) / b


def stacked(dt: float, seconds: float = 0.3) -> Stacked:
    """Return the case for a time step: neurons that fire once a step at most."""
    rng = np.random.default_rng(1)
    spikes_in = (rng.random((round(seconds / dt), 8)) < 40 * dt).astype(float)
    jumps = rng.normal(0.8, 0.8, (8, 6)), rng.normal(1.5, 1.0, (6, 4))
    wanted, data = [], spikes_in
    for each in jumps:
        data = _layer(each.shape[1], dt, max_spikes_per_dt=1)(data @ weight_of(each, dt))[0][0]
        wanted.append(data)
    return Stacked(spikes_in, jumps, tuple(wanted))


def recurrent(dt: float) -> tuple[Stacked, np.ndarray]:
    """Return a case of one recurrent layer, with the jumps of its recurrent weights (6, 6)."""
    case = stacked(dt)
    jumps = np.random.default_rng(2).normal(0.3, 0.6, (6, 6))
    layer = _layer(6, dt, max_spikes_per_dt=1, has_rec=True, w_rec=weight_of(jumps, dt))
    wanted = layer(case.spikes_in @ weight_of(case.jumps[0], dt))[0][0]
    assert not np.array_equal(wanted, case.wanted[0])
    return case._replace(wanted=(wanted,)), jumps


def converted(backend: str, dt: float, **options: Any) -> tuple[Any, Any]:
    """Run a network with a recurrent layer here and on a back-end: differences, and none."""
    rng = np.random.default_rng(3)
    w_rec = weight_of(rng.normal(0.3, 0.6, (4, 4)), dt)
    first, second = (weight_of(rng.normal(2, 1, shape), dt) for shape in ((8, 6), (6, 4)))
    network = Sequential(
        Linear((8, 6), weight=first),
        _layer(6, dt, **options),
        Linear((6, 4), weight=second),
        _layer(4, dt, has_rec=True, w_rec=w_rec, **options),
    )
    data = (rng.random((2, round(0.2 / dt), 8)) < 40 * dt).astype(float)
    _, _, wanted = network(data, record=True)
    _, _, found = rockpool.convert(network, backend)(data, record=True)
    seen = []
    for name, layer in wanted.items():
        if "spikes" in layer:
            seen.append(
                (int(layer["spikes"].sum()), int((found[name]["spikes"] != layer["spikes"]).sum()))
            )
    assert len(seen) == 2 and all(total for total, _ in seen)
    counts = " and ".join(str(total) for total, _ in seen)
    return (
        f"{counts} spikes, {sum(wrong for _, wrong in seen)} differ",
        f"{counts} spikes, 0 differ",
    )


def _layer(n: int, dt: float, **options: Any) -> LIF:
    return LIF(n, tau_mem=TAU_MEM, tau_syn=TAU_SYN, dt=dt, **options)
