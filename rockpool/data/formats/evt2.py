"""EVT2, a raw format of Prophesee's cameras: words of 32 bits, one for each event.

The upper four bits say what a word is: an event that makes a pixel darker (0x0) or brighter (0x1),
with the lower 6 bits of the time in microseconds, 11 bits of the column and 11 of the row, or the
upper 28 bits of the time (0x8). Triggers and other words are passed over.

Source: Prophesee, EVT 2.0 Format, https://docs.prophesee.ai/stable/data/encoding_formats/evt2.html
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator

import numpy as np

from rockpool.data.formats.clocks import Counter
from rockpool.data.formats.evt3 import read_words
from rockpool.data.recording import SENSOR_EVENT, Recording, RecordingWarning

__all__ = ["read"]

_HIGH = 8
_WORDS_AT_A_TIME = 2**17


def read(path: str, *, sensor_size: tuple[int, int] | None = None) -> Iterator[Recording]:
    """Read a file.

    Parameters
    ----------
    path : str
        The file.
    sensor_size : tuple of int, optional
        Height and width in pixels. Default: what the header says.
    """
    header, words = read_words(path, np.dtype("<u4"))
    origin = header.time_origin(path)
    clock = Counter(bits=28, tolerance=2**14)  # one second
    high = n_without_time = done = 0
    started = False
    pieces = range(0, len(words), _WORDS_AT_A_TIME)
    events = np.empty(np.count_nonzero(words >> 28 <= 1), dtype=SENSOR_EVENT)
    for begin in pieces:
        piece = words[begin : begin + _WORDS_AT_A_TIME]
        kinds = (piece >> 28).astype(np.uint8)
        is_event, is_high = kinds <= 1, kinds == _HIGH
        highs = np.concatenate(([high], clock.follow(piece[is_high] & 0xFFFFFFF)))
        which = np.cumsum(is_high)[is_event]
        high = int(highs[-1])
        word = piece[is_event]
        if not started:  # events before the first TIME_HIGH
            known = which > 0
            started = bool(is_high.any())
            n_without_time += len(known) - int(np.count_nonzero(known))
            word, which = word[known], which[known]
        part = events[done : done + len(word)]
        part["t"] = (highs[which] << 6) + ((word >> 22) & 0x3F) + origin
        part["x"] = (word >> 11) & 0x7FF
        part["y"] = word & 0x7FF
        part["p"] = word >> 28
        done += len(word)
    if n_without_time:
        warnings.warn(
            f"{path}: {n_without_time} events before the first time are left out",
            RecordingWarning,
            stacklevel=4,
        )
    yield Recording(
        events[:done],
        sensor_size=sensor_size or header.sensor_size(path),
        time_origin=origin,
        source=path,
        format="evt2",
    )
