"""What docs/simulators.md says of Arbor, looked at: `python statements_arbor.py 1e-3`."""

from typing import Any

import arbor
from stating import equal_spikes, raised, state

U = arbor.units


class One(arbor.recipe):
    """A cell, with input at some times in ms: jumps in thresholds, that arrive at once + 1 ms."""

    def __init__(self, events: list[float], jump: float, t_ref: float, heard: bool) -> None:
        arbor.recipe.__init__(self)
        self.events, self.jump, self.t_ref, self.heard = events, jump, t_ref, heard

    def num_cells(self) -> int:
        return 3

    def cell_kind(self, gid: int) -> Any:
        return arbor.cell_kind.lif if gid else arbor.cell_kind.spike_source

    def cell_description(self, gid: int) -> Any:
        if not gid:
            times = [t * U.ms for t in self.events]
            return arbor.spike_source_cell("out", arbor.explicit_schedule(times))
        cell = arbor.lif_cell("out", "in")
        cell.tau_m, cell.C_m, cell.t_ref = 1e12 * U.ms, 1 * U.pF, self.t_ref * U.ms
        cell.V_th, cell.E_L, cell.E_R, cell.V_m = 1 * U.mV, 0 * U.mV, 0 * U.mV, 0 * U.mV
        return cell

    def connections_on(self, gid: int) -> list[Any]:
        if gid == 1:
            return [arbor.connection((0, "out"), "in", self.jump, 1 * U.ms)]
        if gid == 2 and self.heard:
            return [arbor.connection((1, "out"), "in", 0.0, 1 * U.ms)]
        return []


def times_of(
    events: list[float], jump: float, t_ref: float = 0.0, heard: bool = True, step: float = 0.25
) -> list[float]:
    """Run the cell for 20 ms, and return when it fires."""
    simulation = arbor.simulation(One(events, jump, t_ref, heard))
    simulation.record(arbor.spike_recording.all)
    simulation.run(20 * U.ms, step * U.ms)
    spikes = simulation.spikes()
    return [round(float(s["time"]), 9) for s in spikes if s["source"]["gid"] == 1]


def arbor_equal(dt: float) -> tuple[Any, Any]:
    titles = ("Arbor and NEURON, event by event", "Arbor")
    return equal_spikes(*titles, dt=dt, references=("jumping_hard",))


def arbor_threshold(dt: float) -> tuple[Any, Any]:
    return [times_of([1.0], jump) for jump in (1.0, 0.9999999)], [[2.0], []]


def arbor_time(dt: float) -> tuple[Any, Any]:
    return times_of([1.37], 1.5), [2.37]


def arbor_refractory(dt: float) -> tuple[Any, Any]:
    # after the spike at 2 ms, until 4 ms
    events = [[1.0, 2.999], [1.0, 3.0]]
    return [times_of(each, 1.5, t_ref=2.0) for each in events], [[2.0], [2.0, 4.0]]


def arbor_several(dt: float) -> tuple[Any, Any]:
    return times_of([1.0], 3.5), [2.0]


def arbor_step(dt: float) -> tuple[Any, Any]:
    return raised("RuntimeError", lambda: times_of([1.0], 1.5, step=0.51)), "RuntimeError"


def arbor_recording(dt: float) -> tuple[Any, Any]:
    return [times_of([1.0], 1.5, heard=heard) for heard in (True, False)], [[2.0], []]


if __name__ == "__main__":
    state(
        arbor_equal,
        arbor_threshold,
        arbor_time,
        arbor_refractory,
        arbor_several,
        arbor_step,
        arbor_recording,
    )
