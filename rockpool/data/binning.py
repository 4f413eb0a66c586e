"""Events counted in time bins, by whole numbers alone: no event falls beside its bin by rounding.

The bin ``k`` of ``n`` is ``[t_start + k dt, t_start + (k + 1) dt)``; the last one ends where the
range ends. Times are whole numbers of ticks; `dt` and `t_start` are taken as the decimal numbers
that they are written as, and may be any rational number of ticks.
"""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from numbers import Rational
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["MAX_BYTES", "Bins", "count", "exact_seconds"]

# A raster that takes more than this many bytes is refused: a damaged time can ask for any number.
MAX_BYTES = 2**36

_EVENTS_AT_A_TIME = 2**18
_INT64_MAX = 2**63 - 1


def exact_seconds(owner: str, name: str, value: Any) -> Fraction:
    """Return a time in seconds as the number that was meant: 0.001 is 1/1000, 1 / 3000 is too.

    Raises
    ------
    TypeError, ValueError
        It is no number, or not finite.
    """
    if isinstance(value, bool | np.bool_) or not isinstance(
        value, int | float | np.integer | np.floating | Rational | Decimal
    ):
        raise TypeError(f"{owner}: {name} must be a number of seconds, got {value!r}")
    if isinstance(value, Rational | np.integer):
        return Fraction(int(value.numerator), int(value.denominator))
    if not np.isfinite(float(value)):
        raise ValueError(f"{owner}: {name} must be finite, got {value!r} s")
    written = Fraction(str(value))
    # What arithmetic of floats left over: 3 * 0.1 is 0.30000000000000004
    near = (written * 10**9).limit_denominator(1000) / 10**9
    return near if abs(near - written) <= abs(written) / 10**15 else written


class Bins:
    """Time bins over ticks.

    Parameters
    ----------
    start, width, stop : Fraction
        Where the first bin begins, how long a bin is (> 0), and where the range ends, in ticks.
    """

    def __init__(self, start: Fraction, width: Fraction, stop: Fraction) -> None:
        self.start = start
        self.width = width
        self.stop = stop
        self.number = max(0, -(-(stop - start) // width))
        # The ticks that are in range
        self.first = -(-start // 1)
        self.end = -(-stop // 1)
        self._edges: NDArray[np.int64] | None = None

    def of(self, ticks: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the bin of each tick, all of which are in range."""
        if self.start.denominator == 1 and self.width.denominator == 1:
            return (ticks - self.start.numerator) // self.width.numerator
        if self._edges is None:
            self._edges = self._first_ticks()
        return np.searchsorted(self._edges, ticks, side="right") - 1

    def _first_ticks(self) -> NDArray[np.int64]:
        """Return the first tick of each bin."""
        common = self.start.denominator * self.width.denominator
        begin, step = int(self.start * common), int(self.width * common)
        if abs(begin) + step * self.number + common < _INT64_MAX:
            numerators = begin + step * np.arange(self.number)
            return -(-numerators // common)
        ticks = (-(-(begin + step * k) // common) for k in range(self.number))
        return np.fromiter(ticks, dtype=np.int64, count=self.number)


def count(
    ticks: NDArray[np.int64], channels: Any, n_channels: int, bins: Bins, dtype: np.dtype[Any]
) -> NDArray[Any]:
    """Count events in bins and channels; the order of the events does not matter.

    Parameters
    ----------
    ticks : ndarray of int64 (E,)
        Time of each event.
    channels : function of a slice
        Returns the channels, ndarray of int64, of a slice of the events.
    n_channels : int
        Number of channels.
    bins : Bins
        The bins; events outside of them are left out.
    dtype : dtype
        Of the counts.

    Returns
    -------
    ndarray (bins.number, n_channels)
        The numbers of events.
    """
    counts = np.zeros((bins.number, n_channels), dtype=dtype)
    cells = counts.reshape(-1)
    one = dtype.type(1)
    for begin in range(0, len(ticks), _EVENTS_AT_A_TIME):
        part = slice(begin, begin + _EVENTS_AT_A_TIME)
        times = ticks[part]
        numbers = channels(part)
        if times.min() < bins.first or times.max() >= bins.end:
            inside = (times >= bins.first) & (times < bins.end)
            times, numbers = times[inside], numbers[inside]
        np.add.at(cells, bins.of(times) * n_channels + numbers, one)
    return counts
