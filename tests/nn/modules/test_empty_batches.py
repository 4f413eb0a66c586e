"""Batches without elements, and input from another library, on every back-end."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from rockpool.nn import modules

ARRAY_LAYERS = [
    *("LIF", "Rate", "ExpSyn", "LIFNumba", "RateNumba", "ExpSynNumba"),
    *("LIFBrian", "RateBrian", "LIFNest", "ExpSynNest"),
    *("LIFJax", "RateJax", "ExpSynJax"),
]


def layer_of(name: str) -> Any:
    """Return a layer that has evolved."""
    layer = getattr(modules, name)(2)
    _, state, _ = layer(np.full((1, 4, 2), 0.3))
    return layer.set_attributes(state)


@pytest.mark.parametrize("name", ARRAY_LAYERS)
def test_an_empty_batch_gives_an_empty_output_and_leaves_the_state(name: str) -> None:
    layer = layer_of(name)
    before = {key: np.copy(value) for key, value in layer.state().items() if key != "rng_key"}
    output, state, _ = layer(np.zeros((0, 5, 2)))
    assert output.shape == (0, 5, 2)
    for key, value in before.items():
        np.testing.assert_array_equal(state[key], value)


@pytest.mark.parametrize("name", ARRAY_LAYERS)
def test_no_time_steps_leave_the_state(name: str) -> None:
    layer = layer_of(name)
    before = {key: np.copy(value) for key, value in layer.state().items() if key != "rng_key"}
    output, state, _ = layer(np.zeros((1, 0, 2)))
    assert output.shape == (1, 0, 2)
    for key, value in before.items():
        np.testing.assert_array_equal(state[key], value)


@pytest.mark.parametrize("name", ["LIFTorch", "RateTorch", "ExpSynTorch"])
def test_an_empty_batch_of_tensors(name: str) -> None:
    layer = getattr(modules, name)(2)
    before = {key: value.clone() for key, value in layer(torch.ones(1, 4, 2))[1].items()}
    output, state, _ = layer(torch.zeros(0, 5, 2))
    assert output.shape == (0, 5, 2)
    assert all(torch.equal(state[key], value) for key, value in before.items())


@pytest.mark.parametrize("name", ["LIF", "LIFNumba", "Rate"])
def test_a_tensor_is_taken_for_an_array(name: str) -> None:
    data = np.full((1, 4, 2), 0.5)
    layer, other = getattr(modules, name)(2), getattr(modules, name)(2)
    other.set_attributes(layer.parameters())
    np.testing.assert_array_equal(layer(torch.tensor(data))[0], other(data)[0])
