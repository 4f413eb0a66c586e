"""Trained networks with fewer bits, and the rates of their spikes."""

from __future__ import annotations

import copy
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from torch.nn.utils import prune

import rockpool
from rockpool.nn.combinators import FFwdStack, Sequential, Wired
from rockpool.nn.modules import (
    LIF,
    Conv1d,
    Conv2d,
    Flatten,
    LIFEuler,
    LIFTorch,
    Linear,
    LinearTorch,
    Rate,
    Scale,
)
from rockpool.parameters import to_numpy
from rockpool.transform import SilentLayerError, quantize_network

DATA = np.random.default_rng(1).poisson(0.5, (2, 60, 4)).astype(float)


def net() -> Any:
    random = np.random.default_rng(0)
    return Sequential(
        Linear((4, 6), weight=random.normal(0.3, 0.3, (4, 6))),
        LIF(
            6, tau_mem=0.01, tau_syn=0.01, threshold=1.0, has_rec=True, w_rec=np.full((6, 6), 0.01)
        ),
        Linear((6, 2), weight=random.normal(0.1, 0.1, (6, 2))),
        LIF(2, threshold=[1.0, 1.3]),
    )


@pytest.mark.parametrize("backend", ["numpy", "torch", "jax"])
@pytest.mark.parametrize("method", ["channel", "global"])
def test_rates_before_and_after(backend: str, method: str) -> None:
    network = rockpool.convert(net(), backend)
    weight = np.array(network[0].parameters()["weight"].tolist())
    found = quantize_network(network, DATA, method=method)
    assert [rate.name.partition("_")[0] for rate in found.rates] == ["1", "3"]
    for rate in found.rates:
        assert rate.before > 0
        assert rate.after == pytest.approx(rate.before, rel=0.1)
        assert f"{rate.after:.4g}" in str(found)
    assert np.array_equal(np.array(network[0].parameters()["weight"].tolist()), weight)
    assert type(found.network) is type(network)


@pytest.mark.parametrize("bits", [2, 4, 8])
def test_all_of_a_neuron_is_whole_numbers_of_one_step(bits: int) -> None:
    quantised = quantize_network(net(), DATA, bits_per_weight=bits, silent="warning").network
    weight, w_rec = quantised[2].weight, quantised[1].w_rec
    for column in range(2):
        step = np.abs(weight[:, column]).max() / (2 ** (bits - 1) - 1)
        threshold = quantised[3].threshold[column]
        for values in (weight[:, column], threshold):
            np.testing.assert_allclose(values / step, np.round(values / step), atol=1e-9)
    assert len(np.unique(w_rec)) <= 6


def test_a_layer_that_falls_silent_is_an_error() -> None:
    network = net()
    network[0].weight = np.where(np.arange(24).reshape(4, 6) == 0, -1000.0, network[0].weight)
    with pytest.raises(SilentLayerError, match="1_LIF, 3_LIF fell silent with 8 bits") as caught:
        quantize_network(network, DATA, method="global")
    assert "spikes per neuron and step" in str(caught.value)
    assert all(rate.fell_silent for rate in caught.value.rates)
    with pytest.warns(UserWarning, match="fell silent"):
        found = quantize_network(network, DATA, method="global", silent="warning")
    assert found.rates[0].after == 0
    # other neurons have other steps
    assert quantize_network(network, DATA, method="channel").rates[0].after > 0


def test_a_layer_that_was_silent_before_is_none() -> None:
    network = net()
    network[3].threshold = np.full(2, 1e6)
    with_room = quantize_network(network, DATA, bits_per_threshold=30)
    assert (with_room.rates[1].before, with_room.rates[1].after) == (0, 0)


def test_a_large_threshold_makes_the_step_larger() -> None:
    network = net()
    quantised = quantize_network(network, DATA, bits_per_threshold=6).network
    for column, threshold in enumerate(quantised[3].threshold):
        largest = np.abs(quantised[2].weight[:, column]).max()
        if largest:
            assert threshold <= 1.31
    assert len(np.unique(np.abs(quantised[2].weight))) < 10


def test_a_network_stays_as_it_is() -> None:
    network = net()
    network(DATA)
    before = copy.deepcopy(network.state())
    quantize_network(network, DATA)
    np.testing.assert_array_equal(network.state()["1_LIF"]["vmem"], before["1_LIF"]["vmem"])


