"""What neo's AsciiSpikeTrainIO writes: a spike train a line, each time followed by its unit.

neo 0.14 does not read it back. A line without times is a silent train.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np

from rockpool.data.formats.columns import channel_events, ticks_of, unit_named
from rockpool.data.recording import Recording
from rockpool.files.tensors import FileFormatError, shown

__all__ = ["FIRST_TIME", "read"]

_TIME = r"([-+]?[0-9][0-9.]*(?:[eE][-+]?[0-9]+)?) ([a-zµμ]+)"
# By which such a file is known
FIRST_TIME = re.compile(rf"\s*{_TIME}\s*(\t|\n|$)")


def read(path: str) -> Iterator[Recording]:
    """Read a file."""
    with open(path, encoding="utf-8", errors="replace") as file:
        lines = file.read().split("\n")
    if lines[-1] == "":
        lines.pop()
    trains = []
    for number, line in enumerate(lines):
        words = [word for word in line.rstrip("\r").split("\t") if word.strip()]
        matches = [re.fullmatch(_TIME, word.strip()) for word in words]
        found = [match.groups() for match in matches if match]
        if len(found) != len(words):
            raise FileFormatError(
                f"{path}: line {number + 1} must have times with their units, tabs between them, "
                f"got {shown(line)}"
            )
        units = {unit for _, unit in found}
        if len(units) > 1:
            raise FileFormatError(f"{path}: line {number + 1} has times of several units")
        times = np.array([float(time) for time, _ in found])
        unit = unit_named(path, units.pop()) if units else "s"
        trains.append(ticks_of(path, times, unit, as_stored="ns")[0])
    channels = np.repeat(np.arange(len(trains)), [len(train) for train in trains])
    yield Recording(
        channel_events(path, np.concatenate([np.empty(0, np.int64), *trains]), channels),
        unit="ns",
        n_channels=len(trains),
        source=path,
        format="neo_text",
    )
