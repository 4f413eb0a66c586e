"""What docs/simulators.md says of Brian 2, looked at: `python statements_brian.py 1e-3`."""

from typing import Any

import brian2
import numpy as np
from stating import equal_spikes, state
from two_layers import Stacked, converted, recurrent, stacked

brian2.prefs.codegen.target = "numpy"
SECOND = brian2.second
DRIVEN = "dv/dt = (2 - v) / (0.02 * second) : 1 (unless refractory)"
CURRENT = "dv/dt = (I - v) / (0.02 * second) : 1\ndI/dt = -I / (0.005 * second) : 1"


def group(dt: float, n: int, equations: str, **options: Any) -> Any:
    """Return neurons that are updated exactly."""
    rules = {"threshold": "v >= 1", "reset": "v = 0", "method": "exact", "dt": dt * SECOND}
    return brian2.NeuronGroup(n, equations, **rules | options)


def steps_of(neurons: Any, dt: float, n_steps: int, *others: Any) -> list[int]:
    """Run, and return the steps in which any neuron fires."""
    spikes = brian2.SpikeMonitor(neurons)
    brian2.Network(neurons, spikes, *others).run(n_steps * dt * SECOND)
    return np.rint(spikes.t / (dt * SECOND)).astype(int).tolist()


def pulse(dt: float, neurons: Any, on_pre: str) -> list[Any]:
    """Return a source that fires in step 10, and its synapse."""
    source = brian2.SpikeGeneratorGroup(1, [0], [10 * dt] * SECOND, dt=dt * SECOND)
    synapse = brian2.Synapses(source, neurons, on_pre=on_pre)
    synapse.connect()
    return [source, synapse]


def brian_equal(dt: float) -> tuple[Any, Any]:
    return equal_spikes("Brian 2", dt=dt, references=("wanted", "wanted_hard"))


def brian_stamp(dt: float) -> tuple[Any, Any]:
    neurons = group(dt, 1, CURRENT)
    neurons.v = 2
    return steps_of(neurons, dt, 3), [0]


def brian_effect(dt: float) -> tuple[Any, Any]:
    neurons = group(dt, 1, CURRENT)
    return steps_of(neurons, dt, 20, *pulse(dt, neurons, "I_post += 1e6"))[0], 10 + 1


def brian_delta(dt: float) -> tuple[Any, Any]:
    neurons = group(dt, 1, "dv/dt = -v / (0.02 * second) : 1")
    fires = steps_of(neurons, dt, 20, *pulse(dt, neurons, "v_post += 1.02"))
    return fires, [11] if 1.02 * np.exp(-dt / 20e-3) >= 1 else []


def brian_refractory(dt: float) -> tuple[Any, Any]:
    intervals = []
    for r in (0, 1, 2, 5):
        neurons = group(dt, 1, DRIVEN, refractory=r * dt * SECOND)
        spikes = steps_of(neurons, dt, round(0.1 / dt))
        intervals.append(spikes[2] - spikes[1])
    return [each - intervals[0] for each in intervals], [0, 0, 1, 4]


def brian_several(dt: float) -> tuple[Any, Any]:
    counts = []
    for reset in ("v = 0", "v -= 1"):
        neurons = group(dt, 1, "v : 1", reset=reset, method=None)
        neurons.v = 3.5
        counts.append(steps_of(neurons, dt, 10))
    return counts, [[0], [0, 1, 2]]


def connected(dt: float, case: Stacked) -> tuple[list[Any], list[Any]]:
    """Return the layers of a case, and all objects of the network."""
    when, which = np.nonzero(case.spikes_in)
    count = case.spikes_in.shape[1]
    pre = brian2.SpikeGeneratorGroup(count, which, when * dt * SECOND, dt=dt * SECOND)
    layers, objects = [], [pre]
    for jumps in case.jumps[: len(case.wanted)]:
        post = group(dt, jumps.shape[1], CURRENT, reset="v -= 1")
        objects += [post, synapses(pre, post, jumps)]
        layers.append(post)
        pre = post
    return layers, objects


def synapses(pre: Any, post: Any, jumps: np.ndarray) -> Any:
    """Return synapses without a delay between all neurons of two groups."""
    made = brian2.Synapses(pre, post, "w : 1", on_pre="I_post += w")
    made.connect()
    made.w = jumps.ravel()
    return made


def late(dt: float, case: Stacked, layers: list[Any], objects: list[Any]) -> list[int | None]:
    """Run a network, and return how late the spikes of each layer are."""
    monitors = [brian2.SpikeMonitor(layer) for layer in layers]
    brian2.Network(*objects, *monitors).run((len(case.spikes_in) + 2) * dt * SECOND)
    return [
        case.lateness(spikes.t / (dt * SECOND), spikes.i, wanted)
        for spikes, wanted in zip(monitors, case.wanted, strict=True)
    ]


def brian_recurrent(dt: float) -> tuple[Any, Any]:
    case, jumps = recurrent(dt)
    layers, objects = connected(dt, case)
    return late(dt, case, layers, [*objects, synapses(layers[0], layers[0], jumps)]), [1]


def brian_layers(dt: float) -> tuple[Any, Any]:
    case = stacked(dt)
    return late(dt, case, *connected(dt, case)), [1, 2]


def brian_convert(dt: float) -> tuple[Any, Any]:
    return converted("brian", dt)


if __name__ == "__main__":
    state(
        brian_equal,
        brian_stamp,
        brian_effect,
        brian_delta,
        brian_refractory,
        brian_several,
        brian_recurrent,
        brian_layers,
        brian_convert,
    )
