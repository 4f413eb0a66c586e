"""`WaveSenseNet`, its blocks, and the `WaveNet` that they are a spiking form of."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
import pytest
import torch
from support import golden

import rockpool
from rockpool.graph import AliasConnection, LinearWeights, bag_graph
from rockpool.nn.modules import LIFBitshiftTorch, LIFNeuronTorch
from rockpool.nn.networks import WaveBlock, WaveNet, WaveSenseBlock, WaveSenseNet

LAYERS = "lin1 spk1 lin2_res spk2_res lin2_skip spk2_skip".split()


def inputs(*shape: int, scale: float = 1.0) -> torch.Tensor:
    return torch.tensor(golden.inputs(*shape, scale), dtype=torch.float32)


def small_net(**kwargs: Any) -> WaveSenseNet:
    """A small network with known weights."""
    sizes = {"n_channels_in": 3, "n_channels_res": 4, "n_channels_skip": 5, "n_hidden": 4}
    taus = {"base_tau_syn": 0.002, "tau_mem": 0.002, "tau_lp": 0.002}
    net = WaveSenseNet([2, 4], n_classes=2, **{**sizes, **taus, **kwargs})
    for name, parameter in net.named_parameters():
        if name.endswith("weight"):
            parameter.data = torch.tensor(golden.weights(*parameter.shape, 2)).float()
    return net


@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda net: pickle.loads(pickle.dumps(net))])
def test_a_copy_evolves_alike(duplicate: Any) -> None:
    net, data = small_net(), inputs(1, 8, 3, scale=4)
    assert torch.equal(duplicate(net)(data)[0], net(data)[0])


def test_known_output() -> None:
    output, _, record = small_net()(inputs(1, 8, 3, scale=4), record=True)

    assert output.flatten().tolist() == [0, 0, 0, 0, 0, 0, 0, 1, 0, 1, 0, 3, 0, 4, 0, 6]
    assert record["wave0_output"].sum((0, 1)).tolist() == [0, 88, 0, 120]
    assert record["wave1_output"].sum((0, 1)).tolist() == [0, 301, 0, 420]
    np.testing.assert_allclose(
        record["hidden_output"].detach().sum((0, 1)),
        [-2.030769, -100.184616, 29.661541, -68.49231],
        rtol=1e-6,
    )


def test_a_record_is_of_every_layer_and_its_output() -> None:
    _, _, record = small_net()(inputs(1, 8, 3), record=True)
    names = "lin1 spk1 wave0 wave1 hidden spk2 readout".split()
    assert list(record) == [key for n in names for key in (n, f"{n}_output")] + ["spk_out"]
    assert list(record["wave0"]) == [key for n in LAYERS for key in (n, f"{n}_output")]
    block = record["wave0"]
    assert torch.equal(block["spk1_output"], block["spk1"]["spikes"])

    net = small_net()
    assert net(inputs(1, 8, 3))[2] == {}
    assert all(len(value) == 0 for value in net._record_dict.values())


def test_time_constants_of_blocks() -> None:
    net = small_net()
    for block, longest in zip(net.wave_blocks, (0.004, 0.008), strict=True):
        assert block.spk1.shape == (8, 4)
        np.testing.assert_allclose(block.spk1.tau_syn, [[0.002, longest]] * 4, rtol=1e-6)
        np.testing.assert_allclose(block.spk1.tau_mem, longest, rtol=1e-6)
        for layer in (block.spk2_res, block.spk2_skip):
            np.testing.assert_allclose(layer.tau_syn, 0.002, rtol=1e-6)


def test_a_block_has_two_outputs() -> None:
    block = WaveSenseBlock(4, 5, dilation=2)
    (residual, skip), state, record = block(inputs(2, 8, 4))
    assert (residual.shape, skip.shape, record) == ((2, 8, 4), (2, 8, 5), {})
    assert list(state) == LAYERS
    assert (block.shape, block.neuron_model.__name__) == ((4, 4), "LIFTorch")


def test_weights_are_trained_and_nothing_else() -> None:
    net = WaveSenseNet([2, 4], n_channels_in=3)
    assert {name.rpartition(".")[2] for name, _ in net.named_parameters()} == {"weight"}
    net(inputs(2, 50, 3, scale=40))[0].sum().backward()
    untrained = {name for name, p in net.named_parameters() if p.grad is None}
    assert untrained == {"wave1.lin2_res.weight"}  # nothing comes after the last block's residual
    assert net.lin1.weight.grad.any()
    assert net.lin1.weight.grad.isfinite().all()
    assert net.spk1.tau_mem.grad is None


def test_copies_and_resets() -> None:
    net, data = small_net(), inputs(1, 8, 3, scale=4)
    again = copy.deepcopy(net)
    first = net(data)[0]
    assert torch.equal(again(data)[0], first)
    assert not torch.equal(net(data)[0], first)
    assert torch.equal(net.reset_state()(data)[0], first)


def test_graph() -> None:
    net = small_net()
    graph = net.as_graph()
    _, modules = bag_graph(graph)
    assert (len(graph.input_nodes), len(graph.output_nodes)) == (3, 2)
    assert sum(isinstance(module, LinearWeights) for module in modules) == 3 + 2 * 3
    # the residual path of each block, and the skip outputs of one block and the next
    assert sum(isinstance(module, AliasConnection) for module in modules) == 3
    net(inputs(1, 8, 3))
    copy.deepcopy(net.as_graph())


@pytest.mark.parametrize("backend", ["numpy", "torch", "jax"])
def test_on_other_back_ends_it_spikes_alike(backend: str) -> None:
    net, data = small_net(), golden.inputs(2, 30, 3, 4).astype(np.float32)
    expected = net(torch.tensor(data))[0].detach().numpy()
    there = rockpool.convert(net.reset_state(), backend)
    output, state, record = there(torch.tensor(data) if backend == "torch" else data, record=True)
    np.testing.assert_array_equal(np.asarray(output.tolist()), expected)
    assert expected.any()
    assert list(record["wave0"]) == [key for n in LAYERS for key in (n, f"{n}_output")]
    assert list(state["wave1"]) == LAYERS
    again = rockpool.convert(there, "numpy")
    np.testing.assert_array_equal(again(data)[0], expected)


def test_other_classes_of_neurons() -> None:
    net = WaveSenseNet([2], neuron_model=LIFBitshiftTorch)
    assert isinstance(net.spk_out, LIFBitshiftTorch)
    assert net(inputs(1, 5, 16))[0].shape == (1, 5, 2)


def test_an_error_leaves_all_states_as_they_were() -> None:
    net, data = small_net(), inputs(1, 8, 3, scale=4)
    net.spk_out.register_forward_pre_hook(lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        net(data)
    assert not net.spk1.isyn.any()


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: WaveSenseNet([2], neuron_model=LIFNeuronTorch), "neuron_model must be a class"),
        (lambda: WaveSenseNet([2], neuron_model_out=int), "neuron_model_out must be a class"),
        (lambda: WaveSenseNet([]), "dilations must have an entry"),
        (lambda: WaveSenseBlock(), "dilation must be >= 1 time step, got None"),
        (lambda: WaveSenseBlock(dilation=2, kernel_size=0), "kernel_size must be >= 1, got 0"),
        (lambda: WaveSenseNet([2])(inputs(1, 5, 16)[0]), "must have the shape"),
    ],
)
def test_errors(call: Any, text: str) -> None:
    with pytest.raises(ValueError, match=text):
        call()


# --- without spikes -----------------------------------------------------------------------------------


def test_wave_net_looks_into_the_past_only() -> None:
    torch.manual_seed(0)
    net, data = WaveNet(n_classes=3, n_channels_in=4, dilations=[1, 4]), inputs(2, 20, 4)
    output, _, record = net(data)
    assert (output.shape, record) == ((2, 20, 3), {})
    changed = data.clone()
    changed[:, 10] += 1
    differs = (net(changed)[0] != output).any(2).any(0)
    assert not differs[:10].any()
    assert differs[10:16].tolist() == [True, True, False, False, True, True]
    assert not differs[16:].any()
    assert all(p.requires_grad for p in net.parameters().astorch())


def test_wave_block_keeps_the_length_for_any_kernel() -> None:
    residual, skip = WaveBlock(4, 5, kernel_size=3, dilation=2)(torch.ones(1, 4, 10))
    assert (residual.shape, skip.shape) == ((1, 4, 10), (1, 5, 10))
    assert WaveBlock.__module__ == "rockpool.nn.networks.wavenet"
    from rockpool.nn.networks import wavesense

    assert wavesense.WaveNet is WaveNet


SIZES = ["n_classes", "n_channels_in", "n_channels_res", "n_channels_skip", "n_hidden"]


@pytest.mark.parametrize("name", [*SIZES, "kernel_size", "dilations"])
def test_numbers_of_a_wave_net_are_whole_and_at_least_one(name: str) -> None:
    given = {"dilations": [1, 2]}
    for value, error in ((0, ValueError), (-3, ValueError), (1.5, TypeError)):
        given[name] = [2, value] if name == "dilations" else value
        with pytest.raises(
            error, match=rf"^WaveNet: {name} must be a whole number >= 1, got {value}"
        ):
            WaveNet(**given)


def test_a_wave_net_has_blocks() -> None:
    with pytest.raises(ValueError, match="WaveNet: dilations must have an entry for each block"):
        WaveNet(dilations=[])


@pytest.mark.parametrize("name", ["n_channels_res", "n_channels_skip", "kernel_size", "dilation"])
def test_numbers_of_a_wave_block_are_whole_and_at_least_one(name: str) -> None:
    given = {"n_channels_res": 2, "n_channels_skip": 3, "kernel_size": 2, "dilation": 1, name: 0}
    with pytest.raises(ValueError, match=f"^WaveBlock: {name} must be a whole number >= 1, got 0"):
        WaveBlock(**given)


@pytest.mark.parametrize("name", SIZES)
def test_sizes_of_a_wavesense_net_are_named(name: str) -> None:
    with pytest.raises(
        ValueError, match=f"^WaveSenseNet: {name} must be a whole number >= 1, got 0"
    ):
        WaveSenseNet([1], **{name: 0})
    if name == "n_channels_skip":
        with pytest.raises(ValueError, match=r"^WaveSenseBlock: Nskip must be a whole number >= 1"):
            WaveSenseBlock(2, 0, 1)
