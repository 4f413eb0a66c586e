"""Initial weights of spiking networks: `spiking`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from rockpool.nn.combinators._wiring import sources_of
from rockpool.nn.conversion import build, obstacles
from rockpool.nn.description import Node
from rockpool.nn.models import checks
from rockpool.nn.models.weights import Spiking, uniform_about
from rockpool.nn.modules.module import ModuleBase
from rockpool.nn.networks.lowering import SEPARATOR, has_two_outputs, lowered
from rockpool.nn.networks.makers import maker_of

__all__ = ["spiking"]

Path = tuple[str, ...]
Data = np.ndarray | None

_LIF = {"tau_mem", "tau_syn", "threshold"}  # what neurons have that are meant here
_N_TRIALS, _N_BATCH = 12, 8
_N_STEPS, _MOST_STEPS, _N_TAUS = 400, 5_000, 20  # so many taus as 400 steps of 1 ms are for 20 ms
_SPREAD = 3.0  # the larger, the less a layer amplifies what the one before it has too much


def spiking(net: Any, rate: float | int = 50.0, seed: int = 0) -> Any:
    """Draw the weights of a network anew, such that each layer spikes at about one rate.

    Each pair of linear weights and LIF neurons behind them is taken in turn. The weights are drawn
    for the fan-in, the time step, the time constants and thresholds of the neurons and the rate of
    the input; then the input, Poisson spikes at first and what all layers before make of them after
    that, is run through both in numpy, and the weights are scaled until the neurons have the rate.
    It lasts 400 time steps, or 20 of the longest time constants and at most 5000 steps.

    Parameters
    ----------
    net : module
        A `Sequential`, `Residual` or `Wired` of numpy, torch or jax with others inside, a `SynNet`
        or `WaveSenseNet`. Weights with no LIF neurons next behind them, such as those of a readout,
        stay what they are, and so do recurrent ones and those in other containers; between weights
        and neurons may stand what passes all on, such as dropout. Behind layers that are not on
        numpy there are Poisson spikes again.
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
        `net` is no container of layers, or `seed` no int.
    ValueError
        `rate` is not > 0 or more than one spike in each time step, `seed` is < 0, or there is no
        such pair.
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
    checks.seed("spiking", seed)
    if not isinstance(net, ModuleBase) or not net._registered_modules:
        raise TypeError(f"spiking: net must be a Sequential of layers, got {type(net).__name__}")
    node = _described(net).without_states().without_dropout()
    drawing = _Drawing(type(net).__name__, node, rate, np.random.default_rng(seed))
    drawing.run(node)
    if not drawing.found:
        raise ValueError(
            "spiking: there are no linear weights with LIF neurons next behind them, of a model "
            "that is on numpy as well"
        )
    return net.set_attributes(drawing.found)


