"""Recordings for the commands: what is in a file, and the input of a network that it makes."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from rockpool.cli._output import CommandError, in_json, paint, table, tell
from rockpool.cli._requirements import need, require_regular

if TYPE_CHECKING:
    from numpy import ndarray
else:  # for those who check annotations at run time
    ndarray = Any

__all__ = ["holds_events", "recorded_input", "recording_format", "shown_recording"]

_MAX_BYTES = 2**34


def recording_format(path: str) -> str | None:
    """Return the format of a recording in a file; None for a network, or what cannot be told."""
    require_regular(path)
    try:
        with open(path, "rb") as file:
            if file.read(9)[8:] == b"{":  # the length of a table, then the table: a network
                return None
        need("numpy", "recordings are read with numpy")
        from rockpool.data.recognising import format_of

        return format_of(path)
    except OSError:
        return None  # whoever reads the network says what is wrong
    except ValueError as error:
        raise CommandError(str(error)) from error
    except ModuleNotFoundError as error:
        raise CommandError(str(error)) from error


def holds_events(path: str, ending: str) -> bool:
    """Return whether a .npy, .npz or .csv has events in columns, and not an array."""
    import numpy as np

    if ending == ".csv":
        with open(path, encoding="utf-8-sig", errors="replace") as file:
            first = file.readline(10_000)
        try:
            float(first.partition(",")[0] or "0")
        except ValueError:
            return True
        return False
    if ending == ".npy":
        with open(path, "rb") as file:
            if np.lib.format.read_magic(file) != (1, 0):
                return False
            return np.lib.format.read_array_header_1_0(file)[2].names is not None
    from rockpool.data.formats.columns import is_time

    with open(path, "rb") as binary, np.load(binary, allow_pickle=False) as arrays:
        return "input" not in arrays.files and any(map(is_time, arrays.files))


def recorded_input(path: str, channels: int | None, dt: float) -> ndarray:
    """Return the input (B, T, N) that the recordings in a file make, as long as the longest."""
    import numpy as np

    from rockpool.data import read_samples
    from rockpool.data.recognising import FORMATS, format_of

    rasters: list[ndarray] = []
    longest = 0
    try:
        format = format_of(path)
        # What tells the number of its channels by its events alone may end in silent ones
        counted = format in FORMATS and format not in ("npz", "shd")
        takes = counted and "n_channels" in FORMATS[str(format)].options.split()
        options = {"n_channels": channels} if takes else {}
        with _warnings_told():
            for recording in read_samples(path, format=format, **options):
                if channels not in (None, recording.n_channels):
                    raise CommandError(
                        f"{path!r} has {recording.n_channels} channels, the network takes "
                        f"{channels}"
                    )
                rasters.append(recording.raster(dt, dtype=np.float32))
                longest = max(longest, len(rasters[-1]))
                if (len(rasters) + 1) * longest * recording.n_channels * 8 > _MAX_BYTES:
                    raise CommandError(
                        f"{path!r} would make an input of more than {_MAX_BYTES // 2**30} GiB; "
                        "read some of it with rockpool.data.read, and keep their rasters in a .npy"
                    )
    except (ValueError, TypeError, ModuleNotFoundError) as error:
        raise _without_arguments(error) from error
    if not rasters:
        raise CommandError(f"there is no recording in {path!r}")
    batch = np.zeros((len(rasters), longest, rasters[0].shape[1]))
    for number, raster in enumerate(rasters):
        batch[number, : len(raster)] = raster
    return batch


def _without_arguments(error: Exception) -> CommandError:
    """Return an error about a recording, with what helps here where it names an argument."""
    told = CommandError.of(error)
    if "time_unit=" in str(error) or "columns=" in str(error):
        told.hint = (
            "Commands take no such arguments: name the columns in the first line, with the unit "
            "of the times, as in t_us,x,y,p"
        )
    return told


@contextmanager
def _warnings_told() -> Iterator[None]:
    """Have warnings about recordings told in a line each, without what to give to a function."""
    from rockpool.data import RecordingWarning

    with warnings.catch_warnings():
        warnings.simplefilter("always", RecordingWarning)
        show = warnings.showwarning

        def told(message: Any, category: type[Warning], *where: Any, **more: Any) -> None:
            if issubclass(category, RecordingWarning):
                tell(str(message).removeprefix("Recording: ").partition("; give ")[0] + "\n")
            else:
                show(message, category, *where, **more)

        warnings.showwarning = told
        yield


def shown_recording(path: str, format: str, as_json: bool) -> str:
    """Return what `rockpool show` says of a recording."""
    from rockpool.data import read_samples
    from rockpool.data.recognising import FORMATS

    try:
        with _warnings_told():
            recordings = [_facts(recording) for recording in read_samples(path, format=format)]
        size = os.stat(path).st_size
    except (ValueError, TypeError, ModuleNotFoundError) as error:
        raise CommandError.of(error) from error
    except OSError as error:
        raise CommandError(f"cannot read {path!r}: {error.strerror or error}") from error
    words = FORMATS[format].words
    if as_json:
        return in_json({"file": path, "format": words, "bytes": size, "recordings": recordings})
    head = f"{paint(path, 'bold')}  {size:,} bytes, {words}\n\n"
    rows = [
        (
            str(number),
            f"{facts['events']:,}",
            " x ".join(map(str, facts["sensor_size"] or [facts["channels"]])),
            f"{facts['first']:.6g}" if facts["events"] else "",
            f"{facts['last']:.6g}" if facts["events"] else "",
            ", ".join(f"{name} {value}" for name, value in facts["info"].items()),
        )
        for number, facts in enumerate(recordings)
    ]
    place = "SENSOR" if recordings and recordings[0]["sensor_size"] else "CHANNELS"
    header = ("RECORDING", "EVENTS", place, "FROM (s)", "TO (s)", "KNOWN BESIDES")
    return head + table(header, rows, right=(0, 1, 2, 3, 4))


def _facts(recording: Any) -> dict[str, Any]:
    """Return what is shown of one recording, as plain values."""
    times = recording.times
    return {
        "events": len(recording),
        "sensor_size": recording.sensor_size,
        "channels": recording.n_channels,
        "first": float(times.min()) if len(times) else None,
        "last": float(times.max()) if len(times) else None,
        "t_stop": recording.t_stop,
        "unit": recording.unit,
        "info": {
            name: value
            for name, value in recording.info.items()
            if name not in ("sample", "samples")
        },
    }
