"""Recordings out of files: `read` for the one in a file, `read_samples` for all of them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from typing import Any

from rockpool.backends.plain_text import said_by
from rockpool.data.libraries import need_library
from rockpool.data.recognising import FORMATS, Format, format_of
from rockpool.data.recording import Recording
from rockpool.files.tensors import FileFormatError
from rockpool.utilities._atomic import check_path

__all__ = ["read", "read_samples"]

Path = str | os.PathLike[str]


def read(
    path: Path,
    *,
    format: str | None = None,
    sample: int | None = None,
    sensor_size: tuple[int, int] | None = None,
    n_channels: int | None = None,
    time_unit: str | None = None,
    columns: str | Sequence[str] | None = None,
    flip_y: bool | None = None,
    population: str | None = None,
    stream: int | None = None,
    version: int | None = None,
    first_id: int | None = None,
    resolution: float | int | None = None,
    dt: float | int | None = None,
    layout: str | None = None,
) -> Recording:
    """Read the events of a sensor, or the spikes of neurons, from a file.

    Which format it is of is seen by what is in it, not by its name; the ending counts for N-MNIST
    alone, whose files begin with the first event. Nothing in the file is run or unpickled, and what
    it says is checked: it may come from anywhere.

    Parameters
    ----------
    path : str or path
        The file.
    format : str, optional
        "aedat4", "evt2", "evt3", "dat", "nmnist", "es", "shd", "sonata", "nest", "nix", "mat",
        "neo_text", "csv", "npy" or "npz". Default: found out.
    sample : int, optional
        Which recording of a file that has several (SHD, NIX, rasters), from 0. Default: the only
        one; `read_samples` goes over all.
    sensor_size : tuple of int, optional
        Height and width of the sensor. Default: what the file says; where it says nothing, as
        large as the events need.
    n_channels : int, optional
        Number of channels (SHD, SONATA, NEST, CSV, numpy). Default: what the file says; else as
        many as the events need, or 700 for SHD.
    time_unit : str, optional
        "s", "ms", "us" or "ns" (CSV, SONATA, numpy). Default: what the file says, and microseconds
        for whole numbers without a unit.
    columns : str or sequence of str, optional
        The names of the columns of a CSV that has no line of names, as "t,x,y,p".
    flip_y : bool, optional
        Whether to turn the rows of an Event Stream over: its writers do not agree whether they
        count from below. Default: False, the numbers of the file.
    population : str, optional
        Which one of SONATA. Default: the only one.
    stream : int, optional
        Which stream of events of AEDAT4. Default: the only one.
    version : int, optional
        1 or 2, for a DAT that does not say it.
    first_id : int, optional
        The neuron of NEST that becomes channel 0. Default: 1, as NEST counts.
    resolution : float, optional
        The time step of the simulation in seconds, for a recording of NEST in time steps.
    dt : float, optional
        Length of a time bin in seconds, for rasters of numpy. Default: 0.001.
    layout : str, optional
        The axes of a raster of numpy: "TN" or "NT", "BTN" or "BNT", "TPYX". Default: the first.

    Returns
    -------
    Recording
        The events, none left out and in the order of the file. Times are microseconds, or
        nanoseconds for spikes; what the file stores more finely is rounded to them.

    Raises
    ------
    FileFormatError
        A ValueError: the file is none of these, is damaged, cut or of a version that is not read;
        or it leaves open what an argument has to say.
    ValueError, TypeError
        An argument is not one for this format, or there is no such sample, population or stream.
    ModuleNotFoundError
        The library that the format needs is missing; the message says how to get it.
    OSError
        The file cannot be read.

    Warns
    -----
    RecordingWarning
        Events without a time are left out, or times cannot be as they were.

    Examples
    --------
    >>> from rockpool.data import read
    >>> recording = read("gesture.raw")                          # doctest: +SKIP
    >>> recording.raster(1e-3, sensor=True).shape                # doctest: +SKIP
    (1842, 2, 720, 1280)
    """
    options = {name: value for name, value in locals().items() if name not in ("path", "format")}
    found = read_samples(path, format=format, **options)
    recording = next(found, None)
    if recording is None:
        raise FileFormatError(f"{os.fspath(path)}: there is no recording in it")
    n_samples = recording.info.get("samples", 1)
    if sample is None and n_samples > 1:
        raise FileFormatError(
            f"{os.fspath(path)}: it has {n_samples} recordings; give sample, from 0 to "
            f"{n_samples - 1}, or use read_samples"
        )
    return recording


def read_samples(path: Path, *, format: str | None = None, **options: Any) -> Iterator[Recording]:
    """Go over all recordings in a file, one after the other.

    Parameters
    ----------
    path : str or path
        The file.
    format, **options
        As for `read`.

    Yields
    ------
    Recording
        The next one.

    Raises
    ------
    FileFormatError, ValueError, TypeError, ModuleNotFoundError, OSError
        As for `read`, and some of them not before the recording at fault.
    """
    name = check_path("read", path, "path")
    found = format
    if found is None:
        with _naming(name):
            found = format_of(name)
    elif found not in FORMATS:
        raise ValueError(f"read: format must be one of {', '.join(FORMATS)}, got {found!r}")
    else:
        os.close(os.open(name, os.O_RDONLY))  # says as Python does that there is no such file
    if found is None:
        raise FileFormatError(
            f"{name}: it is no recording of a format that is read: "
            + ", ".join(entry.words for entry in FORMATS.values())
        )
    given = _for_format(found, options)
    reader = _reader(name, FORMATS[found])
    return _all_of(name, reader, given)


def _for_format(name: str, options: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments that were given, all of which have to be for this format."""
    known = FORMATS[name].options.split()
    given = {key: value for key, value in options.items() if value is not None}
    if given.get("sample") == 0 and "sample" not in known:
        del given["sample"]
    for key in given:
        if key not in known:
            words = f"takes {', '.join(known)}" if known else "takes none of them"
            raise TypeError(f"read: {key} is not for {FORMATS[name].words}, which {words}")
    size = given.get("sensor_size")
    if size is not None and not (
        isinstance(size, Sequence)
        and len(size) == 2
        and all(isinstance(length, int) and 1 <= length <= 2**15 for length in size)
    ):
        raise ValueError(
            f"read: sensor_size must be height and width, from 1 to 32768, got {size!r}"
        )
    return given


