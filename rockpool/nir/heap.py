"""Texts of variable length in files of HDF5, read without its library, which damaged ones can stop.

Where a data set has such texts, it has references: four bytes for the length, eight for the address
of a collection of texts, four for the number of the one that is meant. A collection is ``GCOL``,
its size, and texts with number and size each, at multiples of eight bytes (HDF5 File Format
Specification, III.E).
"""

from __future__ import annotations

import os
import struct
from typing import IO

from rockpool.files.tensors import FileFormatError

__all__ = ["TextHeap"]

_REFERENCE = struct.Struct("<IQI")
_COLLECTION = struct.Struct("<4sB3xQ")
_OBJECT = struct.Struct("<HH4xQ")
MAX_COLLECTION = 64 * 2**20  # bytes


class TextHeap:
    """The texts of one file.

    Parameters
    ----------
    name : str
        The file, for messages.
    file : binary file
        It, open for reading.
    """

    def __init__(self, name: str, file: IO[bytes]) -> None:
        self.name = name
        self.file = file
        self.size = os.fstat(file.fileno()).st_size
        self.collections: dict[int, dict[int, bytes]] = {}

    def texts(self, address: int | None, count: int) -> list[bytes]:
        """Return as many texts, of which the references are at an address.

        Raises
        ------
        FileFormatError
            There is none, or what is there cannot be.
        """
        n_bytes = count * _REFERENCE.size
        if address is None or address + n_bytes > self.size:
            raise FileFormatError(f"{self.name}: the file is damaged: a text is not in it")
        return [self._text(*entry) for entry in _REFERENCE.iter_unpack(self._at(address, n_bytes))]

    def _text(self, length: int, address: int, number: int) -> bytes:
        if length == 0:
            return b""
        text = self._collection(address).get(number)
        if text is None or len(text) < length:
            raise FileFormatError(f"{self.name}: the file is damaged: a text is not in it")
        return text[:length]

    def _collection(self, address: int) -> dict[int, bytes]:
        """Return the texts of a collection by number."""
        if address in self.collections:
            return self.collections[address]
        head = self._at(address, _COLLECTION.size)
        sign, version, size = (
            _COLLECTION.unpack(head) if len(head) == _COLLECTION.size else (0,) * 3
        )
        if sign != b"GCOL" or version != 1 or not 16 <= size <= min(self.size, MAX_COLLECTION):
            raise FileFormatError(f"{self.name}: the file is damaged: there are no texts")
        data = self._at(address, size)
        texts: dict[int, bytes] = {}
        place = _COLLECTION.size
        while place + _OBJECT.size <= len(data):
            number, _, length = _OBJECT.unpack_from(data, place)
            place += _OBJECT.size
            if number == 0 or length > len(data) - place:
                break
            texts[number] = data[place : place + length]
            place += (length + 7) // 8 * 8
        self.collections[address] = texts
        return texts

    def _at(self, address: int, n_bytes: int) -> bytes:
        if address > self.size:
            return b""
        self.file.seek(address)
        return self.file.read(n_bytes)
