"""Conversion of array-likes to Python scalars."""

from __future__ import annotations

import numpy as np
import pytest

from rockpool.utilities.type_handling import to_scalar


@pytest.mark.parametrize(
    "value, expected",
    [
        (3, 3),
        ([3.5], 3.5),
        (np.array([[4.0]]), 4.0),
        (np.int64(4), 4),
        (np.bool_(True), True),
        ("a", "a"),
        (None, None),
    ],
)
def test_one_element_becomes_a_python_scalar(value, expected):
    scalar = to_scalar(value)

    assert scalar == expected
    assert type(scalar) is type(expected)


@pytest.mark.parametrize(
    "kind, expected", [("int", 3), (float, 3.7), ("float32", 3.700000047683716)]
)
def test_conversion_to_a_type(kind, expected):
    assert to_scalar([3.7], kind) == expected


@pytest.mark.parametrize("value", [[], [1, 2], np.ones((2, 2))])
def test_not_a_scalar(value):
    with pytest.raises(AssertionError, match="one element"):
        to_scalar(value)
