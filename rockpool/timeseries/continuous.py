"""Values that were sampled over time: `TSContinuous`."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from rockpool.timeseries.time_steps import checked_time_step, covering_steps, whole_number
from rockpool.typehints import ArrayLike, Self

from .continuous_edits import ContinuousEdits
from .series import axes_for

__all__ = ["TSContinuous"]

_KINDS = ("previous", "linear", "next", "nearest")
# How values between samples are drawn, by kind; linear ones as they are
_STEPS = {"previous": "steps-post", "next": "steps-pre", "nearest": "steps-mid"}

# A time that comes less than this part of the shortest sampling step before a sample is the
# sample's own: the difference is the rounding of a float.
_SAME_STEP = 1e-6


class TSContinuous(ContinuousEdits):
    """Values at time points, each of which lasts until the next one (or joined by lines).

    Parameters
    ----------
    times : array_like (T,)
        Time points of the samples in seconds, not decreasing. Default: none.
    samples : array_like (T, C) or (T,)
        The samples of C channels (of one).
    num_channels : int, optional
        Number of channels of a series without samples. With samples it must fit them.
    periodic, t_start, t_stop, name
        As for `TimeSeries`: by default the series ends with its last sample. See `from_clocked`
        for samples that last one time step each.
    units : str, optional
        Unit of the samples, for plots.
    interp_kind : {"previous", "linear", "next", "nearest"}, default "previous"
        How values between two samples are made. Before the first and after the last sample,
        within the limits of the series, that sample holds; a periodic linear series goes from its
        last sample towards its first.
    fill_value : "extrapolate" or float, default "extrapolate"
        The value before the first and after the last sample, within the limits of the series, in
        the place of that sample. A series with the default kind holds its last sample.

    Raises
    ------
    ValueError
        Times, samples and channels do not fit each other, or `interp_kind` is not one of the above.
    """

    def __init__(
        self,
        times: ArrayLike | None = None,
        samples: ArrayLike | None = None,
        num_channels: int | None = None,
        periodic: bool = False,
        t_start: float | int | None = None,
        t_stop: float | int | None = None,
        name: str | None = "unnamed",
        units: str | None = None,
        interp_kind: str = "previous",
        fill_value: str | float | int = "extrapolate",
    ) -> None:
        super().__init__(() if times is None else times, periodic, t_start, t_stop, name)
        if interp_kind not in _KINDS:
            raise ValueError(
                f"{self._label}: interp_kind must be 'previous', 'linear', 'next' or 'nearest', "
                f"got {interp_kind!r}"
            )
        if isinstance(fill_value, str) and fill_value != "extrapolate":
            raise ValueError(
                f"{self._label}: fill_value must be 'extrapolate' or a number, got {fill_value!r}"
            )
        if num_channels is not None:
            num_channels = whole_number(self._label, "num_channels", num_channels)
        if samples is None:
            samples = np.zeros((0, num_channels or 0))
        values = np.array(samples, dtype=float)
        if values.ndim == 1:
            values = values.reshape(-1, num_channels if num_channels and not values.size else 1)
        if values.ndim != 2 or len(values) != len(self):
            raise ValueError(
                f"{self._label}: samples must have the shape ({len(self)}, channels), as there are "
                f"{len(self)} times, got {np.shape(samples)}"
            )
        if num_channels is not None and values.shape[1] != num_channels:
            raise ValueError(
                f"{self._label}: num_channels is {num_channels}, but samples have "
                f"{values.shape[1]} channels"
            )
        self._samples = values
        steps = np.diff(self._times)
        steps = steps[steps > 0]
        # How far before a sample a time still counts as the sample's own
        self._same_time = max(self._margin, _SAME_STEP * steps.min() if steps.size else 0.0)
        self.interp_kind = interp_kind
        self.fill_value = fill_value
        self.units = units

    @classmethod
    def from_clocked(
        cls,
        samples: ArrayLike,
        dt: float | int,
        t_start: float | int = 0.0,
        periodic: bool = False,
        name: str | None = None,
        interp_kind: str = "previous",
    ) -> Self:
        """Make a series of samples that were taken with a clock, each of which lasts one time step.

        Parameters
        ----------
        samples : array_like (T, C) or (T,)
            One row a time step.
        dt : float
            Time step in seconds, > 0.
        t_start : float, default 0.0
            Time of the first sample in seconds.
        periodic, name, interp_kind
            As for `TSContinuous`; the period is ``T * dt``.

        Returns
        -------
        TSContinuous
            With samples at ``t_start + k * dt``, and ``t_stop = t_start + T * dt``.

        Raises
        ------
        ValueError
            `dt` is not > 0, or the samples have no time axis or more than two axes.
        """
        dt = checked_time_step(cls.__name__, dt)
        values = np.asarray(samples, dtype=float)
        if values.ndim not in (1, 2):
            raise ValueError(
                f"{cls.__name__}: samples must have the shape (T,) or (T, channels), "
                f"got {values.shape}"
            )
        return cls(
            t_start + dt * np.arange(len(values)),
            values,
            num_channels=values.shape[1] if values.ndim == 2 else 1,
            periodic=periodic,
            t_start=t_start,
            t_stop=t_start + dt * len(values),
            name=name,
            interp_kind=interp_kind,
        )

    @property
    def samples(self) -> NDArray[np.float64]:
        """The samples, (T, C)."""
        return self._samples

    @property
    def num_channels(self) -> int:
        """Number of channels."""
        return self._samples.shape[1]

    def __call__(self, times: ArrayLike) -> NDArray[np.float64]:
        """Read the values at some time points.

        Times are in seconds, (n,) or a float, in any order. Returns an array (n, C).

        Raises
        ------
        ValueError
            A time is outside of a series that is not periodic, or there are no samples.
        """
        points = np.asarray(times, dtype=float).reshape(-1)
        if not points.size:
            return np.zeros((0, self.num_channels))
        if not self.contains(points):
            raise ValueError(
                f"{self._label}: has values from {self._t_start:.12g} to {self._t_stop:.12g} s, "
                f"asked for {points.min():.12g} to {points.max():.12g} s"
            )
        if self.isempty():
            raise ValueError(f"{self._label}: there are no samples to read")
        same = self._same_time
        if self._periodic:
            points = np.mod(points - self._t_start, self.duration)
            points = np.where(points > self.duration - same, 0.0, points) + self._t_start
        before = np.searchsorted(self._times, points + same, side="right") - 1
        values = self._read(points, before)
        if self.fill_value != "extrapolate" and not self._periodic:
            outside = before < 0
            if self.interp_kind != "previous":
                outside |= points > self._times[-1] + same
            values[outside] = self.fill_value
        return values

    def to_clocked(self, dt: float | int) -> Self:
        """Return a series with a sample at each step of a clock, in seconds, from `t_start` on."""
        dt = checked_time_step(self._label, dt)
        steps = np.arange(covering_steps(self.duration, dt))
        samples = self(np.minimum(self._t_start + dt * steps, self._t_stop))
        return self.from_clocked(
            samples, dt, self._t_start, self._periodic, self.name, self.interp_kind
        )

    def plot(self, target: Any = None, **kwargs: Any) -> Any:
        """Draw the channels against time, with ``matplotlib.axes.Axes.plot``, which gets `kwargs`.

        Returns a list of a ``Line2D`` for each channel. `target` is the axes to draw into, by
        default the current ones.
        """
        axes = axes_for(target)
        times, samples = self._times, self._samples
        if self.interp_kind in _STEPS:
            kwargs.setdefault("drawstyle", _STEPS[self.interp_kind])
            if self.interp_kind == "previous" and len(self) and times[-1] < self._t_stop:
                times = np.append(times, self._t_stop)  # until which the last sample lasts
                samples = np.concatenate((samples, samples[-1:]))
        lines = axes.plot(times, samples, **kwargs)
        axes.set(xlabel="Time (s)", ylabel=self.units or "", title=self.name)
        return lines

    def _read(self, points: NDArray[np.float64], before: NDArray[np.intp]) -> NDArray[np.float64]:
        """Return values at time points; `before` is the last sample until each one, -1 for none."""
        if self.interp_kind == "previous":
            return self._samples[np.maximum(before, 0)]
        if self.interp_kind == "linear":
            return self._between(points, before)
        last = len(self._times) - 1
        left, right = np.maximum(before, 0), np.minimum(before + 1, last)
        if self.interp_kind == "next":
            on_it = (before >= 0) & (points - self._times[left] <= self._same_time)
            return self._samples[np.where(on_it, left, right)]
        nearer = points - self._times[left] <= self._times[right] - points
        return self._samples[np.where(nearer & (before >= 0), left, right)]

    def _between(
        self, points: NDArray[np.float64], before: NDArray[np.intp]
    ) -> NDArray[np.float64]:
        """Interpolate linearly; `before` is the last sample until each point, -1 for none."""
        times, samples = self._times, self._samples
        if self._periodic:  # one sample more on either side, from the neighbouring periods
            times = np.concatenate(([times[-1] - self.duration], times, [times[0] + self.duration]))
            samples = np.concatenate((samples[-1:], samples, samples[:1]))
            before = before + 1
        left = np.maximum(before, 0)
        right = np.minimum(before + 1, len(times) - 1)
        gap = times[right] - times[left]
        weight = np.clip((points - times[left]) / np.where(gap > 0, gap, 1.0), 0.0, 1.0)[:, None]
        return (1 - weight) * samples[left] + weight * samples[right]
