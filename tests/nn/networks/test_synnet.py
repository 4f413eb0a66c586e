"""`SynNet`: known answers, what is trained, errors, and the way to other back-ends."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
import pytest
import torch
from support import golden

import rockpool
from rockpool.nn.modules import LIFBitshiftTorch, LIFTorch, aLIFTorch
from rockpool.nn.networks import SynNet
from rockpool.parameters import Constant


def inputs(*shape: int, scale: float = 1.0) -> torch.Tensor:
    return torch.tensor(golden.inputs(*shape, scale), dtype=torch.float32)


def small_net(**kwargs: Any) -> SynNet:
    """A small network with known weights."""
    net = SynNet(2, 3, [4, 5], [2, 2], **kwargs)
    for name, parameter in net.named_parameters():
        if name.endswith("weight"):
            parameter.data = torch.tensor(golden.weights(*parameter.shape, 1.5)).float()
    return net


# --- what it computes --------------------------------------------------------------------------------


def test_known_output() -> None:
    output, state, record = small_net()(inputs(1, 8, 3, scale=3), record=True)

    assert output.flatten().tolist() == [0, 0, 0, 0, 0, 0, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1]
    # fmt: off
    assert record["0_neurons"]["spikes"].flatten().tolist() == [
        0, 1, 0, 2, 0, 2, 0, 3, 0, 3, 0, 3, 0, 3, 0, 5,
        0, 3, 0, 4, 0, 4, 0, 5, 0, 4, 0, 5, 0, 5, 0, 6]
    # fmt: on
    assert list(state) == ["seq"]
    assert "vmem" in state["seq"]["out_neurons"]
    assert torch.equal(record["out_neurons_output"], output)


def test_known_potentials() -> None:
    net = small_net(output="vmem")
    output, _, record = net(inputs(1, 8, 3, scale=3))

    # fmt: off
    expected = [0, 0, -0.126923, 0.276923, -0.253846, 0.553846, -0.7875, 1.534615, -1.416346,
                2.723077, -1.911779, 3.666346, -2.376923, 4.589423, -2.718209, 5.276683]
    # fmt: on
    np.testing.assert_allclose(output.detach().flatten(), expected, atol=1e-6)
    assert record == {}
    assert not net.spiking_output


def test_a_record_has_the_outputs_of_the_layers_themselves() -> None:
    net = small_net(output="vmem")
    output, _, record = net(inputs(1, 8, 3, scale=3), record=True)

    assert record["0_neurons_output"].shape == (1, 8, 4)
    assert torch.equal(record["out_neurons"]["vmem"], output)


def test_time_constants() -> None:
    net = SynNet(2, 3)
    taus = net.seq["0_neurons"].tau_syn.flatten()[:10] * 1e3
    # fmt: off
    expected = [1.442695, 3.47606, 7.488876, 15.494622, 31.49736, 63.498692, 127.499359,
                255.499695, 511.499817, 1023.499939]
    # fmt: on
    np.testing.assert_allclose(taus, expected, rtol=2e-7)
    for name in net.lif_names:
        assert net.seq[name].tau_mem.item() * 1e3 == pytest.approx(1.442695)
    assert net.seq["out_neurons"].tau_syn.flatten()[0].item() * 1e3 == pytest.approx(1.442695)

    exact = SynNet(2, 3, quantize_time_constants=False).seq["0_neurons"].tau_syn.flatten()[:10]
    np.testing.assert_allclose(exact * 1e3, 2.0 ** np.arange(1, 11), rtol=1e-6)


def test_the_longest_time_constants_are_dropped_first() -> None:
    taus = SynNet(2, 3, [5], [2]).seq["0_neurons"].tau_syn.flatten() * 1e3
    np.testing.assert_allclose(taus, [1.442695, 3.47606, 1.442695, 3.47606, 1.442695], rtol=1e-6)


def test_initial_weights_are_smaller_for_slow_synapses() -> None:
    torch.manual_seed(0)
    net = SynNet(2, 30, [400], [2], quantize_time_constants=False)
    weight = net.seq["0_linear"].weight.detach()
    limit = (6 / 30) ** 0.5
    for first, factor in ((0, 1 / 2), (1, 1 / 4)):
        largest = weight[:, first::2].abs().max().item()
        assert 0.98 * limit * factor < largest <= limit * factor
    before = weight.clone()
    net.reset_parameters()
    assert not torch.equal(before, net.seq["0_linear"].weight)
    assert net.seq["0_linear"].weight[:, 1::2].abs().max() <= limit / 4


# --- what is in it ------------------------------------------------------------------------------------


def test_the_layers_have_names_and_positions() -> None:
    net = SynNet(2, 3, [4, 5], [2, 2], p_dropout=0.1)
    # fmt: off
    names = ["0_linear", "0_neurons", "0_dropout", "1_linear", "1_neurons", "1_dropout",
             "out_linear", "out_neurons"]
    # fmt: on
    assert list(net.seq.modules()) == names
    assert net.seq[4] is net.seq["1_neurons"]
    assert net.lif_names == ["0_neurons", "1_neurons", "out_neurons"]
    assert net.label_last_LIF == "out_neurons"
    assert "0_dropout" not in SynNet(2, 3).seq.modules()
    assert (net.shape, net.spiking_input, net.spiking_output) == ((3, 2), True, True)


def test_only_weights_are_trained_unless_asked_for() -> None:
    assert {name.rpartition(".")[2] for name, _ in SynNet(2, 3).named_parameters()} == {"weight"}
    net = SynNet(2, 3, train_time_constants=True, train_threshold=True)
    assert [name for name, _ in net.named_parameters()] == [
        "seq.0_linear.weight",
        "seq.0_neurons.tau_mem",
        "seq.0_neurons.tau_syn",
        "seq.0_neurons.threshold",
        "seq.out_linear.weight",
    ]
    net(inputs(2, 30, 3, scale=3))[0].sum().backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in net.parameters().astorch())


def test_thresholds_of_the_output() -> None:
    assert SynNet(2, 3, threshold=0.5).seq["out_neurons"].threshold.item() == 0.5
    net = SynNet(2, 3, threshold_out=[1.0, 2.0])
    assert net.seq["out_neurons"].threshold.tolist() == [1, 2]


@pytest.mark.parametrize("neuron_model", [LIFBitshiftTorch, aLIFTorch])
def test_other_classes_of_neurons(neuron_model: Any) -> None:
    net = SynNet(2, 3, neuron_model=neuron_model)
    assert isinstance(net.seq["0_neurons"], neuron_model)
    assert net(inputs(2, 10, 3))[0].shape == (2, 10, 2)


def test_arguments_for_the_neurons() -> None:
    net = SynNet(2, 3, neuron_kwargs={"learning_window": 0.2, "noise_std": 0.1})
    for name in net.lif_names:
        assert net.seq[name].learning_window.item() == pytest.approx(0.2)
        assert net.seq[name].noise_std == 0.1


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (
            {"size_hidden_layers": [3, 4]},
            "size_hidden_layers and .* must have one entry for each hidden layer, got 2",
        ),
        ({"tau_syn_base": 1e-3}, "tau_syn_base must be > dt, 0.001 s, got 0.001 s"),
        ({"output": "isyn"}, "output must be 'spikes' or 'vmem', got 'isyn'"),
        ({"output": "vmem", "threshold_out": 1.0}, "threshold_out has no meaning"),
        ({"size_hidden_layers": [0]}, r"size_hidden_layers must be >= 1, got \[0\]"),
        ({"dt": 0.0}, "dt must be"),
    ],
)
def test_errors(arguments: dict[str, Any], text: str) -> None:
    with pytest.raises(ValueError, match=f"SynNet: {text}"):
        SynNet(2, 3, **arguments)


# --- copies, graphs and other back-ends ---------------------------------------------------------------


@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda net: pickle.loads(pickle.dumps(net))])
def test_copies_compute_the_same(duplicate: Any) -> None:
    net = small_net()
    again = duplicate(net)
    assert torch.equal(again(inputs(1, 8, 3, scale=3))[0], net(inputs(1, 8, 3, scale=3))[0])


def test_states_go_on_and_can_be_reset() -> None:
    net, data = small_net(), inputs(1, 8, 3, scale=3)
    whole = net(torch.cat((data, data), 1))[0]
    net.reset_state()
    assert torch.equal(torch.cat((net(data)[0], net(data)[0]), 1), whole)
    assert torch.equal(net.reset_state()(data)[0], whole[:, :8])


def test_graph() -> None:
    graph = small_net().as_graph()
    assert (len(graph.input_nodes), len(graph.output_nodes)) == (3, 2)
    from rockpool.graph import LinearWeights, bag_graph

    assert sum(isinstance(module, LinearWeights) for module in bag_graph(graph)[1]) == 3


def test_on_numpy_it_spikes_alike() -> None:
    net, data = small_net(), golden.inputs(1, 40, 3, 3)
    there = rockpool.convert(net, "numpy")
    expected = net(torch.tensor(data).float())[0].detach().numpy()
    np.testing.assert_array_equal(there(data)[0], expected)
    assert expected.any()


@pytest.mark.parametrize("backend", ["numpy", "numba", "torch", "jax", "brian", "sinabs"])
def test_on_other_back_ends_its_potentials_are_the_same(backend: str) -> None:
    net, data = small_net(output="vmem"), golden.inputs(1, 40, 3, 3).astype(np.float32)
    expected = net(torch.tensor(data))[0].detach().numpy()
    there = rockpool.convert(net.reset_state(), backend)
    assert not there.spiking_output
    output, state, record = there(torch.tensor(data) if backend in ("torch", "sinabs") else data)
    np.testing.assert_allclose(rockpool.parameters.to_numpy(output), expected, atol=1e-4)
    assert list(state["seq"]) == list(net.seq.modules()) and record == {}
    again = rockpool.convert(there, "numpy")
    assert {"out_neurons", "out_neurons_output"} <= again(data, record=True)[2].keys()


def test_constants_stay_constants() -> None:
    neurons = SynNet(2, 3).seq["0_neurons"]
    assert isinstance(neurons, LIFTorch)
    assert not neurons.parameters()
    assert LIFTorch(2, threshold=Constant(1.0)).parameters().keys() == {
        "tau_mem",
        "tau_syn",
        "bias",
    }
