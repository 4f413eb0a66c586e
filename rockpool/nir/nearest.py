"""Layers as the nodes of NIR that come nearest to them, and in what others will read them wrong."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from rockpool.nir.graph import GraphNode
from rockpool.nir.units import axes_in
from rockpool.nn.description import Node
from rockpool.nn.models import convolution
from rockpool.nn.models.euler import constants

__all__ = ["Made", "Synapse", "full", "nearest", "steps_of", "weights_node"]

MOST_WEIGHTS = 10**7  # of zeros and ones, which bring each synapse its channels

EULER = {
    "IFEuler": "IF",
    "LIFEuler": "LIF",
    "LIEuler": "LI",
    "CubaLIFEuler": "CubaLIF",
    "CubaLIEuler": "CubaLI",
}
# The settings with which the neurons take the step of NIR's equations
_PLAIN = {
    "decay": "euler",
    "synapse": "new",
    "reset": "value",
    "reset_delay": False,
    "fires": ">",
}


class Synapse(NamedTuple):
    """One of several synapses of each neuron, as nodes that lead to the neurons.

    Attributes
    ----------
    chosen : np.ndarray
        Weights (from, to) that pick its channels out of what leads to the layer.
    current : GraphNode
        Its currents.
    w_rec : np.ndarray or None
        Weights (from, to) from the neurons to it.
    """

    chosen: np.ndarray
    current: GraphNode
    w_rec: np.ndarray | None


@dataclass
class Made:
    """A node that was made of a layer, and nodes beside it.

    Attributes
    ----------
    node : GraphNode
        The node.
    w_rec : np.ndarray or None
        Weights (from, to) between its neurons, which become a node of their own.
    lost : list of str
        What the nodes do not say.
    delay : GraphNode or None
        What hands on the output late.
    synapses : list of Synapse
        What leads to the node, where each neuron has several synapses.
    """

    node: GraphNode
    w_rec: np.ndarray | None = None
    lost: list[str] = field(default_factory=list)
    delay: GraphNode | None = None
    synapses: list[Synapse] = field(default_factory=list)


def nearest(name: str, node: Node) -> Made:
    """Return the node of NIR for a layer.

    Parameters
    ----------
    name : str
        The name of the layer, for messages.
    node : Node
        Its description.

    Raises
    ------
    ValueError
        NIR has no such node.
    """
    if node.model in EULER:
        return _neurons(node)
    make = _MAKERS.get(node.model)
    if make is None:
        raise ValueError(f"to_nir: {name!r} is a {node.model}, which NIR cannot hold")
    return make(name, node)


def full(node: Node, parameter: str) -> np.ndarray:
    """Return a parameter for each neuron, in their array."""
    array = node.parameters[parameter].array
    axes = axes_in(node) if "neuron_shape" in node.settings else (int(node.shape[-1] or 1),)
    size = math.prod(axes)
    return np.ascontiguousarray(np.broadcast_to(array.ravel(), (size,)).reshape(axes))


def steps_of(node: Node) -> Any:
    """Return decays and gains of neurons of NIR, in double precision, in their array."""
    values: dict[str, Any] = {
        key: full(node, key).astype(np.float64)
        for key in ("tau_mem", "tau_syn", "r", "w_in", "v_leak")
        if key in node.parameters
    }
    settings = {"gain_syn": "w_in", **node.settings}
    found = constants(values, settings, np.exp)
    axes = axes_in(node)
    gains = {"g_syn": found.a_syn} if settings["gain_syn"] == "decay" else {}
    arrays = found._replace(**gains)
    return type(found)(*(np.broadcast_to(np.asarray(a, np.float64), axes) for a in arrays))


def _neurons(node: Node) -> Made:
    """Return the node of neurons of NIR."""
    settings, kind, dt = node.settings, EULER[node.model], node.settings["dt"]
    fields: dict[str, Any] = {}
    for parameter, name in (
        ("tau_mem", "tau_mem" if kind.startswith("Cuba") else "tau"),
        ("tau_syn", "tau_syn"),
        ("r", "r"),
        ("w_in", "w_in"),
        ("v_leak", "v_leak"),
        ("threshold", "v_threshold"),
        ("v_reset", "v_reset"),
    ):
        if parameter in node.parameters:
            fields[name] = full(node, parameter)
    lost = [f"{k}={settings[k]!r}" for k, v in _PLAIN.items() if settings.get(k, v) != v]
    delay = None
    if settings["delay"]:
        delay = GraphNode("Delay", {"delay": np.full(axes_in(node), settings["delay"] * dt)})
    if settings["gain"] == "unit":
        endless = np.isinf(fields.get("tau", fields.get("tau_mem", np.zeros(1))))
        if kind == "LI" and endless.all():
            r = np.full_like(fields["r"], 1 / dt)
            return Made(GraphNode("I", {"r": r}), None, lost, delay)
        if endless.any():  # r / tau is 0, whatever r is
            lost.append("gain='unit' with an infinite tau_mem")
        fields["r"] = _per_step(fields.get("tau", fields.get("tau_mem")), fields["r"], dt)
    if settings.get("gain_syn", "w_in") != "w_in":
        decayed = settings["gain_syn"] == "decay"
        factor = steps_of(node).g_syn if decayed else 1.0
        fields["w_in"] = _per_step(fields["tau_syn"], fields["w_in"], dt, factor)
    if settings.get("reset") == "subtract" and settings["max_spikes_per_dt"] != 1:
        lost.append(f"max_spikes_per_dt={settings['max_spikes_per_dt']:g}")
    w_rec = node.parameters["w_rec"].array if "w_rec" in node.parameters else None
    return Made(GraphNode(kind, fields), w_rec, lost, delay)


def _per_step(tau: Any, like: np.ndarray, dt: float | int, factor: Any = 1.0) -> np.ndarray:
    """Return the gain with which a step of NIR adds its input as it is, ``tau / dt``."""
    seconds = np.ones_like(like, np.float64) if tau is None else np.asarray(tau, np.float64)
    finite = np.where(np.isinf(seconds), dt, seconds)
    return np.asarray(factor * finite / dt).astype(like.dtype)


def _lif(name: str, node: Node) -> Made:
    """Return a CubaLIF, or a LIF behind several LI: Euler steps come near exponential decays."""
    n_in, n_out = int(node.shape[0] or 1), int(node.shape[-1] or 1)
    dt, tau_mem, bias = node.settings["dt"], full(node, "tau_mem"), full(node, "bias")
    kept = np.exp(-dt / tau_mem.astype(np.float64))
    fields = {
        "r": _per_step(tau_mem, tau_mem, dt),
        "v_leak": (bias / np.where(kept < 1, 1 - kept, 1)).astype(bias.dtype),
        "v_threshold": full(node, "threshold"),
        "v_reset": np.zeros_like(tau_mem),
    }
    lost = ["decay='exp'", "reset='subtract'", "fires='>='"]
    if node.settings["max_spikes_per_dt"] != 1:
        lost.append(f"max_spikes_per_dt={node.settings['max_spikes_per_dt']:g}")
    lost += _noise(node)
    w_rec = node.parameters["w_rec"].array if "w_rec" in node.parameters else None
    if n_in != n_out:
        synapses = _synapses(name, node, n_in, n_out, w_rec)
        neuron = GraphNode("LIF", {"tau": tau_mem, **fields})
        return Made(neuron, None, lost, synapses=synapses)
    tau_syn = full(node, "tau_syn")
    decayed = np.exp(-dt / tau_syn.astype(np.float64))
    fields |= {
        "tau_mem": tau_mem,
        "tau_syn": tau_syn,
        "w_in": _per_step(tau_syn, tau_syn, dt, decayed),
    }
    return Made(GraphNode("CubaLIF", fields), w_rec, lost)


def _synapses(
    name: str, node: Node, n_in: int, n_out: int, w_rec: np.ndarray | None
) -> list[Synapse]:
    """Return the synapses of neurons that have several: channel ``n * S + s`` is s of neuron n."""
    number = n_in // n_out
    if n_in * n_in > MOST_WEIGHTS:
        raise ValueError(
            f"to_nir: {name!r} has {number} synapses for each of {n_out} neurons; to bring them "
            f"their channels takes {n_in * n_in} weights, {MOST_WEIGHTS} are the most"
        )
    tau_syn = np.broadcast_to(node.parameters["tau_syn"].array, (n_out, number))
    which = np.eye(n_in, dtype=tau_syn.dtype)
    return [
        Synapse(
            which[:, s::number],
            _current(np.ascontiguousarray(tau_syn[:, s]), node.settings["dt"]),
            None if w_rec is None else w_rec[:, s::number],
        )
        for s in range(number)
    ]


def _current(tau: np.ndarray, dt: float) -> GraphNode:
    """Return currents that decay by the exponential, input and all."""
    decayed = np.exp(-dt / tau.astype(np.float64))
    fields = {"tau": tau, "r": _per_step(tau, tau, dt, decayed), "v_leak": np.zeros_like(tau)}
    return GraphNode("LI", fields)


def _exp_syn(name: str, node: Node) -> Made:
    current = _current(full(node, "tau"), node.settings["dt"])
    return Made(current, None, ["decay='exp'", *_noise(node)])


def _rate(name: str, node: Node) -> Made:
    tau = full(node, "tau")
    fields = {"tau": tau, "r": np.ones_like(tau), "v_leak": full(node, "bias")}
    lost = ["activation_func", *_noise(node)]
    w_rec = node.parameters["w_rec"].array if "w_rec" in node.parameters else None
    return Made(GraphNode("LI", fields), w_rec, lost)


def _noise(node: Node) -> list[str]:
    std = node.settings.get("noise_std", 0.0)
    return [f"noise_std={std:g}"] if std else []


def weights_node(weight: np.ndarray, bias: np.ndarray | None = None) -> GraphNode:
    """Return a Linear, or an Affine where there is a bias, of weights (from, to)."""
    turned = np.ascontiguousarray(weight.T)
    if bias is None:
        return GraphNode("Linear", {"weight": turned})
    spread = np.ascontiguousarray(np.broadcast_to(bias, turned.shape[:1]))
    return GraphNode("Affine", {"weight": turned, "bias": spread})


def _linear(name: str, node: Node) -> Made:
    bias = node.parameters["bias"].array if "bias" in node.parameters else None
    return Made(weights_node(node.parameters["weight"].array, bias))


def _scale(name: str, node: Node) -> Made:
    axes = axes_in(node)
    weight = node.parameters["weight"].array
    scale = np.broadcast_to(weight.ravel(), (math.prod(axes),)).reshape(axes)
    return Made(GraphNode("Scale", {"scale": np.ascontiguousarray(scale)}))


def _instant(name: str, node: Node) -> Made:
    if node.settings["function"] != "identity" or node.shape[0] is None:
        raise ValueError(f"to_nir: {name!r} is a function, which NIR cannot hold")
    return Made(GraphNode("Scale", {"scale": np.ones(int(node.shape[0]))}))


def _convolution(name: str, node: Node) -> Made:
    settings, weight = node.settings, node.parameters["weight"].array
    shape_in = tuple(settings["shape_in"])
    bias = node.parameters["bias"].array if "bias" in node.parameters else np.zeros(1, weight.dtype)
    n_axes = int(node.model[4])
    size = np.array(shape_in[1:]) if n_axes == 2 else np.array(shape_in[1])
    fields = {
        "input_shape": size,
        "weight": np.ascontiguousarray(weight),
        "stride": _sizes(settings["stride"], n_axes),
        "padding": _padding(name, node, n_axes),
        "dilation": _sizes(settings["dilation"], n_axes),
        "groups": np.array(settings["groups"]),
        "bias": np.ascontiguousarray(np.broadcast_to(bias.ravel(), weight.shape[:1])),
    }
    return Made(GraphNode(node.model, fields))


def _sizes(values: Any, n_axes: int) -> np.ndarray:
    return np.array(values if n_axes == 2 else values[0])


def _padding(name: str, node: Node, n_axes: int) -> Any:
    padding = node.settings["padding"]
    if all(isinstance(pad, int) for pad in padding):
        return _sizes(padding, n_axes)
    same = convolution.convolution_geometry(
        n_axes, node.model, {**node.settings, "stride": 1, "padding": "same"}
    )
    if same.padding == padding and all(step == 1 for step in node.settings["stride"]):
        return "same"
    raise ValueError(
        f"to_nir: {name!r} has padding {padding}, with NIR it is the same on both sides"
    )


def _pooling(name: str, node: Node) -> Made:
    settings = convolution.pooling_geometry(2, node.model, node.settings)
    if any(not isinstance(pad, int) for pad in settings.padding):
        raise ValueError(f"to_nir: {name!r} has padding {settings.padding}, NIR has one per axis")
    fields = {
        "kernel_size": np.array(settings.kernel_size),
        "stride": np.array(settings.stride),
        "padding": np.array(settings.padding),
    }
    return Made(GraphNode(node.model, fields))


def _flatten(name: str, node: Node) -> Made:
    shape = np.array(node.settings["shape_in"])
    fields = {"start_dim": np.array(0), "end_dim": np.array(-1), "input_type": shape}
    return Made(GraphNode("Flatten", fields))


_MAKERS: dict[str, Callable[[str, Node], Made]] = {
    "LIF": _lif,
    "ExpSyn": _exp_syn,
    "Rate": _rate,
    "Linear": _linear,
    "Scale": _scale,
    "Instant": _instant,
    "Conv1d": _convolution,
    "Conv2d": _convolution,
    "SumPool2d": _pooling,
    "AvgPool2d": _pooling,
    "Flatten": _flatten,
}
