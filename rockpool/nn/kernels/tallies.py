"""Spikes that kernels count as they write them, if somebody asks for it: `tallied`.

A row of spikes is counted while it is in the first cache of the processor. To go through all of
them afterwards takes about as long as to compute them. Numpy and the standard library only.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import numpy as np

__all__ = ["Tallies", "are_wanted", "tallied", "tally_for", "tally_of"]

# By the address of the output: the output, which is kept such that nothing else comes to lie there,
# and (B, T, 2) how many neurons spiked in a time step, and the sum of their spikes
Tallies = dict[int, tuple[np.ndarray, np.ndarray]]

_wanted: ContextVar[Tallies | None] = ContextVar("rockpool_tallies", default=None)


@contextmanager
def tallied(tallies: Tallies) -> Iterator[None]:
    """Have kernels that are called from here count spikes, as long as the context lasts."""
    token = _wanted.set(tallies)
    try:
        yield
    finally:
        _wanted.reset(token)


def are_wanted() -> bool:
    """Whether somebody asks for counts."""
    return _wanted.get() is not None


def tally_for(output: np.ndarray) -> dict[str, np.ndarray]:
    """Return the argument of a kernel for the counts of its output; none, if nobody asked."""
    tallies = _wanted.get()
    if tallies is None:
        return {}
    tally = np.empty((*output.shape[:2], 2), output.dtype)
    tallies[output.__array_interface__["data"][0]] = output, tally
    return {"tally": tally}


def tally_of(tallies: Tallies, array: np.ndarray) -> np.ndarray | None:
    """Return the counts of an array (B, T, N) that a kernel wrote; None if it is no such array."""
    output, tally = tallies.get(array.__array_interface__["data"][0], (None, None))
    if output is None or (output.shape, output.dtype) != (array.shape, array.dtype):
        return None
    return tally if array.flags.c_contiguous else None
