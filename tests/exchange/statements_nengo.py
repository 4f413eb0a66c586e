"""What docs/simulators.md says of nengo, looked at: `python statements_nengo.py 1e-3`."""

from typing import Any

import nengo
import numpy as np
from stating import equal_spikes, state

AT_ZERO = {"voltage": nengo.dists.Choice([0])}


def output_of(dt: float, seconds: float, current: float, **options: Any) -> np.ndarray:
    """Run a neuron with a constant current, and return its output in each step."""
    with nengo.Network() as network:
        kind = nengo.LIF(**{"tau_rc": 0.02, "tau_ref": 0, "initial_state": AT_ZERO} | options)
        neuron = nengo.Ensemble(1, 1, neuron_type=kind, gain=[1], bias=[current])
        probe = nengo.Probe(neuron.neurons)
    return _run(network, dt, seconds).data[probe][:, 0]


def voltages_of(dt: float, n: int, current: float, **options: Any) -> np.ndarray:
    """Run neurons with a constant current for 20 ms, and return their voltages (T, n)."""
    with nengo.Network(seed=0) as network:
        kind = nengo.LIF(**{"tau_rc": 0.02, "tau_ref": 0} | options)
        neurons = nengo.Ensemble(n, 1, neuron_type=kind, gain=np.ones(n), bias=np.full(n, current))
        probe = nengo.Probe(neurons.neurons, "voltage")
    return _run(network, dt, 0.02).data[probe]


def _run(network: Any, dt: float, seconds: float) -> Any:
    with nengo.Simulator(network, dt=dt, progress_bar=False) as simulator:
        simulator.run_steps(round(seconds / dt))
    return simulator


def nengo_equal(dt: float) -> tuple[Any, Any]:
    return equal_spikes("nengo", dt=dt, references=("wanted_hard",))


def nengo_threshold(dt: float) -> tuple[Any, Any]:
    fires = []
    for current in (1.0, 1.0 + 1e-6):
        at = {"voltage": nengo.dists.Choice([current])}
        fires.append(bool(output_of(dt, 3 * dt, current, initial_state=at).any()))
    return fires, [False, True]


def nengo_size(dt: float) -> tuple[Any, Any]:
    output = output_of(dt, 0.02, 1e4, amplitude=0.3) * dt
    return sorted(set(output.round(9).tolist())), [0.3]


def nengo_initial(dt: float) -> tuple[Any, Any]:
    first = voltages_of(dt, 1000, 0.0)[0]
    return bool(0 <= first.min() < 0.1 and 0.9 * np.exp(-dt / 0.02) < first.max() < 1), True


def nengo_minimum(dt: float) -> tuple[Any, Any]:
    lowest = []
    for options in ({}, {"min_voltage": -np.inf}):
        voltages = voltages_of(dt, 1, -2.0, initial_state=AT_ZERO, **options)
        lowest.append(round(float(voltages.min()), 3))
    return lowest, [0.0, round(-2 * (1 - np.exp(-1)), 3)]


def nengo_refractory(dt: float) -> tuple[Any, Any]:
    """Driven with twice the threshold and 2 ms of refractory period: mean and exact interval."""
    steps = np.flatnonzero(output_of(dt, 2.0, 2.0, tau_ref=2e-3))
    exact = (2e-3 + 0.02 * np.log(2)) / dt
    lengths = sorted(set(np.diff(steps).tolist()))
    right = abs(np.diff(steps).mean() - exact) < 0.02
    return [lengths, bool(right)], [[int(exact), int(exact) + 1], True]


if __name__ == "__main__":
    state(nengo_equal, nengo_threshold, nengo_size, nengo_initial, nengo_minimum, nengo_refractory)
