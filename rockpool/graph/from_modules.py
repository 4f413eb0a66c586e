"""The graphs of layers: what the ``as_graph`` of a back-end's class returns.

Values may be arrays or tensors of any back-end; they are put into the graph as they are, except for
weights and biases, which become numpy arrays. Of a layer only its sizes, name and time step are
read.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol, runtime_checkable

import numpy as np

from rockpool.graph.graph_base import GraphHolder, GraphNode, SetList, as_GraphHolder
from rockpool.graph.graph_modules import (
    EulerNeurons,
    GenericNeurons,
    LIFNeuronWithSynsRealValue,
    LinearWeights,
    RateNeuronWithSynsRealValue,
)


@runtime_checkable
class Layer(Protocol):
    """What is read of a layer: its numbers of channels and its name."""

    @property
    def size_in(self) -> int: ...

    @property
    def size_out(self) -> int: ...

    @property
    def name(self) -> str: ...


@runtime_checkable
class Neurons(Layer, Protocol):
    """What is read of a layer of neurons: its time step in seconds as well."""

    @property
    def dt(self) -> float: ...


def lif_graph(
    layer: Neurons, tau_mem: Any, tau_syn: Any, threshold: Any, bias: Any, w_rec: Any = None
) -> GraphHolder:
    """Return LIF neurons and, where `w_rec` (Nout, Nin) is given, their recurrent weights."""
    values = {"tau_mem": tau_mem, "tau_syn": tau_syn, "threshold": threshold, "bias": bias}
    return _neurons(LIFNeuronWithSynsRealValue, layer, w_rec, **values)


def rate_graph(layer: Neurons, tau: Any, bias: Any, w_rec: Any = None) -> GraphHolder:
    """Return rate neurons and, where `w_rec` (Nout, Nin) is given, their recurrent weights."""
    return _neurons(RateNeuronWithSynsRealValue, layer, w_rec, tau=tau, bias=bias)


def euler_graph(
    layer: Neurons,
    model: str,
    parameters: Mapping[str, Any],
    settings: Mapping[str, Any],
    w_rec: Any = None,
) -> GraphHolder:
    """Return neurons of NIR and, where `w_rec` (N, N) is given, their recurrent weights."""
    values = {"model": model, "parameters": dict(parameters), "settings": dict(settings)}
    return _neurons(EulerNeurons, layer, w_rec, **values)


def flat_graph(layer: Layer) -> GraphHolder:
    """Return a layer that hands on what it gets: its outputs are its inputs."""
    nodes = SetList(GraphNode() for _ in range(layer.size_in))
    return GraphHolder(nodes, nodes, _name(layer), layer)


def linear_graph(layer: Layer, weights: Any, biases: Any = None) -> LinearWeights:
    """Return dense weights (Nin, Nout), and biases (Nout,) or () where they are given."""
    if biases is not None and np.shape(biases) == ():
        biases = np.full(layer.size_out, float(biases))
    return LinearWeights._factory(
        layer.size_in, layer.size_out, _name(layer), layer, weights=weights, biases=biases
    )


def _neurons(kind: type[GenericNeurons], layer: Neurons, w_rec: Any, **values: Any) -> GraphHolder:
    neurons = kind._factory(
        layer.size_in, layer.size_out, _name(layer), layer, **values, dt=layer.dt
    )
    if w_rec is not None:
        LinearWeights(neurons.output_nodes, neurons.input_nodes, _name(layer), layer, w_rec)
    return as_GraphHolder(neurons)


def _name(layer: Layer) -> str:
    return f"{type(layer).__name__}_{layer.name}_{id(layer)}"
