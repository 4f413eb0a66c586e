"""Gradients of the jax modules against those of the torch modules, for the same network."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch
from support import golden

from rockpool.nn.combinators import Sequential
from rockpool.nn.modules.jax import ExpSynJax, JaxModule, LIFJax, LinearJax, RateJax
from rockpool.nn.modules.torch import ExpSynTorch, LIFTorch, LinearTorch, RateTorch, TorchModule

RNG = np.random.default_rng(0)


def both(jax_class: Any, torch_class: Any, shape: Any, **values: Any) -> tuple[Any, Any]:
    """Return a module of each back-end with the same values."""
    tensors = {
        name: torch.tensor(value, dtype=torch.float32) if isinstance(value, np.ndarray) else value
        for name, value in values.items()
    }
    return jax_class(shape, **values), torch_class(shape, **tensors)


def lif(recurrent: bool) -> tuple[JaxModule, TorchModule]:
    values = {name: np.array(value) for name, value in golden.LIF_CONSTANTS.items()}
    if recurrent:
        values |= {"has_rec": True, "w_rec": golden.weights(2, 4)}  # type: ignore[dict-item]
    return both(LIFJax, LIFTorch, (4, 2), **values)


def rate() -> tuple[JaxModule, TorchModule]:
    taus = {"tau": np.array([0.02, 0.03, 0.05, 0.1])}
    thresholds = {"threshold": RNG.normal(size=4), "bias": RNG.normal(size=4)}
    recurrence = {"w_rec": golden.weights(4, 4), "has_rec": True}
    names = {"activation_func": "sigmoid"}
    return both(RateJax, RateTorch, 4, **taus, **thresholds, **recurrence, **names)


def network() -> tuple[JaxModule, TorchModule]:
    pairs = [
        both(LinearJax, LinearTorch, (4, 6), weight=golden.weights(4, 6, 2.0)),
        both(LIFJax, LIFTorch, (6, 3), tau_mem=np.full(3, 0.01)),
        both(LinearJax, LinearTorch, (3, 2), weight=golden.weights(3, 2), bias=np.ones(2)),
        both(ExpSynJax, ExpSynTorch, 2, tau=np.array([0.01, 0.02])),
    ]
    in_jax, in_torch = zip(*pairs, strict=True)
    return Sequential(*in_jax), Sequential(*in_torch)


CASES = {
    "LIF": lambda: lif(False),
    "recurrent LIF": lambda: lif(True),
    "Rate": rate,
    "ExpSyn": lambda: both(ExpSynJax, ExpSynTorch, 4, tau=np.array([0.002, 0.01, 0.02, 0.1])),
    "network": network,
}


def flat(tree: dict[str, Any]) -> list[Any]:
    """Return the leaves of a tree of parameters, in the order of the modules."""
    leaves = []
    for value in tree.values():
        leaves += flat(value) if isinstance(value, dict) else [value]
    return leaves


@pytest.mark.parametrize("case", CASES)
def test_gradients(case: str) -> None:
    in_jax, in_torch = CASES[case]()
    data = golden.inputs(2, 12, 4, 1.5).astype(np.float32)

    def loss(parameters: Any, data: Any) -> Any:
        return jnp.sum(in_jax.set_attributes(parameters)(data)[0] ** 2)

    value, (of_parameters, of_data) = jax.jit(jax.value_and_grad(loss, (0, 1)))(
        in_jax.parameters(), data
    )
    tensor = torch.tensor(data, requires_grad=True)
    expected = torch.sum(in_torch(tensor)[0] ** 2)
    expected.backward()

    np.testing.assert_allclose(value, expected.item(), rtol=1e-5)
    assert_close(of_data, tensor.grad)
    found = flat(in_order(of_parameters, in_jax.parameters()))
    for gradient, parameter in zip(found, flat(in_torch.parameters()), strict=True):
        assert_close(gradient, parameter.grad)


def in_order(tree: dict[str, Any], like: dict[str, Any]) -> dict[str, Any]:
    """Return a tree with the keys in the order of another one; JAX has sorted them."""
    return {
        name: in_order(tree[name], like[name]) if isinstance(like[name], dict) else tree[name]
        for name in like
    }


def assert_close(found: Any, expected: torch.Tensor) -> None:
    values = expected.numpy()
    assert np.abs(values).max() > 0
    np.testing.assert_allclose(found, values, rtol=1e-4, atol=1e-4 * float(np.abs(values).max()))
