"""Files of the safetensors format, read with numpy alone: a table of arrays, and their bytes.

The format: eight bytes that say how long the table is, the table as JSON, then the arrays one after
the other (https://huggingface.co/docs/safetensors). Everything that a file says is checked before
an array is made of it; the arrays are views of the file in memory, and cost nothing until read.
"""

from __future__ import annotations

import json
import math
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

__all__ = ["FileFormatError", "parse_json", "read_tensors", "shown", "tensors_in"]

# The types that a network may be stored in
DTYPES = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "I64": "<i8", "I32": "<i4", "BOOL": "|b1"}

# These keep what Python makes of a table, whatever it says, within 32 MiB; there is room for a
# thousand spiking layers
MAX_HEADER = 2 * 2**20  # bytes
MAX_TENSORS = 10_000
MAX_ENTRIES = 200_000
MAX_NESTING = 400

# The texts in a JSON text; one that does not end goes to the end, so that each is gone over once
_TEXTS = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z)', re.DOTALL)


class FileFormatError(ValueError):
    """A file is not what it should be; the message begins with its name."""


def read_tensors(path: str | os.PathLike[str]) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Return the arrays of a file, by name, as views of it, and its metadata.

    Raises
    ------
    FileFormatError
        The file is not one of the format, or says what cannot be.
    OSError
        It cannot be read.
    """
    name = os.fspath(path)
    with open(path, "rb") as file:
        if os.fstat(file.fileno()).st_size < 8:
            raise FileFormatError(f"{name}: this is no safetensors file, or it has been cut")
    return tensors_in(name, np.memmap(Path(path), dtype=np.uint8, mode="r"))


def tensors_in(name: str, content: np.ndarray) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Return the same for the bytes of a file, of which there are at least eight."""
    start = content[:8].tobytes()
    length, size = int.from_bytes(start, "little"), len(content)
    if start == b"\x89HDF\r\n\x1a\n":
        raise FileFormatError(
            f"{name}: this is a file of HDF5, not of safetensors; rockpool.nir.from_nir reads "
            "networks in files of NIR"
        )
    if length > size - 8:
        raise FileFormatError(f"{name}: this is no safetensors file, or it has been cut")
    if length > MAX_HEADER:
        raise FileFormatError(
            f"{name}: its table has {length} bytes, at most {MAX_HEADER} are allowed"
        )
    table = parse_json(name, "its table", content[8 : 8 + length].tobytes(), MAX_ENTRIES)
    if not isinstance(table, dict):
        raise FileFormatError(f"{name}: its table is no object of names")
    metadata = table.pop("__metadata__", {})
    if not isinstance(metadata, dict) or not all(isinstance(v, str) for v in metadata.values()):
        raise FileFormatError(f"{name}: its metadata are no texts by name")
    layout = _checked_layout(name, table, size - 8 - length)
    data = content[8 + length :]
    return {
        key: np.frombuffer(data[begin:end], dtype).reshape(shape)
        for key, (dtype, shape, begin, end) in layout.items()
    }, metadata


def _checked_layout(
    name: str, table: Mapping[str, Any], n_bytes: int
) -> dict[str, tuple[np.dtype[Any], tuple[int, ...], int, int]]:
    """Return type, shape, begin and end of each array; they fill the file without a gap."""
    if len(table) > MAX_TENSORS:
        raise FileFormatError(f"{name}: {len(table)} arrays, at most {MAX_TENSORS} are allowed")
    layout = {}
    for key, entry in table.items():
        where = f"{name}: the array {shown(key)}"
        if not isinstance(entry, dict) or set(entry) != {"dtype", "shape", "data_offsets"}:
            raise FileFormatError(f"{where} must have dtype, shape and data_offsets")
        if not isinstance(entry["dtype"], str) or entry["dtype"] not in DTYPES:
            raise FileFormatError(
                f"{where} is of the type {shown(entry['dtype'])}, not of {', '.join(DTYPES)}"
            )
        dtype = np.dtype(DTYPES[entry["dtype"]])
        shape, offsets = entry["shape"], entry["data_offsets"]
        if not (_are_counts(shape) and len(shape) <= 8):
            raise FileFormatError(f"{where} has the shape {shown(shape)}")
        if not (_are_counts(offsets) and len(offsets) == 2):
            raise FileFormatError(f"{where} is at {shown(offsets)}")
        begin, end = offsets
        if end > n_bytes or end - begin != math.prod(shape) * dtype.itemsize:
            raise FileFormatError(
                f"{where} of the shape {tuple(shape)} is said to be at {begin} to {end} of "
                f"{n_bytes} bytes"
            )
        layout[key] = (dtype, tuple(shape), begin, end)
    expected = 0
    for begin, end in sorted((begin, end) for _, _, begin, end in layout.values()):
        if begin != expected:
            raise FileFormatError(f"{name}: its arrays overlap or leave a gap at byte {expected}")
        expected = end
    if expected != n_bytes:
        raise FileFormatError(f"{name}: its arrays end at byte {expected} of {n_bytes}")
    return layout


def _are_counts(values: Any) -> bool:
    """Return whether something is a list of whole numbers >= 0."""
    return isinstance(values, list) and all(type(v) is int and 0 <= v < 2**53 for v in values)


def parse_json(name: str, what: str, text: bytes | str, most: int = 1_000_000) -> Any:
    """Return what a JSON text of a file says, if it can be read without harm.

    Parameters
    ----------
    name, what : str
        The file, and what the text is, for messages.
    text : bytes or str
        The text.
    most : int, optional
        How many brackets, commas and colons it may have: they bound the objects that Python makes
        of it. Default: a million.

    Raises
    ------
    FileFormatError
        No JSON in UTF-8; a name twice; a number that is none or too large; too deep or too long.
    """
    try:
        text = text if isinstance(text, str) else text.decode("utf-8")
    except UnicodeDecodeError as error:
        raise FileFormatError(f"{name}: {what} is no text in UTF-8") from error
    bare = _TEXTS.sub("", text)
    if sum(map(bare.count, "[{,:")) > most:
        raise FileFormatError(f"{name}: {what} has more than {most} entries")
    if _nesting(bare) > MAX_NESTING:
        raise FileFormatError(f"{name}: {what} is nested too deep")

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) != len(pairs):
            raise FileFormatError(f"{name}: {what} has a name twice")
        return found

    def no_number(said: str) -> Any:
        raise FileFormatError(f"{name}: {what} has {said}, which is no number")

    def finite(digits: str) -> float:
        number = float(digits)
        return number if math.isfinite(number) else no_number(digits[:40])

    try:
        return json.loads(
            text, object_pairs_hook=unique, parse_constant=no_number, parse_float=finite
        )
    except FileFormatError:
        raise
    except (ValueError, RecursionError) as error:
        raise FileFormatError(f"{name}: {what} is not JSON: {error}") from error


def _nesting(text: str) -> int:
    """Return the greatest number of brackets that are open at once."""
    depth = deepest = 0
    for character in text:
        if character in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif character in "]}":
            depth = max(depth - 1, 0)
    return deepest


def shown(value: Any) -> str:
    """Return something from a file as it can be printed: short, without control characters."""
    text = ascii(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
