"""Two runs of one network, layer by layer: how many spikes differ, and the first that does."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from rockpool.verification.layers import Activity, is_spiking
from rockpool.verification.steps import input_error, step_error

__all__ = ["Comparison", "Difference", "compared"]

# Membranes this close to a threshold, in units in the last place, may fall on either side of it
ROUNDING_ULP = 8
# Inputs of a layer this close, in units in the last place of the largest of them, are sums of the
# same numbers: of a thousand, added one by one, they are off by 7, of ten thousand by 16
INPUT_ULP = 64
# Largest relative difference of values that are no spikes, which rounding explains
VALUE_TOLERANCE = {"float32": 1e-3, "float64": 1e-9}


@dataclass(frozen=True)
class Difference:
    """The first spike that differs.

    Attributes
    ----------
    layer : str
        The layer.
    batch, step, neuron : int
        Where: the first time step of all, in it the first layer, batch element and neuron.
    expected, got : int
        Numbers of spikes.
    threshold : float
        The membrane potential at which the larger number of spikes begins.
    membranes : tuple of float
        The membrane potentials before the reset, expected and got; NaN if they are not recorded.
    ulp : tuple of float
        Their distances from `threshold` in units in the last place of the lower precision.
    rounding : bool
        Whether it is a matter of rounding, and no fault: both lie within 8 units; or each time step
        of the neuron does, seen on its own, and its input within 64. Two equal membranes are none.
    step_ulp : float or None
        How far its time steps are from those of numpy, each from the same state with the same
        input, in units of the largest number in that step; NaN if the records do not tell. None if
        both membranes lie within 8 units.
    input_ulp : float or None
        How far the inputs of the layer are apart, in units of the largest of them; as `step_ulp`.
    """

    layer: str
    batch: int
    step: int
    neuron: int
    expected: int
    got: int
    threshold: float
    membranes: tuple[float, float]
    ulp: tuple[float, float]
    rounding: bool
    step_ulp: float | None = None
    input_ulp: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain values, fit for JSON."""
        return asdict(self)


@dataclass(frozen=True)
class Comparison:
    """What differs between two runs.

    Attributes
    ----------
    differing, neuron_steps : int
        Numbers of spikes that differ, of all neurons in all time steps.
    first : Difference or None
        The first of them.
    value_difference : float
        The largest difference of values that are no spikes, before the first spike that differs,
        relative to the largest such value of its layer.
    value_layer : str
        The layer of it.
    values_agree : bool
        Whether that may be rounding.
    """

    differing: int
    neuron_steps: int
    first: Difference | None
    value_difference: float
    value_layer: str
    values_agree: bool


def compared(expected: list[Activity], got: list[Activity], precision: str) -> Comparison:
    """Compare what the layers of a network did with what they should have done.

    Parameters
    ----------
    expected, got : list of Activity
        The layers of two runs of one network on one input.
    precision : str
        The lower precision of the two, "float32" or "float64".
    """
    differing = neuron_steps = 0
    firsts = []
    for index, (one, other) in enumerate(zip(expected, got, strict=True)):
        if not is_spiking(one.node):
            continue
        unequal = one.output != other.output
        neuron_steps += unequal.size
        differing += int(unequal.sum())
        if unequal.any():
            batch, step, neuron = _first(unequal)
            firsts.append((step, index, batch, neuron))
    first = None
    n_steps = expected[0].output.shape[1] if expected else 0
    if firsts:
        n_steps, index, batch, neuron = min(firsts)
        first = _difference(expected[index], got[index], (batch, n_steps, neuron), precision)
    value, layer = _value_difference(expected, got, n_steps)
    agree = value <= VALUE_TOLERANCE[precision]
    return Comparison(differing, neuron_steps, first, value, layer, agree)


def _first(unequal: np.ndarray) -> tuple[int, int, int]:
    """Return batch element, step and neuron of the first entry in time."""
    step = int(np.argmax(unequal.any(axis=(0, 2))))
    batch, neuron = np.argwhere(unequal[:, step])[0]
    return int(batch), step, int(neuron)


def _difference(
    one: Activity, other: Activity, at: tuple[int, int, int], precision: str
) -> Difference:
    """Return what is to be said of one spike that differs."""
    batch, step, neuron = at
    value = one.node.parameters["threshold"].array
    threshold = float(np.broadcast_to(value, one.output.shape[-1:])[neuron])
    spikes = (int(one.output[at]), int(other.output[at]))
    boundary = max(spikes) * threshold
    membranes = (
        _membrane(one, at, threshold, spikes[0]),
        _membrane(other, at, threshold, spikes[1]),
    )
    unit = float(np.spacing(np.dtype(precision).type(boundary)))
    first, second = ((membrane - boundary) / unit for membrane in membranes)
    near = max(abs(first), abs(second)) <= ROUNDING_ULP
    steps = inputs = None
    if not near:
        steps = step_error(other, batch, step, neuron, precision)
        inputs = input_error(one, other, batch, step, precision)
    return Difference(
        one.name,
        batch,
        step,
        neuron,
        *spikes,
        boundary,
        membranes,
        (first, second),
        rounding=_is_rounding(spikes, (first, second), steps, inputs),
        step_ulp=steps,
        input_ulp=inputs,
    )


def _is_rounding(
    spikes: tuple[int, int],
    ulp: tuple[float, float],
    steps: float | int | None,
    inputs: float | int | None,
) -> bool:
    """Return whether rounding explains a spike that differs."""
    if ulp[0] == ulp[1]:  # of two equal membranes, one decision is wrong
        return False
    if steps is None or inputs is None:
        return True
    lower, upper = ulp if spikes[0] < spikes[1] else ulp[::-1]
    right_sides = lower <= ROUNDING_ULP and upper >= -ROUNDING_ULP
    return right_sides and steps <= ROUNDING_ULP and inputs <= INPUT_ULP


def _membrane(
    activity: Activity, at: tuple[int, int, int], threshold: float | int, spikes: int
) -> float:
    """Return the membrane potential before the reset; it is recorded after it."""
    if "vmem" not in activity.record:
        return float("nan")
    return float(activity.record["vmem"][at]) + spikes * threshold


def _value_difference(
    expected: list[Activity], got: list[Activity], n_steps: int
) -> tuple[float, str]:
    """Return the largest relative difference of values that are no spikes, and its layer."""
    largest, layer = 0.0, ""
    for one, other in zip(expected, got, strict=True):
        if is_spiking(one.node):
            continue
        first, second = one.output[:, :n_steps], other.output[:, :n_steps]
        if not first.size:
            continue
        scale = float(np.abs(first).max()) or 1.0
        difference = float(np.abs(np.subtract(first, second, dtype=np.float64)).max()) / scale
        if not difference <= largest:  # NaN is the largest of all
            largest, layer = difference, one.name
    return largest, layer
