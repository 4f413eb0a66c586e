"""What docs/simulators.md says of PyNN, looked at: `python statements_pynn.py 1e-3`."""

import importlib
from typing import Any

import brian2
import numpy as np
from stating import equal_spikes, raised, run_page, state

brian2.prefs.codegen.target = "numpy"
MS = 1e3
NEURON = {"v_rest": 0.0, "v_reset": 0.0, "v_thresh": 1.0, "cm": 20.0, "tau_m": 20.0}
NEURON |= {"tau_syn_E": 5.0, "tau_syn_I": 5.0, "tau_refrac": 0.0, "i_offset": 0.0}
ON_GRID = {"spike_precision": "on_grid"}


def engine(name: str, dt: float, **options: Any) -> Any:
    """Return an engine that was set up for a time step."""
    sim = importlib.import_module(f"pyNN.{name}")
    sim.setup(timestep=round(dt * MS, 6), min_delay=round(dt * MS, 6), **options)
    return sim


def times_of(sim: Any, seconds: float, v: float = 0.0, **parameters: float) -> np.ndarray:
    """Run one neuron, and return the times of its spikes in ms."""
    model = sim.IF_curr_exp(**NEURON | parameters)
    neuron = sim.Population(1, model, initial_values={"v": v})
    neuron.record("spikes")
    sim.run(seconds * MS)
    return np.asarray(neuron.get_data().segments[0].spiketrains[0])


def pynn_equal(dt: float) -> tuple[Any, Any]:
    return equal_spikes("PyNN", dt=dt, references=("wanted_hard",))


def pynn_precise(dt: float) -> tuple[Any, Any]:
    on_grid = []
    for options in ({}, ON_GRID):  # in this order: what is asked for once stays for the next setup
        # the precise neuron takes no refractory period below a step
        sim = engine("nest", dt, **options)
        steps = times_of(sim, 0.2, i_offset=2.0, tau_refrac=dt * MS) / (dt * MS)
        on_grid.append(bool(np.abs(steps - np.rint(steps)).max() < 1e-6))
    return on_grid, [False, True]


def pynn_first(dt: float) -> tuple[Any, Any]:
    step = round(dt * MS, 6)
    sim = engine("nest", dt, **ON_GRID)
    sim.Population(1, sim.SpikeSourceArray(spike_times=[2 * step]))

    def make() -> None:
        sim.Population(1, sim.SpikeSourceArray(spike_times=[step]))

    return raised("BadProperty", make), "BadProperty"


def pynn_threshold(dt: float) -> tuple[Any, Any]:
    fires = []
    for name, options in (("nest", ON_GRID), ("brian2", {})):
        sim = engine(name, dt, **options)
        fires.append(len(times_of(sim, 3 * dt, v=1.0, tau_m=1e18)) > 0)
    return fires, [True, False]


def pynn_refractory(dt: float) -> tuple[Any, Any]:
    longer = []
    for name, options in (("nest", ON_GRID), ("brian2", {})):
        intervals = []
        for r in (0, 1, 2, 5):
            sim = engine(name, dt, **options)
            times = times_of(sim, 0.1, i_offset=2.0, tau_refrac=r * dt * MS)
            intervals.append(round((times[2] - times[1]) / (dt * MS)))
        longer.append([each - intervals[0] for each in intervals])
    return longer, [[0, 1, 2, 5], [0, 0, 1, 4]]


def pynn_neuron(dt: float) -> tuple[Any, Any]:
    """In the page's program with this engine, no lateness makes the spikes equal."""
    names = run_page(dt=dt)
    spikes_in, jumps, n_in, n_out = (names[n] for n in ("spikes_in", "jumps", "n_in", "n_out"))
    sim = engine("neuron", dt)
    neurons = sim.Population(n_out, sim.IF_curr_exp(**NEURON), initial_values={"v": 0.0})
    times = [(np.flatnonzero(train) + 2) * dt * MS - 1e-9 for train in spikes_in.T]
    sources = sim.Population(n_in, sim.SpikeSourceArray(spike_times=times))
    for kind, chosen in (("excitatory", jumps > 0), ("inhibitory", jumps < 0)):
        listed = [(i, k, jumps[i, k], dt * MS) for i, k in zip(*np.nonzero(chosen), strict=True)]
        sim.Projection(sources, neurons, sim.FromListConnector(listed), receptor_type=kind)
    neurons.record("spikes")
    sim.run((len(spikes_in) + 5) * dt * MS)
    trains = neurons.get_data().segments[0].spiketrains
    step = np.concatenate([np.asarray(train) for train in trains]) / (dt * MS)
    neuron = np.concatenate([np.full(len(train), k) for k, train in enumerate(trains)])
    equal = any(names["same"](step, neuron, names["wanted_hard"], late) for late in range(8))
    return f"{len(step)} spikes, equal: {equal}", f"{len(step)} spikes, equal: False"


if __name__ == "__main__":
    state(pynn_precise, pynn_equal, pynn_first, pynn_threshold, pynn_refractory, pynn_neuron)
