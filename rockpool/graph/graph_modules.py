"""The kinds of modules that the graph of a network is made of: weights, neurons, aliases."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from rockpool.graph.graph_base import GraphModule, GraphNode, SetList  # noqa: F401  inherited
from rockpool.parameters import to_numpy

__all__ = [
    "AliasConnection",
    "EulerNeurons",
    "GenericNeurons",
    "LIFNeuronWithSynsRealValue",
    "LinearWeights",
    "RateNeuronWithSynsRealValue",
]


@dataclass(eq=False, repr=False)
class LinearWeights(GraphModule):
    """A dense matrix of weights, and biases.

    Parameters
    ----------
    input_nodes, output_nodes, name, computational_module
        As for :class:`GraphModule`.
    weights : array, shape ``(n_in, n_out)``
        Weights; tensors become numpy arrays without gradients.
    biases : array, shape ``(n_out,)``, optional
        Biases. Default: None, no biases.

    Raises
    ------
    ValueError
        If weights or biases have not the size that the numbers of nodes ask for.
    """

    weights: Any
    biases: Any = None

    def __post_init__(self, *args: Any, **kwargs: Any) -> None:
        size_in, size_out = len(self.input_nodes), len(self.output_nodes)
        self.weights = to_numpy(self.weights)
        self._check_shape("weights", self.weights, (size_in, size_out))
        if self.biases is not None:
            self.biases = to_numpy(self.biases)
            self._check_shape("biases", self.biases, (size_out,))
        super().__post_init__(*args, **kwargs)

    def _check_shape(self, what: str, array: np.ndarray, shape: tuple[int, ...]) -> None:
        if array.shape != shape:
            raise ValueError(
                f"{type(self).__name__} {self.name!r}: {what} must have the shape {shape} of its "
                f"nodes, got {array.shape}"
            )


@dataclass(eq=False, repr=False)
class GenericNeurons(GraphModule):
    """Neurons of a kind that is not stated.

    Parameters
    ----------
    input_nodes, output_nodes, name, computational_module
        As for :class:`GraphModule`.
    """


@dataclass(eq=False, repr=False)
class LIFNeuronWithSynsRealValue(GenericNeurons):
    """Leaky integrate-and-fire neurons with exponential synapses, in real values and seconds.

    Parameters
    ----------
    input_nodes, output_nodes, name, computational_module
        As for :class:`GraphModule`; an input node for each synapse, an output node for each
        neuron.
    tau_mem : array, optional
        Membrane time constants in seconds, of the shapes that `LIF` has. Default: empty.
    tau_syn : array, optional
        Synaptic time constants in seconds, of the shapes that `LIF` has. Default: empty.
    threshold : array, optional
        Firing thresholds, of the shapes that `LIF` has. Default: empty.
    bias : array, optional
        Biases, of the shapes that `LIF` has. Default: empty.
    dt : float, optional
        Time step in seconds. Default: None, not stated.
    """

    tau_mem: Any = field(default_factory=list)
    tau_syn: Any = field(default_factory=list)
    threshold: Any = field(default_factory=list)
    bias: Any = field(default_factory=list)
    dt: float | None = None


@dataclass(eq=False, repr=False)
class RateNeuronWithSynsRealValue(GenericNeurons):
    """Rate neurons with one time constant `tau` each, in real values and seconds.

    Parameters
    ----------
    input_nodes, output_nodes, name, computational_module, bias, dt
        As for :class:`LIFNeuronWithSynsRealValue`.
    tau : array, optional
        Time constants in seconds, of the shapes that `Rate` has. Default: empty.
    """

    tau: Any = field(default_factory=list)
    bias: Any = field(default_factory=list)
    dt: float | None = None


@dataclass(eq=False, repr=False)
class EulerNeurons(GenericNeurons):
    """Neurons of NIR, as `LIFEuler` and its siblings, in real values and seconds.

    Parameters
    ----------
    input_nodes, output_nodes, name, computational_module, dt
        As for :class:`LIFNeuronWithSynsRealValue`.
    model : str, optional
        Which of them: ``"IFEuler"``, ``"LIFEuler"``, ... Default: empty, not stated.
    parameters : dict of arrays by name, optional
        All parameters but recurrent weights, of the shapes that the layer has. Default: empty.
    settings : dict by name, optional
        How a time step goes: ``decay``, ``reset``, ... Default: empty.
    """

    model: str = ""
    parameters: dict[str, Any] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)
    dt: float | None = None


@dataclass(eq=False, repr=False)
class AliasConnection(GraphModule):
    """The statement that each output node carries what its input node carries.

    Parameters
    ----------
    input_nodes, output_nodes, name, computational_module
        As for :class:`GraphModule`.

    Raises
    ------
    ValueError
        If the numbers of input and output nodes differ.
    """

    def __post_init__(self, *args: Any, **kwargs: Any) -> None:
        if len(self.input_nodes) != len(self.output_nodes):
            raise ValueError(
                f"{type(self).__name__} {self.name!r}: the numbers of input and output nodes must "
                f"be equal, got {len(self.input_nodes)} and {len(self.output_nodes)}"
            )
        super().__post_init__(*args, **kwargs)
