"""How a time series is written to a file: an npz file with the arguments of its constructor."""

from __future__ import annotations

from os import PathLike
from typing import Any

import numpy as np

from rockpool.utilities._atomic import check_path, replacing

__all__ = ["ARRAYS", "with_ending", "write"]

# The classes that a file can have, and the arrays of each besides the times; texts and numbers are
# arrays without axes
ARRAYS = {"TSContinuous": ("samples",), "TSEvent": ("channels",), "TimeSeries": ()}


def write(series: Any, path: str | PathLike[str]) -> None:
    """Write a series to a file; see `TimeSeries.save`."""
    text = with_ending(check_path(series._label, path, "path"))
    kind = next(base.__name__ for base in type(series).__mro__ if base.__name__ in ARRAYS)
    values = {name: value for name, value in series._arguments().items() if value is not None}
    with replacing(text, "wb") as file:
        np.savez(file, type=np.array(kind), **values)


def with_ending(path: str) -> str:
    """Return a path with the ending of npz files."""
    return path if path.endswith(".npz") else f"{path}.npz"
