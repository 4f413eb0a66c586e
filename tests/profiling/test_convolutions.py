"""Operations of convolutions: those of the dense weights that do the same."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import rockpool
from rockpool.nn.combinators import Sequential
from rockpool.nn.modules import Conv1d, Conv2d, Flatten, Linear, Scale, SumPool2d
from rockpool.profiling import profile

RNG = np.random.default_rng(0)


def sparse(*shape: int) -> np.ndarray:
    return RNG.integers(-1, 2, shape).astype(float)


LAYERS: dict[str, Any] = {
    "plain": lambda: Conv2d((2, 5, 6), 3, 3, weight=sparse(3, 2, 3, 3), has_bias=False),
    "all else": lambda: Conv2d(
        (4, 7, 9), 6, (2, 3), (2, 1), (1, 2), (1, 2), 2, weight=sparse(6, 2, 2, 3), has_bias=False
    ),
    "same": lambda: Conv2d(
        (1, 4, 4), 2, 2, padding="same", weight=sparse(2, 1, 2, 2), has_bias=False
    ),
    "one axis": lambda: Conv1d((2, 9), 4, 4, 3, 2, weight=sparse(4, 2, 4), has_bias=False),
    "scale": lambda: Scale((2, 3), weight=sparse(6)),
}


def dense_weights(layer: Any) -> np.ndarray:
    """The matrix (Nin, Nout) by which a layer acts."""
    identity = np.eye(layer.size_in)[np.newaxis]
    return layer(identity)[0].reshape(layer.size_in, layer.size_out)


@pytest.mark.parametrize("by_step", [False, True])
@pytest.mark.parametrize("name", LAYERS)
def test_the_operations_are_those_of_dense_weights(name: str, by_step: bool) -> None:
    layer = LAYERS[name]()
    data = sparse(2, 5, layer.size_in) * RNG.integers(1, 3, (1, 5, 1))
    linear = Linear(layer.shape, weight=dense_weights(layer))

    found = profile(layer, data, by_step=by_step).total
    wanted = profile(linear, data, by_step=by_step).total

    assert (found.effective_acs, found.effective_macs) == (
        wanted.effective_acs,
        wanted.effective_macs,
    )
    assert found.effective > 0
    assert (found.weights, found.zero_weights) == (
        layer.weight.size,
        np.count_nonzero(layer.weight == 0),
    )


@pytest.mark.parametrize("name", LAYERS)
def test_dense_operations_leave_out_the_zeros_around(name: str) -> None:
    layer = LAYERS[name]()
    layer.weight = np.ones_like(layer.weight)
    data = np.zeros((3, 5, layer.size_in))

    per_step = np.count_nonzero(dense_weights(layer))

    assert profile(layer, data).total.dense == 3 * 5 * per_step


@pytest.mark.parametrize("backend", ["numpy", "torch", "jax"])
def test_a_network_has_one_profile_on_all_backends(backend: str) -> None:
    net = Sequential(
        LAYERS["plain"](), SumPool2d((3, 3, 4), 2, 1), Flatten((3, 2, 3)), Linear((18, 2))
    )
    data = sparse(2, 5, 2, 5, 6)

    found = profile(rockpool.convert(net, backend), data)

    assert (found.samples, found.steps) == (2, 5)
    assert [layer.dense > 0 for layer in found.layers] == [True, False, False, True]
    assert not found.uncounted
