"""Losses and regularisers for jax."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch
from jax.test_util import check_grads

from rockpool.training import jax_loss, torch_loss

PARAMETERS = {"a": np.array([1.0, -2.0, 0.5]), "b": {"c": np.array([[3.0, 0.01]])}}


def bounds() -> tuple[dict[str, Any], dict[str, Any]]:
    lower, upper = jax_loss.make_bounds(PARAMETERS)
    lower["a"], upper["b"]["c"] = -1.0, 2.0
    return lower, upper


def test_squared_errors() -> None:
    output = np.array([[1.0, 2.0], [3.0, 4.0]])

    assert jax_loss.mse(output, output + 2) == 4
    assert jax_loss.sse(output, output + 2) == 16
    assert jax_loss.mse(output, 1.0) == pytest.approx(14 / 4)


def test_make_bounds() -> None:
    lower, upper = jax_loss.make_bounds({"b": 1.0, "a": {"z": np.ones(3)}})

    assert list(lower) == ["b", "a"]
    assert lower == {"b": -np.inf, "a": {"z": -np.inf}}
    assert upper == {"b": np.inf, "a": {"z": np.inf}}


@pytest.mark.parametrize("transform", [lambda f: f, jax.jit], ids=["plain", "jit"])
def test_regularisers(transform: Any) -> None:
    assert transform(jax_loss.bounds_cost)(PARAMETERS, *bounds()) == pytest.approx(5.436563)
    assert transform(jax_loss.l2sqr_norm)(PARAMETERS) == pytest.approx(3.125025)
    assert transform(jax_loss.l0_norm_approx)(PARAMETERS) == pytest.approx(0.749741, abs=1e-6)


def test_no_bounds_cost_nothing() -> None:
    assert jax_loss.bounds_cost(PARAMETERS, *jax_loss.make_bounds(PARAMETERS)) == 0
    assert jax_loss.bounds_cost({"a": np.nan}, {"a": 0.0}, {"a": 1.0}) == 0


@pytest.mark.slow
def test_gradients_of_regularisers() -> None:
    lower, upper = bounds()
    gradients = jax.grad(jax_loss.bounds_cost)(PARAMETERS, lower, upper)

    np.testing.assert_allclose(gradients["a"], [0, -np.e, 0], rtol=1e-6)
    np.testing.assert_allclose(gradients["b"]["c"], [[np.e, 0]], rtol=1e-6)
    far = jax.grad(jax_loss.bounds_cost)({"a": 500.0}, {"a": -1e9}, {"a": 1e9})
    assert far["a"] == 0
    check_grads(jax_loss.l0_norm_approx, (PARAMETERS,), 1, rtol=2e-2, atol=2e-2)


def test_bounds_clip() -> None:
    clipped = jax_loss.bounds_clip(PARAMETERS, *bounds())

    assert clipped["a"].tolist() == [1, -1, 0.5]
    np.testing.assert_allclose(clipped["b"]["c"], [[2, 0.01]])


def test_bounds_for_a_part_of_the_parameters() -> None:
    lower, upper = bounds()
    whole = jax_loss.bounds_cost(PARAMETERS, lower, upper)

    part = jax.jit(jax_loss.bounds_cost)(PARAMETERS, {"a": -1.0}, {"b": {"c": 2.0}})
    assert part == pytest.approx(float(whole))
    assert jax_loss.bounds_cost(PARAMETERS, {}, {"b": {}}) == 0
    clipped = jax_loss.bounds_clip(PARAMETERS, {"a": -1.0}, {})
    assert clipped["a"].tolist() == [1, -1, 0.5]
    assert list(clipped) == ["a", "b"]


@pytest.mark.parametrize("transform", [lambda f: f, jax.jit], ids=["plain", "jit"])
def test_bounds_that_are_lists_or_none(transform: Any) -> None:
    parameters = {"a": jnp.array([0.0, 0.5]), "b": {"c": jnp.array(1.0)}}
    lower, upper = {"a": [0.1, 0.2], "b": None}, {"a": None, "b": {"c": None}}
    tensors = {"a": torch.tensor([0.0, 0.5]), "b": {"c": torch.tensor(1.0)}}

    cost = transform(jax_loss.bounds_cost)(parameters, lower, upper)
    assert cost == pytest.approx(np.exp(0.1))
    assert cost == pytest.approx(torch_loss.bounds_cost(tensors, lower, upper).item())
    clipped = transform(jax_loss.bounds_clip)(parameters, lower, upper)
    wanted = torch_loss.bounds_clip(tensors, lower, upper)
    assert clipped["a"].tolist() == wanted["a"].tolist()
    assert clipped["b"]["c"].item() == wanted["b"]["c"].item() == 1
    half = jax_loss.bounds_clip({"a": parameters["a"].astype(jnp.bfloat16)}, {"a": [0.1, 0.2]}, {})
    assert half["a"].dtype == jnp.bfloat16


def test_bounds_for_what_is_no_parameter() -> None:
    lower, upper = bounds()
    with pytest.raises(KeyError, match=r"lower_bounds must have the structure .* 'd' is no param"):
        jax_loss.bounds_cost(PARAMETERS, {"d": -1.0}, upper)
    with pytest.raises(KeyError, match="upper_bounds must have the structure of params"):
        jax_loss.bounds_clip(PARAMETERS, lower, {"a": 1.0, "b": 1.0})


def test_softmax() -> None:
    x = jnp.array([1.0, 2.0, 3.0])

    np.testing.assert_allclose(jax_loss.softmax(x, 0.5), [0.015876, 0.11731, 0.866813], rtol=1e-4)
    np.testing.assert_allclose(
        jax_loss.logsoftmax(x, temperature=0.5), [-4.142931, -2.142932, -0.142932], rtol=1e-5
    )
    assert float(jax_loss.softmax(jnp.ones((2, 3)) * 1e4).sum()) == pytest.approx(1)
    np.testing.assert_allclose(jax_loss.softmax(jnp.ones((2, 4)), axis=1), np.full((2, 4), 0.25))
