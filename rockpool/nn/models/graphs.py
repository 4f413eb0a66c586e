"""The graphs of the models: what a back-end's ``as_graph`` returns.

Values may be arrays or tensors of any back-end; they are put into the graph as they are, except for
weights and biases, which become numpy arrays.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from rockpool.graph import (
    GenericNeurons,
    GraphHolder,
    LIFNeuronWithSynsRealValue,
    LinearWeights,
    RateNeuronWithSynsRealValue,
    as_GraphHolder,
)

if TYPE_CHECKING:
    from rockpool.nn.modules.module import Module


def lif_graph(
    module: Module, tau_mem: Any, tau_syn: Any, threshold: Any, bias: Any, w_rec: Any = None
) -> GraphHolder:
    """Return LIF neurons and, where `w_rec` (Nout, Nin) is given, their recurrent weights."""
    neurons = LIFNeuronWithSynsRealValue._factory(
        module.size_in,
        module.size_out,
        _name(module),
        module,
        tau_mem=tau_mem,
        tau_syn=tau_syn,
        threshold=threshold,
        bias=bias,
        dt=module.dt,  # type: ignore[attr-defined]
    )
    return _with_recurrence(module, neurons, w_rec)


def rate_graph(module: Module, tau: Any, bias: Any, w_rec: Any = None) -> GraphHolder:
    """Return rate neurons and, where `w_rec` (Nout, Nin) is given, their recurrent weights."""
    neurons = RateNeuronWithSynsRealValue._factory(
        module.size_in,
        module.size_out,
        _name(module),
        module,
        tau=tau,
        bias=bias,
        dt=module.dt,  # type: ignore[attr-defined]
    )
    return _with_recurrence(module, neurons, w_rec)


def linear_graph(module: Module, weights: Any, biases: Any = None) -> LinearWeights:
    """Return dense weights (Nin, Nout), and biases (Nout,) or () where they are given."""
    if biases is not None and np.shape(biases) == ():
        biases = np.full(module.size_out, float(biases))
    return LinearWeights._factory(
        module.size_in, module.size_out, _name(module), module, weights=weights, biases=biases
    )


def _with_recurrence(module: Module, neurons: GenericNeurons, w_rec: Any) -> GraphHolder:
    if w_rec is not None:
        LinearWeights(neurons.output_nodes, neurons.input_nodes, _name(module), module, w_rec)
    return as_GraphHolder(neurons)


def _name(module: Module) -> str:
    return f"{type(module).__name__}_{module.name}_{id(module)}"
