"""Events of a sensor or spikes of neurons, as a file has them: `Recording`."""

from __future__ import annotations

import operator
import os
import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from rockpool.data.binning import MAX_BYTES, Bins, count, exact_seconds
from rockpool.timeseries import TSEvent

__all__ = ["CHANNEL_EVENT", "SENSOR_EVENT", "TICKS", "Recording", "RecordingWarning"]

# Ticks a second
TICKS = {"us": 10**6, "ns": 10**9}
SENSOR_EVENT = np.dtype([("t", "<i8"), ("x", "<i2"), ("y", "<i2"), ("p", "u1")], align=True)
CHANNEL_EVENT = np.dtype([("t", "<i8"), ("channel", "<i8")])

_LATEST = 2**61  # so that differences of times and sums of a few fit into int64
_EVENTS_AT_A_TIME = 2**18


class RecordingWarning(UserWarning):
    """A recording does not hold all that one would expect of it."""


class Recording:
    """Events over time: of the pixels of a sensor, or of numbered channels.

    `rockpool.data.read` makes it of a file, `rockpool.data.write` a file of it. Events may be in
    any order; none is changed or lost, and the array cannot be written to.

    Parameters
    ----------
    events : structured ndarray (E,)
        With the fields ``t, x, y, p`` of a sensor, or ``t, channel``. `t` is a whole number of
        ticks; pixels count from 0, `p` is 1 where it became brighter and 0 where darker.
    unit : str
        What a tick of `t` is: ``"us"`` or ``"ns"``. Default: "us".
    sensor_size : tuple of int, optional
        Height and width of the sensor in pixels. Default: as large as the events need.
    n_channels : int, optional
        Number of channels; that of a sensor is ``2 * height * width``. Default: as many as the
        events need.
    time_origin : int
        The ticks that the file adds to the numbers that it stores; they are in `t` already.
        Default: 0.
    t_stop : float, optional
        Where the recording ends, in seconds, if that is known. Default: not known.
    source : str
        Where it comes from, such as the path of a file. Default: "".
    format : str
        The format that it was read from. Default: "".
    info : dict, optional
        What else is known, by name, such as ``label``. Default: nothing.

    Raises
    ------
    TypeError
        `events` is no structured array of these fields.
    ValueError
        An event is outside of the sensor or of the channels, or has no time that fits; a size or
        number is not whole; or the unit is not known.
    """

    def __init__(
        self,
        events: NDArray[Any],
        *,
        unit: str = "us",
        sensor_size: tuple[int, int] | None = None,
        n_channels: int | None = None,
        time_origin: int = 0,
        t_stop: float | int | None = None,
        source: str = "",
        format: str = "",
        info: Mapping[str, Any] | None = None,
    ) -> None:
        if unit not in TICKS:
            raise ValueError(f"Recording: unit must be 'us' or 'ns', got {unit!r}")
        self.events = _checked(events).view()
        self.events.flags.writeable = False  # so that it stays as it was checked
        self.unit = unit
        self.sensor_size: tuple[int, int] | None = None
        if self.is_sensor:
            self.sensor_size = _sensor_size(self.events, sensor_size)
            self.n_channels = 2 * self.sensor_size[0] * self.sensor_size[1]
            if n_channels not in (None, self.n_channels):
                raise ValueError(
                    f"Recording: n_channels of a sensor of {self.sensor_size} pixels must be "
                    f"{self.n_channels}, got {n_channels}"
                )
        else:
            if sensor_size is not None:
                raise ValueError("Recording: sensor_size is for events with x, y and p")
            self.n_channels = _n_channels(self.events, n_channels)
        self.time_origin = _whole("time_origin", time_origin)
        if t_stop is not None and not abs(t_stop) <= _LATEST / TICKS[unit]:
            raise ValueError(
                f"Recording: t_stop must be at most {_LATEST // TICKS[unit]} s, got {t_stop!r}"
            )
        self.t_stop = None if t_stop is None else float(t_stop)
        self.source = source
        self.format = format
        self.info = dict(info or {})
        self._told_of_rounding = False

    @property
    def is_sensor(self) -> bool:
        """Whether the events have a pixel and a polarity, and not a channel."""
        return self.events.dtype == SENSOR_EVENT

    @property
    def times(self) -> NDArray[np.float64]:
        """Times of the events in seconds, (E,)."""
        return self.events["t"] / TICKS[self.unit]

    @property
    def channels(self) -> NDArray[np.int64]:
        """Channel of each event, (E,); of a sensor it is ``(p * height + y) * width + x``."""
        return self._channels(slice(None))

    def __len__(self) -> int:
        return len(self.events)

    def __repr__(self) -> str:
        if self.sensor_size is not None:
            what = f"sensor of {self.sensor_size[0]} x {self.sensor_size[1]} pixels"
        else:
            what = f"{self.n_channels} channels"
        if len(self):
            first, last = self.events["t"].min(), self.events["t"].max()
            ticks = TICKS[self.unit]
            span = f"{first / ticks:g} to {last / ticks:g} s"
        else:
            span = "no time"
        said = f"{len(self)} events, {what}, {span}"
        origin = f", {self.format} {os.path.basename(self.source)!r}" if self.source else ""
        return f"<Recording: {said}{origin}>"

    def raster(
        self,
        dt: Any,
        duration: Any = None,
        t_start: Any = 0,
        *,
        sensor: bool = False,
        dtype: DTypeLike = None,
    ) -> NDArray[Any]:
        """Count the events in time bins.

        The bin `k` is ``[t_start + k * dt, t_start + (k + 1) * dt)``, in exact arithmetic: `dt` is
        the decimal number that it is written as, and need be no whole number of ticks. Its sum is
        the number of events in the range ``[t_start, t_start + duration)``, which
        ``len(recording.between(t_start, t_start + duration))`` tells as well.

        Parameters
        ----------
        dt : float, Fraction or Decimal
            Length of a bin in seconds, > 0.
        duration : float, optional
            Length of the range in seconds. Where it is no multiple of `dt`, the last bin is the
            shorter. Default: to the end of the recording, and beyond the last event.
        t_start : float
            Where the first bin begins, in seconds; not the first event. Default: 0.
        sensor : bool
            True gives (T, 2, height, width), with the polarity as the second axis. Default: False,
            (T, n_channels) with the channels in the same order.
        dtype : dtype, optional
            Of the counts. Default: int32, or int64 from 2**31 events on.

        Returns
        -------
        ndarray (T, n_channels) or (T, 2, height, width)
            The numbers of events.

        Raises
        ------
        TypeError
            A time is no number.
        ValueError
            `dt` is not > 0, `duration` is negative, the raster would take more than 64 GiB, there
            is a count that `dtype` does not hold, or `sensor` is True and there are channels alone.

        Warns
        -----
        RecordingWarning
            There are events before the time 0 and no `t_start` that says they are not wanted; or
            `dt` is finer than the times of the file, which then has many an event in another bin.
        """
        if sensor and self.sensor_size is None:
            raise ValueError("Recording: raster: sensor=True needs events with x, y and p")
        bins = self._bins(dt, duration, t_start)
        given = None if dtype is None else np.dtype(dtype)
        if given is not None and given.kind not in "iuf":
            raise ValueError(f"Recording: raster: dtype must be one of numbers, got {given}")
        counted = np.dtype(np.int64 if len(self) >= 2**31 else np.int32)
        if bins.number * max(self.n_channels * counted.itemsize, 8) > MAX_BYTES:
            raise ValueError(
                f"Recording: a raster of {bins.number} bins and {self.n_channels} channels would "
                f"take more than {MAX_BYTES // 2**30} GiB; give duration, or a longer dt"
            )
        if t_start == 0 and len(self) and self.events["t"].min() < 0:
            n_before = int(np.count_nonzero(self.events["t"] < 0))
            self._warn(f"{n_before} events before the time 0 are left out; give t_start")
        rounding = self._rounding(bins)
        if rounding and not self._told_of_rounding:
            self._told_of_rounding = True
            self._warn(rounding)
        counts = count(self.events["t"], self._channels, self.n_channels, bins, counted)
        if given is not None and given != counted:
            counts = _converted(counts, given)
        return counts.reshape(-1, 2, *self.sensor_size) if sensor else counts  # type: ignore[misc]

    def between(self, t_start: Any, t_stop: Any) -> Recording:
        """Return the events from `t_start` on and before `t_stop`, in seconds, at their times."""
        ticks = TICKS[self.unit]
        first, end = (
            -(-exact_seconds("Recording: between", name, value) * ticks // 1)
            for name, value in (("t_start", t_start), ("t_stop", t_stop))
        )
        times = self.events["t"]
        return Recording(
            self.events[(times >= first) & (times < end)],
            unit=self.unit,
            sensor_size=self.sensor_size,
            n_channels=self.n_channels,
            time_origin=self.time_origin,
            t_stop=float(t_stop),
            source=self.source,
            format=self.format,
            info=self.info,
        )

    def to_tsevent(self, name: str | None = None) -> TSEvent:
        """Return the events as a series, in the order of their times.

        It begins at 0, or at the first event where that is earlier, and ends with the recording,
        later than the last event. `name` is by default the name of the file.
        """
        order = np.argsort(self.events["t"], kind="stable")
        ticks = self.events["t"][order]
        per_second = TICKS[self.unit]
        after = (int(ticks[-1]) + 1) / per_second if len(ticks) else 0.0
        times = ticks / per_second
        if len(times) and not after > times[-1]:  # a float has no nanoseconds so late
            after = float(np.nextafter(times[-1], np.inf))
        return TSEvent(
            times,
            self.channels[order],
            t_start=min(0.0, float(times[0])) if len(times) else 0.0,
            t_stop=max(after, self.t_stop or 0.0),
            name=os.path.basename(self.source) if name is None else name,
            num_channels=self.n_channels,
        )

    def _bins(self, dt: Any, duration: Any, t_start: Any) -> Bins:
        owner, ticks = "Recording: raster", TICKS[self.unit]
        width = exact_seconds(owner, "dt", dt) * ticks
        if width <= 0:
            raise ValueError(f"{owner}: dt must be > 0 s, got {dt!r}")
        start = exact_seconds(owner, "t_start", t_start) * ticks
        if duration is not None:
            length = exact_seconds(owner, "duration", duration) * ticks
            if length < 0:
                raise ValueError(f"{owner}: duration must be >= 0 s, got {duration!r}")
            return Bins(start, width, start + length)
        number = 0
        if self.t_stop is not None:
            number = -(-(exact_seconds(owner, "t_stop", self.t_stop) * ticks - start) // width)
        if len(self):
            number = max(number, (int(self.events["t"].max()) - start) // width + 1)
        return Bins(start, width, start + max(number, 0) * width)

    def _channels(self, part: slice) -> NDArray[np.int64]:
        events = self.events[part]
        if self.sensor_size is None:
            return events["channel"]
        height, width = self.sensor_size
        numbers = events["p"].astype(np.int64)
        numbers *= height
        numbers += events["y"]
        numbers *= width
        numbers += events["x"]
        return numbers

    def _rounding(self, bins: Bins) -> str:
        """Return how many events the rounded times of the file put into other bins, in words."""
        short = bins.width < TICKS[self.unit] // 1000
        if self.info.get("time_dtype") != "float16" or not short or not len(self):
            return ""
        # What the stored number stands for lies up to half a step to either side of it
        seconds = np.abs(self.times).astype(np.float16)
        half = np.spacing(seconds).astype(np.float64) / 2 * TICKS[self.unit]
        width = float(bins.width)
        within = (self.events["t"] - float(bins.start)) % width
        beside = np.maximum(half - within, 0) + np.maximum(within + half - width, 0)
        part = np.minimum(beside / (2 * half), 1).mean()
        step, length = 2e3 * half.max() / TICKS[self.unit], 1e3 * width / TICKS[self.unit]
        return (
            f"the file has times of float16, in steps of up to {step:.2g} ms; in bins of "
            f"{length:g} ms about {100 * part:.0f} % of the events are in another bin than before "
            "they were stored"
        )

    def _warn(self, message: str) -> None:
        name = f"{os.path.basename(self.source)}: " if self.source else ""
        warnings.warn(f"Recording: {name}{message}", RecordingWarning, stacklevel=3)


def _checked(events: Any) -> NDArray[Any]:
    """Return the events with the types of `SENSOR_EVENT` or `CHANNEL_EVENT`."""
    names = set(getattr(getattr(events, "dtype", None), "names", None) or ())
    wanted = next((d for d in (SENSOR_EVENT, CHANNEL_EVENT) if names == set(d.names or ())), None)
    if wanted is None or events.ndim != 1:
        raise TypeError(
            "Recording: events must be a structured array (E,) with the fields t, x, y, p or "
            f"t, channel, got {events!r:.100}"
        )
    for name in names:
        kind, limit = events.dtype[name].kind, np.iinfo(wanted[name]).max
        if kind not in "iu" + "b" * (name == "p"):
            raise TypeError(f"Recording: events: {name} must be integers, got {events.dtype[name]}")
        if not len(events):
            continue
        low, high = int(events[name].min()), int(events[name].max())
        limit = {"t": _LATEST, "p": 1}.get(name, limit)
        least = -_LATEST if name == "t" else 0
        if low < least or high > limit:
            raise ValueError(
                f"Recording: events: {name} must be from {least} to {limit}, got {low} to {high}"
            )
    if events.dtype == wanted:
        return events
    checked = np.empty(len(events), dtype=wanted)
    for name in names:
        checked[name] = events[name]
    return checked


def _sensor_size(events: NDArray[Any], given: tuple[int, int] | None) -> tuple[int, int]:
    needed = (int(events["y"].max()) + 1, int(events["x"].max()) + 1) if len(events) else (1, 1)
    if given is None:
        return needed
    sizes = tuple(_whole("sensor_size", size) for size in given)
    if len(sizes) != 2 or not all(1 <= size <= 2**15 for size in sizes):
        raise ValueError(
            f"Recording: sensor_size must be height and width, from 1 to 32768, got {given!r}"
        )
    height, width = sizes
    if len(events) and (needed[0] > height or needed[1] > width):
        raise ValueError(
            f"Recording: sensor_size {(height, width)} is too small: there is an event at "
            f"y {needed[0] - 1}, and one at x {needed[1] - 1}"
        )
    return height, width


def _n_channels(events: NDArray[Any], given: int | None) -> int:
    needed = int(events["channel"].max()) + 1 if len(events) else 0
    if given is None:
        return needed
    given = _whole("n_channels", given)
    if given < needed:
        raise ValueError(
            f"Recording: n_channels must be at least {needed}, as there is an event in channel "
            f"{needed - 1}, got {given}"
        )
    return given


def _whole(name: str, value: Any) -> int:
    """Return an argument that has to be a whole number as an int."""
    try:
        return operator.index(value)
    except TypeError:
        raise ValueError(f"Recording: {name} must be whole, got {value!r}") from None


def _converted(counts: NDArray[Any], dtype: np.dtype[Any]) -> NDArray[Any]:
    """Return the counts in another type, if it holds them."""
    most = int(counts.max()) if counts.size else 0
    # Whole numbers that a float holds without a gap
    holds = np.iinfo(dtype).max if dtype.kind in "iu" else 2 ** (np.finfo(dtype).nmant + 1)
    if most > holds:
        raise ValueError(f"Recording: raster: there is a count of {most}, too large for {dtype}")
    return counts.astype(dtype)
