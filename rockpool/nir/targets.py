"""Layers as nodes that another package runs as this one does, spike for spike, or not at all.

What each importer does was seen in runs: which step it takes whatever the file says, which gains it
wants, and what it refuses. Its decays and gains are made by other time constants and by scaling
weights, thresholds at which it fires or does not by the next number of single precision.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from rockpool.nir.nearest import EULER, full, steps_of
from rockpool.nir.units import Unit, Units
from rockpool.nn.description import Node

__all__ = ["TARGETS", "Target", "translated"]


@dataclass(frozen=True)
class Target:
    """What an importer runs.

    Attributes
    ----------
    dt : float
        The step that it takes by default.
    fixed : bool
        Whether it takes no other.
    neurons : dict of dict by model
        The neurons that it runs, with the settings that they must have.
    fires : str
        ">" or ">=".
    layers : tuple of str
        The other layers that it runs.
    decay : str
        "euler" or "exp".
    uniform : tuple of str
        Parameters that must be the same for all neurons of a layer, besides thresholds.
    one_threshold : bool
        Whether thresholds must be; they are made so by scaling weights.
    recurrent : bool
        Whether it runs recurrent layers.
    affine : bool
        Whether weights must have a bias.
    spiking_last : bool
        Whether the last layer must be one of neurons that fire.
    branches : bool
        Whether it runs graphs that branch and join, if one layer leads to the output.
    channels_last : bool
        Whether its images have channels as the last axis.
    """

    dt: float
    neurons: Mapping[str, Mapping[str, Any]]
    fires: str
    layers: tuple[str, ...]
    fixed: bool = False
    decay: str = "euler"
    uniform: tuple[str, ...] = ()
    one_threshold: bool = False
    recurrent: bool = False
    affine: bool = False
    spiking_last: bool = False
    branches: bool = False
    channels_last: bool = False


_TO_VALUE = {"reset": "value", "reset_delay": False, "delay": 0}
_TO_VALUE_CUBA = {**_TO_VALUE, "synapse": "new"}
_SPYX = {"reset": "subtract", "max_spikes_per_dt": 1.0, "delay": 1}
_SINABS = {
    "reset": "subtract",
    "reset_delay": False,
    "max_spikes_per_dt": float("inf"),
    "delay": 0,
}
_IMAGES = ("Linear", "Conv2d", "AvgPool2d", "Flatten")

TARGETS = {
    "snntorch": Target(
        1e-4,
        {"LIFEuler": _TO_VALUE, "CubaLIFEuler": _TO_VALUE_CUBA},
        ">",
        _IMAGES,
        fixed=True,
        one_threshold=True,
        spiking_last=True,
        branches=True,
    ),
    "norse": Target(
        1e-3,
        {"IFEuler": _TO_VALUE, "LIFEuler": _TO_VALUE, "CubaLIFEuler": _TO_VALUE_CUBA},
        ">",
        ("Linear", "Conv2d", "Flatten"),
        recurrent=True,
    ),
    "spikingjelly": Target(
        1e-4,
        {"IFEuler": _TO_VALUE, "LIFEuler": _TO_VALUE, "CubaLIFEuler": _TO_VALUE_CUBA},
        ">=",
        _IMAGES,
        uniform=("tau_mem", "tau_syn"),
        one_threshold=True,
        branches=True,
        recurrent=True,
    ),
    "spyx": Target(
        1.0,
        {
            "IFEuler": _SPYX,
            "LIFEuler": {**_SPYX, "reset_delay": True},
            "CubaLIFEuler": {**_SPYX, "reset_delay": False, "synapse": "new"},
        },
        ">",
        ("Linear", "Conv2d", "SumPool2d", "Flatten"),
        recurrent=True,
        channels_last=True,
    ),
    "sinabs": Target(
        1.0,
        {"IFEuler": _SINABS, "LIFEuler": _SINABS, "LIEuler": {"delay": 0}},
        ">=",
        ("Linear", "Conv2d", "SumPool2d", "Flatten"),
        decay="exp",
        affine=True,
    ),
}


def translated(units: Units, dialect: str, dt: float | int | None) -> tuple[Units, float]:
    """Return layers that another package runs as the given ones run here, and its time step.

    All have the settings of NIR's equations, with parameters from which the importer of the package
    makes decays and gains of the layers.

    Parameters
    ----------
    units : Units
        The layers.
    dialect : str
        A key of `TARGETS`.
    dt : float or None
        The time step that the importer is given.

    Raises
    ------
    ValueError
        A layer cannot be held, which is named with the reason.
    """
    target = TARGETS[dialect]
    step = target.dt if dt is None else dt
    if target.fixed and step != target.dt:
        raise ValueError(f"to_nir: {dialect} takes dt = {target.dt:g} s always, got dt = {step:g}")
    for unit in units.units:
        _check(units, unit, dialect, target)
    last = next((unit for unit in units.units if unit.name in units.outputs), units.units[-1])
    if target.spiking_last and last.node.model not in target.neurons:
        raise _refused(last, dialect, f"is a {last.node.model}; the last layer there must fire")
    made = [replace(unit, node=unit.node) for unit in units.units]
    by_name = {unit.name: unit for unit in made}
    for unit in made:
        if unit.node.model in EULER:
            _translate(Units(made, units.outputs), by_name, unit, dialect, target, step)
    for unit in made:
        if target.channels_last and unit.node.model == "Linear":
            _turn_columns(by_name, unit)
        if dialect == "sinabs" and unit.node.model == "IFEuler":
            _check_floor(by_name, unit, dialect)
        unit.node = _single(unit.node)
    return Units(made, units.outputs, units.tree), step


def _refused(unit: Unit, dialect: str, why: str) -> ValueError:
    return ValueError(f"to_nir: {unit.name!r} {why} ({dialect})")


def _check(units: Units, unit: Unit, dialect: str, target: Target) -> None:
    """Refuse a layer that the importer does not run as this package does."""
    node = unit.node
    if not units.is_row and not target.branches:
        raise _refused(unit, dialect, "is in a graph that branches; only rows are written")
    if len(units.outputs) > 1 and unit.name in units.outputs:
        raise _refused(unit, dialect, "is one of several that add up to the output")
    if node.model in target.layers:
        _check_windows(unit, dialect, target)
        return
    if node.model not in target.neurons:
        raise _refused(unit, dialect, f"is a {node.model}, which cannot be held")
    for setting, needed in target.neurons[node.model].items():
        has = node.settings.get(setting)
        if has != needed and not (setting == "max_spikes_per_dt" and has is None):
            raise _refused(unit, dialect, f"has {setting}={has!r}, it must be {needed!r}")
    if "w_rec" in node.parameters and not target.recurrent:
        raise _refused(unit, dialect, "has recurrent weights, which its importer does not run")
    for parameter in ("v_leak", "v_reset"):
        known = node.parameters.get(parameter)
        if known is not None and np.any(known.array) and not _starts_there(unit, dialect):
            raise _refused(unit, dialect, f"has {parameter} other than 0")
    for parameter in target.uniform:
        value = node.parameters.get(parameter)
        if value is not None and np.unique(value.array).size > 1:
            raise _refused(unit, dialect, f"has {parameter} of each neuron, it must be one for all")


def _check_windows(unit: Unit, dialect: str, target: Target) -> None:
    """Refuse convolutions and pools that the importer, or nir for it, takes for others."""
    settings = unit.node.settings
    if settings.get("groups", 1) != 1:
        raise _refused(unit, dialect, "has groups, which its importer does not take")
    if unit.node.model == "SumPool2d" and any(pad != 0 for pad in settings["padding"]):
        raise _refused(unit, dialect, "has padding, which its importer does not take as it is")
    if not target.channels_last:
        return
    if any(step != 1 for step in settings.get("dilation", (1,))):
        raise _refused(unit, dialect, "has a dilation, which its importer does not take")


def _starts_there(unit: Unit, dialect: str) -> bool:
    """Return whether membranes start at v_reset, to which they decay, as those of spikingjelly."""
    node = unit.node
    values = {key: v.array for key, v in node.parameters.items() if key != "w_rec"}
    start, v_reset = node.states.get("vmem"), values.get("v_reset")
    if dialect != "spikingjelly" or start is None or v_reset is None:
        return False
    decays_to = v_reset if node.model == "LIFEuler" else np.zeros(())
    same = np.all(values.get("v_leak", decays_to) == decays_to) and np.all(start == v_reset)
    return bool(same) and all(np.unique(value).size == 1 for value in values.values())


def _translate(
    units: Units,
    by_name: Mapping[str, Unit],
    unit: Unit,
    dialect: str,
    target: Target,
    dt: float | int,
) -> None:
    """Give neurons parameters with which the importer computes the same; scale what leads there."""
    node = unit.node
    steps = steps_of(node)
    parameters = {key: value.array for key, value in node.parameters.items() if key != "w_rec"}
    gain = np.asarray(steps.g_mem * steps.g_syn, np.float64)
    wanted: Any = 1.0
    if "tau_mem" in parameters:
        parameters["tau_mem"] = _tau(unit, dialect, steps.a_mem, target, dt)
        if dialect == "norse" and node.model == "LIFEuler":
            wanted = 1 - steps.a_mem
        elif dialect == "spikingjelly" and node.model == "LIFEuler":
            takes_share = np.allclose(gain, 1 - steps.a_mem, rtol=1e-6, atol=0)
            wanted = gain if takes_share else 1.0
    if "tau_syn" in parameters:
        parameters["tau_syn"] = _tau(unit, dialect, steps.a_syn, target, dt)
    scale: np.ndarray = np.asarray(gain / wanted, np.float64).ravel()
    threshold = full(node, "threshold").ravel() if "threshold" in parameters else None
    if threshold is not None and target.one_threshold and np.unique(threshold).size > 1:
        if not (threshold > 0).all():
            raise _refused(unit, dialect, "has thresholds of each neuron that are not all > 0")
        scale, threshold = scale / threshold, np.ones_like(threshold)
    if np.allclose(scale, 1, rtol=1e-12, atol=0):
        scale = np.ones(())
    elif (scale == scale[0]).all():
        scale = scale[:1].reshape(())
    if np.any(scale != 1) and not _absorbed(units, by_name, unit, scale):
        if threshold is None or scale.ndim or np.any(node.parameters["v_reset"].array):
            raise _refused(unit, dialect, "has a gain that no weights before it can take")
        threshold = threshold / scale
        scale = np.ones(())
    if threshold is not None:
        parameters["threshold"] = _threshold(threshold, node.settings["fires"], target.fires)
    parameters |= _gains(dialect, node.model, parameters, steps, wanted, dt)
    values = {key: replace(node.parameters[key], array=array) for key, array in parameters.items()}
    if "w_rec" in node.parameters:
        w_rec = node.parameters["w_rec"]
        values["w_rec"] = replace(w_rec, array=w_rec.array * scale)
    unit.node = replace(node, parameters=values)


def _tau(unit: Unit, dialect: str, kept: np.ndarray, target: Target, dt: float | int) -> np.ndarray:
    """Return time constants with which a step of the importer leaves what one leaves here."""
    if target.decay == "exp":
        if not ((kept > 0) & (kept < 1)).all():
            raise _refused(unit, dialect, "forgets at once or never; tau cannot say so")
        return (-dt / np.log(kept)).ravel()
    if not (kept < 1).all():
        raise _refused(unit, dialect, "has an infinite time constant")
    return (dt / (1 - kept)).ravel()


def _threshold(values: np.ndarray, fires: str, wanted: str) -> np.ndarray:
    """Return thresholds at which the importer fires where neurons here do, in single precision."""
    single = values.astype(np.float32)
    if fires == wanted:
        return single
    toward = np.float32(np.inf if wanted == ">=" else -np.inf)
    return np.nextafter(single, toward)


def _gains(
    dialect: str,
    model: str,
    parameters: Mapping[str, Any],
    steps: Any,
    wanted: Any,
    dt: float | int,
) -> dict[str, np.ndarray]:
    """Return `r` and `w_in` as the importer wants to see them."""
    if model == "IFEuler":
        r = 1.0 / dt if dialect == "spikingjelly" else 1.0
        return {"r": np.full(steps.a_mem.size, r)}
    tau = parameters["tau_mem"]
    found = {"r": tau / dt}
    if dialect == "sinabs" or np.any(wanted != 1.0):
        found["r"] = np.ones_like(tau)
    elif dialect == "spyx":
        found["r"] = np.broadcast_to(steps.a_mem, steps.a_mem.shape).ravel()
    if "tau_syn" in parameters:
        tau_syn = parameters["tau_syn"]
        found["w_in"] = np.ones_like(tau_syn) if dialect == "spyx" else tau_syn / dt
    return found


def _check_floor(by_name: Mapping[str, Unit], unit: Unit, dialect: str) -> None:
    """Refuse an IF that may get negative input: sinabs keeps its membrane above -threshold."""
    before = [by_name[name].node for name in unit.sources if name in by_name]
    if any(np.any(v.array < 0) for node in before for v in node.parameters.values()):
        raise _refused(
            unit, dialect, "has negative weights before it, and its importer keeps v > -threshold"
        )


def _turn_columns(by_name: Mapping[str, Unit], unit: Unit) -> None:
    """Bring the weights behind flattened images into the order height, width, channels."""
    before = [by_name.get(name) for name in unit.sources]
    axes = tuple(before[0].node.settings.get("shape_in", ())) if before and before[0] else ()
    if before[0] is None or before[0].node.model != "Flatten" or len(axes) != 3:
        return
    weight = unit.node.parameters["weight"]
    array = weight.array.reshape(*axes, -1).transpose(1, 2, 0, 3).reshape(weight.array.shape)
    unit.node = replace(
        unit.node, parameters={**unit.node.parameters, "weight": replace(weight, array=array)}
    )


def _absorbed(units: Units, by_name: Mapping[str, Unit], unit: Unit, scale: np.ndarray) -> bool:
    """Scale the weights that lead to neurons; False, and nothing is done, where that cannot be."""
    before = [by_name.get(name) for name in unit.sources]
    for source in before:
        if source is None or len(units.targets(source.name)) > 1 or source.name in units.outputs:
            return False
        if source.node.model not in ("Linear", "Conv2d") or (
            scale.ndim and source.node.model != "Linear"
        ):
            return False
    for source in before:
        assert source is not None
        values = {}
        for key, value in source.node.parameters.items():
            values[key] = replace(value, array=value.array * scale)
        source.node = replace(source.node, parameters=values)
    return True


def _single(node: Node) -> Node:
    """Return a layer in single precision, which is what the packages compute in."""
    values = {
        key: replace(value, array=value.array.astype(np.float32))
        for key, value in node.parameters.items()
    }
    return replace(node, parameters=values)
