"""Torch networks that evolve with changed parameters, and the functions that change them."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch

from rockpool.nn.combinators import FFwdStack, Residual, Sequential
from rockpool.nn.modules import Conv2dTorch, LIFEulerTorch, LIFTorch, LinearTorch
from rockpool.transform import torch_transform as tt
from rockpool.utilities.tree_utils import tree_update

V = torch.tensor([-1, -0.3, 0, 0.26, 0.5, 0.9])


def net():
    torch.manual_seed(1)
    return Sequential(LinearTorch((2, 3)), LIFTorch(3), LinearTorch((3, 2)))


def halved(value: torch.Tensor) -> torch.Tensor:
    return value / 2


# --- functions ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (tt.deterministic_rounding(V, num_levels=5), [-1, -0.5, 0, 0.5, 0.5, 1]),
        (
            tt.deterministic_rounding(V, output_range=[-10, 10], num_levels=21),
            [-10, -3, 0, 3, 5, 9],
        ),
        (
            tt.deterministic_rounding(V, num_levels=4, maintain_zero=False),
            [-1, -0.366667, 0.266667, 0.266667, 0.266667, 0.9],
        ),
        (tt.int_quant(V, n_bits=4), [-7, -2, 0, 2, 4, 6]),
        (tt.int_quant(V, n_bits=3, map_to_max=True), [-127, -38, 0, 33, 64, 114]),
        (tt.int_quant(V, n_bits=4, maintain_zero=False), [-7, -4, -3, -2, -2, 0]),
        (
            tt.t_decay(torch.tensor([0.1, 0.5, 0.8, 0.9, 0.95, 0.99])),
            [0, 0.5, 0.75, 0.875, 0.9375, 0.992188],
        ),
        (tt.t_decay(torch.tensor([0.0, 1e-40, 1.0, -0.5, 1.5])), [0, 0, 1, 0, 1]),
    ],
)
def test_known_answers(found: torch.Tensor, expected: list[float]) -> None:
    torch.testing.assert_close(
        found, torch.tensor(expected, dtype=torch.float32), atol=1e-6, rtol=0
    )


@pytest.mark.parametrize(
    "function",
    [
        tt.floor_passthrough,
        tt.round_passthrough,
        tt.make_backward_passthrough(torch.sign),
        tt.t_decay,
    ],
)
def test_gradients_pass_through(function) -> None:
    value = torch.tensor([0.3, 0.6], requires_grad=True)
    function(value).sum().backward()
    assert value.grad.tolist() == [1, 1]


def test_they_can_be_transformed() -> None:
    values = torch.tensor([[0.3, 1.6], [0.4, -2.7]])
    found = torch.func.vmap(torch.func.grad(lambda v: (2 * tt.round_passthrough(v)).sum()))(values)
    assert found.tolist() == [[2, 2], [2, 2]]


@pytest.mark.parametrize("rounding", [tt.deterministic_rounding, tt.stochastic_rounding])
def test_zeros_stay_zeros(rounding) -> None:
    zeros = torch.zeros(3, requires_grad=True)
    assert rounding(zeros, output_range=[-10, 10]).tolist() == [0, 0, 0]
    assert tt.int_quant(zeros).tolist() == [0, 0, 0]
    constant = rounding(torch.ones(2), output_range=[-10, 10], maintain_zero=False)
    assert constant.tolist() == [-10, -10]


def test_rounding_by_chance_keeps_the_mean() -> None:
    torch.manual_seed(0)
    value = torch.full((20000,), 0.3)
    value[0], value[1] = -1, 1
    found = tt.stochastic_rounding(value, num_levels=3)
    assert set(found.tolist()) == {-1.0, 0.0, 1.0}
    assert found.mean().item() == pytest.approx(0.3, abs=0.02)


def test_rounding_of_channels_leaves_its_argument_alone() -> None:
    weight = torch.nn.Parameter(torch.tensor([[1.0, 10.0], [-1.0, 5.0], [0.0, -10.0]]))
    before = weight.detach().clone()
    found = tt.stochastic_channel_rounding(weight, [-127, 127], num_levels=255)
    assert found[:, 0].tolist() == [127, -127, 0]
    assert found[:, 1].abs().max() == 127
    assert torch.equal(weight, before)
    found.sum().backward()
    assert weight.grad[0, 0] == 127


def test_dropout() -> None:
    torch.manual_seed(0)
    found = tt.dropout(torch.ones(10000), 0.25)
    assert found.mean().item() == pytest.approx(0.75, abs=0.02)
    with pytest.raises(ValueError, match=r"dropout_prob must be within \[0, 1\], got 2"):
        tt.dropout(torch.ones(2), 2)


# --- networks ------------------------------------------------------------------------------------------


def test_a_network_with_changed_weights_is_trained_with_its_own() -> None:
    plain = net()
    config = tt.make_param_T_config(plain, halved, "weights")
    changed = tt.make_param_T_network(plain, config)
    data = torch.rand(1, 20, 2) * 20
    assert isinstance(changed[0], tt.TWrapper)
    assert torch.equal(changed[0]._mod.weight, plain[0].weight)
    with torch.no_grad():
        plain[0].weight /= 2
        plain[2].weight /= 2
    torch.testing.assert_close(changed(data)[0], plain(data)[0])
    changed(data)[0].sum().backward()
    assert changed[0]._mod.weight.grad.any()
    assert changed[0]._mod.weight.is_leaf
    assert isinstance(plain[0], LinearTorch)


def test_storing_the_changed_weights() -> None:
    plain, data = net(), torch.rand(1, 20, 2) * 20
    config = tt.make_param_T_config(plain, halved, "weights")
    changed = tt.make_param_T_network(plain, config)
    expected = changed(data)[0]
    stored = tt.apply_T(changed.reset_state())
    torch.testing.assert_close(stored[0]._mod.weight, plain[0].weight / 2)
    torch.testing.assert_close(stored(data)[0], expected)
    bare = tt.remove_T_net(stored)
    assert type(bare[0]) is LinearTorch
    torch.testing.assert_close(bare.reset_state()(data)[0], expected)
    assert isinstance(stored[0], tt.TWrapper)


def test_several_families() -> None:
    plain = net()
    weights = tt.make_param_T_config(plain, lambda w: tt.int_quant(w, n_bits=4), "weights")
    taus = tt.make_param_T_config(plain, lambda tau: tau * 2, "taus")
    changed = tt.apply_T(tt.make_param_T_network(plain, tree_update(weights, taus)))
    assert changed[0]._mod.weight.abs().max() == 7
    torch.testing.assert_close(changed[1]._mod.tau_mem, plain[1].tau_mem * 2)


def test_networks_in_networks_and_a_single_layer() -> None:
    inner = Sequential(LinearTorch((2, 2)), Residual(LinearTorch((2, 2)), LIFTorch(2)))
    changed = tt.make_param_T_network(inner, tt.make_param_T_config(inner, halved))
    assert isinstance(changed[1][0], tt.TWrapper)
    assert changed(torch.rand(1, 5, 2))[0].shape == (1, 5, 2)
    layer = LIFTorch(2)
    wrapped = tt.make_param_T_network(layer, tt.make_param_T_config(layer, halved, "thresholds"))
    assert isinstance(wrapped, tt.TWrapper)
    assert wrapped.shape == (2, 2)
    assert tt.remove_T_net(wrapped).threshold.tolist() == layer.threshold.tolist()


def test_changed_outputs() -> None:
    plain, data = net(), torch.rand(1, 20, 2) * 20
    config = tt.make_act_T_config(plain, lambda x: x * 0, LIFTorch)
    assert set(config) == {"", "0_LinearTorch", "1_LIFTorch", "2_LinearTorch"}
    assert config[""] is None
    changed = tt.make_act_T_network(plain, config)
    assert isinstance(changed[1], tt.ActWrapper)
    assert isinstance(changed[0], LinearTorch)
    assert not changed(data)[0].any()
    assert isinstance(tt.remove_T_net(changed)[1], LIFTorch)


def test_records_states_and_graphs_are_those_of_the_layers() -> None:
    plain, data = net(), torch.rand(1, 5, 2)
    changed = tt.make_param_T_network(plain, tt.make_param_T_config(plain, halved))
    _, state, record = changed(data, record=True)
    assert "vmem" in record["1_LIFTorch"]
    assert "vmem" in state["1_LIFTorch"]["_mod"]
    assert len(changed.as_graph().output_nodes) == 2


def test_errors() -> None:
    with pytest.raises(ValueError, match="T_config has 'tau', which is no parameter of LIFTorch"):
        tt.TWrapper(LIFTorch(2), {"tau": halved})
    with pytest.raises(TypeError, match="ActWrapper: mod must be a TorchModule"):
        tt.ActWrapper(torch.nn.Linear(2, 2))
    with pytest.raises(ValueError, match="num_levels must be >= 2, got 1"):
        tt.deterministic_rounding(V, num_levels=1)
    with pytest.raises(ValueError, match="int_quant: n_bits must be >= 2, got 1"):
        tt.int_quant(V, n_bits=1)
    net = Sequential(LinearTorch((3, 4)), LIFTorch(4))
    there = "there is no module 'other', there are '0_LinearTorch', '1_LIFTorch'"
    with pytest.raises(ValueError, match=f"make_param_T_network: {there}"):
        tt.make_param_T_network(net, {"other": {"weight": halved}})
    with pytest.raises(ValueError, match=f"make_act_T_network: {there}"):
        tt.make_act_T_network(net, {"other": {"": torch.relu}})


@pytest.mark.parametrize("rounding", [tt.deterministic_rounding, tt.stochastic_rounding])
@pytest.mark.parametrize("maintain_zero", [True, False])
@pytest.mark.parametrize("number", [0.0, 0.7])
def test_values_that_are_all_alike_have_a_gradient(rounding, maintain_zero, number) -> None:
    values = torch.full((3,), number, requires_grad=True)
    found = rounding(values, maintain_zero=maintain_zero)
    torch.testing.assert_close(found, values)
    found.sum().backward()
    torch.testing.assert_close(values.grad, torch.ones(3))


def test_a_network_with_rounded_weights_can_be_exported() -> None:
    net = Sequential(LinearTorch((3, 4)), LIFTorch(4))
    config = tt.make_param_T_config(net, tt.deterministic_rounding, "weights")
    changed = tt.make_param_T_network(net, config).to_torch()
    data = torch.rand(1, 5, 3)
    exported = torch.export.export(changed, (data,)).module()
    changed.reset_state()
    torch.testing.assert_close(exported(data), changed(data))


@pytest.mark.parametrize(
    "make",
    [
        lambda: Residual(LIFEulerTorch((1, 6), r=30.0)),
        lambda: Residual(LIFEulerTorch((2, 3), r=30.0)),
        lambda: Residual(Conv2dTorch((1, 2, 3), 1, 1)),
        lambda: FFwdStack(LIFEulerTorch((2, 3), r=30.0), LIFTorch(4)),
    ],
)
def test_layers_of_images_are_wrapped(make: Any) -> None:
    torch.manual_seed(0)
    net, data = make(), (torch.rand(1, 20, 6) < 0.4).float()
    same = {
        "T": tt.make_param_T_network(
            copy.deepcopy(net), tt.make_param_T_config(net, lambda value: 1.0 * value)
        ),
        "act": tt.make_act_T_network(
            copy.deepcopy(net),
            tt.make_act_T_config(net, lambda value: 1.0 * value, LIFEulerTorch),
        ),
    }
    wanted = net(data)[0]
    for wrapped in same.values():
        torch.testing.assert_close(wrapped(data)[0], wanted, rtol=0, atol=0)


def test_decays_are_numbers() -> None:
    found = tt.t_decay(torch.linspace(0, 1, 10001))
    assert not found.isnan().any() and (found.diff() >= 0).all()
    assert tt.t_decay(torch.tensor(1.0)) == 1


@pytest.mark.parametrize("function", [tt.deterministic_rounding, tt.stochastic_rounding])
def test_a_range_is_as_precise_as_the_values(function):
    value = torch.tensor([0.0, 0.1], dtype=torch.float64)
    assert function(value, (0.0, 0.1), (0.0, 0.1), 3).tolist() == [0.0, 0.1]
    assert function(value, (0.0, 0.1), None, 3).tolist() == [0.0, 0.1]
