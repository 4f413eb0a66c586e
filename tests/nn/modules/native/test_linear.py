"""The linear layer and the functions that draw initial weights."""

from __future__ import annotations

import inspect
import pickle

import numpy as np
import pytest
from support.golden import inputs, weights

from rockpool.graph import GraphModule, GraphNode, LinearWeights
from rockpool.nn.modules.module import Module
from rockpool.nn.modules.native.linear import (
    Linear,
    LinearMixin,
    kaiming,
    uniform_sqrt,
    unit_eigs,
    xavier,
)


@pytest.mark.parametrize(
    ("function", "limit"),
    [
        (kaiming, np.sqrt(6 / 300)),
        (xavier, np.sqrt(6 / 500)),
        (uniform_sqrt, np.sqrt(1 / 300)),
    ],
)
def test_uniform_initialisers(function, limit):
    np.random.seed(0)
    drawn = function((300, 200))
    assert drawn.shape == (300, 200) and drawn.dtype == np.float64
    assert -limit <= drawn.min() < -0.99 * limit
    assert 0.99 * limit < drawn.max() <= limit
    assert drawn.std() == pytest.approx(limit / np.sqrt(3), rel=0.02)


def test_unit_eigs():
    np.random.seed(0)
    drawn = unit_eigs((200, 200))
    assert drawn.std() == pytest.approx(1 / np.sqrt(200), rel=0.02)
    assert np.abs(np.linalg.eigvals(drawn)).max() == pytest.approx(1.0, abs=0.15)


def test_output():
    module = Linear((2, 3), weight=weights(2, 3), bias=[1.0, 2.0, 3.0])
    data = inputs(4, 5, 2)
    output, state, record = module(data)
    expected = np.einsum("btc,cn->btn", data, weights(2, 3)) + np.array([1.0, 2.0, 3.0])
    np.testing.assert_allclose(output, expected)
    assert (state, record) == ({}, {})


@pytest.mark.parametrize("shape", [(5, 2), (4, 5, 2), (3, 4, 5, 2)])
def test_output_has_the_rank_of_the_input(shape):
    assert Linear((2, 3))(np.ones(shape))[0].shape == (*shape[:-1], 3)


def test_a_number_scales_the_weights():
    module = Linear((2, 3), weight=weights(2, 3))
    np.testing.assert_allclose(module(2.0)[0], 2 * weights(2, 3))


def test_no_bias_by_default():
    module = Linear((3, 2))
    assert module.parameters().keys() == {"weight"}
    assert module.bias == 0


@pytest.mark.parametrize(("bias", "shape"), [([1.0, 2.0], (2,)), (0.5, ())])
def test_a_bias_that_is_given_is_used(bias, shape):
    module = Linear((3, 2), bias=bias)
    assert module.parameters("biases").keys() == {"bias"} and module.bias.shape == shape
    np.testing.assert_allclose(module(np.zeros((1, 3)))[0], [np.broadcast_to(bias, 2)])


def test_registry():
    module = Linear((3, 2), has_bias=True)
    attributes, _ = module._get_attribute_registry()
    assert [(n, kind, family, shape) for n, (_, kind, family, _, shape) in attributes.items()] == [
        ("weight", "Parameter", "weights", (3, 2)),
        ("bias", "Parameter", "biases", (2,)),
    ]
    assert module.shape == (3, 2) and not module.spiking_input and not module.spiking_output


def test_initialisers_are_used_and_asked_again_on_reset():
    module = Linear((3, 2), has_bias=True, weight_init_func=np.ones, bias_init_func=np.zeros)
    assert np.all(module.weight == 1) and np.all(module.bias == 0)
    module.weight = np.full((3, 2), 5.0)
    module.reset_parameters()
    assert np.all(module.weight == 1)


def test_signature():
    parameters = inspect.signature(Linear).parameters
    defaults = {n: p.default for n, p in parameters.items() if p.default is not p.empty}
    assert defaults == {
        "weight": None,
        "bias": None,
        "has_bias": False,
        "weight_init_func": kaiming,
        "bias_init_func": uniform_sqrt,
        "dtype": np.float64,
    }


def test_pickle():
    module = Linear((3, 2), has_bias=True)
    again = pickle.loads(pickle.dumps(module))
    np.testing.assert_array_equal(again(inputs(1, 4, 3))[0], module(inputs(1, 4, 3))[0])


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"shape": 3}, ValueError, r"Linear: shape must be \(Nin, Nout\), got 3"),
        ({"shape": (3, 2, 1)}, ValueError, r"Linear: shape must be \(Nin, Nout\), got \(3, 2, 1\)"),
        ({"shape": (3, 0)}, ValueError, "Linear: each entry of shape must be >= 1"),
        ({"weight": np.ones((2, 2))}, ValueError, r"Linear: weight must have shape \(3, 2\), got"),
        ({"weight": np.full((3, 2), np.nan)}, ValueError, "Linear: weight must be finite, got nan"),
        ({"bias": [1.0, 2.0, 3.0]}, ValueError, r"Linear: bias must have shape \(2,\) or \(\)"),
        ({"bias": "one"}, TypeError, "Linear: bias must be a number or an array of numbers"),
        ({"shape": "ab"}, TypeError, "Linear: shape must be an int or a tuple of ints"),
    ],
)
def test_wrong_arguments(arguments, error, message):
    with pytest.raises(error, match=message):
        Linear(**{"shape": (3, 2), **arguments})


@pytest.mark.parametrize("shape", [(5, 2), (5, 1), (1, 5, 4), (4,), (3,)])
def test_wrong_input(shape):
    with pytest.raises(ValueError, match=rf"Linear: input must have 3 channels.* got {shape[-1]}"):
        Linear((3, 2))(np.ones(shape))


class TestMixin:
    def test_it_needs_a_module_class(self):
        class NotAModule(LinearMixin):
            pass

        with pytest.raises(TypeError, match="must be combined with a class of modules"):
            NotAModule((2, 2))

    def test_another_product(self):
        class Backwards(LinearMixin, Module):
            _dot = staticmethod(lambda data, weight: data[..., ::-1] @ weight)

        output, _, _ = Backwards((2, 1), weight=[[1.0], [10.0]])(np.array([[3.0, 4.0]]))
        assert output.item() == 34.0


class TestGraph:
    @pytest.mark.parametrize("bias", [None, [1.0, 2.0, 3.0]])
    def test_there_and_back(self, bias):
        module = Linear((2, 3), bias=bias)
        graph = module.as_graph()
        assert isinstance(graph, LinearWeights) and graph.computational_module is module
        again = Linear.from_graph(graph)
        assert again.parameters().keys() == module.parameters().keys()
        data = inputs(1, 4, 2)
        np.testing.assert_array_equal(again(data)[0], module(data)[0])

    def test_one_bias_for_all(self):
        graph = Linear((2, 3), bias=0.5).as_graph()
        assert graph.biases.tolist() == [0.5, 0.5, 0.5]

    def test_a_node_that_is_no_linear_layer(self):
        node = GraphModule([GraphNode()], [GraphNode()], "something", None)
        with pytest.raises(ValueError):
            Linear.from_graph(node)
