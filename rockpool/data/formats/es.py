"""Event Stream (``.es``), read by event_stream; whether its rows count from below is up to you."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator

import event_stream
import numpy as np
from numpy.typing import NDArray

from rockpool.data.recording import SENSOR_EVENT, Recording, RecordingWarning
from rockpool.files.tensors import FileFormatError

__all__ = ["read"]


_HEADER = 20  # bytes
_LONGEST = 127  # ticks between events; for so many more there is a byte


def _size(times: NDArray[np.int64]) -> int:
    """Return how long a file of events at some times is, which has no other word of it."""
    gaps = np.diff(times, prepend=np.int64(0))
    return _HEADER + 5 * len(times) + int((gaps // _LONGEST).sum())


def read(
    path: str, *, flip_y: bool = False, sensor_size: tuple[int, int] | None = None
) -> Iterator[Recording]:
    """Read a file.

    Parameters
    ----------
    path : str
        The file.
    flip_y : bool
        Whether to turn the rows over. The format counts them from below, and many a writer does
        not. Default: False, the numbers of the file.
    sensor_size : tuple of int, optional
        Height and width in pixels. Default: what the header says.
    """
    with event_stream.Decoder(path) as decoder:
        if decoder.type != "dvs":
            raise FileFormatError(
                f"{path}: it holds events of the type {decoder.type!r}; those of 'dvs' are read"
            )
        height, width = sensor_size or (decoder.height, decoder.width)
        packets = []
        for packet in decoder:
            if len(packet) and (packet["x"].max() >= width or packet["y"].max() >= height):
                raise FileFormatError(
                    f"{path}: there are events outside of the {height} x {width} pixels"
                )
            events = np.empty(len(packet), dtype=SENSOR_EVENT)
            events["t"], events["x"], events["p"] = packet["t"], packet["x"], packet["p"]
            events["y"] = height - 1 - packet["y"].astype(np.int64) if flip_y else packet["y"]
            packets.append(events)
    events = np.concatenate([np.empty(0, dtype=SENSOR_EVENT), *packets])
    if os.path.getsize(path) != _size(events["t"]):
        warnings.warn(
            f"{path}: it is not as long as its {len(events)} events are; it may have been cut",
            RecordingWarning,
            stacklevel=4,
        )
    yield Recording(
        events,
        sensor_size=(height, width),
        source=path,
        format="es",
        info={"flip_y": flip_y},
    )
