"""Input of modules whose time steps have several axes, on every back-end that has arrays."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from rockpool.nn.combinators import Sequential
from rockpool.nn.modules import Instant, InstantJax, InstantTorch
from rockpool.parameters import Shape, to_numpy

SHAPE = (2, 3, 4)
DATA = np.arange(5 * 7 * 24, dtype=np.float32).reshape(5, 7, 24)


def shaped(backend: str) -> Any:
    """Return a module of three axes that gives its input as it gets it, flat."""
    base: Any = {"numpy": Instant, "torch": InstantTorch, "jax": InstantJax}[backend]

    class Shaped(base):
        @property
        def _shape_in(self) -> Shape:
            return SHAPE

    return Shaped(24)


def given(backend: str, array: np.ndarray) -> Any:
    if backend == "torch":
        import torch

        return torch.from_numpy(array)
    return array


@pytest.mark.parametrize("backend", ["numpy", "torch", "jax"])
@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (DATA.reshape(5, 7, *SHAPE), DATA),
        (DATA, DATA),
        (DATA[0].reshape(7, *SHAPE), DATA[:1]),
        (DATA[0], DATA[:1]),
    ],
)
def test_each_form_of_input_is_the_same_input(
    backend: str, data: np.ndarray, expected: np.ndarray
) -> None:
    output, _, _ = shaped(backend)(given(backend, data))

    np.testing.assert_array_equal(to_numpy(output), expected)


@pytest.mark.parametrize("backend", ["numpy", "torch", "jax"])
@pytest.mark.parametrize("shape", [(7,), (7, 1), (7, 2, 4, 3), (1, 5, 7, 2, 3, 4), (7, 23)])
def test_input_of_another_shape_is_refused(backend: str, shape: Shape) -> None:
    with pytest.raises(ValueError, match=r"the input must have the shape \(T, 2, 3, 4\), .*, got"):
        shaped(backend)(given(backend, np.zeros(shape, np.float32)))


@pytest.mark.parametrize("backend", ["torch", "jax"])
def test_lengths_count_the_time_steps_of_input_of_several_axes(backend: str) -> None:
    net = Sequential(shaped(backend))
    lengths = np.array([7, 0, 3, 1, 7])

    output, _, _ = net(given(backend, DATA.reshape(5, 7, *SHAPE) + 1), lengths=lengths)

    ends = (to_numpy(output).reshape(5, 7, 24) != 0).any(axis=2).sum(axis=1)
    np.testing.assert_array_equal(ends, lengths)
