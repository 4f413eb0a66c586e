"""Nodes of NIR as nodes of a description: weights and neurons, each with its shape."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from rockpool.files.tensors import FileFormatError
from rockpool.nir.dialects import DIALECTS
from rockpool.nir.graph import SPIKING, GraphNode
from rockpool.nn.description import Node, Value

__all__ = ["Branch", "Reading", "branches_of", "layer_of"]

Shape = tuple[int, ...]
Branch = list[tuple[str, Node]]  # layers one behind the other, by what is added to the name

_MODELS = {
    "IF": "IFEuler",
    "LIF": "LIFEuler",
    "LI": "LIEuler",
    "CubaLIF": "CubaLIFEuler",
    "CubaLI": "CubaLIEuler",
}
# fields of NIR by the parameters of the models, with the families of these
_PARAMETERS = {
    "tau_mem": ("taus", ("tau_mem", "tau")),
    "tau_syn": ("taus", ("tau_syn",)),
    "r": ("weights", ("r",)),
    "w_in": ("weights", ("w_in",)),
    "v_leak": ("bias", ("v_leak",)),
    "threshold": ("threshold", ("v_threshold",)),
    "v_reset": ("bias", ("v_reset",)),
}
_NOT_THERE = {"w_in": 1.0, "v_reset": 0.0}
_SETTINGS = {
    "IF": "decay gain reset reset_delay fires max_spikes_per_dt delay",
    "LIF": "decay gain reset reset_delay fires max_spikes_per_dt delay",
    "LI": "decay gain delay",
    "CubaLIF": "decay gain gain_syn synapse reset reset_delay fires max_spikes_per_dt delay",
    "CubaLI": "decay gain gain_syn synapse delay",
}
_MOST_STEPS = 200  # of delays, each of which is a layer
_UNIT = 1e-5  # relative: a gain this near to 1 is 1, which single precision has made of it


@dataclass(frozen=True)
class Reading:
    """How the nodes of a graph are read.

    Attributes
    ----------
    name : str
        What messages call the graph.
    dialect : str
        The dialect.
    dt : float
        The time step, in the unit of the time constants that come out.
    tau_scale : float
        What time constants in the file are multiplied by.
    asked : dict
        Settings that the user gave; they go before those of the dialect.
    """

    name: str
    dialect: str
    dt: float
    tau_scale: float
    asked: Mapping[str, Any]

    def settings_of(self, kind: str, has_rec: bool = False) -> dict[str, Any]:
        """Return the settings of a type of node."""
        known = DIALECTS[self.dialect].settings_of(kind) | dict(self.asked)
        to_zero = self.dialect == "snntorch" and self.asked.get("reset") == "value"
        if to_zero and kind == "LIF" and not has_rec:
            # Leaky alone empties the membrane before the next input, with either reset_delay
            known["reset_delay"] = False
        if self.dialect == "snntorch" and known["reset"] == "subtract" and not known["reset_delay"]:
            known["reset_delay"] = "snntorch"
        return {key: known[key] for key in _SETTINGS[kind].split()}

    def fail(self, name: str, what: str) -> FileFormatError:
        """Return an error that names a node."""
        return FileFormatError(f"{self.name}: {name!r}: {what}")


def layer_of(
    reading: Reading, name: str, node: GraphNode, shape: Shape, w_rec: np.ndarray | None
) -> tuple[Node, Shape]:
    """Return a node of weights or neurons as one of a description, and the shape that it gives.

    Parameters
    ----------
    reading : Reading
        How to read it.
    name : str
        The name of the node, for messages.
    node : GraphNode
        The node.
    shape : tuple of int
        The axes of what leads to it.
    w_rec : np.ndarray or None
        Weights (from, to) between its neurons.

    Raises
    ------
    FileFormatError
        It does not fit its input, or cannot be held.
    """
    made = _MAKERS.get(node.kind)
    if made is not None:
        return made(reading, name, node, shape)
    if node.kind not in _MODELS:
        raise reading.fail(name, f"there is no layer that is a {node.kind}")
    if reading.dialect == "rockpool" and node.kind in ("CubaLIF", "LI"):
        return _rockpool(reading, name, node, shape, w_rec), shape
    return _neurons(reading, name, node, shape, w_rec), shape


# -- weights -------------------------------------------------------------------------------------


def _weights(reading: Reading, name: str, node: GraphNode, shape: Shape) -> tuple[Node, Shape]:
    weight = node.fields["weight"]
    if weight.ndim != 2 or weight.shape[1] != math.prod(shape):
        raise reading.fail(
            name, f"weights of the shape {weight.shape} cannot take input of the shape {shape}"
        )
    parameters = {"weight": Value(_real(weight.T), "weights")}
    if "bias" in node.fields:
        bias = np.ravel(node.fields["bias"])
        if bias.shape != weight.shape[:1]:
            raise reading.fail(name, f"bias of the shape {bias.shape} for weights {weight.shape}")
        parameters["bias"] = Value(_real(bias), "biases")
    return Node("Linear", weight.shape[::-1], parameters), weight.shape[:1]


def _scale(reading: Reading, name: str, node: GraphNode, shape: Shape) -> tuple[Node, Shape]:
    size = math.prod(shape)
    scale = _spread(reading, name, "scale", node.fields["scale"], shape)
    parameters = {"weight": Value(scale, "weights")}
    return Node("Scale", (size, size), parameters, settings={"shape_in": shape}), shape


# -- nodes that are several layers ---------------------------------------------------------------


def branches_of(reading: Reading, name: str, node: GraphNode, shape: Shape) -> list[Branch] | None:
    """Return a node as layers, in branches that add up; None where one layer is enough.

    Parameters and errors are as for `layer_of`.
    """
    if node.kind == "I":
        return [_integrator(reading, name, node, shape)]
    return _delay(reading, name, node, shape) if node.kind == "Delay" else None


def _integrator(reading: Reading, name: str, node: GraphNode, shape: Shape) -> Branch:
    """Return a membrane that does not leak, and the gain before it."""
    gain = _spread(reading, name, "r", node.fields["r"], shape) * reading.dt
    return [("_r", _scaled(gain, shape)), ("", _membrane(reading, shape, math.inf, 0))]


def _delay(reading: Reading, name: str, node: GraphNode, shape: Shape) -> list[Branch]:
    """Return layers that hand on one step late, a branch for each delay that there is."""
    steps = _spread(reading, name, "delay", node.fields["delay"], shape) / reading.dt
    whole = np.rint(steps)
    if (abs(steps - whole) > _UNIT * np.maximum(steps, 1)).any() or (whole < 0).any():
        raise reading.fail(
            name,
            f"a Delay must be a whole number of time steps of {reading.dt:g} s, got "
            f"{reading.dt * steps.ravel()[np.argmax(abs(steps - whole))]:g} s",
        )
    found = np.unique(whole)
    if found.sum() > _MOST_STEPS:
        raise reading.fail(
            name, f"delays of {found.max():g} time steps take more than {_MOST_STEPS} layers"
        )
    step = _single_step(reading)
    late = _membrane(replace(reading, dt=step), shape, step, 1)
    branches: list[Branch] = []
    for count in found:
        some = (whole == count).astype(np.float64)
        last = f"_{count:g}" if found.size > 1 else ""
        stages = [(f"{last}_{k}", late) for k in range(1, int(count))]
        if found.size > 1 or not count:
            stages = [(f"{last}_of" if count else last, _scaled(some, shape)), *stages]
        branches.append([*stages, (last, late)] if count else stages)
    return branches


def _single_step(reading: Reading) -> float:
    """Return the time step as single precision has it: ``1 - dt / tau`` of such a tau is 0."""
    return float(np.float32(reading.dt))


def _scaled(values: np.ndarray, shape: Shape) -> Node:
    size = math.prod(shape)
    return Node(
        "Scale", (size, size), {"weight": Value(values, "weights")}, settings={"shape_in": shape}
    )


def _membrane(reading: Reading, shape: Shape, tau: float | int, delay: int) -> Node:
    """Return membranes to which the input is added as it is."""
    size = math.prod(shape)
    values = {"tau_mem": (tau, "taus"), "r": (1.0, "weights"), "v_leak": (0.0, "bias")}
    parameters = {key: Value(np.array(value), family) for key, (value, family) in values.items()}
    settings = {"neuron_shape": shape, "dt": reading.dt, "decay": "euler", "gain": "unit"}
    return Node("LIEuler", (size, size), parameters, settings={**settings, "delay": delay})


# -- neurons -------------------------------------------------------------------------------------


def _neurons(
    reading: Reading, name: str, node: GraphNode, shape: Shape, w_rec: np.ndarray | None
) -> Node:
    """Return neurons that take the step of the dialect."""
    settings = reading.settings_of(node.kind, w_rec is not None)
    arrays = _parameters(reading, name, node, shape)
    if "tau_mem" in arrays or node.kind == "IF":
        _unit_gains(reading, arrays, settings)
    for key in ("r", "w_in"):
        if key in arrays and np.isinf(arrays[key]).any():
            _without_infinity(reading, name, key, arrays, settings)
    if settings["decay"] == "euler":
        for key in ("tau_mem", "tau_syn"):
            if key in arrays and (arrays[key] < reading.dt).any():
                _lift(reading, name, key, arrays)
    size = math.prod(shape)
    parameters = {key: Value(array, _PARAMETERS[key][0]) for key, array in arrays.items()}
    if w_rec is not None:
        parameters = {"w_rec": Value(_real(w_rec), "weights"), **parameters}
    return Node(
        _MODELS[node.kind],
        (size, size),
        parameters,
        _start(reading, node.kind, arrays, size),
        {"neuron_shape": shape, "dt": reading.dt, **settings},
    )


def _start(
    reading: Reading, kind: str, arrays: dict[str, np.ndarray], size: int
) -> dict[str, np.ndarray]:
    """Return the states of neurons of a package that does not start them at 0."""
    first = arrays.get(DIALECTS[reading.dialect].start_of(kind), np.zeros(()))
    if not np.any(first):
        return {}
    states = {"spikes": np.zeros(size), "isyn": np.zeros(size), "vmem": np.zeros(size) + first}
    absent = {"isyn"} if not kind.startswith("Cuba") else set()
    absent |= {"spikes"} if kind not in SPIKING else set()
    return {name: state for name, state in states.items() if name not in absent}


def _parameters(
    reading: Reading, name: str, node: GraphNode, shape: Shape
) -> dict[str, np.ndarray]:
    """Return the parameters of neurons, flat, in seconds."""
    arrays = {}
    for parameter, (_, fields) in _PARAMETERS.items():
        field = next((f for f in fields if f in node.fields), None)
        if field is not None:
            array = _spread(reading, name, field, node.fields[field], shape)
        elif parameter in _NOT_THERE and _has(node.kind, parameter):
            array = np.array(_NOT_THERE[parameter])
        else:
            continue
        if parameter == "v_reset" and "v_reset" in reading.asked:
            array = np.array(reading.asked["v_reset"])
        if parameter.startswith("tau"):
            if not (array > 0).all():
                raise reading.fail(name, f"{field} must be > 0, got {array.min():g}")
            array = array if reading.tau_scale == 1 else array * reading.tau_scale
        arrays[parameter] = array
    if "threshold" in arrays:
        above = arrays["threshold"] - arrays["v_reset"]
        if not np.all(above > 0):
            if "v_reset" in reading.asked:
                raise ValueError(
                    f"from_nir: v_reset must be below the v_threshold of {name!r}, which is "
                    f"{np.min(arrays['threshold']):g}, got {reading.asked['v_reset']:g}"
                )
            raise reading.fail(
                name,
                f"v_threshold must be above v_reset, got one that is {-np.min(above):g} below; "
                "there are no such neurons here, whatever their reset",
            )
    return arrays


def _has(kind: str, parameter: str) -> bool:
    return kind.startswith("Cuba") if parameter == "w_in" else kind not in ("LI", "CubaLI")


def _unit_gains(reading: Reading, arrays: dict[str, Any], settings: dict[str, Any]) -> None:
    """Say "unit" of gains that add the input as it is: packages do that without rounding."""
    if reading.dialect not in ("snntorch", "spikingjelly") or settings["decay"] != "euler":
        return
    tau = arrays.get("tau_mem", np.ones(()))
    if settings["gain"] == "r" and np.allclose(arrays["r"] * reading.dt, tau, rtol=_UNIT, atol=0):
        settings["gain"] = "unit"
    if settings.get("gain_syn") == "w_in" and np.allclose(
        arrays["w_in"] * reading.dt, arrays["tau_syn"], rtol=_UNIT, atol=0
    ):
        settings["gain_syn"] = "unit"


def _without_infinity(
    reading: Reading, name: str, key: str, arrays: dict[str, Any], settings: Mapping[str, Any]
) -> None:
    """Put 1 for infinite gains that are not used; refuse those that are."""
    if settings["gain" if key == "r" else "gain_syn"] != "unit":
        raise reading.fail(name, f"{key} has infinity in it")
    arrays[key] = np.where(np.isinf(arrays[key]), 1.0, arrays[key]).astype(arrays[key].dtype)


def _lift(reading: Reading, name: str, key: str, arrays: dict[str, Any]) -> None:
    """Make time constants of one step that of rounding only are less; refuse smaller ones."""
    least = float(arrays[key].min())
    if least < reading.dt * (1 - _UNIT):
        raise reading.fail(
            name,
            f"{key} is {least:g} s, less than a time step of {reading.dt:g} s, in which Euler "
            "steps overshoot; give the time step of the file: dt=...",
        )
    arrays[key] = np.maximum(arrays[key], reading.dt)


def _threshold(reading: Reading, name: str, node: GraphNode, shape: Shape) -> tuple[Node, Shape]:
    """Return neurons that forget at once: they spike where their input is above the threshold."""
    threshold = _spread(reading, name, "threshold", node.fields["threshold"], shape)
    low, step = np.asarray(threshold - 1 - abs(threshold)), _single_step(reading)
    neuron = GraphNode(
        "LIF",
        {
            "tau": np.array(step),
            "r": np.array(1.0),
            "v_leak": np.array(0.0),
            "v_threshold": threshold,
            "v_reset": low,
        },
    )
    asked = {"decay": "euler", "gain": "unit", "reset": "none", "reset_delay": False, "delay": 0}
    inner = Reading(reading.name, "nir", step, 1.0, asked)
    return _neurons(inner, name, neuron, shape, None), shape


def _rockpool(
    reading: Reading, name: str, node: GraphNode, shape: Shape, w_rec: np.ndarray | None
) -> Node:
    """Return what rockpool 3.1 has written as a CubaLIF or LI: LIF, or an exponential synapse."""
    size = math.prod(shape)
    arrays = _parameters(reading, name, node, shape)
    if node.kind == "LI":
        settings = {"dt": reading.dt, "noise_std": 0.0}
        return Node("ExpSyn", (size,), {"tau": Value(arrays["tau_mem"], "taus")}, settings=settings)
    tau_syn = arrays["tau_syn"]
    parameters = {
        "tau_mem": Value(arrays["tau_mem"], "taus"),
        "tau_syn": Value(tau_syn if tau_syn.ndim == 0 else tau_syn[:, np.newaxis], "taus"),
        "bias": Value(arrays["v_leak"], "bias"),
        "threshold": Value(arrays["threshold"], "threshold"),
    }
    if w_rec is not None:
        parameters = {"w_rec": Value(_real(w_rec), "weights"), **parameters}
    most = reading.settings_of("CubaLIF")["max_spikes_per_dt"]
    settings = {"dt": reading.dt, "noise_std": 0.0, "max_spikes_per_dt": most}
    return Node("LIF", (size, size), parameters, settings=settings)


# -- arrays --------------------------------------------------------------------------------------


def _spread(reading: Reading, name: str, field: str, values: Any, shape: Shape) -> np.ndarray:
    """Return values for each neuron of a shape, flat, or one number for all."""
    array = _real(values)
    size = math.prod(shape)
    if array.ndim == 0:
        return array
    if array.size != size:
        try:
            return np.ascontiguousarray(np.broadcast_to(array, shape)).ravel()
        except ValueError:
            raise reading.fail(
                name, f"{field} of the shape {array.shape} does not fit input of the shape {shape}"
            ) from None
    return array.ravel()


def _real(values: Any) -> np.ndarray:
    """Return numbers as floats; single precision stays."""
    array = np.asarray(values)
    return np.ascontiguousarray(array if array.dtype.kind == "f" else array.astype(np.float64))


_MAKERS: dict[str, Callable[[Reading, str, GraphNode, Shape], tuple[Node, Shape]]] = {
    "Linear": _weights,
    "Affine": _weights,
    "Scale": _scale,
    "Threshold": _threshold,
}