def test_weights_of_a_stack_and_several_synapses() -> None:
    stack = FFwdStack(
        LIF(4, threshold=0.5),
        LIF((6, 3), threshold=0.5),
        weight_init_func=lambda shape: np.random.default_rng(2).normal(0.4, 0.2, shape),
    )
    found = quantize_network(stack, DATA, bits_per_weight=3)
    (name,) = (n for n in stack.parameters() if not isinstance(stack.parameters()[n], dict))
    assert not np.array_equal(getattr(found.network, name), getattr(stack, name))
    assert len(np.unique(np.abs(getattr(found.network, name)[:, :2]))) <= 4


def test_layers_of_torch_itself() -> None:
    import torch

    from rockpool.nn.modules import LIFTorch

    torch.manual_seed(0)
    network = Sequential(torch.nn.Linear(4, 6), LIFTorch(6, threshold=0.5))
    found = quantize_network(network, DATA, bits_per_weight=3)
    assert found.network[0].weight.shape == (6, 4)
    per_neuron = found.network[0].weight.detach().abs()
    assert all(len(torch.unique(torch.round(row / row.max() * 3))) <= 4 for row in per_neuron)


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"method": "layer"}, "method must be 'global' or 'channel', got 'layer'"),
        ({"bits_per_weight": 1}, "bits_per_weight must be >= 2, got 1"),
        ({"bits_per_weight": 2.5}, "bits_per_weight must be an int, got 2.5"),
        ({"bits_per_threshold": "8"}, "bits_per_threshold must be an int, got '8'"),
        ({"silent": "no"}, "silent must be 'error' or 'warning', got 'no'"),
    ],
)
def test_errors(arguments: dict[str, Any], text: str) -> None:
    with pytest.raises((ValueError, TypeError), match=f"quantize_network: {text}"):
        quantize_network(net(), DATA, **arguments)


def test_one_threshold_for_neurons_of_nir() -> None:
    network = Sequential(Linear((4, 6)), LIFEuler(6, threshold=0.3))
    quantised = quantize_network(network, DATA, silent="warning").network
    assert quantised[1].threshold.shape == ()


def test_a_global_step_is_one_for_the_layer_with_thresholds_of_few_bits() -> None:
    weight = np.array([[0.2, 0.8], [0.7, 0.4], [0.9, 0.7], [0.1, 0.3]])
    network = Sequential(Linear((4, 2), weight=weight), LIF(2, threshold=np.array([1.0, 50.0])))
    quantised = quantize_network(network, DATA, method="global", bits_per_threshold=8).network
    counts = quantised[0].weight / (50 / 127)
    np.testing.assert_allclose(counts, np.round(counts), atol=1e-9)


@pytest.mark.parametrize("order", ["abn", "nba"])
def test_weights_go_with_the_neurons_that_edges_lead_to(order: str) -> None:
    first = np.random.default_rng(0).uniform(0.5, 2, (4, 2))
    modules = {
        "a": Linear((4, 2), weight=first),
        "b": Linear((4, 2), weight=0.15 * first),
        "n": LIF(2, threshold=[0.7, 0.9]),
    }
    edges = [("input", "a"), ("input", "b"), ("a", "n"), ("b", "n"), ("n", "output")]
    network = Wired({name: modules[name] for name in order}, edges)
    quantised = quantize_network(network, DATA, bits_per_weight=4).network
    step = first.max(axis=0) / 7
    for values in (quantised["a"].weight, quantised["b"].weight, quantised["n"].threshold):
        np.testing.assert_allclose(values / step, np.round(values / step), atol=1e-9)


def multiples(values: Any, step: Any) -> None:
    """Check that values are whole multiples of a step."""
    np.testing.assert_allclose(values / step, np.round(values / step), atol=2e-4)


@pytest.mark.parametrize("backend", ["numpy", "torch", "jax"])
def test_potentials_in_millivolts_stay_where_they_are(backend: str) -> None:
    random = np.random.default_rng(0)
    network = Sequential(
        Linear((4, 3), weight=random.uniform(5, 10, (4, 3))),
        LIFEuler(3, tau_mem=0.02, v_leak=-65.0, v_reset=-65.0, threshold=-50.0, r=12.0),
    )
    quantised = quantize_network(rockpool.convert(network, backend), DATA)
    (rate,) = quantised.rates
    assert rate.after == pytest.approx(rate.before, rel=0.02)
    step = np.abs(network[0].weight).max() / 127
    for name, value in (("threshold", -50), ("v_reset", -65), ("v_leak", -65)):
        found = to_numpy(getattr(quantised.network[1], name))
        assert abs(found - value) <= step / 2 + 1e-4
        multiples(found, step)


