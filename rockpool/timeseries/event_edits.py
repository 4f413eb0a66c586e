"""How events are cut, joined and changed: what `TSEvent` has for that."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rockpool.typehints import ArrayLike, Self

from .series import TimeSeries

__all__ = ["EventEdits"]

Channels = int | Sequence[int] | NDArray[np.integer[Any]]


class EventEdits(TimeSeries):
    """Events that are cut, joined and changed.

    Each of these methods returns a new series; with ``inplace=True`` it changes this one, and
    returns it.
    """

    _channels: NDArray[np.int64]
    _num_channels: int
    _channels_stated: bool

    if TYPE_CHECKING:

        def __call__(
            self, t_start: float | int, t_stop: float | int, channels: Channels | None = None
        ) -> tuple[NDArray[np.float64], NDArray[np.int64]]: ...

    def _arguments(self) -> dict[str, Any]:
        stated = self._num_channels if self._channels_stated else None
        return {**super()._arguments(), "channels": self._channels, "num_channels": stated}

    def _shown(self) -> tuple[NDArray[np.float64], list[str]]:
        return self._times, [f"channel {number}" for number in self._channels]

    def choose(self, channels: Channels, remap: bool = False, inplace: bool = False) -> Self:
        """Keep the events of some channels.

        Parameters
        ----------
        channels : int or sequence of int
            The channels; or a mask, with a bool for each.
        remap : bool, default False
            Whether they become the channels 0, 1, ... in this order.
        inplace : bool, default False
            Whether this series itself is changed.

        Raises
        ------
        TypeError, ValueError
            `channels` are no integers; or a mask of another length.
        """
        numbers = np.atleast_1d(np.asarray(channels))
        if numbers.dtype == bool:
            if numbers.shape != (self._num_channels,):
                raise ValueError(
                    f"{self._label}: a mask of channels must have the length {self._num_channels}, "
                    f"got {len(numbers)}"
                )
            numbers = np.flatnonzero(numbers)
        elif numbers.size and not np.issubdtype(numbers.dtype, np.integer):
            raise TypeError(f"{self._label}: channels must be integers, got {numbers.dtype}")
        numbers = numbers.astype(np.intp)
        kept = np.isin(self._channels, numbers)
        own, stated = self._channels[kept], self._arguments()["num_channels"]
        if remap:
            places = np.full(max(self._num_channels, int(numbers.max(initial=0)) + 1), -1)
            places[numbers] = np.arange(len(numbers))
            own, stated = places[own], len(numbers)
        return self._remade(inplace, times=self._times[kept], channels=own, num_channels=stated)

    def remap_channels(self, channel_map: ArrayLike, inplace: bool = False) -> Self:
        """Give the channels other numbers.

        Parameters
        ----------
        channel_map : array_like of int
            The new number of each channel, >= 0. Several may become one.
        inplace : bool, default False
            Whether this series itself is changed.

        Raises
        ------
        ValueError
            There are fewer numbers than channels.
        """
        numbers = np.asarray(channel_map)
        if numbers.shape != (self._num_channels,):
            raise ValueError(
                f"{self._label}: channel_map must have a number for each of the "
                f"{self._num_channels} channels, got the shape {numbers.shape}"
            )
        n_channels = int(numbers.max(initial=-1)) + 1
        return self._remade(inplace, channels=numbers[self._channels], num_channels=n_channels)

    def clip(
        self,
        t_start: float | int | None = None,
        t_stop: float | int | None = None,
        channels: Channels | None = None,
        remap_channels: bool = False,
        inplace: bool = False,
    ) -> Self:
        """Cut a piece out of the series.

        Parameters
        ----------
        t_start, t_stop : float, optional
            Events from `t_start` on and before `t_stop` belong to the piece, in seconds. Default:
            the limits of the series.
        channels : int or sequence of int, optional
            The channels to keep. Default: all.
        remap_channels : bool, default False
            Whether they become the channels 0, 1, ... in this order.
        inplace : bool, default False
            Whether this series itself is changed.

        Returns
        -------
        TSEvent
            The piece, which is not periodic.

        Raises
        ------
        ValueError
            `t_stop` is before `t_start`.
        """
        start = self._t_start if t_start is None else float(t_start)
        stop = self._t_stop if t_stop is None else float(t_stop)
        if stop < start:
            raise ValueError(
                f"{self._label}: t_stop must be at least t_start, {start} s, got {stop} s"
            )
        times, numbers = self(start, stop)
        piece = self._remade(
            inplace,
            times=times,
            channels=numbers,
            t_start=start,
            t_stop=stop,
            periodic=False,
            num_channels=self._num_channels,
        )
        if channels is None:
            return piece
        return piece.choose(channels, remap_channels, inplace)

    def append_t(
        self, other_series: EventEdits, offset: float | int = 0.0, inplace: bool = False
    ) -> Self:
        """Append another series in time, which is moved to where this one ends.

        Parameters
        ----------
        other_series : TSEvent
            The other one.
        offset : float, default 0.0
            Time between the end of this one and the start of the other one in seconds.
        inplace : bool, default False
            Whether this series itself is changed.

        Raises
        ------
        ValueError
            `offset` is negative.
        """
        if offset < 0:
            raise ValueError(f"{self._label}: offset must be >= 0 s, got {offset}")
        moved = other_series.start_at(self._t_stop + offset)
        return self._remade(
            inplace,
            times=np.concatenate((self._times, moved.times)),
            channels=np.concatenate((self._channels, moved._channels)),
            t_stop=moved.t_stop,
            num_channels=max(self._num_channels, moved.num_channels),
        )

    append = append_t

    def append_c(self, other_series: EventEdits, inplace: bool = False) -> Self:
        """Append the channels of another series: its channel 0 comes after the last one here."""
        return self._with(
            other_series.times,
            other_series._channels + self._num_channels,
            other_series,
            self._num_channels + other_series.num_channels,
            inplace,
        )

    def merge(
        self,
        other_series: EventEdits,
        delay: float | int = 0.0,
        remove_duplicates: bool = False,
        inplace: bool = False,
    ) -> Self:
        """Add the events of another series, in the same channels.

        Parameters
        ----------
        other_series : TSEvent
            The other one.
        delay : float, default 0.0
            By how much it is moved first, in seconds.
        remove_duplicates : bool, default False
            Whether of several events at one time in one channel one is kept.
        inplace : bool, default False
            Whether this series itself is changed.
        """
        other = other_series.delay(delay)
        n_channels = max(self._num_channels, other.num_channels)
        merged = self._with(other.times, other._channels, other, n_channels, inplace)
        if not remove_duplicates:
            return merged
        events = np.stack((merged._times, merged._channels.astype(float)), 1)
        kept = np.sort(np.unique(events, axis=0, return_index=True)[1])
        return merged._remade(inplace, times=merged._times[kept], channels=merged._channels[kept])

    def _with(
        self,
        times: NDArray[np.float64],
        channels: NDArray[np.int64],
        other: EventEdits,
        n_channels: int,
        inplace: bool,
    ) -> Self:
        """Return the series with more events, in the order of time."""
        times = np.concatenate((self._times, times))
        order = np.argsort(times, kind="stable")
        return self._remade(
            inplace,
            times=times[order],
            channels=np.concatenate((self._channels, channels))[order],
            t_start=min(self._t_start, other.t_start),
            t_stop=max(self._t_stop, other.t_stop),
            num_channels=n_channels,
        )

    def apply(
        self, function: Callable[[NDArray[np.float64]], ArrayLike], inplace: bool = False
    ) -> Self:
        """Change the times of the events by a function, such as ``lambda t: np.round(t, 3)``.

        Parameters
        ----------
        function : callable
            ``function(times)`` returns as many other times in seconds, within the limits of the
            series.
        inplace : bool, default False
            Whether this series itself is changed.

        Raises
        ------
        ValueError
            It returns another number of times.
        """
        times = np.asarray(function(self._times.copy()), dtype=float)
        if times.shape != self._times.shape:
            raise ValueError(
                f"{self._label}: function must return as many times as it gets, "
                f"{len(self._times)}, got the shape {times.shape}"
            )
        order = np.argsort(times, kind="stable")
        return self._remade(inplace, times=times[order], channels=self._channels[order])
