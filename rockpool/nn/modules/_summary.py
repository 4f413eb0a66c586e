"""What there is in a network, and how it fires: `Summary`, what ``Module.summary`` returns."""

from __future__ import annotations

import warnings
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from rockpool.nn.description import Node
from rockpool.nn.modules._observed import Activity, is_spiking, layers, observed, unwrapped
from rockpool.utilities.text_table import text_table

__all__ = ["LayerSummary", "Summary", "summarised"]

_HEAD = ("layer", "model", "shape", "parameters", "constant")
_FIRING = ("spikes/neuron/s", "silent", "saturated")


@dataclass(frozen=True)
class LayerSummary:
    """One layer of a network.

    Attributes
    ----------
    name : str
        Names that lead to it, with dots between them; "" for a network of one layer.
    model : str
        The model, the name of its numpy class; or a class that is on one back-end only.
    shape : tuple of int or None
        Its shape; None where a size is not known.
    parameters, constants : int
        How many numbers are trained, and how many are kept out of it by `Constant`.
    rate : float or None
        Spikes per neuron and second, in the mean over neurons, time and batch; None without data,
        for layers without spikes, and for those whose calls could not be seen.
    silent, saturated : int or None
        Neurons without one spike, and neurons with a spike in every time step of the whole batch.
    """

    name: str
    model: str
    shape: tuple[int | None, ...]
    parameters: int
    constants: int
    rate: float | None = None
    silent: int | None = None
    saturated: int | None = None


@dataclass(frozen=True)
class Summary:
    """The layers of a network, which print as a table.

    Attributes
    ----------
    layers : list of LayerSummary
        In the order of evolution. Weights of a stack are layers, and so is a container that has
        parameters of its own.
    parameters, constants : int
        Numbers in all.
    """

    layers: list[LayerSummary]

    @property
    def parameters(self) -> int:
        """How many numbers are trained."""
        return sum(layer.parameters for layer in self.layers)

    @property
    def constants(self) -> int:
        """How many numbers are kept out of training."""
        return sum(layer.constants for layer in self.layers)

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain values, fit for JSON."""
        return {
            "layers": [asdict(layer) for layer in self.layers],
            "parameters": self.parameters,
            "constants": self.constants,
        }

    def __str__(self) -> str:
        firing = any(layer.rate is not None for layer in self.layers)
        lines = [_HEAD + _FIRING * firing]
        lines += [_cells(layer) + _firing_cells(layer) * firing for layer in self.layers]
        in_all = ("in all", "", "", f"{self.parameters:,}", f"{self.constants:,}")
        return text_table([*lines, in_all + ("",) * len(_FIRING) * firing], left=3)

    __repr__ = __str__


def summarised(network: Any, data: Any = None) -> Summary:
    """Return the summary of a network; see `Module.summary`."""
    if data is None:
        node = unwrapped(network)._describe()
        return Summary([_layer(".".join(path), inner) for path, inner in layers(node)])
    found = Summary([_fired(one) for one in observed(network, data)])
    for layer in found.layers:
        label, n_neurons = repr(layer.name) if layer.name else layer.model, layer.shape[-1]
        if layer.silent == n_neurons:
            text = f"layer {label} is silent: none of its {n_neurons} neurons fires"
        elif layer.saturated == n_neurons:
            text = f"layer {label} is saturated: all {n_neurons} neurons fire in every time step"
        else:
            continue
        warnings.warn(text, UserWarning, stacklevel=3)
    return found


def _layer(name: str, node: Node, **firing: Any) -> LayerSummary:
    values = node.parameters.values()
    return LayerSummary(
        name,
        node.model,
        node.shape,
        sum(value.array.size for value in values if not value.constant),
        sum(value.array.size for value in values if value.constant),
        **firing,
    )


def _fired(one: Activity) -> LayerSummary:
    """Return a layer with its spikes, where it has some and they were seen."""
    spikes, dt = one.output, one.node.settings.get("dt")
    if spikes is None or dt is None or not is_spiking(one.node):
        return _layer(one.name, one.node)
    fired = spikes.reshape(-1, spikes.shape[-1]) > 0
    return _layer(
        one.name,
        one.node,
        rate=float(spikes.mean(dtype=np.float64)) / float(dt),
        silent=int(np.count_nonzero(~fired.any(axis=0))),
        saturated=int(np.count_nonzero(fired.all(axis=0))),
    )


def _cells(layer: LayerSummary) -> tuple[str, ...]:
    shape = str(tuple("?" if size is None else size for size in layer.shape)).replace("'", "")
    return layer.name, layer.model, shape, f"{layer.parameters:,}", f"{layer.constants:,}"


def _firing_cells(layer: LayerSummary) -> tuple[str, ...]:
    if layer.rate is None:
        return ("",) * len(_FIRING)
    return f"{layer.rate:.4g}", f"{layer.silent:,}", f"{layer.saturated:,}"
