"""Layers as the nodes that rockpool 3.1 reads: `of_old_rockpool`."""

from __future__ import annotations

import numpy as np

from rockpool.nir.graph import GraphNode
from rockpool.nir.nearest import Made, full, nearest
from rockpool.nn.description import Node

__all__ = ["of_old_rockpool"]

_MOST_SPIKES = 31  # that it allows in a step, whatever was asked for
_KINDS = {"LIF": "CubaLIF", "LIFNeuronTorch": "LIF", "ExpSyn": "LI"}


def of_old_rockpool(name: str, node: Node) -> Made:
    """Return the node that rockpool 3.1 reads as a layer.

    It takes ``dt = tau / (1 + r)``, with which it does not read its own files right, of which the r
    is another.

    Raises
    ------
    NotImplementedError
        It has no node for that layer.
    """
    if node.model == "Linear":
        return nearest(name, node)
    if node.model not in _KINDS:
        raise NotImplementedError(
            f"to_nir: {name!r} is a {node.model}, which rockpool 3.1 cannot hold"
        )
    if node.model == "LIF" and node.shape[0] != node.shape[-1]:
        raise NotImplementedError(
            f"to_nir: {name!r} has {node.shape[0]} inputs for {node.shape[-1]} neurons; with "
            "rockpool 3.1 there are as many"
        )
    dt, kind = node.settings["dt"], _KINDS[node.model]
    tau = full(node, "tau" if node.model == "ExpSyn" else "tau_mem")
    seconds = tau.astype(np.float64)
    r = (seconds / dt - 1.0).astype(tau.dtype)
    fields = {"tau_mem" if kind == "CubaLIF" else "tau": tau, "r": r, "v_leak": np.zeros_like(tau)}
    if kind == "CubaLIF":
        fields |= {"tau_syn": full(node, "tau_syn"), "w_in": np.ones_like(tau)}
    if kind != "LI":
        fields |= {"v_threshold": full(node, "threshold"), "v_reset": np.zeros_like(tau)}
    lost = []
    bias = node.parameters.get("bias")
    if bias is not None and np.any(bias.array):
        lost.append("bias")
    if "w_rec" in node.parameters:
        lost.append("w_rec")
    if node.settings.get("noise_std"):
        lost.append("noise_std")
    if kind != "LI" and node.settings["max_spikes_per_dt"] < _MOST_SPIKES:
        lost.append("max_spikes_per_dt")
    return Made(GraphNode(kind, fields), None, lost)
