"""DAT, the format of Prophesee's and Chronocam's decoded events: 8 bytes an event.

After the header come the type and the size of an event, a byte each, then for each event 32 bits
of time in microseconds and 32 bits that are, by the version in the header, 14 bits of column, 14 of
row and 4 of polarity (version 2), or 9 of column, 8 of row and 1 of polarity (version 1).

Source: Prophesee, DAT File Format, https://docs.prophesee.ai/stable/data/file_formats/dat.html
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator

import numpy as np

from rockpool.data.formats.clocks import Counter
from rockpool.data.formats.percent import read_header
from rockpool.data.recording import SENSOR_EVENT, Recording, RecordingWarning
from rockpool.files.tensors import FileFormatError

__all__ = ["read"]

_TYPES = (0, 12)  # events with two coordinates, and contrast detection, which are the same
# Of column, row and polarity: the first bit, and how many
_LAYOUTS = {1: ((0, 9), (9, 8), (17, 1)), 2: ((0, 14), (14, 14), (28, 4))}


def read(
    path: str, *, sensor_size: tuple[int, int] | None = None, version: int | None = None
) -> Iterator[Recording]:
    """Read a file.

    Parameters
    ----------
    path : str
        The file.
    sensor_size : tuple of int, optional
        Height and width in pixels. Default: what the header says.
    version : int, optional
        1 or 2. Default: what the header says.
    """
    with open(path, "rb") as file:
        header = read_header(file.read(2**16))
        file.seek(header.size)
        kind = file.read(2)
        data = file.read()
    if not kind and header.size:  # faery 0.7.1 writes a recording without events like that
        warnings.warn(
            f"{path}: there is nothing behind its header: it has no events, or has been cut",
            RecordingWarning,
            stacklevel=4,
        )
        kind = bytes([min(_TYPES), 8])
    if len(kind) < 2 or kind[1] != 8 or kind[0] not in _TYPES:
        raise FileFormatError(
            f"{path}: DAT events must be of the type 0 or 12 and of 8 bytes, got {list(kind)}"
        )
    said = str(version) if version is not None else header.said.get("version", "")
    layout = _LAYOUTS.get(int(said)) if said.isdecimal() and len(said) < 4 else None
    if layout is None:
        raise FileFormatError(
            f"{path}: its version must be 1 or 2, got {said[:20]!r}; version=... overrides it"
        )
    if len(data) % 8:
        raise FileFormatError(f"{path}: it ends within an event of 8 bytes: it has been cut")
    words = np.frombuffer(data, "<u4").reshape(-1, 2)
    origin = header.time_origin(path)
    events = np.empty(len(words), dtype=SENSOR_EVENT)
    # Late events are no new start of the clock, which comes after 71 minutes
    clock = Counter(bits=32, tolerance=2**29, late=True)
    events["t"] = clock.follow(words[:, 0]) + origin
    for name, (first, n_bits) in zip("xyp", layout, strict=True):
        events[name] = (words[:, 1] >> first) & (2**n_bits - 1)
    yield Recording(
        events,
        sensor_size=sensor_size or header.sensor_size(path),
        time_origin=origin,
        source=path,
        format="dat",
        info={"version": int(said)},
    )
