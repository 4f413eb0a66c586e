"""What all time series have in common: `TimeSeries`."""

from __future__ import annotations

import copy
import math
from os import PathLike
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rockpool.typehints import ArrayLike, Self

__all__ = ["TimeSeries"]


class TimeSeries:
    """What all time series have in common: time points, limits, a name, and whether they repeat.

    Parameters
    ----------
    times : array_like (T,)
        Time points in seconds, not decreasing. Default: none.
    periodic : bool, default False
        Whether the series repeats, with the period ``t_stop - t_start``.
    t_start : float, optional
        Where the series begins, in seconds. Default: the first time point, or 0.
    t_stop : float, optional
        Where the series ends, in seconds. Default: the last time point, or `t_start`.
    name : str, default "unnamed"
        For messages and plots.

    Raises
    ------
    ValueError
        The times are not finite, not 1-D, decreasing, or outside the limits; or the period is 0.
    """

    def __init__(
        self,
        times: ArrayLike = (),
        periodic: bool = False,
        t_start: float | int | None = None,
        t_stop: float | int | None = None,
        name: str | None = "unnamed",
    ) -> None:
        self.name = "unnamed" if name is None else name
        points = np.array(times, dtype=float)
        if points.ndim != 1:
            raise ValueError(f"{self._label}: times must be 1-D, got the shape {points.shape}")
        if not np.all(np.isfinite(points)):
            raise ValueError(f"{self._label}: times must be finite")
        if np.any(np.diff(points) < 0):
            raise ValueError(f"{self._label}: times must not decrease")
        first, last = (points[0], points[-1]) if points.size else (t_start or 0.0, t_start or 0.0)
        start = float(first if t_start is None else t_start)
        stop = float(last if t_stop is None else t_stop)
        if not (math.isfinite(start) and start <= first):
            raise ValueError(
                f"{self._label}: t_start must be finite and at most {first} s (the first time), "
                f"got {start} s"
            )
        if not (math.isfinite(stop) and stop >= last):
            raise ValueError(
                f"{self._label}: t_stop must be finite and at least {last} s (the last time), "
                f"got {stop} s"
            )
        if periodic and not stop > start:
            raise ValueError(
                f"{self._label}: a periodic series needs t_stop > t_start, got {start} to {stop} s"
            )
        self._times = points
        self._t_start = start
        self._t_stop = stop
        self._periodic = bool(periodic)

    @property
    def times(self) -> NDArray[np.float64]:
        """Time points in seconds, (T,)."""
        return self._times

    @property
    def t_start(self) -> float:
        """Where the series begins, in seconds."""
        return self._t_start

    @property
    def t_stop(self) -> float:
        """Where the series ends, in seconds."""
        return self._t_stop

    @property
    def duration(self) -> float:
        """``t_stop - t_start`` in seconds: the period of a periodic series."""
        return self._t_stop - self._t_start

    @property
    def periodic(self) -> bool:
        """Whether the series repeats."""
        return self._periodic

    @property
    def num_channels(self) -> int:
        """Number of channels; 0 of time points alone."""
        return 0

    def __len__(self) -> int:
        """Count the time points."""
        return self._times.size

    def __repr__(self) -> str:
        kind = "periodic " if self._periodic else ""
        return (
            f"{kind}{type(self).__name__} {self.name!r} from {self._t_start:.12g} to "
            f"{self._t_stop:.12g} s, {len(self)} time points, {self.num_channels} channels"
        )

    def isempty(self) -> bool:
        """Whether there is no time point."""
        return not self._times.size

    def copy(self) -> Self:
        """Return an independent copy."""
        return copy.deepcopy(self)

    def _arguments(self) -> dict[str, Any]:
        """Return the arguments with which a constructor makes a series like this one."""
        return {
            "times": self._times,
            "periodic": self._periodic,
            "t_start": self._t_start,
            "t_stop": self._t_stop,
            "name": self.name,
        }

    def _remade(self, inplace: bool, **changes: Any) -> Self:
        """Return this series, changed, or another one with the changes."""
        made = type(self)(**{**self._arguments(), **changes})
        if not inplace:
            return made
        self.__dict__.update(made.__dict__)
        return self

    def delay(self, offset: float | int, inplace: bool = False) -> Self:
        """Move the series in time.

        Parameters
        ----------
        offset : float
            By how much, in seconds; less than 0 for earlier.
        inplace : bool, default False
            Whether this series itself is changed, and not a copy.

        Returns
        -------
        TimeSeries
            The moved series.
        """
        moved = {name: getattr(self, name) + offset for name in ("times", "t_start", "t_stop")}
        return self._remade(inplace, **moved)

    def start_at(self, t_start: float | int, inplace: bool = False) -> Self:
        """Move the series in time such that it begins at `t_start`, in seconds; as `delay`."""
        start, offset = float(t_start), t_start - self._t_start
        times = np.maximum(self._times + offset, start)  # rounding may have put one before it
        stop = max(self._t_stop + offset, start)
        return self._remade(inplace, times=times, t_start=start, t_stop=stop)

    def start_at_zero(self, inplace: bool = False) -> Self:
        """Move the series in time such that it begins at 0; as `delay`."""
        return self.start_at(0.0, inplace)

    def print(
        self,
        full: bool = False,
        num_first: int = 4,
        num_last: int = 4,
        limit_shorten: int = 10,
    ) -> None:
        """Print the series: a line for each time point, those in the middle left out.

        Parameters
        ----------
        full : bool, default False
            Whether none is left out.
        num_first, num_last : int, default 4
            How many are shown at the beginning and at the end.
        limit_shorten : int, default 10
            Up to how many points none is left out.
        """
        lines = [f"{time:.12g} s: {text}" for time, text in zip(*self._shown(), strict=True)]
        if not full and len(lines) > max(limit_shorten, num_first + num_last):
            left_out = len(lines) - num_first - num_last
            last = lines[len(lines) - num_last :]
            lines = [*lines[:num_first], f"... {left_out} more ...", *last]
        print("\n".join([repr(self), *lines]))

    def _shown(self) -> tuple[NDArray[np.float64], list[str]]:
        """Return the time points, and a text for each."""
        return self._times, [""] * len(self)

    def save(self, path: str | PathLike[str]) -> None:
        """Write the series to a file in the npz format of numpy; see `load_ts_from_file`.

        Parameters
        ----------
        path : str or path
            The file. ``.npz`` is appended where it is missing.
        """
        from .series_file import write

        write(self, path)

    def contains(self, times: ArrayLike) -> bool:
        """Whether all of some time points lie within the series.

        They are in seconds, of any shape. All finite times lie within a periodic series; within
        others do those from `t_start` to `t_stop`, both included, with room for the rounding of
        floats.
        """
        points = np.asarray(times, dtype=float)
        if self._periodic or not points.size:
            return bool(np.isfinite(points).all())
        margin = self._margin
        return bool(
            points.min() >= self._t_start - margin and points.max() <= self._t_stop + margin
        )

    @property
    def _label(self) -> str:
        return f"{type(self).__name__} {self.name!r}"

    @property
    def _margin(self) -> float:
        """How far two times may differ and be the same: the rounding of a few additions."""
        return 8 * float(np.spacing(max(abs(self._t_start), abs(self._t_stop))))


def axes_for(target: Any) -> Any:
    """Return axes to draw into, by default the current ones."""
    if target is not None:
        return target
    try:
        import matplotlib.pyplot as plt
    except ModuleNotFoundError as error:
        from rockpool.backends.specs import INSTALL_PLOTS

        error.add_note(f"Plots need matplotlib: {INSTALL_PLOTS}")
        raise
    return plt.gca()
