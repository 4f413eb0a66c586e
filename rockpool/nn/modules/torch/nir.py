"""NIR by the names that rockpool 3.1 has for it: `from_nir` and `to_nir` of torch modules.

`rockpool.nir` has functions of the same names for all back-ends, which do the work.
"""

from __future__ import annotations

from typing import Any

from rockpool.nir.reading import from_nir as read
from rockpool.nir.writing import to_nir as write

__all__ = ["from_nir", "to_nir"]


def from_nir(source: Any) -> Any:
    """Return the network of a file of NIR, or of a graph, as torch modules.

    Parameters
    ----------
    source : str, path or nir.NIRGraph
        As for `rockpool.nir.from_nir`, which has arguments for all that is assumed here.

    Returns
    -------
    TorchModule
        Modules by the names of the nodes.

    Raises
    ------
    ValueError, TypeError, OSError
        As for `rockpool.nir.from_nir`.
    """
    return read(source, "torch")


def to_nir(module: Any, sample_data: Any = None, model_name: str = "rockpool") -> Any:
    """Return a network as a graph of NIR, as rockpool 3.1 writes it.

    Nodes are called by the names of the modules; `from_nir` gives the same network again.
    `rockpool.nir.to_nir` writes for other packages, and files.

    Parameters
    ----------
    module : Module
        The network: layers of the models `LIF`, `LIFNeuronTorch`, `ExpSyn` and `Linear`.
    sample_data : Tensor, optional
        Not needed: the modules know their shapes.
    model_name : str, optional
        The name of the node of a network that is one layer. Default: "rockpool".

    Returns
    -------
    nir.NIRGraph
        The graph.

    Raises
    ------
    NotImplementedError
        There are other layers, or several synapses per neuron.
    """
    return write(module, dialect="rockpool", name=model_name)
