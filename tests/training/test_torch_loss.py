"""Regularisers for torch, with the values of those for jax."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from rockpool.nn.combinators import Sequential
from rockpool.nn.modules import LIFTorch, LinearTorch
from rockpool.training import torch_loss

PARAMETERS: dict[str, Any] = {
    "a": torch.tensor([1.0, -2.0, 0.5]),
    "b": {"c": torch.tensor([[3.0, 0.01]])},
}


def bounds() -> tuple[dict[str, Any], dict[str, Any]]:
    lower, upper = torch_loss.make_bounds(PARAMETERS)
    lower["a"], upper["b"]["c"] = -1.0, 2.0
    return lower, upper


def test_known_answers() -> None:
    assert torch_loss.bounds_cost(PARAMETERS, *bounds()).item() == pytest.approx(5.436563)
    cost = torch_loss.summed_exp_boundary_loss(torch.tensor([0.1, 1.0, 2.0]), 0.5, 1.5)
    assert cost.item() == pytest.approx(3.140546)
    regularizer = torch_loss.ParameterBoundaryRegularizer(0.5, 1.5)
    assert regularizer(torch.tensor([0.1, 1.0, 2.0]))[0].item() == pytest.approx(3.140546)


def test_zero_is_a_bound() -> None:
    assert torch_loss.summed_exp_boundary_loss(torch.tensor([-1.0]), 0).item() == pytest.approx(
        2.718282
    )
    assert torch_loss.summed_exp_boundary_loss(torch.tensor([1.0]), None, 0.0).item() > 0


def test_no_bounds_and_no_numbers_cost_nothing() -> None:
    assert torch_loss.bounds_cost(PARAMETERS, *torch_loss.make_bounds(PARAMETERS)) == 0
    assert torch_loss.bounds_cost({"a": torch.tensor(float("nan"))}, {"a": 0.0}, {"a": 1.0}) == 0
    assert torch_loss.bounds_cost({}, {}, {}) == 0


def test_bounds_for_a_part_of_the_parameters() -> None:
    cost = torch_loss.bounds_cost(PARAMETERS, {"a": -1.0}, {"b": {"c": 2.0}})
    assert cost.item() == pytest.approx(5.436563)


def test_a_module_within_its_bounds() -> None:
    net = Sequential(LinearTorch((2, 3)), LIFTorch(3, tau_mem=0.02))
    lower = {"1_LIFTorch": {"tau_mem": 0.03, "threshold": 0.5}}
    cost = torch_loss.bounds_cost(net.parameters(), lower, {})
    cost.backward()
    assert (net[1].tau_mem.grad < 0).all()
    assert not net[1].threshold.grad.any()

    weight = net[0].weight
    net.set_attributes(torch_loss.bounds_clip(net.parameters(), lower, {}))
    assert torch.allclose(net[1].tau_mem, torch.tensor(0.03))
    assert net[0].weight is weight


def test_bounds_may_be_arrays() -> None:
    parameters = LIFTorch(2).parameters()
    numbers = np.array([0.1, 0.1])
    cost = torch_loss.bounds_cost(parameters, {"tau_mem": numbers}, {"tau_syn": numbers})
    expected = torch_loss.bounds_cost(
        parameters, {"tau_mem": torch.tensor(numbers)}, {"tau_syn": torch.tensor(numbers)}
    )
    assert cost == expected and cost.dtype == torch.float32


def test_bounds_for_what_is_no_parameter() -> None:
    lower, upper = bounds()
    with pytest.raises(
        KeyError, match=r"lower_bounds has 'b\.d', which is no parameter; there are c"
    ):
        torch_loss.bounds_cost(PARAMETERS, {"b": {"d": 1.0}}, upper)
    with pytest.raises(KeyError, match="upper_bounds must have the structure of params, but 'b'"):
        torch_loss.bounds_clip(PARAMETERS, lower, {"b": 1.0})


def test_bounds_are_as_precise_as_the_parameters() -> None:
    params, bound = {"t": torch.tensor([0.1], dtype=torch.float64)}, {"t": 0.1}
    assert torch_loss.bounds_cost(params, bound, bound) == 0
    low, high = torch.zeros(1, dtype=torch.float64), torch.ones(1, dtype=torch.float64)
    assert torch_loss.bounds_clip({"t": low}, bound, {})["t"].item() == 0.1
    assert torch_loss.bounds_clip({"t": high}, {}, bound)["t"].item() == 0.1
