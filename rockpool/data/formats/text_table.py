"""Events in a table of text (CSV): one event a line, columns by the names in the first line.

Columns are told by their names, in any order, and others are passed over; between them stand
commas, semicolons, tabs or blanks, and names and values may be in quotation marks. Lines that begin
with ``#`` or ``%`` before the names are left out. A line with more fields than there are names is
refused: nobody knows which of them has none.
"""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rockpool.backends.plain_text import said_by
from rockpool.data.formats.columns import Columns, events_of
from rockpool.data.recording import Recording
from rockpool.files.tensors import FileFormatError, shown

__all__ = ["Table", "read", "read_table"]

_EXACT = 2.0**53  # floats have all whole numbers below; this one may be another, rounded


class Table:
    """The lines of a text, and the names of its columns."""

    def __init__(self, path: str, names: Sequence[str], delimiter: str | None, body: str) -> None:
        self.path = path
        self.names = [name.strip() for name in names]
        self._delimiter = delimiter
        self._body = _unquoted(body, delimiter) if '"' in body else body
        self._checked = False

    def column(self, number: int) -> NDArray[Any]:
        """Return a column, of floats where all of it is numbers, else of text."""
        try:
            return self._loaded(number, np.float64)
        except FileFormatError:
            return self._loaded(number, np.dtype("U8"))

    def numbers(self, places: Sequence[int]) -> NDArray[np.float64]:
        """Return some columns, which have to be numbers, (columns, lines)."""
        try:
            return self._loaded(list(places), np.float64).reshape(-1, len(places)).T
        except FileFormatError:
            self._refuse_words(places)
            raise

    def whole(self, place: int) -> NDArray[np.int64] | None:
        """Return a column of whole numbers, exactly; None if they are others, or too large."""
        with warnings.catch_warnings():
            warnings.simplefilter("error", DeprecationWarning)  # numpy goes by way of floats
            try:
                return self._loaded(place, np.int64)
            except (FileFormatError, DeprecationWarning, OverflowError):
                return None

    def _loaded(self, columns: Any, dtype: Any) -> NDArray[Any]:
        if not self._body.strip():
            return np.empty(0, dtype=np.float64)
        self._check_fields()
        try:
            return np.loadtxt(
                io.StringIO(self._body),
                dtype=dtype,
                delimiter=self._delimiter,
                comments=None,
                usecols=columns,
                ndmin=1,
            )
        except ValueError as error:
            raise FileFormatError(f"{self.path}: after the names: {said_by(error)}") from error

    def _refuse_words(self, places: Sequence[int]) -> None:
        """Refuse the first field of these columns that is no number."""
        for number, line in enumerate(self._body.splitlines()):
            fields = line.split(self._delimiter)
            for place in (place for place in places if place < len(fields) and line.strip()):
                if not _is_number(fields[place]):
                    raise FileFormatError(
                        f"{self.path}: line {number + 1} after the names: "
                        f"{shown(self.names[place])} must be a number, got "
                        f"{shown(fields[place].strip())}"
                    )

    def _check_fields(self) -> None:
        """Refuse a line that has more fields than there are names; an empty one may be the last."""
        if self._checked:
            return
        sign, most = self._delimiter, len(self.names)
        for number, line in enumerate(self._body.splitlines()):
            n_fields = len(line.split()) if sign is None else line.count(sign) + 1
            if sign is not None and line.rstrip(" ").endswith(sign):
                n_fields -= 1
            if n_fields > most:
                raise FileFormatError(
                    f"{self.path}: line {number + 1} after the names has {n_fields} fields, for "
                    f"{most} names: {shown(line)}"
                )
        self._checked = True


def read_table(path: str, names: str | Sequence[str] | None = None) -> Table:
    """Return the table in a text file; `names` are those of a file without a line of names."""
    with open(path, "rb") as file:
        data = file.read()
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise FileFormatError(f"{path}: it is no text in UTF-8") from error
    if "\0" in text:
        raise FileFormatError(f"{path}: it is no text")
    first, begin = "", 0
    while begin < len(text):
        end = text.find("\n", begin) + 1 or len(text)
        first = text[begin:end].rstrip("\r\n")  # what it begins with may be an empty name and a tab
        if first.strip() and first.strip()[0] not in "#%":
            break
        first, begin = "", end
    if not first:
        raise FileFormatError(f"{path}: there is no line in it")
    delimiter = next((sign for sign in ",;\t" if sign in first.strip()), None)
    split = first.split(delimiter)
    if names is None:
        if _is_number(split[0].strip(" \"'")):
            raise FileFormatError(
                f"{path}: its first line must have the names of the columns, got "
                f"{shown(first)}; or give columns='t,x,y,p'"
            )
        return Table(path, split, delimiter, text[end:])
    named = names.replace(",", " ").split() if isinstance(names, str) else list(names)
    if len(named) != len(split):
        raise FileFormatError(
            f"{path}: columns are {', '.join(named)}, and it has {len(split)} of them"
        )
    return Table(path, named, delimiter, text[begin:])


def read(
    path: str,
    *,
    sensor_size: tuple[int, int] | None = None,
    time_unit: str | None = None,
    columns: str | Sequence[str] | None = None,
    n_channels: int | None = None,
) -> Iterator[Recording]:
    """Read a file.

    Parameters
    ----------
    path : str
        The file.
    sensor_size : tuple of int, optional
        Height and width in pixels. Default: what the names say, or as large as the events need.
    time_unit : str, optional
        s, ms, us or ns. Default: what the name of the column says, else us for whole numbers.
    columns : str or sequence of str, optional
        The names of the columns of a file that has none. Default: in its first line.
    n_channels : int, optional
        Number of channels, where events have one. Default: what the names say, as ``channel@20``,
        else as many as the events need.
    """
    table = read_table(path, columns)
    found = Columns(path, table.names)
    try:
        values = table.numbers(list(found.place.values()))
        arrays: dict[str, NDArray[Any]] = dict(zip(found.place, values, strict=True))
    except FileFormatError:  # polarities may be words
        arrays = {
            name: table.column(place) if name == "p" else table.numbers([place])[0]
            for name, place in found.place.items()
        }
    times = arrays["t"]
    if times.dtype.kind == "f" and times.size and np.abs(times).max() >= _EXACT:
        exact = table.whole(found.place["t"])
        arrays["t"] = times if exact is None else exact
    events, unit = events_of(path, found, arrays, time_unit)
    yield Recording(
        events,
        unit=unit,
        sensor_size=sensor_size or found.sensor_size,
        n_channels=found.channels_or(n_channels),
        source=path,
        format="csv",
    )


def _unquoted(body: str, delimiter: str | None) -> str:
    """Return lines without the quotation marks around fields that have nothing else to hide."""
    signs = delimiter or r" \t"
    field = rf'(^|[{signs}]) *"([^"{signs}\r\n]+)" *(?=[{signs}\r\n]|$)'
    return re.sub(field, r"\1\2", body, flags=re.MULTILINE)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
