"""Losses of spikes and membranes: values, and the same values and gradients in torch and jax."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch

from rockpool.training import losses

SPIKES = np.random.default_rng(0).poisson(0.2, (3, 12, 4)).astype(np.float32)
VALUES = np.random.default_rng(1).normal(size=(3, 12, 4)).astype(np.float32)
LABELS = np.array([2, 0, 3])
TARGETS = np.random.default_rng(2).random((3, 4)).astype(np.float32)

CASES = {
    "spike_count": (losses.spike_count, SPIKES, (TARGETS * 4,)),
    "spike_count of all": (losses.spike_count, SPIKES, (3,)),
    "rate": (losses.rate, SPIKES, (TARGETS * 50, 2e-3)),
    "first_spike": (losses.first_spike, SPIKES, (TARGETS * 1e-2,)),
    "first_spike without batch": (losses.first_spike, SPIKES[0], (TARGETS[0] * 1e-2,)),
    "membrane_peak": (losses.membrane_peak, VALUES, (LABELS,)),
    "membrane_peak without batch": (losses.membrane_peak, VALUES[0], (2,)),
    "cross_entropy": (losses.cross_entropy, SPIKES, (LABELS,)),
}


@pytest.mark.parametrize("case", CASES)
def test_torch_and_jax_agree(case: str) -> None:
    loss, data, given = CASES[case]
    tensor = torch.tensor(data, requires_grad=True)
    in_torch = loss(tensor, *given)
    in_torch.backward()
    in_jax, gradient = jax.jit(jax.value_and_grad(lambda x: loss(x, *given)))(jnp.asarray(data))
    assert in_torch.shape == () and in_torch.item() == pytest.approx(float(in_jax), rel=1e-5)
    np.testing.assert_allclose(tensor.grad, gradient, rtol=1e-4, atol=1e-6)
    assert np.abs(gradient).max() > 0


def test_counts_and_rates() -> None:
    spikes = torch.tensor([[[1.0, 0.0], [1.0, 0.0], [1.0, 2.0], [0.0, 0.0]]])
    assert losses.spike_count(spikes, [[3, 2]]) == 0
    assert losses.spike_count(spikes, 1) == (4 + 1) / 2
    assert losses.rate(spikes, [750.0, 500.0]).item() == pytest.approx(0, abs=1e-6)
    assert losses.rate(spikes, [75.0, 40.0], dt=1e-2).item() == pytest.approx(50)


@pytest.mark.parametrize("kind", [torch.tensor, jnp.asarray])
def test_first_spikes(kind: Any) -> None:
    spikes = kind([[[0.0, 0.0, 3.0], [0.0, 1.0, 0.0], [0.0, 1.0, 1.0]]])
    assert float(losses.first_spike(spikes, [[3e-3, 1e-3, 0.0]])) == pytest.approx(0)
    assert float(losses.first_spike(spikes, 0.0)) == pytest.approx((9 + 1 + 0) / 3)


def test_a_spike_that_should_come_earlier_is_called_for() -> None:
    spikes = torch.tensor([[[0.0], [0.0], [1.0], [1.0]]], requires_grad=True)
    losses.first_spike(spikes, 0.0).backward()
    assert (spikes.grad[0, :3] < 0).all() and spikes.grad[0, 3] == 0


def test_the_peak_of_the_membrane() -> None:
    vmem = torch.zeros(1, 5, 3)
    vmem[0, 2, 1] = 50.0
    assert losses.membrane_peak(vmem, [1]).item() == pytest.approx(0, abs=1e-6)
    assert losses.membrane_peak(vmem, [0]).item() == pytest.approx(50)


@pytest.mark.parametrize(
    ("loss", "arguments", "error", "message"),
    [
        (losses.rate, (SPIKES, 1.0), TypeError, "rate: output must be a torch tensor or a jax"),
        (losses.rate, (torch.ones(3), 1.0), ValueError, r"rate: output must have the shape \(B, T"),
        (losses.rate, (torch.ones(1, 0, 3), 1.0), ValueError, "with T > 0"),
        (losses.rate, (torch.ones(2, 5, 3), 1.0, -1), ValueError, "rate: dt must be > 0 s"),
        (
            losses.spike_count,
            (torch.ones(2, 5, 3), torch.ones(2, 1)),
            ValueError,
            r"target must be a number, or have the shape \(2, 3\) or \(3,\), got \(2, 1\)",
        ),
        (
            losses.membrane_peak,
            (jnp.ones((2, 5, 3)), [1]),
            ValueError,
            r"membrane_peak: labels must have the shape \(2,\), got \(1,\)",
        ),
    ],
)
def test_what_is_refused(loss: Any, arguments: Any, error: Any, message: str) -> None:
    with pytest.raises(error, match=message):
        loss(*arguments)


@pytest.mark.parametrize("loss", [losses.cross_entropy, losses.membrane_peak])
@pytest.mark.parametrize("kind", [torch.tensor, jnp.asarray])
@pytest.mark.parametrize(
    ("label", "error", "said"),
    [
        (-1, ValueError, "-1"),
        (3, ValueError, "3"),
        (1.5, ValueError, "1.5"),
        ("one", TypeError, "array"),
    ],
)
def test_labels_that_are_no_class(loss: Any, kind: Any, label: Any, error: Any, said: str) -> None:
    scores = kind(np.ones((2, 5, 3), np.float32))
    name = loss.__name__
    with pytest.raises(
        error, match=f"{name}: labels must be whole numbers from 0 to 2, got {said}"
    ):
        loss(scores, [0, label])
    if not isinstance(label, str):
        with pytest.raises(error, match=f"from 0 to 2, got {said}"):
            loss(scores, kind([0, label]))


@pytest.mark.parametrize("kind", [torch.tensor, jnp.asarray])
@pytest.mark.parametrize("loss", [losses.spike_count, losses.rate, losses.first_spike])
def test_whole_numbers_of_spikes(kind: Any, loss: Any) -> None:
    whole = kind(SPIKES.astype(np.int32))
    for target in (1.5, TARGETS):
        expected = float(loss(kind(SPIKES), target))
        assert float(loss(whole, target)) == pytest.approx(expected, rel=1e-5)
    with pytest.raises(TypeError, match=f"{loss.__name__}: target must be real numbers, got None"):
        loss(whole, None)
    with pytest.raises(TypeError, match=r"target must be real numbers, got .*complex"):
        loss(whole, kind([1j, 0, 0]))


@pytest.mark.parametrize("kind", [torch.tensor, jnp.asarray])
@pytest.mark.parametrize("loss", [losses.cross_entropy, losses.membrane_peak])
def test_whole_numbers_as_scores(kind: Any, loss: Any) -> None:
    scores = np.random.default_rng(0).integers(0, 3, (2, 5, 3))
    expected = float(loss(kind(scores.astype(np.float32)), [0, 1]))
    assert float(loss(kind(scores), [0, 1])) == pytest.approx(expected, rel=1e-6)


def test_spikes_that_are_true_or_false_have_a_first_one() -> None:
    spikes = SPIKES > 0
    expected = float(losses.first_spike(torch.tensor(spikes.astype(np.float32)), 1.5))
    assert float(losses.first_spike(torch.tensor(spikes), 1.5)) == expected
    assert float(losses.first_spike(jnp.asarray(spikes), 1.5)) == pytest.approx(expected)


@pytest.mark.parametrize("loss", [losses.cross_entropy, losses.membrane_peak])
def test_labels_in_half_precision(loss: Any) -> None:
    scores = np.random.default_rng(0).random((2, 5, 3)).astype(np.float32)
    wanted = loss(torch.tensor(scores), torch.tensor([0, 2]))
    labels = torch.tensor([0, 2], dtype=torch.bfloat16)
    assert loss(torch.tensor(scores), labels) == wanted
    found = loss(jnp.asarray(scores), jnp.asarray([0, 2], jnp.bfloat16))
    assert found == pytest.approx(wanted.item(), rel=1e-6)
    for array, odd in (
        (torch.tensor(scores), labels + 0.5),
        (jnp.asarray(scores), jnp.asarray([0.5, 1], jnp.bfloat16)),
    ):
        with pytest.raises(ValueError, match=r"labels must be whole numbers .* got 0\.5"):
            loss(array, odd)


def test_targets_are_as_precise_as_the_output() -> None:
    spikes = torch.zeros((1, 10, 2), dtype=torch.float64)
    spikes[:, 3] = 1
    assert losses.spike_count(spikes, 0.1).item() == (1 - 0.1) ** 2
    assert losses.spike_count(spikes, [0.1, 0.1]).item() == (1 - 0.1) ** 2
    assert losses.rate(spikes, 99.9).item() == pytest.approx(0.01, rel=1e-11)
    assert losses.first_spike(spikes, 0.003).item() < 1e-30
