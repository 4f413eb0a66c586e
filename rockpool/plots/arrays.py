"""What is drawn, as numpy arrays: spikes and values of one batch element, of whatever back-end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rockpool.parameters import to_numpy
from rockpool.timeseries import TSContinuous, TSEvent
from rockpool.timeseries.time_steps import checked_time_step

__all__ = ["Spikes", "Values", "are_counts", "element_of", "spikes_of", "values_of"]


@dataclass(frozen=True)
class Spikes:
    """Spikes of channels over time.

    Attributes
    ----------
    times : np.ndarray (E,)
        Times in seconds, of all channels and time steps that have spikes.
    channels : np.ndarray of int (E,)
        Their channels.
    n_channels : int
        Number of channels.
    start, stop : float
        The time that is covered, in seconds.
    name : str
        What it is called, or "".
    """

    times: np.ndarray
    channels: np.ndarray
    n_channels: int
    start: float
    stop: float
    name: str = ""


@dataclass(frozen=True)
class Values:
    """Values of channels over time.

    Attributes
    ----------
    times : np.ndarray (T,)
        Times in seconds.
    samples : np.ndarray (T, N)
        The values.
    start, stop : float
        The time that is covered, in seconds.
    name, unit : str
        What it is called, and the unit, or "".
    held : bool
        Whether each value lasts until the next one.
    """

    times: np.ndarray
    samples: np.ndarray
    start: float
    stop: float
    name: str = ""
    unit: str = ""
    held: bool = False


def spikes_of(owner: str, spikes: Any, dt: Any, batch: int) -> Spikes:
    """Return spikes from an array of numbers of spikes, or a `TSEvent`.

    A spike of the time step k is drawn in the middle of it, at ``(k + 1/2) dt``.
    """
    if isinstance(spikes, TSEvent):
        limits = float(spikes.t_start), float(spikes.t_stop)
        return Spikes(spikes.times, spikes.channels, spikes.num_channels, *limits, _name(spikes))
    if isinstance(spikes, TSContinuous):
        raise TypeError(
            f"{owner}: spikes must be an array or TSEvent, got TSContinuous; see traces"
        )
    counts = element_of(owner, "spikes", spikes, batch)
    dt = _time_step(owner, dt)
    steps, channels = np.nonzero(counts)
    if not are_counts(counts[steps, channels]):
        raise ValueError(f"{owner}: spikes must be numbers of spikes: whole, and not negative")
    n_steps, n_channels = counts.shape
    return Spikes((steps + 0.5) * dt, channels, n_channels, 0.0, n_steps * dt)


def values_of(owner: str, values: Any, dt: Any, batch: int, name: str = "") -> Values:
    """Return values from an array, or a `TSContinuous`; an array's are in the middle of a step."""
    if isinstance(values, TSContinuous):
        limits = float(values.t_start), float(values.t_stop)
        texts = _name(values), values.units or ""
        held = values.interp_kind == "previous"
        return Values(values.times, values.samples, *limits, *texts, held)
    if isinstance(values, TSEvent):
        raise TypeError(f"{owner}: record must have values over time, got TSEvent; see raster")
    samples = element_of(owner, name or "record", values, batch).astype(float, copy=False)
    dt = _time_step(owner, dt)
    return Values((np.arange(len(samples)) + 0.5) * dt, samples, 0.0, len(samples) * dt, name)


def are_counts(values: np.ndarray) -> bool:
    """Return whether all values are whole and not negative."""
    return bool(np.all(np.isfinite(values) & (values >= 0) & (values == np.floor(values))))


def element_of(owner: str, name: str, given: Any, batch: int) -> np.ndarray:
    """Return one element (T, N) of an array (B, T, N), (T, N) or (T,) of any back-end."""
    array = to_numpy(given)
    if array.dtype.name == "bfloat16":
        array = array.astype(np.float32)
    if array.dtype.kind not in "biuf":
        raise TypeError(f"{owner}: {name} must be numbers, got {type(given).__name__}")
    if array.ndim not in (1, 2, 3):
        raise ValueError(
            f"{owner}: {name} must have the shape (T, N), (B, T, N) or (T,), got {array.shape}"
        )
    if array.ndim < 3:
        array = array.reshape(1, len(array), -1) if array.ndim == 1 else array[np.newaxis]
    if isinstance(batch, bool) or not isinstance(batch, (int, np.integer)):
        raise TypeError(f"{owner}: batch must be an integer, got {batch!r}")
    if not 0 <= batch < len(array):
        raise ValueError(
            f"{owner}: batch must be at least 0 and less than {len(array)}, got {batch}"
        )
    return array[batch]


def _name(series: TSContinuous | TSEvent) -> str:
    """Return the name of a series, or "" for that which all have who got none."""
    return "" if series.name in (None, "unnamed") else series.name


def _time_step(owner: str, dt: Any) -> float:
    if dt is None:
        raise TypeError(f"{owner}: dt, the time step in seconds, must be given for arrays")
    return checked_time_step(owner, dt)
