"""Conversions between array-likes and plain Python values."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeAlias

import numpy as np

__all__ = ["ArrayLike", "to_scalar"]

ArrayLike: TypeAlias = np.ndarray | Iterable[Any]


def to_scalar(value: Any, str_type: Any = None) -> Any:
    """Return the one element of a number, array or nested list as a Python scalar.

    It is converted to the numpy type `str_type`, such as ``"int"``, first if one is given. A value
    that has no element or more than one is an AssertionError.
    """
    array = np.asarray(value, dtype=str_type)
    if array.size != 1:
        raise AssertionError(
            f"to_scalar: the value must have one element, got {array.size} (shape {array.shape})"
        )
    return array.item()
