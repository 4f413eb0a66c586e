"""A trained network with fewer bits, and what that does to its spikes: `quantize_network`."""

from __future__ import annotations

import copy
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from rockpool.nn.combinators._wiring import sources_of
from rockpool.nn.conversion import _array_of, describe, library_of
from rockpool.nn.description import Node
from rockpool.nn.models.checks import one_of
from rockpool.nn.modules._observed import is_spiking, layers, observed
from rockpool.utilities.text_table import text_table

__all__ = ["LayerRate", "Quantized", "SilentLayerError", "quantize_network"]

_METHODS = ("global", "channel")
_WEIGHTS = ("Linear", "Conv1d", "Conv2d")
_SCALING = ("Scale", "SumPool2d", "AvgPool2d")
# Of neurons that spike, in the unit of the membrane
_POTENTIALS = ("threshold", "v_reset", "v_leak")

# New values by the names that lead to a module, and the name of the parameter
Values = dict[tuple[tuple[str, ...], str], np.ndarray]


@dataclass(frozen=True)
class LayerRate:
    """How much a layer spikes, per neuron and time step, before and after.

    Attributes
    ----------
    name : str
        Names that lead to the layer, with dots between them.
    before, after : float
        Mean number of spikes per neuron and time step.
    """

    name: str
    before: float
    after: float

    @property
    def fell_silent(self) -> bool:
        """Whether it has spiked and does not any more."""
        return self.before > 0 and self.after == 0


class SilentLayerError(ValueError):
    """A layer that has spiked does not spike any more once its network is quantised.

    Parameters
    ----------
    text : str
        The message.
    rates : tuple of LayerRate
        The rates of all layers; an attribute, too.
    """

    def __init__(self, text: str, rates: tuple[LayerRate, ...] = ()) -> None:
        super().__init__(text)
        self.rates = rates


@dataclass(frozen=True, eq=False)
class Quantized:
    """A quantised network; printed, it is the table of its rates.

    Attributes
    ----------
    network : Module
        The network, on the back-end of the original.
    rates : tuple of LayerRate
        How much each spiking layer spikes, before and after.
    """

    network: Any
    rates: tuple[LayerRate, ...]

    def __str__(self) -> str:
        return _table(self.rates)


