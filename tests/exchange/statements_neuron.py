"""What docs/simulators.md says of NEURON, looked at: `python statements_neuron.py 1e-3`."""

from typing import Any

import numpy as np
from neuron import h
from stating import equal_spikes, state

h.load_file("stdrun.hoc")


def times_of(cell: Any, events: list[float], weight: float, stop: float = 20.0) -> list[float]:
    """Send events to a cell, and return when it fires, all in ms."""
    times = h.Vector()
    source, output = h.NetCon(None, cell), h.NetCon(cell, None)
    source.weight[0] = weight
    output.record(times)

    def queue() -> None:
        for time in events:
            source.event(time)

    begin = h.FInitializeHandler(queue)
    h.finitialize(0)
    h.continuerun(stop)
    del begin
    return [round(float(time), 9) for time in times]


def integrating(refrac: float = 0.0) -> Any:
    """Return a cell that loses next to nothing."""
    cell = h.IntFire1()
    cell.tau, cell.refrac = 1e12, refrac
    return cell


def neuron_equal(dt: float) -> tuple[Any, Any]:
    titles = ("Arbor and NEURON, event by event", "NEURON")
    return equal_spikes(*titles, dt=dt, references=("jumping_hard",))


def neuron_threshold(dt: float) -> tuple[Any, Any]:
    return [times_of(integrating(), [2.0], w) for w in (1.0, 1.0000001)], [[], [2.0]]


def neuron_time(dt: float) -> tuple[Any, Any]:
    return times_of(integrating(), [2.37], 1.5), [2.37]


def neuron_refractory(dt: float) -> tuple[Any, Any]:
    events = [[2.0, 3.999], [2.0, 4.0], [2.0, 4.001]]
    return [times_of(integrating(2.0), each, 1.5) for each in events], [[2.0], [2.0], [2.0, 4.001]]


def neuron_several(dt: float) -> tuple[Any, Any]:
    return times_of(integrating(), [2.0, 3.0], 3.5, 2.5), [2.0]


def neuron_solved(dt: float) -> tuple[Any, Any]:
    """A single input whose effect peaks at 2 thresholds: the same crossing, whatever the step."""
    crossings = []
    for step in (1.0, 0.1):
        cell = h.IntFire4()
        cell.taum, cell.taue, cell.taui1, cell.taui2 = 20.0, 5.0, 6.0, 7.0
        h.dt = step
        crossings.append(times_of(cell, [2.0], 2.0)[0])
    time = np.linspace(0, 9, 9_000_001)
    effect = np.exp(-time / 20) - np.exp(-time / 5)
    solved = 2.0 + time[np.argmax(2 * effect / effect.max() >= 1)]
    close = all(abs(each - solved) < 1e-3 for each in crossings)
    return [crossings[0] == crossings[1], close], [True, True]


if __name__ == "__main__":
    state(
        neuron_equal,
        neuron_threshold,
        neuron_time,
        neuron_refractory,
        neuron_several,
        neuron_solved,
    )
