"""Numbers as spikes, of the kind of array that was given, and the same for the same seed."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch

from rockpool.nn.modules import UpDownTorch
from rockpool.training import encoders

VALUES = np.random.default_rng(0).random((3, 4)).astype(np.float32)
KINDS = {"numpy": np.asarray, "torch": torch.tensor, "jax": jnp.asarray}
ENCODERS: dict[str, Any] = {
    "rate": lambda x: encoders.rate(x, 50, seed=5),
    "latency": lambda x: encoders.latency(x, 50),
    "delta": lambda x: encoders.delta(x, 0.1),
    "population": lambda x: encoders.population(x, 5),
}


@pytest.mark.parametrize("kind", ["torch", "jax"])
@pytest.mark.parametrize("name", ENCODERS)
def test_the_same_kind_and_the_same_values_come_out(name: str, kind: str) -> None:
    given = KINDS[kind](VALUES)
    expected, found = ENCODERS[name](VALUES), ENCODERS[name](given)
    assert isinstance(found, torch.Tensor if kind == "torch" else jax.Array)
    assert found.dtype == given.dtype and expected.dtype == np.float32
    np.testing.assert_allclose(np.asarray(found), expected, rtol=1e-6)


def test_types_of_floats() -> None:
    assert encoders.latency([0, 1], 3).dtype == np.float32
    assert encoders.latency(np.ones(2), 3).dtype == np.float64
    assert encoders.latency(torch.ones(2, dtype=torch.int64), 3).dtype == torch.float32


def test_rates_are_those_of_a_poisson_process() -> None:
    spikes = encoders.rate(np.full((20, 50), 0.5), 1000, max_rate=200.0, dt=2e-3, seed=1)
    assert spikes.shape == (20, 1000, 50)
    assert spikes.mean() == pytest.approx(0.2, rel=0.01)
    assert spikes.var() == pytest.approx(0.2, rel=0.02)
    assert not encoders.rate(np.zeros(3), 10).any()


def test_seeds_of_rates() -> None:
    one, again, other = (encoders.rate(VALUES, 50, seed=s) for s in (1, 1, 2))
    assert np.array_equal(one, again) and not np.array_equal(one, other)
    drawn = [encoders.rate(VALUES, 50) for _ in range(2)]
    assert not np.array_equal(*drawn)


def test_latency() -> None:
    spikes = encoders.latency([1.0, 0.5, 0.01, 0.0], 11)
    assert spikes.shape == (11, 4)
    assert np.argwhere(spikes.T).tolist() == [[0, 0], [1, 5], [2, 10]]
    assert encoders.latency([[1.0, 0.5]], 3)[0].tolist() == [[1, 0], [0, 1], [0, 0]]


def test_delta_is_what_the_module_does() -> None:
    # sixteenths, so that nothing is rounded
    signal = np.random.default_rng(3).integers(-20, 20, (2, 30, 3)) / 16
    expected, _, _ = UpDownTorch(3, thr_up=0.25, thr_down=0.25)(torch.tensor(signal).float())
    found = encoders.delta(signal, 0.25)
    assert found.shape == (2, 30, 6)
    np.testing.assert_array_equal(found, expected.detach())


def test_population() -> None:
    found = encoders.population(np.array([0.0, 0.5]), 3, width=0.5)
    assert found.shape == (6,)
    np.testing.assert_allclose(found[:3], np.exp([0, -2, -8]))
    np.testing.assert_allclose(found[3:], np.exp([-2, 0, -2]))


def test_what_is_empty() -> None:
    for shape in ((0, 3), (0, 5, 3), (2, 0, 3), (2, 5, 0)):
        assert encoders.delta(np.zeros(shape)).shape == (*shape[:-1], 2 * shape[-1])
        assert encoders.population(np.zeros(shape), 4).shape == (*shape[:-1], 4 * shape[-1])


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: encoders.rate([1.5], 3), ValueError, r"rate: values must be within \[0, 1\]"),
        (lambda: encoders.rate([0.5], 0), ValueError, "rate: n_steps must be a whole number >= 1"),
        (lambda: encoders.rate([0.5], 3, -1), ValueError, "rate: max_rate must be > 0 Hz, got -1"),
        (lambda: encoders.latency([[0, np.nan]], 3), ValueError, r"got nan at \(0, 1\)"),
        (lambda: encoders.delta([1.0, 2.0]), ValueError, r"signal must have the shape \(..., T, N"),
        (lambda: encoders.delta([[1.0]], 0), ValueError, "delta: threshold must be > 0, got 0"),
        (lambda: encoders.population([1.0], 1), ValueError, "n_neurons must be >= 2, got 1"),
        (lambda: encoders.population([1.0], 3, 1, 1), ValueError, "low must be < high"),
        (
            lambda: encoders.population([1.0], 3, 0, np.inf),
            ValueError,
            "low must be < high, and both finite, got 0 and inf",
        ),
        (lambda: encoders.rate("abc", 3), TypeError, "must be a number or an array of numbers"),
        (
            lambda: jax.jit(lambda x: encoders.latency(x, 3))(jnp.ones(2)),
            TypeError,
            "values must be known",
        ),
    ],
)
def test_what_is_refused(call: Any, error: Any, message: str) -> None:
    with pytest.raises(error, match=message):
        call()