def quantize_network(
    network: Any,
    data: Any,
    *,
    method: str = "channel",
    bits_per_weight: int = 8,
    bits_per_threshold: int = 16,
    silent: str = "error",
) -> Quantized:
    """Quantise a network that has been trained, and say how its spike rates change.

    The weights to a layer of neurons (dense ones, or the kernels of a convolution), its recurrent
    weights, its biases, its thresholds, and where its membranes rest and are reset to, are rounded
    to whole multiples of one step: that by which the largest weight is ``2**(bits - 1) - 1`` of it.
    So all of a neuron could be whole numbers. Where a threshold would have too many bits, the step
    is larger. A single value for all neurons of a layer is rounded to the largest of their steps.
    Time constants and resistances stay as they are, and so do the factors of `Scale` and pooling;
    weights in front of those and of neurons that do not spike, and kernels in front of neurons of
    several synapses, have steps of their own.

    Parameters
    ----------
    network : Module
        The network, of any back-end. It stays as it is.
    data : array_like
        Input on which the rates are measured, (B, T, Nin) or (T, Nin).
    method : str
        "channel", a step for each neuron, or for each channel of a convolution, or "global", one
        for each layer. Default: "channel".
    bits_per_weight, bits_per_threshold : int
        Number of bits with a sign, >= 2. Default: 8 and 16.
    silent : str
        What a layer is that has spiked and does not any more: an "error" or a "warning". Default:
        "error".

    Returns
    -------
    Quantized
        The network and the rates.

    Raises
    ------
    SilentLayerError
        A layer fell silent; the error names it and shows all rates.
    ValueError
        An unknown method, too few bits, data that do not fit, or a network that cannot be copied.
    TypeError
        A number of bits that is no int.

    Examples
    --------
    >>> import numpy as np
    >>> from rockpool.nn.combinators import Sequential
    >>> from rockpool.nn.modules import LIF, Linear
    >>> net = Sequential(Linear((2, 3), weight=np.full((2, 3), 0.7)), LIF(3, threshold=1.0))
    >>> print(quantize_network(net, np.ones((1, 20, 2)), bits_per_weight=4))
    layer  spikes per neuron and step  quantised
    1_LIF                        10.4       10.4
    """
    for name, value, known in (
        ("method", method, _METHODS),
        ("silent", silent, ("error", "warning")),
    ):
        if value not in known:
            raise ValueError(
                f"quantize_network: {name} must be {one_of(map(repr, known))}, got {value!r}"
            )
    for name, bits in (
        ("bits_per_weight", bits_per_weight),
        ("bits_per_threshold", bits_per_threshold),
    ):
        if isinstance(bits, bool) or not isinstance(bits, (int, np.integer)):
            raise TypeError(f"quantize_network: {name} must be an int, got {bits!r}")
        if bits < 2:
            raise ValueError(f"quantize_network: {name} must be >= 2, got {bits}")
    highest = 2 ** (bits_per_weight - 1) - 1
    limit = 2 ** (bits_per_threshold - 1) - 1
    values: Values = {}
    for weights, neurons in _groups(describe(network, state=False)):
        values |= _rounded(weights, neurons, method == "channel", highest, limit)
    quantised = _with_values(network, values)
    rates = _rates(network, quantised, data)
    gone = [rate.name or type(network).__name__ for rate in rates if rate.fell_silent]
    if gone:
        text = (
            f"quantize_network: {', '.join(gone)} fell silent with {bits_per_weight} bits a weight "
            f"(method {method!r}); use more bits, method='channel', or smaller thresholds\n"
            + _table(rates)
        )
        if silent == "error":
            raise SilentLayerError(text, rates)
        import warnings

        warnings.warn(text, stacklevel=2)
    return Quantized(quantised, rates)


# --- steps and rounded values ---------------------------------------------------------------------

Place = tuple[tuple[str, ...], Node]


def _groups(description: Node) -> Iterator[tuple[list[Place], Place | None]]:
    """Yield the layers that share steps: weights, and the neurons that they lead to."""
    wired = {path: node for path, node in description.walk() if node.model == "Wired"}
    for path, node in wired.items():
        yield from _wired_groups(path, node)
    weights: Place | None = None
    for path, node in layers(description):
        if path[:-1] in wired and path:
            continue
        if weights is not None and _parted(weights[0], path, wired):
            yield [weights], None
            weights = None
        if node.model in _WEIGHTS:
            if weights is not None:
                yield [weights], None
            weights = path, node
        elif _has_steps(node):
            fits = weights is not None and _fits(weights[1], node)
            if weights is not None and not fits:
                yield [weights], None
            yield ([weights] if weights is not None and fits else []), (path, node)
            weights = None
        elif node.model in _SCALING and weights is not None:  # the neurons behind get other sums
            yield [weights], None
            weights = None
    if weights is not None:
        yield [weights], None


def _has_steps(node: Node) -> bool:
    """Whether a layer has values that share steps with the weights that lead to it."""
    return is_spiking(node) or "w_rec" in node.parameters


def _parted(first: tuple[str, ...], second: tuple[str, ...], wired: Collection[Any]) -> bool:
    """Whether edges lie between two layers, one listed after the other."""
    common = 0
    while common < min(len(first), len(second)) and first[common] == second[common]:
        common += 1
    return first[:common] in wired


