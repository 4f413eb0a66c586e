"""Recordings made of rasters: arrays with a count of events for each time bin and channel."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rockpool.data.binning import exact_seconds
from rockpool.data.recording import CHANNEL_EVENT, SENSOR_EVENT, Recording
from rockpool.files.tensors import FileFormatError

__all__ = ["LAYOUTS", "recordings_of"]

# By the number of axes: batch, time, polarity, row, column, channel
LAYOUTS = {2: ("TN", "NT"), 3: ("BTN", "BNT"), 4: ("TPYX",)}
_MAX_EVENTS = 2**27


def recordings_of(
    path: str,
    array: NDArray[Any],
    *,
    format: str,
    dt: Any = None,
    layout: str | None = None,
    sample: int | None = None,
) -> Iterator[Recording]:
    """Go over the recordings in an array of counts.

    Parameters
    ----------
    path : str
        The file, for errors.
    array : ndarray
        The counts.
    format : str
        What the file is.
    dt : float, optional
        Length of a time bin in seconds. Default: 0.001.
    layout : str, optional
        The axes: "TN" or "NT", "BTN" or "BNT", "TPYX". Default: the one with the time first.
    sample : int, optional
        Only this one. Default: all.
    """
    layouts = LAYOUTS.get(array.ndim)
    if layouts is None or array.dtype.kind not in "biuf":
        raise FileFormatError(
            f"{path}: a raster must have two, three or four axes and numbers, got {array.dtype} "
            f"{array.shape}"
        )
    if layout is not None and layout not in layouts:
        raise ValueError(f"{path}: layout must be {' or '.join(layouts)}, got {layout!r}")
    if (layout or layouts[0]).endswith("NT"):
        array = array.swapaxes(-1, -2)
    batch = array if array.ndim == 3 else array[np.newaxis]
    width = exact_seconds("read", "dt", 0.001 if dt is None else dt)
    if width <= 0:
        raise ValueError(f"read: dt must be > 0 s, got {dt!r}")
    if batch.shape[1] * width > 2**30:
        raise ValueError(f"read: dt is too long for {batch.shape[1]} time bins, got {dt!r}")
    chosen = range(len(batch)) if sample is None else [sample]
    for number in chosen:
        if not 0 <= number < len(batch):
            raise ValueError(f"{path}: sample must be from 0 to {len(batch) - 1}, got {number}")
        counts = _counts(path, batch[number])
        at = np.nonzero(counts)
        each = counts[at]
        unit = "us" if (width * 10**6).denominator == 1 else "ns"
        tick = width * (10**6 if unit == "us" else 10**9)
        # The first tick of a bin, so that a raster with this dt is the array again
        starts = [-(-(tick * k) // 1) for k in range(len(counts) if len(at[0]) else 0)]
        fields = {"t": np.array(starts, dtype=np.int64)[at[0]]}
        if array.ndim == 4:
            fields |= {"p": at[1], "y": at[2], "x": at[3]}
        else:
            fields["channel"] = at[1]
        kind = SENSOR_EVENT if array.ndim == 4 else CHANNEL_EVENT
        events = np.empty(int(each.sum()), dtype=kind)
        for name, values in fields.items():
            events[name] = np.repeat(values, each)
        yield Recording(
            events,
            unit=unit,
            sensor_size=counts.shape[2:] if array.ndim == 4 else None,  # type: ignore[arg-type]
            n_channels=None if array.ndim == 4 else counts.shape[1],
            t_stop=float(len(counts) * width),
            source=path,
            format=format,
            info={"dt": float(width), **({"samples": len(batch)} if len(batch) > 1 else {})},
        )


def _counts(path: str, array: NDArray[Any]) -> NDArray[np.int64]:
    """Return counts of events as integers, if they are counts."""
    if array.ndim == 4 and array.shape[1] not in (1, 2):
        raise FileFormatError(f"{path}: its second axis must be the polarity, got {array.shape}")
    if array.size and not (array.min() >= 0 and float(array.sum(dtype=np.float64)) <= _MAX_EVENTS):
        raise FileFormatError(
            f"{path}: a raster must have counts >= 0, at most {_MAX_EVENTS} events in all"
        )
    if array.dtype.kind == "f" and (array % 1 != 0).any():
        raise FileFormatError(f"{path}: a raster must have whole numbers of events")
    return array.astype(np.int64)
