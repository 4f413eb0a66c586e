"""What docs/simulators.md says of brainpy, looked at: `python statements_brainpy.py 1e-3`."""

from typing import Any

import brainpy
import brainstate
import brainunit
import numpy as np
from stating import equal_spikes, state

SECOND, MV, MA = brainunit.second, brainunit.mV, brainunit.mA


def neuron_of(**options: Any) -> Any:
    """Return a neuron with a threshold of 1 mV and a time constant of 1 s, at 0 mV."""
    values = {"V_th": 1 * MV, "V_rest": 0 * MV, "V_reset": 0 * MV}
    zero = brainstate.nn.init.Constant(0 * MV)
    ohm = 1 * brainunit.ohm
    made = brainpy.state.LIF(1, R=ohm, tau=1 * SECOND, V_initializer=zero, **values, **options)
    brainstate.nn.init_all_states(made)
    return made


def after_a_jump(dt: float, size: float, **options: Any) -> tuple[list[float], list[float]]:
    """Let the membrane jump in the first of five steps; return output and voltage in each."""
    output, voltage = [], []
    with brainstate.environ.context(dt=dt * SECOND):
        neuron = neuron_of(**options)
        for current in (size / -np.expm1(-dt), 0.0, 0.0, 0.0, 0.0):
            output.append(float(np.asarray(neuron(np.full(1, current) * MA))[0]))
            voltage.append(float(np.asarray(neuron.V.value / MV)[0]))
    return output, voltage


def brainpy_precision(dt: float) -> tuple[Any, Any]:
    """Before anything asks for double precision."""
    with brainstate.environ.context(dt=dt * SECOND):
        neuron = brainpy.state.LIF(1)
        brainstate.nn.init_all_states(neuron)
        return str(neuron.V.value.dtype), "float32"


def brainpy_equal(dt: float) -> tuple[Any, Any]:
    return equal_spikes("brainpy", dt=dt, references=("wanted", "wanted_hard"))


def brainpy_threshold(dt: float) -> tuple[Any, Any]:
    with brainstate.environ.context(dt=dt * SECOND):
        neuron = neuron_of()
        levels = (1.0, 1.0 - 1e-12)
        fires = [float(np.asarray(neuron.get_spike(np.full(1, v) * MV))[0]) for v in levels]
    return fires, [1.0, 0.0]


def brainpy_reset(dt: float) -> tuple[Any, Any]:
    _, voltage = after_a_jump(dt, 1.5)
    return [round(v, 2) for v in voltage[:2]], [1.5, 0.5]


def brainpy_several(dt: float) -> tuple[Any, Any]:
    found = [after_a_jump(dt, 3.5, spk_reset=reset)[0] for reset in ("hard", "soft")]
    return found, [[1, 0, 0, 0, 0], [1, 1, 1, 0, 0]]


if __name__ == "__main__":
    state(brainpy_precision, brainpy_equal, brainpy_threshold, brainpy_reset, brainpy_several)
