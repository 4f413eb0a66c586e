"""Counters of few bits, as sensors write times: they start again from 0 when they are full."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["Counter"]


class Counter:
    """Follows a counter over the pieces of a file.

    A step back of more than `tolerance` is taken for a new start from 0. A smaller one is disorder,
    and stays as it is.

    Parameters
    ----------
    bits : int
        Of the counter.
    tolerance : int
        The largest step back, in units of the counter, that is no new start.
    late : bool
        Whether values from before a new start may follow it: a step forward by nearly all that the
        counter holds is then one of them. Default: False.
    """

    def __init__(self, bits: int, tolerance: int, late: bool = False) -> None:
        self.period = 2**bits
        self.tolerance = tolerance
        self.late = late
        self.starts = 0
        self.latest = 0

    def follow(self, values: NDArray[np.integer]) -> NDArray[np.int64]:
        """Return the values of the next piece, as a counter without end would have them."""
        whole = values.astype(np.int64)
        if not whole.size:
            return whole
        steps = np.diff(whole, prepend=np.int64(self.latest))
        self.latest = int(whole[-1])
        starts = (steps < -self.tolerance).astype(np.int64)
        if self.late:
            starts -= steps > self.period - self.tolerance
        if starts.any():
            starts = self.starts + np.cumsum(starts)
            # There is nothing before the first start
            starts -= np.minimum(np.minimum.accumulate(starts), 0)
            self.starts = int(starts[-1])
            return whole + starts * self.period
        return whole + self.starts * self.period if self.starts else whole