def test_a_threshold_is_above_where_neurons_are_reset_to() -> None:
    network = Sequential(
        Linear((4, 3), weight=6.0 * np.eye(4, 3)),
        LIFEuler(3, threshold=np.array([1.0, 2.0, -2.6]), v_reset=np.array([0.95, -1.0, -9.0])),
    )
    for method in ("channel", "global"):
        neurons = quantize_network(
            network, DATA, bits_per_weight=4, method=method, silent="warning"
        ).network[1]
        np.testing.assert_allclose(neurons.threshold, np.array([2.0, 2.0, -3.0]) * 6 / 7)
        multiples(neurons.threshold, 6 / 7)
        multiples(neurons.v_reset, 6 / 7)
        assert (neurons.threshold > neurons.v_reset).all()


@pytest.mark.parametrize("backend", ["numpy", "torch", "jax"])
@pytest.mark.parametrize("method", ["channel", "global"])
def test_kernels_of_convolutions(method: str, backend: str) -> None:
    random = np.random.default_rng(0)
    network = Sequential(
        Conv2d(
            (1, 4, 4), 2, 3, weight=random.normal(size=(2, 1, 3, 3)), bias=np.array([0.3, -0.1])
        ),
        LIFEuler((2, 2, 2), r=30.0),
    )
    data = (random.random((2, 50, 16)) < 0.4).astype(float)
    moved = rockpool.convert(network, backend)
    quantised = quantize_network(moved, data, bits_per_weight=3, method=method).network
    largest = np.abs(network[0].weight).max(axis=(1, 2, 3))
    steps = (largest if method == "channel" else np.full(2, largest.max())) / 3
    weight, bias = to_numpy(quantised[0].weight), to_numpy(quantised[0].bias)
    assert len(np.unique(weight)) > 3
    for channel, step in enumerate(steps):
        multiples(weight[channel], step)
        multiples(bias[channel], step)
    threshold = to_numpy(quantised[1].threshold)
    multiples(threshold, steps.max() if threshold.ndim == 0 else steps.repeat(4))


def test_neurons_behind_a_convolution_have_steps_of_its_channels() -> None:
    random = np.random.default_rng(0)
    network = Sequential(
        Linear((4, 18), weight=random.normal(size=(4, 18))),
        Conv1d((2, 9), 3, 3, weight=random.normal(size=(3, 2, 3)), has_bias=False),
        Flatten((3, 7)),
        LIF(21),
    )
    quantised = quantize_network(network, DATA, bits_per_weight=4, silent="warning").network
    multiples(quantised[0].weight, np.abs(network[0].weight).max(axis=0) / 7)
    steps = np.abs(network[1].weight).max(axis=(1, 2)) / 7
    multiples(quantised[1].weight, steps[:, None, None])
    multiples(quantised[3].threshold, steps.repeat(7))


def test_weights_that_are_scaled_before_neurons_say_nothing_of_them() -> None:
    network = Sequential(Linear((4, 3)), Scale(3, weight=np.array([2.0, 3.0, 4.0])), LIF(3))
    quantised = quantize_network(network, DATA, bits_per_weight=4, silent="warning").network
    multiples(quantised[0].weight, np.abs(network[0].weight).max(axis=0) / 7)
    np.testing.assert_array_equal(quantised[2].threshold, network[2].threshold)


def test_recurrent_weights_of_rate_neurons() -> None:
    network = Sequential(Linear((4, 3)), Rate(3, has_rec=True))
    quantised = quantize_network(network, DATA, bits_per_weight=3).network
    both = np.concatenate([network[0].weight, network[1].w_rec])
    step = np.abs(both).max(axis=0) / 3
    multiples(quantised[0].weight, step)
    multiples(quantised[1].w_rec, step)
    np.testing.assert_array_equal(quantised[1].threshold, network[1].threshold)


