"""How sampled values are cut, joined and changed: what `TSContinuous` has for that."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rockpool.typehints import ArrayLike, Self

from .series import TimeSeries

__all__ = ["ContinuousEdits"]

Channels = int | Sequence[int] | NDArray[np.integer[Any]]


class ContinuousEdits(TimeSeries):
    """Sampled values that are cut, joined and changed.

    Each of these methods returns a new series; with ``inplace=True`` it changes this one, and
    returns it.
    """

    _samples: NDArray[np.float64]
    _same_time: float
    interp_kind: str
    fill_value: str | float
    units: str | None

    if TYPE_CHECKING:

        @property
        def samples(self) -> NDArray[np.float64]: ...

        def __call__(self, times: ArrayLike) -> NDArray[np.float64]: ...

    def _arguments(self) -> dict[str, Any]:
        own = {name: getattr(self, name) for name in ("units", "interp_kind", "fill_value")}
        return {**super()._arguments(), **own, "samples": self._samples}

    def _shown(self) -> tuple[NDArray[np.float64], list[str]]:
        texts = ["  ".join(f"{value:.6g}" for value in row) for row in self._samples]
        return self._times, texts

    def choose(self, channels: Channels, inplace: bool = False) -> Self:
        """Keep some of the channels.

        Parameters
        ----------
        channels : int or sequence of int
            The channels, in the order in which they are to be.
        inplace : bool, default False
            Whether this series itself is changed.

        Raises
        ------
        IndexError
            There is no such channel.
        """
        numbers = np.atleast_1d(np.asarray(channels))
        numbers = numbers if numbers.size else numbers.astype(np.intp)
        n_channels = self._samples.shape[1]
        beyond = (numbers < 0) | (numbers >= n_channels)
        if np.any(beyond):
            raise IndexError(
                f"{self._label}: there is no channel {numbers[beyond][0]}, there are {n_channels}"
            )
        return self._remade(inplace, samples=self._samples[:, numbers])

    def clip(
        self,
        t_start: float | int | None = None,
        t_stop: float | int | None = None,
        channels: Channels | None = None,
        include_stop: bool = True,
        sample_limits: bool = True,
        inplace: bool = False,
    ) -> Self:
        """Cut a piece out of the series.

        Parameters
        ----------
        t_start, t_stop : float, optional
            Limits of the piece in seconds, within the series. Default: those of the series.
        channels : int or sequence of int, optional
            The channels to keep, as for `choose`. Default: all.
        include_stop : bool, default True
            Whether a sample at `t_stop` belongs to the piece.
        sample_limits : bool, default True
            Whether there is a sample at each limit, with the value that the series has there; that
            at `t_stop` only with `include_stop`. There is none where it would change the values
            around it, which `fill_value` stands for; and another one beside it where those of the
            "nearest" samples would be others without.
        inplace : bool, default False
            Whether this series itself is changed.

        Returns
        -------
        TSContinuous
            The piece, which is not periodic.

        Raises
        ------
        ValueError
            `t_stop` is before `t_start`, or the piece reaches out of the series.
        """
        start = self._t_start if t_start is None else float(t_start)
        stop = self._t_stop if t_stop is None else float(t_stop)
        if stop < start:
            raise ValueError(
                f"{self._label}: t_stop must be at least t_start, {start} s, got {stop} s"
            )
        if not self.contains((start, stop)):
            raise ValueError(
                f"{self._label}: the piece must lie within {self._t_start:.12g} to "
                f"{self._t_stop:.12g} s, got {start:.12g} to {stop:.12g} s"
            )
        times, samples = self._unrolled(start, stop)
        for limit in (start, stop):  # what is off by rounding is the limit
            times = np.where(np.abs(times - limit) <= self._same_time, limit, times)
        if sample_limits and len(self):
            limits = list(dict.fromkeys([start, stop] if include_stop else [start]))
            if np.any((times >= start) & (times <= stop)):
                limits = list(filter(self._goes_on, limits))
            times, samples = self._with_limits(times, samples, start, limits)
        inside = (times >= start) & ((times <= stop) if include_stop else (times < stop))
        piece = self._remade(
            inplace,
            times=times[inside],
            samples=samples[inside],
            t_start=start,
            t_stop=stop,
            periodic=False,
        )
        return piece if channels is None else piece.choose(channels, inplace)

    def _unrolled(
        self, start: float | int, stop: float | int
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """All samples from `start` to `stop` at least, also those of repetitions."""
        if not self._periodic:
            return self._times, self._samples
        times, samples = self._times, self._samples
        if self.interp_kind != "linear" and len(self):
            # each repetition keeps to its own samples: the first counts from its very beginning
            if times[0] > self._t_start:
                times = np.concatenate(([self._t_start], times))
                samples = np.concatenate((samples[:1], samples))
            # ... and the last to its end
            if self.interp_kind != "previous" and times[-1] < self._t_stop:
                times = np.concatenate((times, [self._t_stop]))
                samples = np.concatenate((samples, samples[-1:]))
        first = int(np.floor((start - self._t_start) / self.duration))
        last = int(np.floor((stop - self._t_start) / self.duration))
        shifts = np.arange(first, last + 1) * self.duration
        unrolled = (shifts[:, None] + times).reshape(-1)
        # by rounding one repetition may end after the next begins
        return np.maximum.accumulate(unrolled), np.tile(samples, (len(shifts), 1))

    def _with_limits(
        self,
        times: NDArray[np.float64],
        samples: NDArray[np.float64],
        start: float,
        limits: list[float],
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Add samples at limits of a piece, such that it has the values of the series.

        The limits are its `start`, its end, or both.
        """
        new_times: list[float] = []
        new_samples: list[NDArray[np.float64]] = []
        for limit in limits:
            right = int(np.searchsorted(times, limit))
            is_there = right < len(times) and times[right] == limit
            if is_there:
                continue
            value, added = self(limit), [limit]
            values = [value]
            if self.interp_kind == "nearest" and 0 < right < len(times):
                # values change in the middle between samples: with a new one on one side of that,
                # there has to be one as far on the other side, where that is in the piece
                is_left = np.array_equal(value[0], samples[right - 1])
                mirrored = times[right - 1] + (times[right] - limit)
                if is_left and limit == start:
                    added, values = [limit, max(mirrored, limit)], [value, samples[[right]]]
                elif not is_left and limit != start:
                    added, values = [min(mirrored, limit), limit], [samples[[right - 1]], value]
            new_times += added
            new_samples += values
        if not new_times:
            return times, samples
        times = np.concatenate((times, new_times))
        order = np.argsort(times, kind="stable")
        return times[order], np.concatenate((samples, *new_samples))[order]

    def _goes_on(self, time: float) -> bool:
        """Whether a sample at a time leaves the values around it; not where they are filled in."""
        if self._periodic or self.fill_value == "extrapolate" or self.interp_kind == "previous":
            return True
        return bool(self._times[0] <= time <= self._times[-1])

    def append_t(
        self,
        other_series: ContinuousEdits,
        offset: float | int | None = None,
        inplace: bool = False,
    ) -> Self:
        """Append another series in time, which is moved to where this one ends.

        Parameters
        ----------
        other_series : TSContinuous
            The other one, with as many channels.
        offset : float, optional
            Time between the end of this one and the start of the other one in seconds. Default: 0;
            if this series ends with its last sample, its median time between samples.
        inplace : bool, default False
            Whether this series itself is changed.

        Raises
        ------
        ValueError
            The other one has another number of channels, or `offset` is negative.
        """
        self._check_channels(other_series)
        if offset is None:
            ends = len(self) > 1 and self._t_stop - self._times[-1] <= self._margin
            offset = float(np.median(np.diff(self._times))) if ends else 0.0
        if offset < 0:
            raise ValueError(f"{self._label}: offset must be >= 0 s, got {offset}")
        moved = other_series.start_at(self._t_stop + offset)
        return self._remade(
            inplace,
            times=np.concatenate((self._times, moved.times)),
            samples=np.concatenate((self._samples, moved.samples)),
            t_stop=moved.t_stop,
        )

    append = append_t

    def append_c(self, other_series: ContinuousEdits, inplace: bool = False) -> Self:
        """Append the channels of another series, with the values that it has at these times.

        It is a ValueError if the other one does not cover these times. `inplace` is as for
        `append_t`.
        """
        values = other_series(self._times)
        return self._remade(inplace, samples=np.concatenate((self._samples, values), axis=1))

    def merge(
        self, other_series: ContinuousEdits, remove_duplicates: bool = True, inplace: bool = False
    ) -> Self:
        """Sort the samples of another series into those of this one.

        Parameters
        ----------
        other_series : TSContinuous
            The other one, with as many channels.
        remove_duplicates : bool, default True
            Whether of two samples at one time that of this series is kept alone.
        inplace : bool, default False
            Whether this series itself is changed.

        Raises
        ------
        ValueError
            The other one has another number of channels.
        """
        self._check_channels(other_series)
        times, samples = other_series.times, other_series.samples
        if remove_duplicates:
            new = ~np.isin(times, self._times)
            times, samples = times[new], samples[new]
        times = np.concatenate((self._times, times))
        order = np.argsort(times, kind="stable")
        return self._remade(
            inplace,
            times=times[order],
            samples=np.concatenate((self._samples, samples))[order],
            t_start=min(self._t_start, other_series.t_start),
            t_stop=max(self._t_stop, other_series.t_stop),
        )

    def resample(self, times: ArrayLike, inplace: bool = False) -> Self:
        """Replace the samples by the values at other times, in seconds, not decreasing.

        The series begins and ends as before.
        """
        samples = self(times)
        points = np.array(times, dtype=float)
        for limit in (self._t_start, self._t_stop):  # rounding of a limit is the limit
            points[np.abs(points - limit) <= self._margin] = limit
        return self._remade(inplace, times=points, samples=samples)

    def apply(
        self, function: Callable[[NDArray[np.float64]], ArrayLike], inplace: bool = False
    ) -> Self:
        """Change the samples by a function, such as ``lambda x: 2 * x + 1``.

        Parameters
        ----------
        function : callable
            ``function(samples)`` returns other samples, (T, C') for the given (T, C).
        inplace : bool, default False
            Whether this series itself is changed.
        """
        return self._remade(inplace, samples=function(self._samples.copy()))

    def _check_channels(self, other: ContinuousEdits) -> None:
        if other.num_channels != self.num_channels:
            raise ValueError(
                f"{self._label}: the other series must have {self.num_channels} channels, got "
                f"{other.num_channels}"
            )
