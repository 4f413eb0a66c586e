"""What there is in large arrays: how many numbers are not 0, and whether the others are 1.

It is found out in the time that it takes to read them: block by block, which the cache of the
processor holds, and once for an array that is output of one layer and input of the next.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

__all__ = ["Content", "Contents"]

BLOCK = 1 << 18  # bytes


class Content(NamedTuple):
    """How many numbers are not 0, and whether there is nothing but -1, 0 and 1."""

    nonzero: int
    binary: bool


class Contents:
    """The contents of arrays, which must live as long as this does."""

    def __init__(self) -> None:
        self._known: dict[tuple[object, ...], Content] = {}

    def of(self, array: np.ndarray, most_spikes: float | int | None = None) -> Content:
        """Return what there is in an array.

        Parameters
        ----------
        array : np.ndarray
            Any numbers.
        most_spikes : float, optional
            If they are numbers of spikes: the most that there can be. Default: none are.
        """
        place = array.__array_interface__
        key = (place["data"], place["strides"], place["typestr"], array.shape)
        if key not in self._known:
            flat = array.reshape(-1)
            self._known[key] = _content(flat) if most_spikes is None else _spikes(flat, most_spikes)
        return self._known[key]


def _content(flat: np.ndarray) -> Content:
    nonzero = units = 0
    for block in _blocks(flat):
        nonzero += int(np.count_nonzero(block != 0))
        units += int(np.count_nonzero(block == 1))
    if units < nonzero:
        units += sum(int(np.count_nonzero(block == -1)) for block in _blocks(flat))
    return Content(nonzero, nonzero == units)


def _spikes(flat: np.ndarray, most: float | int) -> Content:
    """Return what there is in numbers of spikes, of which there are at most some.

    Where they are 0 and 1 alone, the sum of their squares tells, in less time than it takes to
    compare them.
    """
    nonzero, binary = 0, True
    for block in _blocks(flat):
        if most > 1 and block.max() > 1:
            binary = False
            nonzero += int(np.count_nonzero(block != 0))
        else:
            nonzero += int(np.dot(block, block))
    return Content(nonzero, binary)


def _blocks(flat: np.ndarray) -> Iterator[np.ndarray]:
    size = BLOCK // flat.itemsize
    return (flat[start : start + size] for start in range(0, flat.size, size))
