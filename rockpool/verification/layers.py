"""What each layer of a network did in a call: its output and what it recorded, as numpy arrays."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from rockpool.nn.conversion import build, has_double
from rockpool.nn.description import CONTAINERS, Node, flat_steps
from rockpool.nn.models.catalogue import DOUBLE_ONLY, LIBRARY
from rockpool.nn.modules._observed import (
    Activity,
    Calls,
    is_spiking,
    joined,
    unwrapped,
    watched_calls,
)
from rockpool.parameters import to_numpy

__all__ = ["Activity", "activities", "evolve_arrays", "evolved", "is_spiking", "layers_of"]


def evolved(
    node: Node, backend: str, data: np.ndarray, dtype: str | None = None
) -> tuple[list[Activity], str]:
    """Run a network on a back-end; return what its layers did, and the precision it ran in.

    Parameters
    ----------
    node : Node
        The network.
    backend : str
        The back-end.
    data : np.ndarray
        Input (B, T, Nin).
    dtype : str, optional
        "float32" or "float64". Default: that which the back-end has by itself.
    """
    if backend in DOUBLE_ONLY or (dtype == "float64" and not has_double(backend)):
        dtype = None
    network = build(node, backend, dtype=dtype)
    precision = dtype or ("float64" if LIBRARY[backend] == "numpy" else "float32")
    layers, _ = layers_of(network, node, backend, data.astype(precision))
    return layers, precision


def layers_of(
    network: Any, node: Node, backend: str, data: np.ndarray
) -> tuple[list[Activity], np.ndarray]:
    """Run a network that has been built; return what its layers did, and its output.

    The state that it had is where it is afterwards: each call starts there. Of a
    `TimedModuleWrapper` the module inside is run.
    """
    network = unwrapped(network)
    if node.model == "TimedModuleWrapper":
        (node,) = node.children.values()
    states = network.state()
    with watched_calls(node, network) as calls:
        output, _, record = _called(network, backend, data, record=True)
    if LIBRARY[backend] != "jax":  # which does not change
        network.set_attributes(states)
    return list(activities(node, output, record, calls)), to_numpy(output)


def evolve_arrays(network: Any, backend: str, data: np.ndarray) -> tuple[Any, np.ndarray]:
    """Run a network from where it is; return it, in its new state, and the output.

    Of a `TimedModuleWrapper` the module inside is run and returned.
    """
    network = unwrapped(network)
    output, state, _ = _called(network, backend, data, record=False)
    if LIBRARY[backend] == "jax":
        network = network.set_attributes(state)
    return network, to_numpy(output)


def _called(network: Any, backend: str, data: np.ndarray, record: bool) -> Any:
    """Call a network with the arrays of its library, without gradients."""
    if LIBRARY[backend] != "torch":
        return network(data, record=record)
    import torch

    like = next((p for p in network.parameters().astorch()), torch.empty(0))
    with torch.no_grad():
        return network(torch.from_numpy(np.ascontiguousarray(data)).to(like.dtype), record=record)


def activities(
    node: Node,
    output: Any,
    record: Mapping[str, Any],
    calls: Calls,
    path: tuple[str, ...] = (),
) -> Iterator[Activity]:
    """Go over the layers of a network, in order, with what a call of the network returned.

    A container of a user's own is one layer: what it records only its code knows.
    """
    if node.model not in CONTAINERS:
        arrays = {name: to_numpy(value) for name, value in record.items() if _is_array(value)}
        given = to_numpy(output)
        arrays = {
            name: flat_steps(array) if array.shape == given.shape else array
            for name, array in arrays.items()
        }
        inputs = joined([data for data, _ in calls.get(path, [])])
        yield Activity(".".join(path), node, flat_steps(given), inputs, arrays)
        return
    for name, child in node.children.items():
        inner = record.get(name, {})
        yield from activities(
            child, record.get(f"{name}_output", output), inner, calls, (*path, name)
        )


def _is_array(value: Any) -> bool:
    return not isinstance(value, Mapping) and hasattr(value, "shape")
