"""AEDAT4, the format of iniVation's cameras, read by aedat; its events alone."""

from __future__ import annotations

import os
import string
import struct
from collections.abc import Iterator

import aedat
import numpy as np

from rockpool.data.recording import SENSOR_EVENT, Recording
from rockpool.files.tensors import FileFormatError

__all__ = ["read"]

_MAGIC = 14  # bytes of the line that says the format


def read(
    path: str, *, stream: int | None = None, sensor_size: tuple[int, int] | None = None
) -> Iterator[Recording]:
    """Read a file.

    Parameters
    ----------
    path : str
        The file.
    stream : int, optional
        Which of the streams of events. Default: the only one.
    sensor_size : tuple of int, optional
        Height and width in pixels. Default: what the file says.
    """
    _check_header(path)
    decoder = aedat.Decoder(path)
    said = {n: s for n, s in decoder.id_to_stream().items() if s.get("type") == "events"}
    if stream is None and len(said) != 1:
        raise FileFormatError(
            f"{path}: it must have one stream of events, got {len(said)}"
            + (f"; give stream, one of {', '.join(map(str, said))}" if said else "")
        )
    number = next(iter(said)) if stream is None else stream
    if number not in said:
        raise ValueError(f"{path}: stream must be one of {', '.join(map(str, said))}, got {stream}")
    packets = []
    for packet in decoder:
        if packet.get("stream_id") != number or "events" not in packet:
            continue
        found = packet["events"]
        events = np.empty(len(found), dtype=SENSOR_EVENT)
        if len(found) and max(found["x"].max(), found["y"].max()) >= 2**15:
            raise FileFormatError(f"{path}: there is an event outside of any sensor")
        if len(found) and found["t"].max() >= 2**61:
            raise FileFormatError(f"{path}: a time is too large, got {found['t'].max()} us")
        for name, theirs in (("t", "t"), ("x", "x"), ("y", "y"), ("p", "on")):
            events[name] = found[theirs]
        packets.append(events)
    height, width = said[number].get("height"), said[number].get("width")
    yield Recording(
        np.concatenate([np.empty(0, dtype=SENSOR_EVENT), *packets]),
        sensor_size=sensor_size or ((height, width) if height and width else None),
        source=path,
        format="aedat4",
    )


def _check_header(path: str) -> None:
    """Refuse a header that is damaged: aedat 2.3 ends the whole process at some.

    After the magic word and its size comes a table of flatbuffers, of which field 1 is where the
    table of packets begins, or -1, and field 2 the description of the streams as XML.
    """
    with open(path, "rb") as file:
        start = file.read(_MAGIC + 4)
        size = int.from_bytes(start[_MAGIC:], "little")
        if len(start) < _MAGIC + 4 or size > os.stat(path).st_size:
            raise FileFormatError(f"{path}: it ends within its header: it has been cut")
        header = file.read(size)
    try:
        (table,) = struct.unpack_from("<I", header, 0)
        (back,) = struct.unpack_from("<i", header, table)
        fields = table - back
        if fields < 0:
            raise ValueError("a table before its header")
        n_bytes, _, _, _, in_table = struct.unpack_from("<5H", header, fields)
        if n_bytes < 10 or in_table < 4:
            raise ValueError("no description in it")
        (offset,) = struct.unpack_from("<I", header, table + in_table)
        begin = table + in_table + offset
        (length,) = struct.unpack_from("<I", header, begin)
        text = header[begin + 4 : begin + 4 + length]
    except (struct.error, ValueError) as error:
        raise FileFormatError(f"{path}: its header is damaged: {error}") from error
    if len(text) < length or text.translate(None, string.printable.encode()):
        raise FileFormatError(f"{path}: the description of its streams is damaged")
