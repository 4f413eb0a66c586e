"""EVT3, a raw format of Prophesee's cameras: words of 16 bits, each of which changes one thing.

The upper four bits of a word say what it is: a row (0x0), a pixel with its polarity (0x2), the
first column of a vector (0x3), a vector of 12 or 8 pixels (0x4, 0x5), the lower (0x6) or the upper
(0x8) 12 bits of the time in microseconds. Triggers and other words (0x7, 0xA, 0xE, 0xF) are passed
over. A time that starts again from 0, after 16.8 s, is found wherever no more than 16.5 s lie
between two upper parts; a repeated upper part leaves the lower one as it is.

Source: Prophesee, EVT 3.0 Format, https://docs.prophesee.ai/stable/data/encoding_formats/evt3.html
"""

import warnings
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rockpool.data.formats.clocks import Counter
from rockpool.data.formats.percent import PercentHeader, read_header
from rockpool.data.recording import SENSOR_EVENT, Recording, RecordingWarning
from rockpool.files.tensors import FileFormatError

__all__ = ["read", "read_words"]

_ROW, _PIXEL, _BASE, _VECTOR_12, _VECTOR_8, _LOW, _HIGH = 0, 2, 3, 4, 5, 6, 8
_WORDS_AT_A_TIME = 2**17
_LAST_COLUMN = 2047
_UNKNOWN = -(2**40)  # a column from which no vector gets to the sensor
# Set bits of a number of 12 bits
_N_BITS = np.array([bin(number).count("1") for number in range(4096)], dtype=np.uint8)


def read(path: str, *, sensor_size: tuple[int, int] | None = None) -> Iterator[Recording]:
    """Read a file.

    Parameters
    ----------
    path : str
        The file.
    sensor_size : tuple of int, optional
        Height and width in pixels. Default: what the header says.
    """
    header, words = read_words(path, np.dtype("<u2"))
    decoder = _Decoder(path)
    events = decoder.decode(words)
    if decoder.n_without_time:
        warnings.warn(
            f"{path}: {decoder.n_without_time} events before the first time and place are left out",
            RecordingWarning,
            stacklevel=4,
        )
    if decoder.n_back:
        warnings.warn(
            f"{path}: the time goes back {decoder.n_back} times; if TIME_HIGH words are missing, "
            "the times cannot be restored",
            RecordingWarning,
            stacklevel=4,
        )
    origin = header.time_origin(path)
    events["t"] += origin
    yield Recording(
        events,
        sensor_size=sensor_size or header.sensor_size(path),
        time_origin=origin,
        source=path,
        format="evt3",
    )


def read_words(path: str, dtype: np.dtype[Any]) -> tuple[PercentHeader, NDArray[Any]]:
    """Return the header of a file, and the words after it."""
    with open(path, "rb") as file:
        header = read_header(file.read(2**16))
        file.seek(header.size)
        data = file.read()
    if len(data) % dtype.itemsize:
        raise FileFormatError(
            f"{path}: it ends within a word of {dtype.itemsize} bytes: it has been cut"
        )
    return header, np.frombuffer(data, dtype)


class _Vectors(NamedTuple):
    """Where the vectors of a piece lie: first column, polarity, and which pixels are set."""

    columns: NDArray[np.int64]
    polarities: NDArray[np.integer]
    pixels: NDArray[np.uint16]


