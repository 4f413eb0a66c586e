"""Messages between processes: settings as JSON, arrays as their bytes. Nothing is pickled."""

from __future__ import annotations

import json
import math
from typing import Any, BinaryIO, NamedTuple

import numpy as np

_LENGTH_BYTES = 8
# What an array may hold, by the name that numpy gives it on this machine.
_KINDS = frozenset(np.dtype(kind).str for kind in ("float64", "int64"))


class Message(NamedTuple):
    """Settings (numbers, text, lists and dicts of them) and arrays of float64 or int64, by name."""

    settings: dict[str, Any]
    arrays: dict[str, np.ndarray]


def send(stream: BinaryIO, message: Message) -> None:
    """Write a message.

    Raises
    ------
    OSError
        Nobody reads.
    """
    arrays = {name: np.ascontiguousarray(array) for name, array in message.arrays.items()}
    layout = [[name, array.dtype.str, array.shape] for name, array in arrays.items()]
    head = json.dumps([message.settings, layout]).encode()
    stream.write(len(head).to_bytes(_LENGTH_BYTES, "little") + head)
    for array in arrays.values():
        stream.write(array.reshape(-1).view(np.uint8).data)
    stream.flush()


def receive(stream: BinaryIO) -> Message:
    """Read a message.

    Raises
    ------
    EOFError
        Nobody writes.
    ValueError
        What was read is no message.
    """
    length = int.from_bytes(_read(stream, _LENGTH_BYTES), "little")
    settings, layout = json.loads(_read(stream, length))
    arrays = {}
    for name, kind, shape in layout:
        if kind not in _KINDS:
            raise ValueError(f"a message cannot hold an array of {kind!r}")
        data = _read(stream, np.dtype(kind).itemsize * math.prod(shape))
        arrays[name] = np.frombuffer(data, kind).reshape(shape)
    return Message(settings, arrays)


def _read(stream: BinaryIO, size: int) -> bytearray:
    """Return exactly so many bytes."""
    data = bytearray(size)
    view = memoryview(data)
    while view:
        count = stream.readinto(view)  # type: ignore[attr-defined]
        if not count:
            raise EOFError("the other side of the pipe is closed")
        view = view[count:]
    return data