def _reader(path: str, format: Format) -> Callable[..., Iterator[Recording]]:
    """Return the function that reads a format, with the libraries that it needs."""
    for library in format.libraries.split():
        need_library(path, library, f"{format.words} is read by {library}")
    module, _, function = format.module.partition(":")
    found = import_module(f"rockpool.data.formats.{module}")
    reader: Callable[..., Iterator[Recording]] = getattr(found, function or "read")
    return reader


def _all_of(
    path: str, reader: Callable[..., Iterator[Recording]], options: dict[str, Any]
) -> Iterator[Recording]:
    with _naming(path):
        yield from reader(path, **options)


@contextmanager
def _naming(path: str) -> Iterator[None]:
    """Whatever goes wrong with a file inside names it; a library's own errors are damage."""
    try:
        yield
    except (FileFormatError, ModuleNotFoundError, MemoryError, Warning):
        raise
    except BaseException as error:
        # pyo3 raises what Rust panics about past `except Exception`
        if not isinstance(error, Exception) and type(error).__name__ != "PanicException":
            raise
        if isinstance(error, OSError) and error.filename is not None:
            raise
        ours = ("read:", f"{path}:")
        if isinstance(error, (ValueError, TypeError)) and str(error).startswith(ours):
            raise
        raise FileFormatError(f"{path}: it cannot be read: {said_by(error)}") from error