class _Decoder:
    """Goes over the words piece by piece, so that what is at work stays in the cache."""

    def __init__(self, path: str) -> None:
        self.path = path
        # A TIME_HIGH word that goes back by less than a quarter of a second is disorder
        self.clock = Counter(bits=12, tolerance=64)
        self.high = -1
        self.low = 0
        self.row = -1
        self.column = _UNKNOWN
        self.polarity = 0
        self.n_back = 0
        self.n_without_time = 0

    def decode(self, words: NDArray[np.uint16]) -> NDArray[Any]:
        """Return all events."""
        pieces = [
            words[begin : begin + _WORDS_AT_A_TIME]
            for begin in range(0, len(words), _WORDS_AT_A_TIME)
        ]
        events = np.empty(sum(map(_n_events, pieces)), dtype=SENSOR_EVENT)
        done = 0
        for piece in pieces:
            done += self._decode_piece(piece, events[done:])
        return events[:done]

    def _decode_piece(self, words: NDArray[np.uint16], events: NDArray[Any]) -> int:
        """Write the events of a piece to the start of an array, and return how many."""
        kinds = (words >> 12).astype(np.uint8)
        is_event = kinds == _PIXEL
        has_vectors = bool(((kinds >= _BASE) & (kinds <= _VECTOR_8)).any())
        if has_vectors:
            is_event |= (kinds == _VECTOR_12) | (kinds == _VECTOR_8)
        before = np.cumsum(is_event, dtype=np.int32)  # events up to each word
        at = np.flatnonzero(is_event)
        times = self._held(self._times(words, kinds), before, len(at))
        rows = self._held(self._rows(words, kinds), before, len(at))
        columns = (words[at] & 0x7FF).astype(np.int16)
        polarities = ((words[at] >> 11) & 1).astype(np.uint8)
        found: list[NDArray[Any]] = [times, rows, columns, polarities]
        if has_vectors:
            vectors, is_vector = self._vectors(words, kinds), kinds[at] != _PIXEL
            rows[is_vector] = np.where(vectors.columns < 0, -1, rows[is_vector])
            found = _expanded(is_vector, vectors, times, rows, columns, polarities)
        known = (found[0] >= 0) & (found[1] >= 0)
        if not known.all():
            self.n_without_time += len(known) - int(np.count_nonzero(known))
            found = [values[known] for values in found]
        part = events[: len(found[0])]
        for name, values in zip("tyxp", found, strict=True):
            part[name] = values
        return len(part)

    @staticmethod
    def _held(
        changes: tuple[NDArray[np.int64], NDArray[Any]], before: NDArray[np.int32], n_events: int
    ) -> NDArray[Any]:
        """Return what holds at each event, of the words where it changes and its values there.

        There is one value more than words: the first one is from the piece before.
        """
        at, values = changes
        each = np.empty(len(values), dtype=np.int64)
        each[:-1] = before[at]
        each[-1] = n_events
        each[1:] -= each[:-1].copy()
        return np.repeat(values, each)

    def _times(
        self, words: NDArray[np.uint16], kinds: NDArray[np.uint8]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the words that change the time, and the times in microseconds, -1 for none."""
        at = np.flatnonzero((kinds == _LOW) | (kinds == _HIGH))
        values = (words[at] & 0xFFF).astype(np.int64)
        is_high = kinds[at] == _HIGH
        highs = np.concatenate(([self.high], self.clock.follow(values[is_high])))
        high = highs[np.cumsum(is_high)]
        # An upper part that is new begins with a lower one of 0, one that is repeated does not
        changed = np.zeros(len(at), dtype=bool)
        changed[is_high] = np.diff(highs) != 0
        sets_low = ~is_high | changed
        values[is_high] = 0
        low = np.concatenate(([self.low], values[sets_low]))[np.cumsum(sets_low)]
        before = -1 if self.high < 0 else self.high << 12 | self.low
        times = np.concatenate(([before], np.where(high < 0, -1, high << 12 | low)))
        self.n_back += int(np.count_nonzero(times[1:] < times[:-1]))
        if len(at):
            self.high, self.low = int(high[-1]), int(low[-1])
        return at, times

    def _rows(
        self, words: NDArray[np.uint16], kinds: NDArray[np.uint8]
    ) -> tuple[NDArray[np.int64], NDArray[np.int16]]:
        at = np.flatnonzero(kinds == _ROW)
        rows = np.empty(len(at) + 1, dtype=np.int16)
        rows[0] = self.row
        rows[1:] = words[at] & 0x7FF
        self.row = int(rows[-1])
        return at, rows

    def _vectors(self, words: NDArray[np.uint16], kinds: NDArray[np.uint8]) -> _Vectors:
        """Return the vectors of a piece: each goes on where the one before it ended."""
        at = np.flatnonzero((kinds >= _BASE) & (kinds <= _VECTOR_8))
        kind, word = kinds[at], words[at]
        is_base = kind == _BASE
        advance = np.where(is_base, 0, np.where(kind == _VECTOR_12, 12, 8))
        ends = np.cumsum(advance)
        base = word[is_base]
        # Columns counted from the base, which is the state where there was none in this piece
        origins = np.concatenate(([self.column], (base & 0x7FF) - ends[is_base]))
        polarities = np.concatenate(([self.polarity], (base >> 11) & 1))
        group = np.cumsum(is_base)
        columns = origins[group] + ends
        if len(at):
            self.column, self.polarity = int(columns[-1]), int(polarities[-1])
        is_vector = ~is_base
        pixels = (word & np.where(kind == _VECTOR_12, 0xFFF, 0xFF).astype(np.uint16))[is_vector]
        first = (columns - advance)[is_vector]
        if len(first) and first[pixels > 0].max(initial=0) > _LAST_COLUMN:
            raise FileFormatError(f"{self.path}: a vector begins after the column {_LAST_COLUMN}")
        # One without pixels may lie anywhere
        first = np.where(first < 0, -1, np.minimum(first, _LAST_COLUMN))
        return _Vectors(first, polarities[group][is_vector], pixels)


def _n_events(words: NDArray[np.uint16]) -> int:
    """Return how many events a piece has."""
    kinds = (words >> 12).astype(np.uint8)
    number = int(np.count_nonzero(kinds == _PIXEL))
    for kind, mask in ((_VECTOR_12, 0xFFF), (_VECTOR_8, 0xFF)):
        pixels = words[kinds == kind] & mask
        number += int(_N_BITS[pixels].sum(dtype=np.int64)) if len(pixels) else 0
    return number


def _expanded(
    is_vector: NDArray[np.bool_],
    vectors: _Vectors,
    times: NDArray[np.int64],
    rows: NDArray[np.int16],
    columns: NDArray[np.int16],
    polarities: NDArray[np.uint8],
) -> list[NDArray[Any]]:
    """Make of each vector the events of its pixels, in the order of the words."""
    columns[is_vector] = vectors.columns
    polarities[is_vector] = vectors.polarities
    each = np.ones(len(times), dtype=np.int64)
    each[is_vector] = _N_BITS[vectors.pixels]
    _, bits = np.nonzero((vectors.pixels[:, None] >> np.arange(12, dtype=np.uint16)) & 1)
    expanded: list[NDArray[Any]] = [
        np.repeat(values, each) for values in (times, rows, columns, polarities)
    ]
    expanded[2][np.repeat(is_vector, each)] += bits.astype(np.int16)
    return expanded
