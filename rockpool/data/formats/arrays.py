"""numpy's own files: ``.npy`` with events or a raster, ``.npz`` with columns, events or a raster.

Nothing is unpickled. The archive that `rockpool.data.write` makes has the columns, and besides them
``recording``, what else is known as JSON.
"""

from __future__ import annotations

import io
import math
import os
import zipfile
from collections.abc import Iterator, Mapping
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from rockpool.data.formats.columns import Columns, events_of
from rockpool.data.formats.rasters import recordings_of
from rockpool.data.recording import Recording
from rockpool.files.tensors import FileFormatError, parse_json, shown

__all__ = ["load_npy", "load_npz", "read_npy", "read_npz"]

_MAX_NAMES = 64
_SAID = "recording"


def read_npy(path: str, **options: Any) -> Iterator[Recording]:
    """Read a ``.npy``; the options are those of `read_npz`."""
    yield from _recordings(path, load_npy(path), {}, "npy", options)


def read_npz(path: str, **options: Any) -> Iterator[Recording]:
    """Read a ``.npz``.

    Parameters
    ----------
    path : str
        The file.
    time_unit : str, optional
        s, ms, us or ns, for columns. Default: what the name of the column says, else us for whole
        numbers.
    sensor_size : tuple of int, optional
        Height and width, for columns with x and y. Default: as large as the events need.
    n_channels : int, optional
        For columns with channels. Default: as many as the events need.
    dt, layout, sample
        For rasters, as in `recordings_of`.
    """
    arrays = load_npz(path)
    said = _said(path, arrays.pop(_SAID, None))
    one = next(iter(arrays.values()), None) if len(arrays) == 1 else arrays.get("input")
    yield from _recordings(path, arrays if one is None else one, said, "npz", options)


def _recordings(
    path: str, array: Any, said: Mapping[str, Any], format: str, options: Mapping[str, Any]
) -> Iterator[Recording]:
    """Go over the recordings in an array, or in columns by name."""
    names = tuple(array) if isinstance(array, dict) else array.dtype.names
    for_rasters = {name: options[name] for name in ("dt", "layout", "sample") if name in options}
    if names is None:
        others = sorted(options.keys() - for_rasters.keys())
        if others:
            raise ValueError(f"{path}: it holds a raster, for which there is no {others[0]}")
        yield from recordings_of(path, array, format=format, **for_rasters)
        return
    if for_rasters:
        raise ValueError(f"{path}: it holds events, for which there is no {min(for_rasters)}")
    columns = Columns(path, names)
    arrays = {role: array[names[place]] for role, place in columns.place.items()}
    if len({values.shape for values in arrays.values()}) > 1 or arrays["t"].ndim != 1:
        shapes = ", ".join(f"{role} {values.shape}" for role, values in arrays.items())
        raise FileFormatError(f"{path}: its columns must be as long as each other, got {shapes}")
    events, unit = events_of(path, columns, arrays, options.get("time_unit") or said.get("unit"))
    known = {name: said[name] for name in ("time_origin", "t_stop", "info") if name in said}
    size = options.get("sensor_size") or said.get("sensor_size")
    n_channels = options.get("n_channels", said.get("n_channels"))
    yield Recording(
        events,
        unit=unit,
        sensor_size=size if columns.is_sensor else None,
        n_channels=columns.channels_or(n_channels),
        source=path,
        format=format,
        **known,
    )


def _said(path: str, array: NDArray[Any] | None) -> dict[str, Any]:
    """Return what the writer of this package said of the recording."""
    if array is None:
        return {}
    if array.dtype != np.uint8:
        raise FileFormatError(f"{path}: {_SAID} must be a text, got {array.dtype}")
    said = parse_json(path, "its description", array.tobytes())
    size = said.get("sensor_size") if isinstance(said, dict) else ()
    if (
        not isinstance(said, dict)
        or said.get("unit") not in ("us", "ns")
        or not (size is None or (isinstance(size, list) and _are_counts(size)))
        or not _are_counts([said.get("n_channels", 0)])
        or type(said.get("time_origin", 0)) is not int
        or not isinstance(said.get("t_stop"), float | int | None)
        or not isinstance(said.get("info", {}), dict)
    ):
        raise FileFormatError(f"{path}: its description says what cannot be")
    return {name: value for name, value in said.items() if value is not None}


def _are_counts(values: list[Any]) -> bool:
    return all(type(value) is int and 0 <= value < 2**53 for value in values)


def load_npy(path: str) -> NDArray[Any]:
    """Return the array of a ``.npy``."""
    with open(path, "rb") as file:
        return _array(path, os.path.basename(path), file, os.stat(path).st_size)


def load_npz(path: str) -> dict[str, NDArray[Any]]:
    """Return the arrays of a ``.npz`` by name."""
    arrays = {}
    with zipfile.ZipFile(path) as archive:
        members = archive.infolist()
        if len(members) > _MAX_NAMES:
            raise FileFormatError(f"{path}: it has {len(members)} arrays, at most {_MAX_NAMES}")
        for member in members:
            name = member.filename.removesuffix(".npy")
            # What the archive says of a member's size is checked only at its end
            with archive.open(member) as packed:
                data = packed.read(member.file_size + 1)
            arrays[name] = _array(path, name, io.BytesIO(data), len(data))
    if not arrays:
        raise FileFormatError(f"{path}: there is no array in it")
    return arrays


def _array(path: str, name: str, file: IO[bytes], size: int) -> NDArray[Any]:
    """Return an array of numpy's format, if all of it is there and no object is in it."""
    version = np.lib.format.read_magic(file)
    if version not in ((1, 0), (2, 0)):
        raise FileFormatError(f"{path}: {shown(name)} has the version {version} of numpy's format")
    reader = np.lib.format.read_array_header_1_0
    if version == (2, 0):
        reader = np.lib.format.read_array_header_2_0
    shape, in_columns, dtype = reader(file)
    if dtype.hasobject:
        raise FileFormatError(f"{path}: {shown(name)} holds objects of Python, which are not read")
    n_bytes = math.prod(shape) * dtype.itemsize
    if n_bytes != size - file.tell() or any(length < 0 for length in shape):
        raise FileFormatError(
            f"{path}: {shown(name)} must have {n_bytes} bytes, and has {size - file.tell()}: it "
            "has been cut or damaged"
        )
    array = np.frombuffer(file.read(), dtype)
    return array.reshape(shape, order="F" if in_columns else "C")
