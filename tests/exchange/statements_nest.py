"""What docs/simulators.md says of NEST, looked at: `python statements_nest.py 1e-3`."""

from typing import Any

import nest
import numpy as np
from stating import equal_spikes, raised, state
from two_layers import converted, stacked

nest.verbosity = nest.VerbosityLevel.QUIET
MS = 1e3
PLAIN = {"C_m": 20.0, "tau_m": 20.0, "E_L": 0.0, "V_m": 0.0, "V_th": 1.0, "V_reset": 0.0}
PLAIN |= {"tau_syn_ex": 5.0, "tau_syn_in": 5.0, "t_ref": 0.0}
SUBTRACTING = {"C_m": 20.0, "E_L": 0.0, "V_m": 0.0, "t_ref": 0.0, "tau_syn": [5.0]}
SUBTRACTING |= {"V_T_star": 1.0, "Delta_V": 1e-18, "lambda_0": 1e6}


def fresh(dt: float) -> float:
    """Empty the kernel, and return the time step in ms."""
    nest.ResetKernel()
    nest.resolution = round(dt * MS, 6)
    return nest.resolution


def steps_of(neuron: Any, n_steps: int) -> list[int]:
    """Run, and return the steps at the end of which a neuron fires."""
    recorder = nest.Create("spike_recorder")
    nest.Connect(neuron, recorder)
    nest.Simulate(n_steps * nest.resolution)
    return np.rint(recorder.events["times"] / nest.resolution).astype(int).tolist()


def nest_equal(dt: float) -> tuple[Any, Any]:
    return equal_spikes("NEST", dt=dt, references=("wanted", "wanted_hard"))


def nest_threshold(dt: float) -> tuple[Any, Any]:
    fired = []
    for threshold in (1.0, 1.0 + 1e-12):
        fresh(dt)
        at_rest = {"E_L": 1.0, "V_m": 1.0, "V_th": threshold}
        fired.append(len(steps_of(nest.Create("iaf_psc_exp", 1, PLAIN | at_rest), 2)) > 0)
    return fired, [True, False]


def nest_stamp(dt: float) -> tuple[Any, Any]:
    fresh(dt)
    return steps_of(nest.Create("iaf_psc_exp", 1, PLAIN | {"V_m": 2.0}), 1), [1]


def nest_effect(dt: float) -> tuple[Any, Any]:
    step = fresh(dt)
    neuron = nest.Create("iaf_psc_exp", 1, PLAIN)
    source = nest.Create("spike_generator", 1, {"spike_times": [10 * step]})
    nest.Connect(source, neuron, syn_spec={"weight": 1e6, "delay": 3 * step})
    return steps_of(neuron, 20)[0], 10 + 3 + 1


def nest_delay(dt: float) -> tuple[Any, Any]:
    step = fresh(dt)
    neuron = nest.Create("iaf_psc_exp", 1, PLAIN)
    wrong = {"delay": 0.4 * step}
    return raised("BadDelay", lambda: nest.Connect(neuron, neuron, syn_spec=wrong)), "BadDelay"


def nest_refractory(dt: float) -> tuple[Any, Any]:
    intervals = []
    for r in (0, 1, 2, 5):
        step = fresh(dt)
        driven = {"I_e": 2.0, "t_ref": r * step}
        spikes = steps_of(nest.Create("iaf_psc_exp", 1, PLAIN | driven), round(0.1 / dt))
        intervals.append(spikes[2] - spikes[1])
    return [each - intervals[0] for each in intervals], [0, 1, 2, 5]


def nest_several(dt: float) -> tuple[Any, Any]:
    step = fresh(dt)
    slow = {"g_L": 20e-9, "q_sfa": [1.0], "tau_sfa": [1e9]}
    subtracting = nest.Create("gif_psc_exp_multisynapse", 1, SUBTRACTING | slow | {"V_m": 3.5})
    hard = nest.Create("iaf_psc_exp", 1, PLAIN | {"V_m": 3.5})
    recorders = nest.Create("spike_recorder", 2)
    nest.Connect(hard, recorders[0])
    nest.Connect(subtracting, recorders[1])
    nest.Simulate(10 * step)
    return [int(recorder.n_events) for recorder in recorders], [1, 3]


def nest_initial(dt: float) -> tuple[Any, Any]:
    fresh(dt)
    return float(nest.Create("iaf_psc_exp", 1, {"E_L": 0.0}).V_m), -70.0


def nest_precise(dt: float) -> tuple[Any, Any]:
    step = fresh(dt)
    neuron = nest.Create("iaf_psc_exp_ps", 1, PLAIN | {"I_e": 2.0, "t_ref": step})
    recorder = nest.Create("spike_recorder")
    nest.Connect(neuron, recorder)
    nest.Simulate(20.0)
    first = float(recorder.events["times"][0])
    return round(first, 6), round(20 * np.log(2), 6)  # where 2 (1 - exp(-t / 20)) is 1


def nest_layers(dt: float) -> tuple[Any, Any]:
    step = fresh(dt)
    case = stacked(dt)
    soft = SUBTRACTING | {"g_L": 1.0, "q_sfa": [np.exp(-dt / 20e-3)], "tau_sfa": [20.0]}
    sources = nest.Create("spike_generator", len(case.jumps[0]))
    for source, train in zip(sources, case.spikes_in.T, strict=True):
        source.spike_times = np.round((np.flatnonzero(train) + 1) * step, 6)
    pre, recorders = sources, []
    for jumps in case.jumps:
        post = nest.Create("gif_psc_exp_multisynapse", jumps.shape[1], soft)
        synapse = {"weight": jumps.T, "delay": step, "receptor_type": 1}
        nest.Connect(pre, post, "all_to_all", synapse)
        recorders.append((post, nest.Create("spike_recorder")))
        nest.Connect(*recorders[-1])
        pre = post
    nest.Simulate((len(case.spikes_in) + 5) * step)
    late = []
    for (neurons, recorder), wanted in zip(recorders, case.wanted, strict=True):
        spikes = recorder.events
        numbers = spikes["senders"] - neurons[0].global_id
        late.append(case.lateness(spikes["times"] / step, numbers, wanted))
    return late, [3, 5]


def nest_convert(dt: float) -> tuple[Any, Any]:
    return converted("nest", dt, max_spikes_per_dt=1)


if __name__ == "__main__":
    state(
        nest_equal,
        nest_threshold,
        nest_stamp,
        nest_effect,
        nest_delay,
        nest_refractory,
        nest_several,
        nest_initial,
        nest_precise,
        nest_layers,
        nest_convert,
    )
