"""Weights, neurons and aliases as modules of a graph."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from rockpool.graph import (
    AliasConnection,
    GenericNeurons,
    GraphModule,
    LIFNeuronWithSynsRealValue,
    LinearWeights,
    RateNeuronWithSynsRealValue,
)


class TestLinearWeights:
    def test_weights_and_biases(self):
        module = LinearWeights._factory(2, 3, "w", None, np.ones((2, 3)), np.zeros(3))

        assert module.weights.shape == (2, 3) and module.biases.shape == (3,)
        assert module.input_nodes[0].sink_modules == [module]

    def test_biases_are_optional(self):
        assert LinearWeights._factory(2, 3, "w", weights=np.ones((2, 3))).biases is None

    def test_tensors_become_arrays(self):
        weights = torch.nn.Parameter(torch.ones(2, 3))

        module = LinearWeights._factory(2, 3, "w", None, weights, weights[0] * 2)

        assert type(module.weights) is np.ndarray and type(module.biases) is np.ndarray
        np.testing.assert_array_equal(module.biases, [2, 2, 2])

    def test_lists_become_arrays(self):
        assert LinearWeights._factory(1, 2, "w", None, [[1, 2]]).weights.shape == (1, 2)

    def test_weights_must_be_given(self):
        with pytest.raises(TypeError, match="weights"):
            LinearWeights._factory(2, 3, "w")

    @pytest.mark.parametrize(
        "weights, biases, words",
        [
            (np.ones((3, 2)), None, r"'w': weights must have the shape \(2, 3\).*got \(3, 2\)"),
            (np.ones((2, 3)), np.ones(2), r"biases must have the shape \(3,\).*got \(2,\)"),
            (np.ones((2, 3)), 1.0, r"biases must have the shape \(3,\).*got \(\)"),
        ],
    )
    def test_sizes_must_agree_with_the_nodes(self, weights, biases, words):
        with pytest.raises(ValueError, match=words):
            LinearWeights._factory(2, 3, "w", None, weights, biases)


@pytest.mark.parametrize(
    "cls, values",
    [
        (LIFNeuronWithSynsRealValue, ["tau_mem", "tau_syn", "threshold", "bias"]),
        (RateNeuronWithSynsRealValue, ["tau", "bias"]),
    ],
)
class TestNeurons:
    def test_values_are_kept(self, cls, values):
        given = {name: np.full(2, index) for index, name in enumerate(values)}

        neurons = cls._factory(4, 2, "n", None, dt=1e-3, **given)

        assert isinstance(neurons, GenericNeurons) and neurons.dt == 1e-3
        assert all(getattr(neurons, name) is given[name] for name in values)

    def test_defaults_are_empty_and_not_shared(self, cls, values):
        first, second = cls._factory(1, 1, "a"), cls._factory(1, 1, "b")

        first.bias.append(1)

        assert second.bias == [] and second.dt is None


class TestAlias:
    def test_has_as_many_outputs_as_inputs(self):
        alias = AliasConnection._factory(2, 2, "alias")

        assert isinstance(alias, GraphModule) and len(alias.input_nodes) == 2

    def test_other_sizes(self):
        with pytest.raises(ValueError, match="must be equal, got 3 and 2"):
            AliasConnection._factory(3, 2, "alias")
