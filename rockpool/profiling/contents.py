"""What there is in large arrays: how many numbers are not 0, and whether the others are 1.

Where a kernel has counted as it wrote them, that is known already. Else it is found out in the time
that it takes to read them: block by block, which the cache of the processor holds, and once for an
array that is output of one layer and input of the next.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from rockpool.nn.kernels.tallies import Tallies, tally_of

__all__ = ["Content", "Contents"]

BLOCK = 1 << 18  # bytes


class Content(NamedTuple):
    """How many numbers are not 0, and whether there is nothing but -1, 0 and 1."""

    nonzero: int
    binary: bool


class Contents:
    """The contents of arrays, which must live as long as this does.

    Parameters
    ----------
    tallies : dict
        What kernels have counted.
    """

    def __init__(self, tallies: Tallies) -> None:
        self._tallies = tallies
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
            self._known[key] = self._found(array, most_spikes)
        return self._known[key]

    def by_step(self, array: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
        """Return what a kernel has counted in each time step of a batch; None: nothing.

        It is how many numbers are not 0, and whether the others are 1, both (T,).
        """
        tally = tally_of(self._tallies, array)
        if tally is None:
            return None
        active, total = tally.sum(axis=0, dtype=np.float64).T
        return active.astype(np.int64), active == total

    def _found(self, array: np.ndarray, most_spikes: float | int | None) -> Content:
        steps = self.by_step(array)
        if steps is not None:
            return Content(int(steps[0].sum()), bool(steps[1].all()))
        flat = array.reshape(-1)
        return _content(flat) if most_spikes is None else _spikes(flat, most_spikes)


def _content(flat: np.ndarray) -> Content:
    nonzero, binary = 0, True
    for block in _blocks(flat):
        here = int(np.count_nonzero(block != 0))
        nonzero += here
        if binary:
            units = int(np.count_nonzero(block == 1))
            binary = units == here or units + int(np.count_nonzero(block == -1)) == here
    return Content(nonzero, binary)


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
