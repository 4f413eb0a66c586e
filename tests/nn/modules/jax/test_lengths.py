"""Batches whose elements end one by one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from rockpool.nn.combinators import FFwdStack, Residual, Sequential
from rockpool.nn.modules.jax import ExpSynJax, LIFJax, LIFODEJax, LinearJax, RateJax, SoftmaxJax

MODULES: dict[str, Callable[[], Any]] = {
    "LIFJax": lambda: LIFJax((6, 3), has_rec=True, w_rec=np.full((3, 6), 0.1)),
    "LIFODEJax": lambda: LIFODEJax(3),
    "ExpSynJax": lambda: ExpSynJax(3),
    "RateJax": lambda: RateJax(3, has_rec=True, w_rec=np.full((3, 3), 0.1)),
    "Softmax": lambda: SoftmaxJax((3, 2), weight=np.ones((3, 2)), axis=-1),
    "Sequential": lambda: Sequential(
        LinearJax((3, 3), weight=np.eye(3), has_bias=True, bias=np.ones(3)),
        LIFJax(3),
        Sequential(LIFJax(3), ExpSynJax(3)),
    ),
    "Residual": lambda: Residual(LIFJax(3), ExpSynJax(3)),
    "FFwdStack": lambda: FFwdStack(LIFJax(3), RateJax(2), weight_init_func=np.ones),
}
LENGTHS = [7, 0, 3, 9]


def data(module: Any) -> np.ndarray:
    return 2 * np.random.default_rng(0).random((4, 9, module.size_in))


def without_keys(tree: Any) -> Any:
    if isinstance(tree, dict):
        return {k: without_keys(v) for k, v in tree.items() if k != "rng_key"}
    return tree


@pytest.mark.slow
@pytest.mark.parametrize("keep", [False, True])
@pytest.mark.parametrize("name", MODULES)
def test_elements_of_a_batch_end_one_by_one(name: str, keep: bool) -> None:
    alone = MODULES[name]()
    x = data(alone)
    alone = alone.set_attributes(alone(x[:1])[1])  # which is not at rest
    output, states, records = alone.keep_batch_state(keep)(x, lengths=LENGTHS)
    states, records = without_keys(states), without_keys(records)
    for index, length in enumerate(LENGTHS):
        wanted, state, record = alone(x[index : index + 1, :length])
        pairs = [(output, wanted), *zip(*map(jax.tree.leaves, (records, record)), strict=True)]
        for found, value in pairs:
            np.testing.assert_allclose(found[index, :length], value[0], rtol=1e-5, atol=1e-6)
            assert not np.any(found[index, length:])
        if keep or index == 0:
            leaves = map(jax.tree.leaves, (states, without_keys(state)))
            for found, value in zip(*leaves, strict=True):
                found = found[index] if keep else found
                np.testing.assert_allclose(found, value, rtol=1e-5, atol=1e-6)


def test_lengths_can_be_traced_and_have_gradients_before_the_end() -> None:
    net = MODULES["Sequential"]()
    x = jnp.asarray(data(net))
    expected = net(x, lengths=LENGTHS)[0]
    found = jax.jit(lambda net, x, lengths: net(x, lengths=lengths)[0])(net, x, jnp.array(LENGTHS))
    np.testing.assert_allclose(found, expected, rtol=1e-5)
    gradient = jax.grad(lambda x: net(x, lengths=LENGTHS)[0].sum())(x)
    for index, length in enumerate(LENGTHS):
        assert not gradient[index, length:].any()


@pytest.mark.parametrize(
    ("lengths", "error", "message"),
    [
        ([1, 2], ValueError, "LIFJax: lengths must be one number for each of 4 batch elements"),
        ([1, 2, 3, 10], ValueError, "LIFJax: lengths must be from 0 to the 9 time steps"),
        ([1.0, 2.0, 3.0, 4.0], TypeError, "LIFJax: lengths must be whole numbers"),
    ],
)
def test_wrong_lengths(lengths: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        LIFJax(2)(np.ones((4, 9, 2)), lengths=lengths)
