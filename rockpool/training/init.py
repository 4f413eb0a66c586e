"""Initial weights of spiking networks: `spiking`."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

from rockpool.nn.description import Node
from rockpool.nn.models import checks
from rockpool.nn.models.weights import Spiking, uniform_about
from rockpool.nn.modules.module import ModuleBase
from rockpool.parameters import to_numpy

__all__ = ["spiking"]

_LIF = {"tau_mem", "tau_syn", "threshold"}  # what neurons have that are meant here
_N_TRIALS, _N_BATCH = 12, 8
_N_STEPS, _MOST_STEPS, _N_TAUS = 400, 10_000, 20  # so many taus as 400 steps of 1 ms are for 20 ms
_SPREAD = 3.0  # the larger, the less a layer amplifies what the one before it has too much


def spiking(net: Any, rate: float | int = 50.0, seed: int = 0) -> Any:
    """Draw the weights of a network anew, such that each layer spikes at about one rate.

    Each pair of linear weights and LIF neurons behind them is taken in turn. The weights are drawn
    for the fan-in, the time step, the time constants and thresholds of the neurons and the rate of
    the input; then the input, Poisson spikes at first and what the layers before make of them after
    that, is run through both in numpy, and the weights are scaled until the neurons have the rate.

    Parameters
    ----------
    net : module
        A `Sequential` of numpy, torch or jax. Weights with no LIF neurons next behind them, such as
        those of a readout, stay what they are, and so do recurrent ones.
    rate : float
        Firing rate of the input, and that of all neurons in a layer on average, in Hz. Default: 50.
    seed : int
        Of the random numbers. Default: 0.

    Returns
    -------
    module
        The network with its new weights: itself; for jax, a copy.

    Raises
    ------
    TypeError
        `net` is no container of layers.
    ValueError
        `rate` is not > 0, is more than one spike in each time step, or there is no such pair.
    RuntimeError
        No weights were found for a layer: its neurons are silent, or spike by themselves.

    Examples
    --------
    >>> from rockpool.nn.combinators import Sequential
    >>> from rockpool.nn.modules import LIF, Linear
    >>> from rockpool.training.init import spiking
    >>> net = spiking(Sequential(Linear((20, 30)), LIF(30), Linear((30, 5))), rate=20.0)
    """
    checks.scalar("spiking", "rate", rate)
    checks.positive("spiking", "rate", rate, "Hz")
    if not isinstance(net, ModuleBase) or not net._registered_modules:
        raise TypeError(f"spiking: net must be a Sequential of layers, got {type(net).__name__}")
    layers = list(net._registered_modules.items())
    pairs = {
        name: following
        for (name, weights), (_, following) in pairwise(layers)
        if _described(weights).model == "Linear" and _is_lif(_described(following))
    }
    if not pairs:
        raise ValueError(
            "spiking: there are no linear weights with LIF neurons next behind them, of a model "
            "that is on numpy as well"
        )
    random = np.random.default_rng(seed)
    found: dict[str, Any] = {}
    spikes: np.ndarray | None = None
    for name, module in layers:
        if name not in pairs:
            continue
        node = _described(pairs[name])
        dt = float(node.settings["dt"])
        if rate * dt > 1:
            raise ValueError(
                f"spiking: rate must be at most one spike in each time step of {dt:g} s, got "
                f"{rate:g} Hz"
            )
        shape = module.shape
        if spikes is None or spikes.shape[-1] != shape[0]:
            n_steps = _steps_for(node, dt)
            spikes = random.poisson(rate * dt, (_N_BATCH, n_steps, shape[0])).astype(float)
        total = _made_for(node, rate, dt).total()
        drawn = uniform_about(random.uniform(-1, 1, shape), total, _SPREAD)
        label = f"{type(net).__name__} {name!r}"
        bias = _described(module).parameters.get("bias")
        added = np.zeros(shape[1]) if bias is None else bias.array
        scale, spikes = _fitted(label, spikes, drawn, added, node, rate * dt)
        found[name] = {"weight": _like(scale * drawn, module._load_attribute("weight"))}
    return net.set_attributes(found)


def _is_lif(node: Node) -> bool:
    """Whether a layer is LIF neurons that numpy can hold, which the weights are tried with."""
    from rockpool.nn.conversion import obstacles

    return node.parameters.keys() >= _LIF and not list(obstacles(node, "numpy"))


def _described(module: Any) -> Node:
    node: Node = module._describe()
    return node


def _steps_for(node: Node, dt: float | int) -> int:
    """Return for how many time steps neurons are run, which is not only while they start up."""
    longest = max(float(node.parameters[name].array.max()) for name in ("tau_mem", "tau_syn"))
    return int(min(max(_N_TAUS * longest / dt, _N_STEPS), _MOST_STEPS))


def _made_for(node: Node, rate: float | int, dt: float | int) -> Spiking:
    mean = {name: float(node.parameters[name].array.mean()) for name in _LIF}
    n_in, n_out = np.array(node.shape, int)[[0, -1]]
    mean["threshold"] *= n_out / n_in  # the synapses of a neuron share its charge
    return Spiking(rate=rate, dt=dt, **mean)


def _fitted(
    label: str,
    data: np.ndarray,
    weight: np.ndarray,
    bias: np.ndarray,
    node: Node,
    target: float | int,
) -> tuple[float, np.ndarray]:
    """Return by what to scale weights to get a number of spikes per step, and those spikes."""
    from rockpool.nn.conversion import build

    neurons = build(node, "numpy")
    current = data @ weight

    def spikes_with(scale: float | int) -> np.ndarray:
        neurons.reset_state()
        return np.asarray(neurons(scale * current + bias)[0])

    low, high = 0.0, 1.0
    while (spikes := spikes_with(high)).mean() < target:
        low, high = high, 2 * high
        if high > 2.0**20:
            raise RuntimeError(
                f"spiking: the neurons behind {label} do not spike, with whatever weights"
            )
    for _ in range(_N_TRIALS):
        scale = (low + high) / 2
        spikes = spikes_with(scale)
        low, high = (scale, high) if spikes.mean() < target else (low, scale)
    if spikes.mean() > 2 * target:
        raise RuntimeError(
            f"spiking: the neurons behind {label} spike whatever their input, or jump from silence "
            "to a higher rate; biases and recurrent weights may do that, start from smaller ones"
        )
    return (low + high) / 2, spikes


def _like(values: np.ndarray, present: Any) -> Any:
    """Return an array in the form in which a module takes it."""
    return values.astype(to_numpy(present).dtype)