def _wired_groups(path: tuple[str, ...], node: Node) -> Iterator[tuple[list[Place], Place | None]]:
    """Yield the same of the layers that stand in one `Wired` themselves; they follow its edges.

    Weights that lead to several layers of neurons go with the first of them.
    """
    feeding = sources_of(node.settings["edges"])
    alone = {name for name, child in node.children.items() if child.model in _WEIGHTS}
    for name, child in node.children.items():
        if not _has_steps(child) or child.children:
            continue
        sources = [found for source in feeding[name] for found in _behind_axes(node, source)]
        leading = [
            source
            for source in dict.fromkeys(sources)
            if source in alone and _fits(node.children[source], child)
        ]
        alone -= set(leading)
        places = [((*path, source), node.children[source]) for source in leading]
        yield places, ((*path, name), child)
    for name in node.children:
        if name in alone:
            yield [((*path, name), node.children[name])], None


def _behind_axes(node: Node, name: str) -> list[str]:
    """Return the modules of a `Wired` whose outputs a module gives with other axes, or itself."""
    if name not in node.children or node.children[name].model != "Flatten":
        return [name]
    feeding = sources_of(node.settings["edges"])[name]
    return [found for source in feeding for found in _behind_axes(node, source)]


def _fits(weights: Node, neurons: Node) -> bool:
    """Whether weights share steps with the neurons behind them; kernels do for one synapse each."""
    alone = not _is_convolution(weights) or neurons.shape[0] == neurons.shape[-1]
    return alone and weights.shape[-1] == neurons.shape[0]


