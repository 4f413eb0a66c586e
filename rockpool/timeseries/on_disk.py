"""Time series in files: `load_ts_from_file`, and `TSDictOnDisk`, a dict of them."""

from __future__ import annotations

import os
import shutil
import weakref
import zipfile
from collections.abc import Iterator, Mapping, MutableMapping
from os import PathLike
from tempfile import mkdtemp
from typing import Any

import numpy as np

from rockpool.backends.plain_text import said_by
from rockpool.utilities._atomic import check_path

from .continuous import TSContinuous
from .events import TSEvent
from .series import TimeSeries
from .series_file import ARRAYS, with_ending, write

__all__ = ["TSDictOnDisk", "load_ts_from_file"]

_CLASSES = {kind.__name__: kind for kind in (TSContinuous, TSEvent, TimeSeries)}


def load_ts_from_file(path: str | PathLike[str], expected_type: Any = None) -> Any:
    """Read a series from a file that its ``save`` wrote.

    Parameters
    ----------
    path : str or path
        The file; ``.npz`` is appended where it is missing.
    expected_type : class or str, optional
        What the series has to be, such as `TSEvent` or ``"TSEvent"``. Default: any.

    Returns
    -------
    TSContinuous or TSEvent
        The series.

    Raises
    ------
    FileNotFoundError
        There is no such file.
    ValueError
        It is no such file, or not whole.
    TypeError
        The series is of another type than expected.
    """
    text = check_path("load_ts_from_file", path, "path")
    text = text if os.path.exists(text) else with_ending(text)
    try:
        with open(text, "rb") as opened, np.load(opened, allow_pickle=False) as file:
            values = {name: file[name] for name in file.files}
    except (zipfile.BadZipFile, EOFError, AttributeError, ValueError, KeyError) as error:
        raise ValueError(f"{text} is not a file of a time series: {said_by(error)}") from error
    kind = str(values.pop("type", ""))
    if kind not in _CLASSES or not {"times", *ARRAYS[kind]} <= values.keys():
        raise ValueError(f"{text} is not a file of a time series, it has {sorted(values)}")
    if expected_type is not None and kind != getattr(expected_type, "__name__", expected_type):
        wanted = getattr(expected_type, "__name__", expected_type)
        raise TypeError(f"{text} must have a {wanted}, but it has a {kind}")
    plain = {name: value.item() if value.ndim == 0 else value for name, value in values.items()}
    try:
        return _CLASSES[kind](**plain)
    except TypeError as error:
        raise ValueError(f"{text} is not a file of a time series: {said_by(error)}") from error


class TSDictOnDisk(MutableMapping[str, TimeSeries]):
    """A dict of time series that are in files, and not in memory, while nobody looks at them.

    The files are in a folder of their own, which is removed with the dict. A series that was looked
    up and changed has to be assigned again.

    Parameters
    ----------
    data : mapping, optional
        Series by name. Default: none.

    Examples
    --------
    >>> kept = TSDictOnDisk({"spikes": TSEvent([0.1], [0], t_stop=1.0)})
    >>> kept["spikes"].times
    array([0.1])
    """

    def __init__(self, data: Mapping[str, TimeSeries] | None = None) -> None:
        self._folder = mkdtemp(prefix="rockpool-series-")
        weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)
        self._files: dict[str, str] = {}
        self._made = 0
        self.update(data or {})

    def __reduce__(self) -> Any:
        # a copy, also one that was pickled, has files of its own
        return type(self), (dict(self),)

    def __getitem__(self, key: str) -> Any:
        return load_ts_from_file(self._files[key])

    def __setitem__(self, key: str, value: TimeSeries) -> None:
        if not isinstance(value, TimeSeries):
            raise TypeError(f"TSDictOnDisk: {key!r} must be a time series, got {value!r}")
        path = self._files.get(key)
        if path is None:
            path = os.path.join(self._folder, f"{self._made}.npz")
            self._made += 1
        write(value, path)
        self._files[key] = path

    def __delitem__(self, key: str) -> None:
        os.unlink(self._files.pop(key))

    def __iter__(self) -> Iterator[str]:
        return iter(self._files)

    def __len__(self) -> int:
        return len(self._files)

    def __repr__(self) -> str:
        return f"TSDictOnDisk with {', '.join(map(repr, self._files)) or 'nothing'}"

    def insert_many(self, **data: TimeSeries) -> None:
        """Add several series, by name."""
        self.update(data)
