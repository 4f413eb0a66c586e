"""Learning rates by group, bounds, and optimizers that keep them; in torch and in jax."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
import torch

from rockpool.nn.combinators import Sequential
from rockpool.nn.modules import LIF, LIFJax, LIFTorch, LinearJax, LinearTorch
from rockpool.parameters import Constant
from rockpool.training import bound, jax_loss, parameter_groups, torch_loss

N = 3


def network(backend: str, **arguments: Any) -> Any:
    linear, lif = (LinearTorch, LIFTorch) if backend == "torch" else (LinearJax, LIFJax)
    return Sequential(linear((2, N), has_bias=True), lif(N, **arguments))


def test_groups_of_torch() -> None:
    net = network("torch", tau_mem=10e-3, tau_syn=Constant(5e-3), threshold=[2.0] * N)
    groups = {group["name"]: group for group in parameter_groups(net, lr=1e-2)}
    rates = {name: group["lr"] for name, group in groups.items()}
    assert rates == pytest.approx(
        {"weights": 1e-2, "biases": 1e-3, "taus x 0.01": 1e-4, "thresholds x 2": 2e-2}
    )
    assert groups["taus x 0.01"]["params"] == [net[1].tau_mem]
    assert {id(p) for group in groups.values() for p in group["params"]} == {
        id(p) for p in net.parameters().astorch()
    }
    for optimizer in (torch.optim.Adam, torch.optim.SGD, torch.optim.AdamW, torch.optim.RMSprop):
        optimizer(parameter_groups(net), lr=1.0)
    assert "weight_decay" not in groups["weights"] and groups["biases"]["weight_decay"] == 0


def test_a_parameter_that_is_shared_or_not_trained() -> None:
    net = Sequential(LinearTorch((2, 2)), LinearTorch((2, 2)))
    net[1].weight = net[0].weight
    assert [len(group["params"]) for group in parameter_groups(net)] == [1]
    net.requires_grad_(False)
    with pytest.raises(ValueError, match="no parameter of the network is to be trained"):
        parameter_groups(net)


def test_what_stands_in_the_place_of_a_parameter_is_left_out() -> None:
    layer, scale = LIFTorch(N), torch.ones(N, requires_grad=True)
    layer.threshold = 2 * scale
    names = {group["name"] for group in parameter_groups(layer)}
    assert names == {"taus x 0.02", "biases"}
    torch.optim.Adam(parameter_groups(layer))


def test_groups_of_jax() -> None:
    net = network("jax", tau_mem=10e-3)
    groups = parameter_groups(net, lr=1e-2)
    assert jax.tree.structure(groups.labels) == jax.tree.structure(net.parameters())
    assert groups.labels["1_LIFJax"]["tau_mem"] == "taus x 0.01"
    assert groups.rates["taus x 0.01"] == pytest.approx(1e-4)
    optimizer = optax.multi_transform(
        {label: optax.sgd(rate) for label, rate in groups.rates.items()}, groups.labels
    )
    parameters = net.parameters()
    ones = jax.tree.map(jnp.ones_like, parameters)
    updates, _ = optimizer.update(ones, optimizer.init(parameters), parameters)
    assert updates["1_LIFJax"]["tau_mem"] == pytest.approx(-1e-4)
    assert updates["0_LinearJax"]["bias"] == pytest.approx(-1e-3)


@pytest.mark.parametrize(
    ("net", "lr", "error", "message"),
    [
        (LIF(2), 1e-3, TypeError, "net must be a module of torch or jax, got LIF"),
        (3, 1e-3, TypeError, "net must be a module, got int"),
        (LIFTorch(2), 0.0, ValueError, "lr must be > 0, got 0.0"),
    ],
)
def test_groups_of_what_cannot_have_them(net: Any, lr: float, error: Any, message: str) -> None:
    with pytest.raises(error, match=f"parameter_groups: {message}"):
        parameter_groups(net, lr)


def test_torch_is_bound() -> None:
    net = network("torch")
    optimizer = torch.optim.SGD(net.parameters().astorch(), lr=1.0)
    assert bound(net, optimizer) is optimizer
    for parameter in net.parameters().astorch():
        parameter.grad = torch.full_like(parameter, 5.0)
    weight = net[0].weight.detach().clone()
    optimizer.step()
    assert net[1].tau_mem.tolist() == pytest.approx([1e-3] * N)
    assert net[1].threshold.tolist() == pytest.approx([1e-3] * N)
    assert torch.equal(net[0].weight, weight - 5) and net[1].bias.tolist() == [-5] * N
    net(torch.rand(1, 5, 2))  # no warning


def test_jax_is_bound_within_jit() -> None:
    net = network("jax")
    optimizer = bound(net, optax.adam(10.0))
    parameters = net.parameters()

    @jax.jit
    def step(parameters: Any, state: Any) -> Any:
        gradients = jax.tree.map(jnp.ones_like, parameters)
        updates, state = optimizer.update(gradients, state, parameters)
        return optax.apply_updates(parameters, updates)

    moved = step(parameters, optimizer.init(parameters))
    np.testing.assert_allclose(moved["1_LIFJax"]["tau_mem"], 1e-3, rtol=1e-4)
    np.testing.assert_allclose(moved["1_LIFJax"]["threshold"], 1e-3, rtol=1e-3)
    assert float(moved["1_LIFJax"]["threshold"].min()) >= 1e-3
    np.testing.assert_allclose(moved["1_LIFJax"]["bias"], -10.0, rtol=1e-5)
    net.set_attributes(moved)


def test_a_timed_network_of_torch_is_bound() -> None:
    net = network("torch")
    timed = net.timed()
    optimizer = bound(timed, torch.optim.SGD(parameter_groups(timed), lr=1.0))
    for parameter in net.parameters().astorch():
        parameter.grad = torch.full_like(parameter, 1e5)
    optimizer.step()
    assert net[1].tau_mem.tolist() == pytest.approx([1e-3] * N)
    assert net[1].threshold.tolist() == pytest.approx([1e-3] * N)
    constant = LIFTorch(1, tau_mem=Constant(0.02), tau_syn=Constant(0.02), threshold=Constant(1.0))
    bound(constant.timed(), torch.optim.SGD([constant.bias], lr=1.0)).step()


def test_a_timed_network_of_jax_is_bound() -> None:
    timed = network("jax").timed()
    optimizer = bound(timed, optax.sgd(10.0))
    parameters = timed.parameters()
    gradients = jax.tree.map(jnp.ones_like, parameters)
    updates, _ = optimizer.update(gradients, optimizer.init(parameters), parameters)
    moved = optax.apply_updates(parameters, updates)["_module"]["1_LIFJax"]
    np.testing.assert_allclose(moved["tau_mem"], 1e-3, rtol=1e-4)
    np.testing.assert_allclose(moved["threshold"], 1e-3, rtol=1e-3)
    timed.set_attributes({"_module": {"1_LIFJax": moved}})


def test_what_the_user_gave_is_the_bound() -> None:
    net = LIFTorch(1, tau_mem=[0.4e-3])
    optimizer = bound(net, torch.optim.SGD([net.tau_mem], lr=1.0))
    net.tau_mem.grad = torch.ones(1)
    optimizer.step()
    assert net.tau_mem.item() == pytest.approx(0.4e-3)


@pytest.mark.parametrize(
    ("net", "optimizer", "message"),
    [
        (LIFTorch(1), optax.sgd(1.0), "must be a torch.optim.Optimizer, got"),
        (LIFJax(1), "adam", "must be one of optax, got str"),
        (LIF(1), optax.sgd(1.0), "net must be a module of torch or jax, got LIF"),
        (LIF(1).timed(), optax.sgd(1.0), "net must be a module of torch or jax, got TimedModule"),
        (LIFTorch(1).timed(), optax.sgd(1.0), "must be a torch.optim.Optimizer, got"),
    ],
)
def test_optimizers_of_another_kind(net: Any, optimizer: Any, message: str) -> None:
    with pytest.raises(TypeError, match=message):
        bound(net, optimizer)


def test_gradients_of_several_steps_are_bounded() -> None:
    net = LIFJax(1, tau_mem=[0.02])
    optimizer = bound(net, optax.MultiSteps(optax.sgd(1.0), 2))
    parameters = net.parameters()
    state = optimizer.init(parameters)
    gradients = jax.tree.map(jnp.ones_like, parameters)
    for wanted in (0.02, 1e-3):  # the second step is taken, and ends at the bound
        updates, state = optimizer.update(gradients, state, parameters)
        parameters = optax.apply_updates(parameters, updates)
        np.testing.assert_allclose(parameters["tau_mem"], [wanted], rtol=1e-5)


def test_jax_needs_the_parameters() -> None:
    optimizer = bound(LIFJax(1), optax.sgd(1.0))
    with pytest.raises(ValueError, match="needs the parameters"):
        optimizer.update({}, optimizer.init({}))


PARAMETERS = {"a": np.array([1.0, -2.0, 0.5]), "b": {"c": np.array([[3.0, 0.01, np.nan]])}}


def trees() -> tuple[Any, Any, Any]:
    lower, upper = torch_loss.make_bounds(PARAMETERS)
    lower["a"], upper["b"]["c"] = -1.0, 2.0
    tensors = {
        "a": torch.tensor(PARAMETERS["a"], requires_grad=True),
        "b": {"c": torch.tensor(PARAMETERS["b"]["c"], requires_grad=True)},
    }
    return tensors, lower, upper


def test_the_cost_is_that_of_jax() -> None:
    tensors, lower, upper = trees()
    cost = torch_loss.bounds_cost(tensors, lower, upper)
    cost.backward()
    expected, gradients = jax.value_and_grad(jax_loss.bounds_cost)(PARAMETERS, lower, upper)
    assert cost.item() == pytest.approx(float(expected))
    np.testing.assert_allclose(tensors["a"].grad, gradients["a"], rtol=1e-5)
    np.testing.assert_allclose(tensors["b"]["c"].grad, gradients["b"]["c"], rtol=1e-5)


def test_values_are_clipped_as_in_jax() -> None:
    tensors, lower, upper = trees()
    found = torch_loss.bounds_clip(tensors, lower, upper)
    expected = jax_loss.bounds_clip(PARAMETERS, lower, upper)
    np.testing.assert_allclose(found["a"], expected["a"])
    np.testing.assert_allclose(found["b"]["c"], expected["b"]["c"])


def test_clipped_values_go_into_the_parameters_of_a_network() -> None:
    net = network("torch")
    lower, upper = torch_loss.make_bounds(net.parameters())
    lower["1_LIFTorch"]["tau_mem"] = 30e-3
    tau = net[1].tau_mem
    net.set_attributes(torch_loss.bounds_clip(net.parameters(), lower, upper))
    assert net[1].tau_mem is tau and tau.tolist() == pytest.approx([30e-3] * N)