class _Drawing:
    """The weights that have been drawn so far, while data go through the network.

    Data that nobody can tell are None: Poisson spikes stand for them, as they do at the input.

    Parameters
    ----------
    label : str
        What messages call the network.
    whole : Node
        Its description.
    rate : float
        The rate of all layers in Hz.
    random : np.random.Generator
        What draws the weights.
    """

    def __init__(
        self, label: str, whole: Node, rate: float | int, random: np.random.Generator
    ) -> None:
        self.label, self.rate, self.random = label, rate, random
        self.found: dict[str, Any] = {}  # a tree, for `set_attributes`
        neurons = [node for _, node in whole.walk() if _is_lif(node)]
        n_steps = max(map(_steps_for, neurons), default=_N_STEPS)
        self.shape = max(2, min(_N_BATCH, _N_BATCH * 1000 // n_steps)), n_steps
        self.dt = float(neurons[0].settings["dt"]) if neurons else 1e-3

    def run(self, node: Node) -> None:
        """Draw the weights of the network; in a class of a user the layers stand in a row."""
        data = None if node.shape[0] is None else self._spikes(node.shape[0])
        of_user = node.user_class is not None and maker_of(node) is None
        if of_user or has_two_outputs(node):
            self._along_row(list(_row(node, ())), data)
        else:
            self.output(node, (), data)

    def _spikes(self, n_channels: int) -> np.ndarray:
        mean = min(self.rate * self.dt, 1.0)  # a higher rate is refused
        return self.random.poisson(mean, (*self.shape, n_channels)).astype(float)

    def output(self, node: Node, path: Path, data: Data) -> Data:
        """Draw the weights in a container, and return what it makes of data; so for a layer."""
        if not has_two_outputs(node):
            node = lowered(node)
        if node.user_class is not None:
            return self._through(node, data)
        if node.model == "Sequential":
            return self._along_row(list(_row(node, path)), data)
        if node.model == "Residual":
            return _sum([self._along_row(list(_row(node, path)), data), data])
        if node.model == "Wired":
            return self._along_edges(node, path, data)
        return self._through(node, data)

    def _through(self, node: Node, data: Data) -> Data:
        """Return what a layer makes of data, on numpy."""
        if data is None or list(obstacles(node, "numpy")):
            return None
        return np.asarray(build(node, "numpy")(data)[0])

    def _along_row(self, row: list[tuple[Path, Node]], data: Data) -> Data:
        while row:
            (path, layer), *row = row
            behind = next((k for k, (_, node) in enumerate(row) if not _passes_all(node)), None)
            if behind is not None and _is_pair(layer, row[behind][1]):
                data = self._drawn(path, layer, row[behind][1], data)
                row = row[behind + 1 :]
            else:
                data = self.output(layer, path, data)
        return data

    def _along_edges(self, node: Node, path: Path, data: Data) -> Data:
        edges, outputs = node.settings["edges"], {"input": data}
        sources = sources_of(edges)
        for name, layer in node.children.items():
            if name in outputs:
                continue  # neurons, with the weights before them
            inner = _sum([outputs[source] for source in sources[name]])
            place = (*path, *name.split(SEPARATOR))
            only = [b for a, b in edges if a == name]
            behind = only[0] if len(only) == 1 and sources[only[0]] == [name] else "output"
            if behind != "output" and _is_pair(layer, node.children[behind]):
                outputs[name] = None
                outputs[behind] = self._drawn(place, layer, node.children[behind], inner)
            else:
                outputs[name] = self.output(layer, place, inner)
        return _sum([outputs[source] for source in sources["output"]])

    def _drawn(self, path: Path, weights: Node, neurons: Node, data: Data) -> np.ndarray:
        """Draw the weights before some neurons, and return the spikes of those."""
        dt, rate = float(neurons.settings["dt"]), self.rate
        if rate * dt > 1:
            raise ValueError(
                f"spiking: rate must be at most one spike in each time step of {dt:g} s, got "
                f"{rate:g} Hz"
            )
        present, shape = (
            weights.parameters["weight"].array,
            weights.parameters["weight"].array.shape,
        )
        if data is None:
            data = self._spikes(shape[0])
        total = _made_for(neurons, rate, dt).total()
        drawn = uniform_about(self.random.uniform(-1, 1, shape), total, _SPREAD)
        bias = weights.parameters.get("bias")
        added = np.zeros(shape[1]) if bias is None else bias.array
        label = f"{self.label} {'.'.join(path)!r}"
        scale, spikes = _fitted(label, data, drawn, added, neurons, rate * dt)
        tree = self.found
        for name in path:
            tree = tree.setdefault(name, {})
        tree["weight"] = (scale * drawn).astype(present.dtype)
        return spikes


def _row(node: Node, path: Path) -> Iterator[tuple[Path, Node]]:
    """Go over what stands in a row, in the rows inside, too."""
    for name, child in node.children.items():
        if child.model == "Sequential" and child.user_class is None:
            yield from _row(child, (*path, name))
        else:
            yield (*path, name), child


def _sum(arrays: list[Data]) -> Data:
    known = [each for each in arrays if each is not None]
    return sum(known[1:], known[0]) if len(known) == len(arrays) else None


def _passes_all(node: Node) -> bool:
    return node.model == "Flatten" or node.settings.get("function") == "identity"


def _is_pair(weights: Node, neurons: Node) -> bool:
    """Whether these are weights to be drawn, and neurons behind them."""
    return weights.model == "Linear" and weights.user_class is None and _is_lif(neurons)


def _is_lif(node: Node) -> bool:
    """Whether a layer is LIF neurons that numpy can hold, which the weights are tried with."""
    return node.parameters.keys() >= _LIF and not list(obstacles(node, "numpy"))


def _described(module: Any) -> Node:
    node: Node = module._describe()
    return node


def _steps_for(node: Node) -> int:
    """Return for how many time steps neurons are run, which is not only while they start up."""
    longest = max(float(node.parameters[name].array.max()) for name in ("tau_mem", "tau_syn"))
    wanted = _N_TAUS * longest / float(node.settings["dt"])
    return int(min(max(wanted, _N_STEPS), _MOST_STEPS))


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
