"""The CTC loss for each back-end."""

from __future__ import annotations

from itertools import groupby, pairwise, product
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch

from rockpool.training import jax_loss
from rockpool.training.ctc_loss import ctc_loss_jax, ctc_loss_numpy, ctc_loss_torch


def in_torch(label: Any, log_prob: Any, *args: Any) -> Any:
    return ctc_loss_torch(label, torch.as_tensor(log_prob), *args)


LOSSES = {"numpy": ctc_loss_numpy, "jax": ctc_loss_jax, "torch": in_torch}


@pytest.fixture(params=LOSSES)
def ctc_loss(request: pytest.FixtureRequest) -> Any:
    return LOSSES[request.param]


def random_log_prob(n_steps: int, n_labels: int) -> np.ndarray:
    p = np.random.default_rng(n_steps).random((n_steps, n_labels))
    return np.log(p / p.sum(1, keepdims=True))


def by_definition(label: list[int], log_prob: np.ndarray, seq_length: int) -> float:
    """Sum over all paths that give the label once repetitions and blanks are removed."""
    total = 0.0
    for path in product(range(log_prob.shape[1]), repeat=seq_length):
        if [key for key, _ in groupby(path) if key != 0] == label:
            total += np.exp(sum(log_prob[t, key] for t, key in enumerate(path)))
    return -float(np.log(total))


def test_a_known_answer(ctc_loss: Any) -> None:
    p = [[0.1, 0.6, 0.3], [0.5, 0.2, 0.3], [0.3, 0.3, 0.4], [0.2, 0.2, 0.6], [0.7, 0.2, 0.1]]

    assert float(ctc_loss([1, 2], np.log(p), 5)) == pytest.approx(1.35766803, rel=1e-6)


@pytest.mark.parametrize("label", [[1], [2, 1], [1, 1], [2, 2, 1]], ids=str)
@pytest.mark.parametrize("seq_length", [3, 5])
def test_it_is_the_sum_over_all_paths(ctc_loss: Any, label: list[int], seq_length: int) -> None:
    log_prob = random_log_prob(5, 3)
    impossible = len(label) + sum(a == b for a, b in pairwise(label))

    found = float(ctc_loss(label, log_prob, seq_length))

    if impossible > seq_length:
        assert found > 1e9
    else:
        assert found == pytest.approx(by_definition(label, log_prob, seq_length), rel=1e-5)


def test_gradients_agree() -> None:
    log_prob = random_log_prob(6, 4)

    tensor = torch.tensor(log_prob, requires_grad=True)
    ctc_loss_torch([1, 3, 3], tensor, 5).backward()
    found = jax.jit(jax.grad(lambda x: ctc_loss_jax([1, 3, 3], x, 5)))(log_prob)

    np.testing.assert_allclose(found, tensor.grad, rtol=1e-4, atol=1e-6)
    assert tensor.grad is not None and not tensor.grad[5].any()


def test_gradients_are_those_of_rows_that_need_not_sum_to_one() -> None:
    scores = torch.tensor(np.random.default_rng(0).normal(size=(5, 3)), requires_grad=True)

    def loss(x: torch.Tensor) -> torch.Tensor:
        return ctc_loss_torch([1, 2, 2], x, 5)

    assert torch.autograd.gradcheck(loss, scores) and torch.autograd.gradgradcheck(loss, scores)


def test_it_agrees_with_torch_itself() -> None:
    log_prob = random_log_prob(7, 4)
    expected = torch.nn.functional.ctc_loss(
        torch.tensor(log_prob)[:, None],
        torch.tensor([[1, 2, 3]]),
        torch.tensor([7]),
        torch.tensor([3]),
        reduction="sum",
    )

    assert ctc_loss_numpy([1, 2, 3], log_prob, 7) == pytest.approx(expected.item())


def test_labels_and_lengths_may_be_traced() -> None:
    log_prob = random_log_prob(6, 4)
    labels, lengths = jnp.array([[1, 2], [3, 3], [2, 1]]), jnp.array([4, 5, 6])

    found = jax.jit(jax.vmap(ctc_loss_jax, (0, None, 0)))(labels, log_prob, lengths)

    expected = [
        ctc_loss_numpy(label.tolist(), log_prob, int(n))
        for label, n in zip(labels, lengths, strict=True)
    ]
    np.testing.assert_allclose(found, expected, rtol=1e-5)
    assert jax_loss.ctc_loss_jax is ctc_loss_jax


@pytest.mark.parametrize(
    ("label", "shape", "length", "message"),
    [
        ([], (5, 3), 5, "label must be a sequence of at least one label"),
        ([3], (5, 3), 5, "labels must be between 0 and 2"),
        ([1], (5,), 5, r"log_prob must have the shape \(T, n_labels\)"),
        ([1], (5, 3), 6, "seq_length must be between 1 and the 5 time steps"),
        ([1], (5, 3), 0, "seq_length must be between 1"),
    ],
)
def test_mistakes(ctc_loss: Any, label: Any, shape: Any, length: int, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ctc_loss(label, np.zeros(shape), length)