def test_kernels_follow_edges() -> None:
    network = Wired(
        {"c": Conv2d((1, 2, 2), 2, 1), "n": LIFEuler((2, 2, 2))},
        [("input", "c"), ("c", "n"), ("n", "output")],
    )
    quantised = quantize_network(network, DATA, bits_per_weight=2, silent="warning").network
    multiples(quantised["c"].weight, np.abs(network["c"].weight).max(axis=(1, 2, 3), keepdims=True))


@pytest.mark.parametrize("backend", ["numpy", "torch", "jax"])
def test_thresholds_little_above_the_reset(backend: str) -> None:
    for seed in range(25):
        random = np.random.default_rng(seed)
        network = Sequential(
            Linear((1, 2), weight=random.uniform(5, 15, (1, 2))),
            LIFEuler(2, v_leak=-70.0, v_reset=-70.0, threshold=-70 + random.uniform(0.1, 1, 2)),
        )
        moved = rockpool.convert(network, backend)
        for bits, method in ((4, "channel"), (2, "global"), (8, "channel")):
            neurons = quantize_network(
                moved, np.ones((1, 5, 1)), bits_per_weight=bits, method=method, silent="warning"
            ).network[1]
            assert (to_numpy(neurons.threshold) > to_numpy(neurons.v_reset)).all()


def test_a_reset_that_rounds_far_up_or_down() -> None:
    network = Sequential(
        Linear((1, 2), weight=np.array([[13.1, 8.6]])),
        LIFEuler(2, v_leak=-65.0, v_reset=-65.0, threshold=np.full(2, -64.9)),
    )
    neurons = quantize_network(
        network, np.ones((1, 5, 1)), bits_per_weight=4, silent="warning"
    ).network[1]
    multiples(neurons.threshold, np.array([13.1, 8.6]) / 7)


def test_kernels_share_steps_with_neurons_behind_other_axes() -> None:
    modules = {
        "kernels": Conv2d((1, 3, 3), 2, 2, has_bias=False),
        "flat": Flatten((2, 2, 2)),
        "neurons": LIF(8),
    }
    edges = list(pairwise(["input", *modules, "output"]))
    data = (np.random.default_rng(0).random((1, 30, 9)) < 0.5).astype(float)
    rows = Sequential(copy.deepcopy(modules))
    found = [
        quantize_network(net, data, bits_per_weight=4, silent="warning")
        .network["neurons"]
        .threshold
        for net in (Wired(modules, edges), rows)
    ]
    np.testing.assert_array_equal(*found)
    multiples(found[0], (np.abs(modules["kernels"].weight).max(axis=(1, 2, 3)) / 7).repeat(4))


def test_kernels_in_front_of_neurons_of_several_synapses() -> None:
    network = Sequential(Conv1d((3, 8), 4, 3, has_bias=False), Flatten((4, 6)), LIF((24, 6)))
    data = np.random.default_rng(0).random((1, 10, 3, 8))
    quantised = quantize_network(network, data, bits_per_weight=4, silent="warning").network
    multiples(quantised[0].weight, np.abs(network[0].weight).max(axis=(1, 2), keepdims=True) / 7)
    np.testing.assert_array_equal(quantised[2].threshold, network[2].threshold)


def test_kernels_that_meet_behind_other_axes_share_steps() -> None:
    modules = {
        "a": Conv1d((3, 8), 2, 3, has_bias=False),
        "b": Conv1d((3, 8), 2, 3, has_bias=False),
        "flat": Flatten((2, 6)),
        "neurons": LIF(12),
    }
    edges = [("input", "a"), ("input", "b"), ("a", "flat"), ("b", "flat")]
    network = Wired(modules, [*edges, *pairwise(["flat", "neurons", "output"])])
    data = np.random.default_rng(0).random((1, 10, 3, 8))
    quantised = quantize_network(network, data, bits_per_weight=4, silent="warning").network
    largest = [np.abs(modules[name].weight).max(axis=(1, 2)) for name in "ab"]
    steps = np.maximum(*largest) / 7
    for name in "ab":
        multiples(quantised[name].weight, steps[:, None, None])
    multiples(quantised["neurons"].threshold, steps.repeat(6))


def test_a_network_that_cannot_be_copied_is_said_to_be_so() -> None:
    network = Sequential(LinearTorch((4, 3)), LIFTorch(3))
    prune.random_unstructured(network[0], "weight", amount=0.5)
    with pytest.raises(ValueError, match=r"TorchSequential cannot be copied; .*prune.remove does"):
        quantize_network(network, DATA)
