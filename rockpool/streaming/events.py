"""Events as streams take them: checked, and in the order of streams and time steps."""

from typing import Any, NamedTuple

import numpy as np

from rockpool.nn.models.checks import real_input
from rockpool.nn.models.finite_input import checks_wanted
from rockpool.typehints import ArrayLike

__all__ = ["Events", "sorted_events"]


class Events(NamedTuple):
    """Events in order.

    Attributes
    ----------
    starts : np.ndarray of int64, shape (B, T + 1)
        The number of the first event of each time step of each stream; at the end, that of the
        first one behind.
    channels : np.ndarray of int64, shape (E,)
        The channel of each event.
    counts : np.ndarray, shape (E,)
        How many events each one is.
    """

    starts: np.ndarray
    channels: np.ndarray
    counts: np.ndarray


def sorted_events(
    times: ArrayLike,
    channels: ArrayLike,
    counts: ArrayLike | None,
    streams: ArrayLike | None,
    *,
    n_steps: int | None,
    n_streams: int,
    n_channels: int,
) -> Events:
    """Return events in order; see `Stream.events` for the arguments and errors."""
    when = _indices("times", times, None)
    size = len(when)
    if n_steps is None:
        n_steps = int(when.max()) + 1 if size else 0
    elif isinstance(n_steps, bool) or not isinstance(n_steps, int | np.integer) or n_steps < 0:
        raise ValueError(f"Stream: n_steps must be an int >= 0, got {n_steps!r}")
    which = np.zeros(size, np.int64) if streams is None else _indices("streams", streams, size)
    where = _indices("channels", channels, size)
    _require_below("times", when, n_steps)
    _require_below("channels", where, n_channels)
    _require_below("streams", which, n_streams)
    weights = np.ones(size) if counts is None else real_input("Stream", counts)
    if weights.shape != (size,):
        raise ValueError(f"Stream: counts must have shape ({size},), got {weights.shape}")
    if checks_wanted() and not np.isfinite(weights).all():
        raise ValueError(
            f"Stream: counts must be finite, got {weights[~np.isfinite(weights)][0]:g}"
        )
    place = which * n_steps + when
    if (place[1:] < place[:-1]).any():
        order = place.argsort(kind="stable")
        place, where, weights = place[order], where[order], weights[order]
    bounds = np.arange(n_streams)[:, np.newaxis] * n_steps + np.arange(n_steps + 1)
    return Events(place.searchsorted(bounds), where, weights)


def _indices(name: str, values: Any, size: int | None) -> np.ndarray:
    """Return whole numbers as an array of int64; of that length, if it is given."""
    array = np.asarray(values)
    if array.size == 0 and array.ndim == 1:
        array = array.astype(np.int64)
    if array.dtype.kind not in "iu":
        raise TypeError(f"Stream: {name} must be whole numbers, got {array.dtype}")
    if array.ndim != 1 or size not in (None, len(array)):
        wanted = "(E,)" if size is None else f"({size},)"
        raise ValueError(f"Stream: {name} must have shape {wanted}, got {array.shape}")
    return np.ascontiguousarray(array, np.int64)


def _require_below(name: str, values: np.ndarray, end: int) -> None:
    """Require indices from 0 up to one below `end`."""
    wrong = values[(values < 0) | (values >= end)]
    if len(wrong):
        raise ValueError(f"Stream: {name} must be >= 0 and < {end}, got {wrong[0]}")