def _rounded(
    leading: list[Place], neurons: Place | None, by_channel: bool, highest: int, limit: int
) -> Values:
    """Return rounded weights, biases, thresholds and potentials of a layer of neurons."""
    n_neurons: Any = (neurons or leading[0])[1].shape[-1]
    largest = np.zeros(n_neurons)
    weights: list[tuple[Place, str]] = [(place, "weight") for place in leading]
    if neurons is not None and "w_rec" in neurons[1].parameters:
        weights.append((neurons, "w_rec"))
    for (_, node), name in weights:
        array = np.abs(node.parameters[name].array)
        if _is_convolution(node):
            of_channels = array.reshape(len(array), -1).max(axis=1)
            per_neuron = np.repeat(of_channels, n_neurons // len(array))
        else:  # columns lead to synapses, those of one neuron side by side
            per_neuron = array.reshape(len(array), n_neurons, -1).max(axis=(0, 2))
        largest = np.maximum(largest, per_neuron)
    step = largest / highest
    spiking = neurons is not None and is_spiking(neurons[1])
    if neurons is not None and spiking:
        for name in _POTENTIALS:
            if name in neurons[1].parameters:
                array = np.abs(np.broadcast_to(neurons[1].parameters[name].array, (n_neurons,)))
                step = np.where(step > 0, np.maximum(step, array / limit), step)
    for _, node in leading:
        if _is_convolution(node):  # the neurons of a channel have one kernel
            of_channels = step.reshape(len(node.parameters["weight"].array), -1).max(axis=1)
            step = np.repeat(of_channels, n_neurons // len(of_channels))
    if not by_channel:
        step[:] = step.max(initial=0.0)

    found: Values = {}
    for path, node in leading:
        for name in ("weight", "bias"):
            if name in node.parameters:
                array = node.parameters[name].array
                if _is_convolution(node):
                    found[path, name] = _on_steps_of_channels(array, step)
                else:
                    found[path, name] = _on_steps(array, step)
    if neurons is not None:
        path, node = neurons
        for name in ("w_rec", "bias", *(_POTENTIALS if spiking else ())):
            if name in node.parameters:
                found[path, name] = _on_steps(node.parameters[name].array, step)
        if (path, "threshold") in found:
            reset = found.get((path, "v_reset"), np.zeros(()))
            found[path, "threshold"] = _above(found[path, "threshold"], reset, step)
    return found


def _is_convolution(node: Node) -> bool:
    return node.model.startswith("Conv")


def _on_steps_of_channels(array: np.ndarray, step: np.ndarray) -> np.ndarray:
    """Return kernels (channels, ...) or biases rounded to multiples of the step of each channel."""
    if array.size == 1 and len(step) > 1:
        return _on_steps(array, step)
    of_channels = step.reshape(len(array), -1)[:, 0]
    turned = _on_steps(np.moveaxis(array, 0, -1), of_channels)
    return np.ascontiguousarray(np.moveaxis(turned, -1, 0))


def _above(threshold: np.ndarray, reset: np.ndarray, step: np.ndarray) -> np.ndarray:
    """Return thresholds that are at least one step above where neurons are reset to."""
    if threshold.size == 1:
        step, reset = step.max(keepdims=True).reshape(threshold.shape), np.max(reset)
    safe = np.where(step > 0, step, 1.0)
    # whole numbers of steps, but for rounding, unless one value is that of neurons of other steps
    counts, least = (np.asarray(values, np.float64) / safe for values in (threshold, reset))
    nearest = np.round(least)
    least = np.where(np.abs(least - nearest) < 1e-3, nearest, np.floor(least)) + 1
    raised = (step > 0) & (np.round(counts) < least)
    return np.where(raised, least * safe, threshold).astype(threshold.dtype)


def _on_steps(array: np.ndarray, step: np.ndarray) -> np.ndarray:
    """Return values (..., columns) rounded to multiples of the step of each neuron.

    One value that all neurons share is rounded to the largest of their steps. What has no step, as
    there are no weights, stays as it is.
    """
    if array.size == 1:
        step = step.max(keepdims=True)
    columns = array.reshape(*array.shape[:-1], -1) if array.ndim else array.reshape(1)
    steps = np.repeat(step, columns.shape[-1] // len(step))
    safe = np.where(steps > 0, steps, 1.0)
    rounded = np.where(steps > 0, np.round(columns / safe) * safe, columns)
    return rounded.reshape(array.shape).astype(array.dtype)


def _with_values(network: Any, values: Values) -> Any:
    """Return a copy of a network with other values."""
    library, copied = library_of(network), _copy(network).reset_state()
    for (path, name), array in _in_valid_order(network, values):
        module = copied
        for part in path:
            if part not in module._registered_modules:  # the weights of a stack
                name = part
                break
            module = module._registered_modules[part]
        if hasattr(module, "in_features") and name == "weight":  # a layer of torch itself
            array = array.T
        setattr(module, name, _array_of(library, array, array.dtype.name))
    return copied


def _copy(network: Any) -> Any:
    try:
        return copy.deepcopy(network)
    except RuntimeError as error:  # torch copies no tensor that was computed
        raise ValueError(
            f"quantize_network: {type(network).__name__} cannot be copied; if weights are pruned "
            "or normalised by torch.nn.utils, make that permanent first, as prune.remove does"
        ) from error


def _in_valid_order(network: Any, values: Values) -> Iterator[tuple[Any, np.ndarray]]:
    """Yield values, such that thresholds are above what neurons are reset to after each of them."""
    nodes = dict(layers(describe(network, state=False)))
    for (path, name), array in values.items():
        if name == "threshold" and (path, "v_reset") in values:
            present = nodes[path].parameters["threshold"].array
            yield (path, name), np.maximum(present, array).astype(array.dtype)
            yield (path, "v_reset"), values[path, "v_reset"]
        yield (path, name), array


# --- rates ----------------------------------------------------------------------------------------


def _rates(network: Any, quantised: Any, data: Any) -> tuple[LayerRate, ...]:
    before, after = observed(network, data), observed(quantised, data)
    return tuple(
        LayerRate(first.name, float(np.mean(first.output)), float(np.mean(second.output)))
        for first, second in zip(before, after, strict=True)
        if is_spiking(first.node) and first.output is not None and second.output is not None
    )


def _table(rates: tuple[LayerRate, ...]) -> str:
    lines = [("layer", "spikes per neuron and step", "quantised")]
    lines += [(rate.name, f"{rate.before:.4g}", f"{rate.after:.4g}") for rate in rates]
    return text_table(lines, 1)
