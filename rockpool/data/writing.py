"""Recordings into files: `write`."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Callable
from typing import IO, Any

import numpy as np

from rockpool.data.libraries import need_library
from rockpool.data.recording import Recording
from rockpool.utilities._atomic import check_path, replacing

__all__ = ["write"]


def write(recording: Recording, path: str | os.PathLike[str], *, format: str | None = None) -> None:
    """Write a recording to a file, whole or not at all.

    A ``.npz`` keeps all that is known. A ``.csv`` has the events with a line of names that says the
    unit, and the size of the sensor or the number of channels. SONATA has channels, those of a
    sensor too, in the order of their times. AEDAT4 has the events of a sensor, in whole
    microseconds and in the order of their times.

    Parameters
    ----------
    recording : Recording
        What is written.
    path : str or path
        The file.
    format : str, optional
        "npz", "csv", "sonata" or "aedat4". Default: by the ending, .npz, .csv, .h5 or .aedat4.

    Raises
    ------
    TypeError
        `recording` is none, or the JSON of a ``.npz`` cannot hold its `info`.
    ValueError
        No such format; or the format cannot hold the recording.
    ModuleNotFoundError
        The library that the format needs is missing; the message says how to get it.
    OSError
        The file cannot be written. One that was there is as before.
    """
    name = check_path("write", path, "path")
    if not isinstance(recording, Recording):
        raise TypeError(f"write: recording must be a Recording, got {recording!r:.100}")
    ending = os.path.splitext(name)[1].lower()
    wanted = _ENDINGS.get(ending, "") if format is None else format
    if wanted not in _WRITERS:
        given = f"the ending {ending!r}" if format is None else repr(format)
        raise ValueError(f"write: format must be one of {', '.join(_WRITERS)}, got {given}")
    library, writer = _WRITERS[wanted]
    if library:
        need_library(name, library, f"{wanted} is written by {library}")
    buffer = io.BytesIO()
    writer(recording, buffer)
    with replacing(name, "wb") as file:
        file.write(buffer.getbuffer())


def _npz(recording: Recording, file: IO[bytes]) -> None:
    said = {
        "unit": recording.unit,
        "sensor_size": recording.sensor_size,
        "n_channels": recording.n_channels,
        "time_origin": recording.time_origin,
        "t_stop": recording.t_stop,
        "info": recording.info,
    }
    text = json.dumps(said, allow_nan=False).encode()
    names = recording.events.dtype.names or ()
    arrays: dict[str, Any] = {name: recording.events[name] for name in names}
    np.savez_compressed(file, **arrays, recording=np.frombuffer(text, np.uint8))


def _csv(recording: Recording, file: IO[bytes]) -> None:
    names = [f"t_{recording.unit}", "channel"]
    if recording.sensor_size is not None:
        height, width = recording.sensor_size
        names = [names[0], f"x@{width}", f"y@{height}", "p"]
    elif recording.n_channels > 1 + recording.events["channel"].max(initial=-1):  # silent ones
        names[1] += f"@{recording.n_channels}"
    file.write((",".join(names) + "\n").encode())
    np.savetxt(file, recording.events, fmt="%d", delimiter=",")


def _sonata(recording: Recording, file: IO[bytes]) -> None:
    from rockpool.data.formats import sonata

    sonata.write(recording, file)


def _aedat4(recording: Recording, file: IO[bytes]) -> None:
    from rockpool.data.formats import aedat4_writing

    aedat4_writing.write(recording, file)


# By format: the library, and the function that writes into an open file
_WRITERS: dict[str, tuple[str, Callable[[Recording, IO[bytes]], None]]] = {
    "npz": ("", _npz),
    "csv": ("", _csv),
    "sonata": ("h5py", _sonata),
    "aedat4": ("dv_processing", _aedat4),
}
_ENDINGS = {".npz": "npz", ".csv": "csv", ".h5": "sonata", ".hdf5": "sonata", ".aedat4": "aedat4"}
