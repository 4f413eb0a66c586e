"""The graphs of neurons of NIR, of convolutions, pools, `Scale` and `Flatten`, on every back-end."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import rockpool
from rockpool.graph import (
    EulerNeurons,
    LinearWeights,
    bag_graph,
    find_modules_of_subclass,
    find_recurrent_modules,
)
from rockpool.nn.combinators import Sequential
from rockpool.nn.modules import (
    AvgPool2d,
    Conv1d,
    Conv2d,
    CubaLIFEuler,
    Flatten,
    IFEuler,
    Linear,
    Scale,
    SumPool2d,
)

LAYERS: dict[str, Any] = {
    "groups": Conv2d((2, 5, 6), 4, (3, 2), stride=(1, 2), padding=(1, 0), groups=2),
    "dilation": Conv2d((2, 5, 6), 3, 2, dilation=2, has_bias=False),
    "rows": Conv1d((2, 7), 3, 3, padding="same", bias=0.5),
    "sums": SumPool2d((2, 4, 6), (2, 3), 1),
    "means": AvgPool2d((2, 4, 4), 3, padding=1),
    "a scale": Scale((2, 3), weight=[1.0, 2.0, 3.0, -1.0, 0.0, 0.5]),
    "one scale": Scale((2, 3), weight=2.0),
}


@pytest.mark.parametrize("backend", ["numpy", "torch", "jax"])
@pytest.mark.parametrize("name", LAYERS)
def test_single_connections_are_dense_weights(name: str, backend: str) -> None:
    layer = LAYERS[name]
    graph = rockpool.convert(layer, backend).as_graph()
    x = np.random.default_rng(0).random((1, 3, layer.size_in))
    wanted = layer(x)[0].reshape((3, -1))
    biases = 0 if graph.biases is None else graph.biases
    assert isinstance(graph, LinearWeights)
    np.testing.assert_allclose(x[0] @ graph.weights + biases, wanted, atol=1e-6)


@pytest.mark.parametrize("backend", ["numpy", "numba", "torch", "jax"])
def test_a_network_of_images_is_one_graph(backend: str) -> None:
    w_rec = np.random.default_rng(1).random((3, 3))
    network = Sequential(
        Conv2d((1, 4, 4), 2, 3),
        IFEuler((2, 2, 2), threshold=0.5, dt=5e-4),
        Flatten((2, 2, 2)),
        Linear((8, 3)),
        CubaLIFEuler(3, reset="subtract", has_rec=True, w_rec=w_rec, dt=5e-4),
    )
    graph = rockpool.convert(network, backend).as_graph()
    nodes, modules = bag_graph(graph)
    assert len(graph.input_nodes) == 16 and len(graph.output_nodes) == 3
    assert [type(module) for module in modules].count(LinearWeights) == 3 and len(modules) == 5
    assert len(nodes) == 16 + 8 + 8 + 3 + 3
    first, last = find_modules_of_subclass(graph, EulerNeurons)
    assert (first.model, last.model, last.dt) == ("IFEuler", "CubaLIFEuler", 5e-4)
    assert first.parameters["threshold"].tolist() == [0.5] * 8
    assert last.parameters["tau_syn"].tolist() == pytest.approx([0.02] * 3)
    assert last.settings["reset"] == "subtract" and last.settings["neuron_shape"] == (3,)
    _, recurrent = find_recurrent_modules(graph)
    (weights,) = (module for module in recurrent if isinstance(module, LinearWeights))
    np.testing.assert_allclose(weights.weights, w_rec, rtol=1e-6)


def test_weights_that_would_be_too_many_are_refused() -> None:
    with pytest.raises(NotImplementedError, match="Conv2d: its graph would have 225000000 weights"):
        Conv2d((1, 150, 100), 1, 3, padding=1).as_graph()
