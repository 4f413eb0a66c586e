"""Values in the static structure of a pytree: how they are compared."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from rockpool.parameters import InitThenCast, ResetTo

__all__ = ["comparable"]


def comparable(value: Any) -> Any:
    """Return something that can be hashed, and is equal for equal values of the same type."""
    kind = type(value)
    if kind in (str, bool, int, float, type(None)):
        return (kind, value)
    if kind in (list, tuple):
        return (kind, *map(comparable, value))
    if kind is dict:
        return (kind, *((comparable(k), comparable(v)) for k, v in value.items()))
    if kind is set:
        return (kind, frozenset(map(comparable, value)))
    if kind is functools.partial:
        return (kind, comparable(value.func), comparable(value.args), comparable(value.keywords))
    if kind is InitThenCast:
        return (kind, comparable(value.init_func), comparable(value.cast_fn))
    if kind is ResetTo:
        return (kind, comparable(value.value))
    if isinstance(value, np.ndarray):
        return _EqualArray(value)
    try:
        hash(value)
    except TypeError:
        return _Same(value)
    return (kind, value)


class _Same:
    """An object that is equal to nothing but itself."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and self.value is other.value

    def __hash__(self) -> int:
        return id(self.value)


class _EqualArray:
    """A numpy array, by the values that it has now: it may be changed in place."""

    __slots__ = ("kind", "values")

    def __init__(self, value: np.ndarray) -> None:
        self.kind = value.shape, value.dtype.str
        self.values = _unrepeated(value).copy()

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, _EqualArray):
            return False
        return self.kind == other.kind and np.array_equal(self.values, other.values)

    def __hash__(self) -> int:
        return hash(self.kind)


def _unrepeated(array: np.ndarray) -> np.ndarray:
    """Return an array without the dimensions along which it only repeats itself in memory."""
    return array[tuple(slice(None if stride else 1) for stride in array.strides)]
