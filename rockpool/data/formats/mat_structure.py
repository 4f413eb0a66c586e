"""Whether a MAT-file of version 5 fits together; scipy, which reads it, relies on that."""

from __future__ import annotations

import math
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from rockpool.files.tensors import FileFormatError

__all__ = ["checked_content"]

# Types of data, as MathWorks' description of MAT-files numbers them, and bytes of a number
_INT8, _INT32, _UINT32, _MATRIX, _COMPRESSED = 1, 5, 6, 14, 15
_SIZES = {1: 1, 2: 1, 3: 2, 4: 2, 5: 4, 6: 4, 7: 4, 9: 8, 12: 8, 13: 8}
_OF_TEXT = {1: 1, 2: 1, 4: 2, 16: 1, 17: 2, 18: 4}

# Classes of arrays: cells, structures, text, and numbers
_CELL, _STRUCT, _CHAR, _NUMBERS = 1, 2, 4, range(6, 16)
_CLASSES = (_CELL, _STRUCT, _CHAR, *_NUMBERS)

_DEEPEST, _LONGEST_NAME = 64, 64
_MOST_BYTES = 2**31  # of all that is compressed


@dataclass
class _Part:
    """Some bytes of the file, in which elements stand one after the other."""

    name: str
    data: memoryview
    order: str
    place: int = 0

    def fail(self, what: str) -> FileFormatError:
        return FileFormatError(f"{self.name}: {what}")

    @property
    def is_over(self) -> bool:
        return self.place >= len(self.data)

    def element(self) -> tuple[int, memoryview]:
        """Return the type and the bytes of the next element."""
        if self.place + 8 > len(self.data):
            raise self.fail("it ends within an element")
        kind, size = struct.unpack_from(f"{self.order}II", self.data, self.place)
        if kind >> 16:  # a small one, with its bytes in the place of the size
            kind, size = kind & 0xFFFF, kind >> 16
            if size > 4:
                raise self.fail(f"a small element has {size} bytes")
            start, length = self.place + 4, 4
        else:
            start = self.place + 8
            length = size if kind == _COMPRESSED else -(-size // 8) * 8
        if start + size > len(self.data):
            raise self.fail("it ends within an element")
        self.place = start + length
        return kind, self.data[start : start + size]

    def of_kind(self, wanted: int, what: str) -> memoryview:
        kind, data = self.element()
        if kind != wanted:
            raise self.fail(f"the {what} of an array have the type {kind}, not {wanted}")
        return data

    def inside(self, data: memoryview) -> _Part:
        return _Part(self.name, data, self.order)


def checked_content(path: str) -> bytes:
    """Return what is in a MAT-file of version 5, without variables of classes that neo has not.

    Raises
    ------
    FileFormatError
        It is no such file, or does not fit together.
    """
    with open(path, "rb") as file:
        data = file.read()
    orders = {b"IM": "<", b"MI": ">"}
    order = orders.get(data[126:128])
    if order is None or struct.unpack_from(f"{order}H", data, 124)[0] != 0x0100:
        raise FileFormatError(f"{path}: it is no MAT-file of version 5")
    part, left = _Part(path, memoryview(data)[128:], order), _MOST_BYTES
    kept = [data[:128]]
    while not part.is_over:
        begin = part.place
        kind, inner = part.element()
        if kind == _COMPRESSED:
            inner = _decompressed(part, inner, left)
            left -= len(inner)
            kind, inner = part.inside(inner).element()
        if kind != _MATRIX:
            raise part.fail(f"a variable has the type {kind}, not {_MATRIX}")
        if len(inner) == 0 or _class_of(part.inside(inner))[0] in _CLASSES:
            _check_array(part.inside(inner), 0)
            kept.append(bytes(part.data[begin : part.place]))
    return b"".join(kept)


def _decompressed(part: _Part, data: memoryview, most: int) -> memoryview:
    try:
        found = zlib.decompressobj()
        whole = found.decompress(data, most)
    except zlib.error as error:
        raise part.fail(f"it is damaged: {error}") from error
    if not found.eof:
        raise part.fail("what is compressed in it has no end, or is too large")
    return memoryview(whole)


def _check_array(part: _Part, depth: int) -> None:
    """Look through one array and those in it."""
    if part.is_over:
        return  # an empty one
    if depth > _DEEPEST:
        raise part.fail(f"more than {_DEEPEST} arrays in one another")
    kind, is_complex = _class_of(part)
    sizes = part.of_kind(_INT32, "dimensions")
    part.of_kind(_INT8, "letters of the name")
    if len(sizes) % 4 or not 8 <= len(sizes) <= 128:
        raise part.fail("an array has damaged dimensions")
    lengths = struct.unpack(f"{part.order}{len(sizes) // 4}i", sizes)
    if min(lengths) < 0:
        raise part.fail(f"an array has the dimensions {lengths}")
    count = math.prod(lengths)
    if kind in (_CELL, _STRUCT):
        n_fields = 1 if kind == _CELL else _check_fields(part)
        if not n_fields and count > 1:
            raise part.fail(f"{count} structures without fields")
        for _ in _counted(part, count * n_fields):
            _check_array(part.inside(part.of_kind(_MATRIX, "entries")), depth + 1)
    elif kind == _CHAR or kind in _NUMBERS:
        for _ in range(1 + is_complex):
            _check_numbers(part, kind == _CHAR, count)
    else:
        raise part.fail(f"an array has the class {kind}, which neo does not write")
    if not part.is_over:
        raise part.fail("an array has more in it than it says")


def _class_of(part: _Part) -> tuple[int, bool]:
    """Return the class of an array, which stands first, and whether its numbers are complex."""
    flags = part.of_kind(_UINT32, "flags")
    if len(flags) != 8:
        raise part.fail("an array has damaged flags")
    flag = struct.unpack_from(f"{part.order}I", flags)[0]
    return flag & 0xFF, bool(flag & 0x0800)


def _counted(part: _Part, count: int) -> Iterator[Any]:
    """Go over so many entries, of which each has 8 bytes at least."""
    if count > len(part.data) // 8:
        raise part.fail(f"an array has {count} entries in {len(part.data)} bytes")
    return iter(range(count))


def _check_fields(part: _Part) -> int:
    """Return how many fields a structure has."""
    length = part.of_kind(_INT32, "lengths of the fields")
    names = part.of_kind(_INT8, "names of the fields")
    size = struct.unpack(f"{part.order}i", length)[0] if len(length) == 4 else 0
    if not 1 <= size <= _LONGEST_NAME or len(names) % size:
        raise part.fail("a structure has damaged names")
    return len(names) // size


def _check_numbers(part: _Part, is_text: bool, count: int) -> None:
    kind, data = part.element()
    size = (_OF_TEXT if is_text else _SIZES).get(kind)
    if size is None or len(data) % size:
        raise part.fail(f"numbers of the type {kind}, in {len(data)} bytes")
    # letters of UTF-8 and UTF-16 may take several places
    if len(data) // size != count and not (is_text and kind >= 16 and len(data) // size > count):
        raise part.fail(f"an array has {len(data) // size} numbers, but dimensions for {count}")
