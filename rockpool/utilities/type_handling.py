"""Conversions between array-likes and plain Python values."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeAlias

import numpy as np

__all__ = ["ArrayLike", "to_scalar"]

ArrayLike: TypeAlias = np.ndarray | Iterable[Any]


def to_scalar(value: Any, str_type: Any = None) -> Any:
    """Return the one element of a value as a Python scalar.

    Parameters
    ----------
    value : number, str, array or nested list
        The value, with exactly one element.
    str_type : str, type or dtype, optional
        The numpy type to convert to first, such as ``"int"``. Default: that of the value.

    Returns
    -------
    int, float, bool, str or None
        The element.

    Raises
    ------
    AssertionError
        If the value has no element or more than one.
    """
    array = np.asarray(value, dtype=str_type)
    if array.size != 1:
        raise AssertionError(
            f"to_scalar: the value must have one element, got {array.size} (shape {array.shape})"
        )
    return array.item()
