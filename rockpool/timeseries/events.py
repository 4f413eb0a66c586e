"""Events in channels over time, such as spikes: `TSEvent`."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rockpool.timeseries.time_steps import checked_time_step, covering_steps, whole_number
from rockpool.typehints import ArrayLike, Self

from .event_edits import EventEdits
from .series import axes_for

__all__ = ["TSEvent"]

# An event that comes less than this part of a time step before a bin is the bin's first: the
# difference is the rounding of a float, not a time that someone measured.
_BIN_TOLERANCE = 1e-6


class TSEvent(EventEdits):
    """Events, each of which has a time and a channel.

    Parameters
    ----------
    times : array_like (E,)
        Times of the events in seconds, not decreasing. Default: none.
    channels : array_like of int (E,) or int
        Channel of each event, or of all of them, from 0. Default: 0.
    t_stop : float
        Where the series ends, in seconds: later than the last event. Needed where there are events.
    periodic, t_start, name
        As for `TimeSeries`.
    num_channels : int, optional
        Number of channels. Default: as many as the events need.

    Raises
    ------
    TypeError
        There are events and no `t_stop`, channels are not integers, or `num_channels` is no whole
        number.
    ValueError
        `t_stop` is not later than the last event, or times and channels do not fit each other.
    """

    def __init__(
        self,
        times: ArrayLike | None = None,
        channels: ArrayLike | None = None,
        periodic: bool = False,
        t_start: float | int | None = None,
        t_stop: float | int | None = None,
        name: str | None = None,
        num_channels: int | None = None,
    ) -> None:
        points = np.asarray(() if times is None else times, dtype=float)
        if points.size:
            if not np.isfinite(points).all():
                raise ValueError(
                    f"TSEvent: times must be finite, got {points[~np.isfinite(points)][0]}"
                )
            if t_stop is None:
                raise TypeError("TSEvent: t_stop must be given, later than the last event")
            if not t_stop > points.max():
                raise ValueError(
                    f"TSEvent: t_stop must be > {points.max()} s, the time of the last event, "
                    f"got {t_stop} s"
                )
        super().__init__(points, periodic, t_start, t_stop, name)
        numbers = _channel_numbers(self._label, 0 if channels is None else channels)
        if numbers.ndim == 0:
            numbers = np.full(len(self), numbers)
        if numbers.shape != points.shape:
            raise ValueError(
                f"{self._label}: channels must be one integer, or as many as the {len(self)} "
                f"times, got the shape {numbers.shape}"
            )
        needed = int(numbers.max()) + 1 if numbers.size else 0
        if num_channels is not None:
            num_channels = whole_number(self._label, "num_channels", num_channels)
        if num_channels is not None and num_channels < needed:
            raise ValueError(
                f"{self._label}: num_channels must be at least {needed}, as there is an event in "
                f"channel {needed - 1}, got {num_channels}"
            )
        self._channels = numbers
        self._num_channels = needed if num_channels is None else num_channels
        self._channels_stated = num_channels is not None

    @classmethod
    def from_raster(
        cls,
        raster: ArrayLike,
        dt: float | int = 1.0,
        t_start: float | int = 0.0,
        t_stop: float | int | None = None,
        name: str | None = None,
        periodic: bool = False,
        num_channels: int | None = None,
        spikes_at_bin_start: bool = False,
    ) -> Self:
        """Make a series of the numbers of events in each time step.

        Parameters
        ----------
        raster : array_like (T, C) or (T,)
            Number of events in each time step and channel: whole, not negative.
        dt : float, default 1.0
            Time step in seconds, > 0.
        t_start : float, default 0.0
            Where the first time step begins, in seconds.
        t_stop : float, optional
            Where the series ends. Default: ``t_start + T * dt``.
        name, periodic
            As for `TSEvent`.
        num_channels : int, optional
            Number of channels, where it is more than C.
        spikes_at_bin_start : bool, default False
            Put the events at the start of their time step, not in its middle.

        Returns
        -------
        TSEvent
            With k events for an entry k.

        Raises
        ------
        ValueError
            An entry is no event count, the raster has no time axis or more than two axes, or `dt`
            is not > 0.
        """
        dt = checked_time_step(cls.__name__, dt)
        counts = np.asarray(raster)
        if counts.ndim == 1:
            counts = counts[:, None]
        if counts.ndim != 2:
            raise ValueError(
                f"{cls.__name__}: raster must have the shape (T,) or (T, channels), "
                f"got {counts.shape}"
            )
        whole = counts.astype(np.int64) if np.all(np.isfinite(counts)) else None
        if whole is None or np.any(whole != counts) or np.any(whole < 0):
            raise ValueError(
                f"{cls.__name__}: a raster holds numbers of events: whole, and not negative"
            )
        steps, channels = np.nonzero(whole)
        repeats = whole[steps, channels]
        offset = 0.0 if spikes_at_bin_start else 0.5
        return cls(
            np.repeat(t_start + dt * (steps + offset), repeats),
            np.repeat(channels, repeats),
            periodic=periodic,
            t_start=t_start,
            t_stop=t_start + dt * len(counts) if t_stop is None else t_stop,
            name=name,
            num_channels=counts.shape[1] if num_channels is None else num_channels,
        )

    @property
    def channels(self) -> NDArray[np.int64]:
        """Channel of each event, (E,)."""
        return self._channels

    @property
    def num_channels(self) -> int:
        """Number of channels."""
        return self._num_channels

    def __call__(
        self,
        t_start: float | int | None = None,
        t_stop: float | int | None = None,
        channels: int | Sequence[int] | NDArray[np.integer] | None = None,
    ) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Read the events of a stretch of time.

        Parameters
        ----------
        t_start, t_stop : float, optional
            Events from `t_start` on and before `t_stop` are read. Default: the limits of the
            series.
        channels : int or sequence of int, optional
            Only events in these channels are read. Default: all.

        Returns
        -------
        times : ndarray (E,)
            In seconds.
        channels : ndarray of int (E,)
            Channel of each event.
        """
        start = self._t_start if t_start is None else float(t_start)
        stop = self._t_stop if t_stop is None else float(t_stop)
        times, numbers = self._unrolled(start, stop)
        wanted = (times >= start) & (times < stop)
        if channels is not None:
            wanted &= np.isin(numbers, _channel_numbers(self._label, channels))
        return times[wanted], numbers[wanted]

    def raster(
        self,
        dt: float | int,
        t_start: float | int | None = None,
        t_stop: float | int | None = None,
        num_timesteps: int | None = None,
        channels: int | Sequence[int] | NDArray[np.integer] | None = None,
        add_events: bool = False,
    ) -> NDArray[Any]:
        """Count the events in time steps.

        Parameters
        ----------
        dt : float
            Time step in seconds, > 0. The step k holds the events from ``t_start + k * dt`` on
            and before the next step.
        t_start : float, optional
            Where the first time step begins. Default: that of the series.
        t_stop : float, optional
            Where the last time step ends, or a little before. Default: that of the series.
        num_timesteps : int, optional
            The number of time steps: `t_stop` is not looked at.
        channels : int or sequence of int, optional
            The channels, in the order of the columns. Default: all.
        add_events : bool, default False
            Whether to count the events, or to say only whether there is one.

        Returns
        -------
        ndarray (num_timesteps, number of channels)
            Of bool, or with `add_events` of int.

        Raises
        ------
        ValueError
            `dt` is not > 0, or `num_timesteps` is negative.
        TypeError
            `num_timesteps` is no whole number.

        Warns
        -----
        UserWarning
            Several events fall together and `add_events` is False; or `channels` has one that the
            series has not.
        """
        dt = checked_time_step(self._label, dt)
        start = self._t_start if t_start is None else float(t_start)
        if num_timesteps is None:
            stop = self._t_stop if t_stop is None else float(t_stop)
            num_timesteps = max(0, covering_steps(stop - start, dt))
        num_timesteps = whole_number(self._label, "num_timesteps", num_timesteps)
        if num_timesteps < 0:
            raise ValueError(f"{self._label}: num_timesteps must be >= 0, got {num_timesteps}")
        wanted = _channel_numbers(
            self._label, np.arange(self._num_channels) if channels is None else channels
        ).reshape(-1)
        if self._channels_stated and np.any(wanted >= self._num_channels):
            warnings.warn(
                f"{self._label}: has {self._num_channels} channels; there are no events in channel "
                f"{wanted.max()}",
                stacklevel=2,
            )
        counts = self._counts(dt, start, num_timesteps, wanted)
        if add_events:
            return counts
        if np.any(counts > 1):
            warnings.warn(
                f"{self._label}: several events fall into one time step of {dt} s and count as "
                "one; add_events=True counts them all",
                stacklevel=2,
            )
        return counts > 0

    def plot(self, target: Any = None, **kwargs: Any) -> Any:
        """Draw a point for each event, with ``matplotlib.axes.Axes.scatter``, which gets `kwargs`.

        Returns the ``PathCollection``. `target` is the axes to draw into, by default the current
        ones; they show all channels, from 0 on, and what they show already.
        """
        axes = axes_for(target)
        kwargs.setdefault("s", 4)
        shown = axes.get_ylim() if axes.has_data() else ()
        points = axes.scatter(self._times, self._channels, **kwargs)
        channels = min((-0.5, *shown)), max((max(self._num_channels, 1) - 0.5, *shown))
        axes.set(xlabel="Time (s)", ylabel="Channel", ylim=channels, title=self.name)
        return points

    def _counts(
        self, dt: float | int, start: float | int, num_timesteps: int, wanted: NDArray[np.int64]
    ) -> NDArray[np.int64]:
        """The number of events in each time step and wanted channel."""
        columns, column_of = np.unique(wanted, return_inverse=True)
        times, numbers = self._unrolled(start - dt, start + dt * (num_timesteps + 1))
        # A start that is a multiple of dt: the steps are those of one clock, so that a stream cut
        # into pieces loses no event and counts none twice.
        clock = round(start / dt)
        if abs(start / dt - clock) < _BIN_TOLERANCE:
            steps = np.floor(times / dt + _BIN_TOLERANCE) - clock
        else:
            steps = np.floor((times - start) / dt + _BIN_TOLERANCE)
        used = (steps >= 0) & (steps < num_timesteps) & np.isin(numbers, columns)
        cells = steps[used].astype(np.int64) * len(columns)
        cells += np.searchsorted(columns, numbers[used])
        counts = np.bincount(cells, minlength=num_timesteps * len(columns))
        return counts.reshape(num_timesteps, len(columns))[:, column_of]

    def _unrolled(
        self, start: float | int, stop: float | int
    ) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """All events from `start` to `stop` at least, also those of the repetitions there."""
        if not self._periodic:
            first, last = np.searchsorted(self._times, (start, stop))
            return self._times[first:last], self._channels[first:last]
        earliest = math.floor((start - self._t_start) / self.duration)
        latest = math.floor((stop - self._t_start) / self.duration)
        shifts = np.arange(earliest, latest + 1) * self.duration
        return (shifts[:, None] + self._times).reshape(-1), np.tile(self._channels, len(shifts))


def _channel_numbers(owner: str, channels: ArrayLike) -> NDArray[np.int64]:
    """Channel numbers as an array of integers."""
    numbers = np.asarray(channels)
    if not numbers.size:
        return np.zeros(numbers.shape, dtype=np.int64)
    if not np.issubdtype(numbers.dtype, np.integer):
        raise TypeError(f"{owner}: channels must be integers, got {numbers.dtype}")
    if numbers.min() < 0:
        raise ValueError(f"{owner}: channels must be >= 0, got {numbers.min()}")
    return numbers.astype(np.int64)
