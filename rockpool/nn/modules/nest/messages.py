"""Messages between processes: settings as JSON, arrays as their bytes. Nothing is pickled.

The layout of the arrays is JSON as well. `numpy.lib.format` has a parser for its headers that takes
0.2 ms an array: with the 25 arrays that a call sends and gets, a small layer would take twice as
long. It reads pipes by copying small pieces, too, and large arrays take 1.3 times as long.
"""

import json
import math
from io import RawIOBase
from typing import Any, NamedTuple

import numpy as np

_LENGTH_BYTES = 8
# Inputs times time steps of a run. NEST needs about 2 KiB for each, and more time for each the more
# there are: 400 images with 128 inputs in 40 steps took 4.3 GB at once, and take 0.26 GB so.
_MOST_INPUT_STEPS = 1 << 16
# What an array may hold, by the name that numpy gives it on this machine.
_KINDS = frozenset(np.dtype(kind).str for kind in ("float64", "int32", "int64"))


class Message(NamedTuple):
    """Settings (numbers, text, lists and dicts of them), and arrays by name.

    The arrays are of float64, int32 or int64.
    """

    settings: dict[str, Any]
    arrays: dict[str, np.ndarray]


def groups(n_batch: int, n_steps: int, n_inputs: int) -> list[slice]:
    """Return the batch elements of each run: as many as NEST simulates well together."""
    size = max(1, _MOST_INPUT_STEPS // (n_steps * n_inputs))
    return [slice(first, first + size) for first in range(0, n_batch, size)]


def events(name: str, x: np.ndarray) -> dict[str, np.ndarray]:
    """Return what is not 0 in data (B, T, N), sorted by channel: mostly far less than all.

    ``<name>_channel`` (of all batch elements, one element after the other), ``<name>_step`` and
    ``<name>_value``, all of the same length.
    """
    batch, step, channel = np.nonzero(x)
    value = x[batch, step, channel]
    channel = batch * x.shape[2] + channel
    order = np.argsort(channel, kind="stable")
    return {
        f"{name}_channel": channel[order].astype(np.int32),
        f"{name}_step": step[order].astype(np.int32),
        f"{name}_value": value[order],
    }


def send(stream: RawIOBase, message: Message) -> None:
    """Write a message; `OSError` if nobody reads.

    The stream has no buffer, and so no lock that a fork of this process might wait for.
    """
    arrays = {name: np.ascontiguousarray(array) for name, array in message.arrays.items()}
    layout = [[name, array.dtype.str, array.shape] for name, array in arrays.items()]
    head = json.dumps([message.settings, layout]).encode()
    _write(stream, memoryview(len(head).to_bytes(_LENGTH_BYTES, "little") + head))
    for array in arrays.values():
        _write(stream, array.reshape(-1).view(np.uint8).data)


def receive(stream: RawIOBase) -> Message:
    """Read a message; `EOFError` if nobody writes, `ValueError` if what was read is no message."""
    length = int.from_bytes(_read(stream, _LENGTH_BYTES), "little")
    settings, layout = json.loads(_read(stream, length))
    arrays = {}
    for name, kind, shape in layout:
        if kind not in _KINDS:
            raise ValueError(f"a message cannot hold an array of {kind!r}")
        data = _read(stream, np.dtype(kind).itemsize * math.prod(shape))
        arrays[name] = np.frombuffer(data, kind).reshape(shape)
    return Message(settings, arrays)


def _write(stream: RawIOBase, data: memoryview) -> None:
    """Write all of it: the system may take less at a time."""
    while data:
        data = data[stream.write(data) or 0 :]


def _read(stream: RawIOBase, size: int) -> bytearray:
    """Return exactly so many bytes."""
    data = bytearray(size)
    view = memoryview(data)
    while view:
        count = stream.readinto(view)
        if not count:
            raise EOFError("the other side of the pipe is closed")
        view = view[count:]
    return data
