"""The ``.bin`` files of N-MNIST and N-Caltech101: 5 bytes an event, with nothing before them.

Column, row, then from the highest bit on the polarity and 23 bits of time in microseconds. An event
in the row 240 is none: it marks that the time has started again from 0. In a file without marks, a
step back by more than half of what 23 bits hold says the same.

Source: G. Orchard et al. (2015), Converting Static Image Datasets to Spiking Neuromorphic Datasets
Using Saccades, Frontiers in Neuroscience 9, 437.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from rockpool.data.formats.clocks import Counter
from rockpool.data.recording import SENSOR_EVENT, Recording
from rockpool.files.tensors import FileFormatError

__all__ = ["read"]

_MARK = 240
_PERIOD = 2**23
_SIZE = (34, 34)


def read(path: str, *, sensor_size: tuple[int, int] | None = None) -> Iterator[Recording]:
    """Read a file.

    Parameters
    ----------
    path : str
        The file.
    sensor_size : tuple of int, optional
        Height and width in pixels. Default: 34 and 34, or as large as the events need.
    """
    with open(path, "rb") as file:
        data = file.read()
    if not data or len(data) % 5:
        raise FileFormatError(
            f"{path}: it must be of 5 bytes for each event, got {len(data)} bytes"
        )
    columns = np.frombuffer(data, np.uint8).reshape(-1, 5).T
    is_mark = columns[1] == _MARK
    times = (columns[2].astype(np.int64) & 0x7F) << 16
    times |= columns[3].astype(np.int64) << 8
    times |= columns[4]
    if is_mark.any():
        times += _PERIOD * np.cumsum(is_mark)
    else:
        times = Counter(bits=23, tolerance=_PERIOD // 2).follow(times)
    events = np.empty(np.count_nonzero(~is_mark), dtype=SENSOR_EVENT)
    for name, values in zip("txyp", (times, *columns[:2], columns[2] >> 7), strict=True):
        events[name] = values[~is_mark]
    fits = not len(events) or max(events["x"].max(), events["y"].max()) < _SIZE[0]
    yield Recording(
        events,
        sensor_size=sensor_size or (_SIZE if fits else None),
        source=path,
        format="nmnist",
    )
