"""Linear layers, functions, latches, events, dropout, and the deprecated low-pass filter."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from rockpool.nn.modules.torch import (
    BooleanState,
    ExpSynTorch,
    InstantTorch,
    LIFTorch,
    LinearTorch,
    LowPass,
    RateTorch,
    TimeStepDropout,
    UnitDropout,
    UpDownTorch,
)
from rockpool.nn.modules.torch.rate_torch import relu
from rockpool.parameters import Constant

# -- linear ---------------------------------------------------------------------------------------


def test_a_bias_that_is_given_is_used() -> None:
    layer = LinearTorch((2, 3), bias=[1.0, 2.0, 3.0])
    assert torch.equal(layer(torch.zeros(1, 1, 2))[0][0, 0], torch.tensor([1.0, 2.0, 3.0]))
    assert LinearTorch((2, 3)).bias is None
    assert LinearTorch((2, 3), bias=1.0).bias.shape == ()


def test_limits_of_initial_values() -> None:
    torch.manual_seed(0)
    layer = LinearTorch((200, 50), has_bias=True)
    assert (6 / 200) ** 0.5 * 0.97 < layer.weight.abs().max() <= (6 / 200) ** 0.5
    assert layer.bias.abs().max() <= (1 / 50) ** 0.5
    w_rec = LIFTorch((100, 50), has_rec=True).w_rec
    assert (6 / 100) ** 0.5 * 0.97 < w_rec.abs().max() <= (6 / 100) ** 0.5
    assert RateTorch(100, has_rec=True).w_rec.std().item() == pytest.approx(0.1, rel=0.1)


def test_initial_values_follow_the_seed_of_torch() -> None:
    weights = []
    for _ in range(2):
        torch.manual_seed(1)
        weights.append(LinearTorch((3, 4)).weight)
    assert torch.equal(*weights)


def test_initial_values_of_a_users_own() -> None:
    layer = LinearTorch((2, 3), weight_init_func=lambda shape: np.full(shape, 0.5))
    assert layer.weight.tolist() == [[0.5] * 3] * 2 and layer.weight.dtype == torch.float32
    layer.weight.data.zero_()
    assert layer.reset_parameters().weight.tolist() == [[0.5] * 3] * 2


@pytest.mark.parametrize("shape", [(2,), (5, 2), (3, 5, 2)])
def test_a_linear_layer_gives_three_dimensions(shape: tuple[int, ...]) -> None:
    if shape == (2,):
        assert LinearTorch((2, 4))(torch.rand(7))[0].shape == (1, 7, 4)
    else:
        assert LinearTorch((2, 4))(torch.rand(shape))[0].dim() == 3


# -- rate and instant -----------------------------------------------------------------------------


def test_an_activation_function_of_a_users_own() -> None:
    layer = RateTorch(2, activation_func=lambda x, threshold: x * 2 - threshold, threshold=0.5)
    output, _, record = layer(torch.rand(1, 4, 2), record=True)
    assert torch.equal(output, record["x"] * 2 - 0.5)
    assert not record["rec_input"].any()
    assert RateTorch(2).act_fn is relu


def test_instant() -> None:
    output, state, record = InstantTorch((2, 1), lambda x: x.sum(-1, keepdim=True))(
        torch.ones(3, 2)
    )
    assert output.tolist() == [[[2.0]] * 3] and state == {} and record == {}
    assert InstantTorch(2)(torch.ones(3, 2))[0].shape == (1, 3, 2)
    assert InstantTorch(2)(torch.ones(3, 2, dtype=torch.int64))[0].dtype == torch.int64
    with pytest.raises(TypeError, match="InstantTorch: the input must be a torch tensor"):
        InstantTorch(2)([1, 2])


def test_outputs_of_rockpool_follow_one_another() -> None:
    result = InstantTorch(2)(LIFTorch(2)(torch.rand(1, 3, 2)))
    assert list(result[1]) == ["vmem", "isyn", "spikes", ""]


# -- latches --------------------------------------------------------------------------------------


def test_latches_hold_over_calls_for_each_element() -> None:
    layer = BooleanState(1, torch.tensor([0.5])).keep_batch_state()
    layer(torch.tensor([[[1.0]], [[-1.0]]]))
    output, state, _ = layer(torch.tensor([[[0.5], [-0.5]], [[0.1], [0.6]]]))
    assert output.flatten().tolist() == [True, True, False, True]
    assert state["bool_state"].flatten().tolist() == [True, True]


# -- up and down ----------------------------------------------------------------------------------


@pytest.mark.parametrize("n_ref_steps", [0, 2])
def test_the_input_is_left_alone(n_ref_steps: int) -> None:
    x = torch.rand(2, 10, 3)
    copy = x.clone()
    UpDownTorch(3, thr_up=0.1, thr_down=0.1, n_ref_steps=n_ref_steps)(x)
    assert torch.equal(x, copy)


def test_steps_of_each_channel() -> None:
    layer = UpDownTorch(2, thr_up=[0.1, 0.2], thr_down=[0.3, 0.4], repeat_output=3)
    assert layer.thr_up.tolist() == [[pytest.approx(0.1), pytest.approx(0.2)]]
    assert layer.thr_down.tolist() == [[pytest.approx(0.3), pytest.approx(0.4)]]
    x = torch.tensor([[0.0, 0.0], [0.45, 0.45], [-0.35, -0.55]])
    output, _, _ = layer(x[None])
    assert output[0].tolist() == [[0] * 4, [12, 0, 6, 0], [0, 6, 0, 6]]


def test_the_reference_starts_anew_with_each_call() -> None:
    layer = UpDownTorch(1, thr_up=0.1)
    for _ in range(2):
        output, state, _ = layer(torch.tensor([[[1.0], [1.25]]]))
        assert output.flatten().tolist() == [0, 0, 2, 0] and state == {}


def test_no_time_steps_give_an_empty_record() -> None:
    _, _, record = UpDownTorch(2)(torch.zeros(3, 0, 2), record=True)
    assert record["analog_value"].shape == (3, 0, 2)


def test_gradients_of_events() -> None:
    x = torch.tensor([[[0.0], [0.04], [0.06], [0.25]]], requires_grad=True)
    UpDownTorch(1, thr_up=0.1, thr_down=0.1)(x)[0][0, :, 0].sum().backward()
    # the surrogate starts at half a step, and the reference then follows the signal: what the last
    # step gives to the reference reaches the third sample, not the first
    assert x.grad.flatten().tolist() == pytest.approx([-10.0, 0.0, 0.0, 10.0])


def test_device_and_type_of_thresholds() -> None:
    layer = UpDownTorch(2, device="cpu", dtype=torch.float64)
    assert layer.thr_up.dtype == torch.float64
    assert layer(torch.rand(1, 3, 2))[0].dtype == torch.float64


@pytest.mark.parametrize("shape", [(4, 2), (1, 4, 1), (1, 4, 3)])
def test_up_and_down_take_three_dimensions_alone(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"UpDownTorch: the input must have the shape \(B, T, 2\)"):
        UpDownTorch(2)(torch.rand(shape))


# -- dropout --------------------------------------------------------------------------------------


def test_units_are_dropped_for_the_whole_call() -> None:
    torch.manual_seed(0)
    output, _, _ = UnitDropout(100, p=0.25)(torch.ones(50, 4, 100))
    assert (output == output[:, :1]).all()
    assert output.unique().tolist() == [0.0, pytest.approx(1 / 0.75)]
    assert output.mean().item() == pytest.approx(1.0, abs=0.05)


def test_time_steps_are_dropped_one_by_one() -> None:
    torch.manual_seed(0)
    output, _, _ = TimeStepDropout(100, p=0.25)(torch.full((10, 20, 100), 3.0))
    assert set(output.unique().tolist()) == {0.0, 3.0}
    assert (output == 0).float().mean().item() == pytest.approx(0.25, abs=0.02)
    assert not TimeStepDropout(2, p=1.0)(torch.ones(1, 3, 2))[0].any()


@pytest.mark.parametrize("kind", [UnitDropout, TimeStepDropout])
def test_dropout_in_training_only(kind: Any) -> None:
    x = torch.ones(5, 6, 20)
    assert torch.equal(kind(20).eval()(x)[0], x)
    assert torch.equal(kind(20, training=False)(x)[0], x)
    layer = kind(20).eval().train()
    assert layer.simulation_parameters()["training"] is True and not torch.equal(layer(x)[0], x)


@pytest.mark.parametrize("kind", [UnitDropout, TimeStepDropout])
def test_dropout_is_transparent_in_a_graph(kind: Any) -> None:
    graph = kind(3).as_graph()
    assert len(graph.input_nodes) == 3
    assert all(a is b for a, b in zip(graph.input_nodes, graph.output_nodes, strict=True))


# -- low-pass -------------------------------------------------------------------------------------


@pytest.fixture
def low_pass() -> LowPass:
    with pytest.warns(DeprecationWarning, match="use ExpSynTorch"):
        return LowPass(3, 1e-3, 10e-3)


def test_low_pass_takes_time_first(low_pass: LowPass) -> None:
    x = torch.rand(6, 2, 3)
    output, state, _ = low_pass(x)
    alpha = torch.exp(torch.tensor(-0.1))
    expected = ExpSynTorch(3, tau=10e-3)(x.transpose(0, 1))[0].transpose(0, 1) / alpha
    torch.testing.assert_close(output, expected)
    torch.testing.assert_close(state["vmem"], output[-1])


def test_low_pass_goes_on_for_each_element(low_pass: LowPass) -> None:
    x = torch.rand(6, 2, 3)
    expected = low_pass(x)[0]
    low_pass.init_states(2)
    pieces = [low_pass(piece)[0] for piece in (x[:2], x[2:])]
    torch.testing.assert_close(torch.cat(pieces), expected)
    low_pass.detach()
    with pytest.raises(ValueError, match="state is for a batch of 2"):
        low_pass(x[:, :1].expand(-1, 5, -1))
    with pytest.raises(ValueError, match=r"LowPass: the input must have the shape \(T, B, 3\)"):
        low_pass(torch.rand(4, 3))
    low_pass.reset_state()
    assert low_pass(x[:, :1])[0].shape == (6, 1, 3)
    assert low_pass.get_output_shape((4, 3)) == (4, 3)


# -- graphs ---------------------------------------------------------------------------------------


def test_graph_of_lif() -> None:
    layer = LIFTorch((4, 2), has_rec=True, tau_mem=0.01, threshold=Constant(2.0))
    graph = layer.as_graph()
    from rockpool.graph import LIFNeuronWithSynsRealValue, LinearWeights, bag_graph

    nodes, modules = bag_graph(graph)
    (neurons,) = [m for m in modules if isinstance(m, LIFNeuronWithSynsRealValue)]
    (weights,) = [m for m in modules if isinstance(m, LinearWeights)]
    assert len(nodes) == 6
    np.testing.assert_allclose(neurons.tau_mem, [0.01, 0.01])
    assert neurons.tau_syn.shape == (4,) and neurons.threshold.tolist() == [2.0, 2.0]
    assert neurons.dt == 1e-3
    layer.w_rec.data.add_(1.0)  # the graph holds values of its own
    assert not np.allclose(weights.weights, layer.w_rec.detach())


def test_graph_of_adaptive_lif() -> None:
    from rockpool.graph import LIFNeuronWithSynsRealValue, LinearWeights, bag_graph
    from rockpool.nn.modules.torch import aLIFTorch

    layer = aLIFTorch((4, 2), w_ahp=[-0.5, -0.25], tau_ahp=0.05, tau_syn=[[0.01, 0.02]] * 2)
    _, modules = bag_graph(layer.as_graph())
    (neurons,) = [m for m in modules if isinstance(m, LIFNeuronWithSynsRealValue)]
    (weights,) = [m for m in modules if isinstance(m, LinearWeights)]
    np.testing.assert_allclose(neurons.tau_syn, [0.01, 0.02, 0.05] * 2, rtol=1e-6)
    assert len(neurons.input_nodes) == 4
    assert weights.weights.tolist() == [[-0.5, 0, 0, 0], [0, -0.25, 0, 0]]


def test_graphs_of_rate_and_linear() -> None:
    from rockpool.graph import LinearWeights, RateNeuronWithSynsRealValue, bag_graph

    _, modules = bag_graph(RateTorch(2, has_rec=True).as_graph())
    assert {type(m) for m in modules} == {RateNeuronWithSynsRealValue, LinearWeights}
    node = LinearTorch((2, 3), bias=0.5).as_graph()
    assert isinstance(node, LinearWeights)
    assert node.weights.shape == (2, 3) and node.biases.tolist() == [0.5] * 3
    assert LinearTorch((2, 3)).as_graph().biases is None


@pytest.mark.parametrize("make", [lambda: ExpSynTorch(2), lambda: BooleanState(2)])
def test_modules_without_a_graph(make: Any) -> None:
    with pytest.raises(NotImplementedError, match="has no graph"):
        make().as_graph()
