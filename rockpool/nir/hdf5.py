"""Files of NIR, read: groups of HDF5, with each size checked before memory is taken for it.

Such a file has a text ``version`` and a group ``node``: its ``type``, its fields, for a graph the
groups ``nodes`` and the pairs ``edges``, and ``metadata`` (https://neuroir.org). Its nodes are read
as they are, without the package `nir`, whose versions refuse files of each other.
"""

from __future__ import annotations

import math
import os
from typing import IO, Any

import h5py
import numpy as np

from rockpool.files.tensors import FileFormatError, shown
from rockpool.nir.graph import Graph, GraphNode, checked_node
from rockpool.nir.heap import TextHeap

__all__ = ["SIGNATURE", "read_graph"]

SIGNATURE = b"\x89HDF\r\n\x1a\n"

MAX_DEPTH = 16
MAX_NODES = 10_000
MAX_EDGES = 100_000
MAX_NAME = 255
MAX_TEXT = 4 * 2**20  # characters of one text
_MOST_PACKED = 1_100  # how many times smaller than its content a compressed array can be
_SMALL = 2**20  # bytes
_START = 48  # bytes of a superblock that are looked at
_FILTERS = frozenset({"1", "2", "3", "32000"})  # gzip, shuffle, checksum, lzf

# What h5py raises, file by file, where a file is not what it says
_HDF5_ERRORS = (OSError, KeyError, ValueError, TypeError, RuntimeError, AttributeError, MemoryError)


def read_graph(path: str | os.PathLike[str]) -> Graph:
    """Return the graph in a file.

    Raises
    ------
    FileFormatError
        The file is not one of NIR, is damaged, or says what cannot be.
    OSError
        It cannot be read.
    """
    name = os.fspath(path)
    with open(path, "rb") as file:
        _check_start(name, file.read(_START))
        try:
            with h5py.File(path, "r", locking=False) as opened:
                return _Reader(name, file).file(opened)
        except FileFormatError:
            raise
        except _HDF5_ERRORS as error:
            raise FileFormatError(f"{name}: the file is damaged: {_first_line(error)}") from error


def _check_start(name: str, start: bytes) -> None:
    """Refuse what is not HDF5, or has addresses of another size than all files of NIR seen."""
    if not start.startswith(SIGNATURE):
        raise FileFormatError(f"{name}: this is no file of NIR: it is not in HDF5")
    version = start[8] if len(start) == _START else 255
    sizes, base = (start[13:15], start[24:32]) if version < 2 else (start[9:11], start[12:20])
    if version > 3 or sizes != b"\x08\x08" or any(base):
        raise FileFormatError(f"{name}: the file is damaged: the start of HDF5 is not right")


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]


class _Reader:
    """Makes a graph of what is in a file; counts what that takes."""

    def __init__(self, name: str, file: IO[bytes]) -> None:
        self.name = name
        self.heap = TextHeap(name, file)
        self.size = self.heap.size
        self.bytes_left = self.size * _MOST_PACKED + _SMALL
        self.nodes_left = MAX_NODES

    def file(self, opened: h5py.File) -> Graph:
        """Return the graph of a file."""
        members = self._members(opened, self.name)
        if "node" not in members:
            raise FileFormatError(f"{self.name}: this is no file of NIR: it has no group 'node'")
        version = members.get("version")
        said = (
            self._value(version, f"{self.name}: version")
            if isinstance(version, h5py.Dataset)
            else ""
        )
        node = self._node(members["node"], (), said if isinstance(said, str) else "")
        if not isinstance(node, Graph):
            raise FileFormatError(f"{self.name}: it holds a single {node.kind}, no graph of nodes")
        return node

    def _node(self, group: Any, path: tuple[str, ...], version: str) -> GraphNode | Graph:
        where = self._where(path)
        if not isinstance(group, h5py.Group):
            raise FileFormatError(f"{where} is no group of HDF5")
        self.nodes_left -= 1
        if self.nodes_left < 0:
            raise FileFormatError(f"{self.name}: more than {MAX_NODES} nodes")
        if len(path) > MAX_DEPTH:
            raise FileFormatError(f"{self.name}: graphs inside each other, more than {MAX_DEPTH}")
        members = self._members(group, where)
        if "type" not in members:
            raise FileFormatError(f"{where} has no type")
        kind = self._value(members.pop("type"), f"{where}: type")
        held = members.pop("metadata", None)
        metadata = self._metadata(held, f"{where}: metadata", 0) if held is not None else {}
        if kind == "NIRGraph":
            return self._graph(members, path, metadata, version)
        fields = {}
        for key, member in members.items():
            if isinstance(member, h5py.Dataset):
                fields[key] = self._value(member, f"{where}: {key}")
            else:
                fields[key] = None
        return checked_node(where, str(kind), fields, metadata)

    def _graph(
        self, members: dict[str, Any], path: tuple[str, ...], metadata: Any, version: str
    ) -> Graph:
        where = self._where(path)
        for key in ("nodes", "edges"):
            if key not in members:
                raise FileFormatError(f"{where} has no {key}")
        if not isinstance(members["nodes"], h5py.Group):
            raise FileFormatError(f"{where}: nodes is no group of HDF5")
        inside = self._members(members["nodes"], f"{where}: nodes")
        nodes = {key: self._node(member, (*path, key), "") for key, member in inside.items()}
        edges = self._edges(members["edges"], f"{where}: edges")
        return Graph(where, nodes, edges, metadata, version)

    def _edges(self, dataset: Any, where: str) -> list[tuple[str, str]]:
        if not isinstance(dataset, h5py.Dataset):
            raise FileFormatError(f"{where} is no table of HDF5")
        if math.prod(dataset.shape or (0,)) == 0:
            return []
        if len(dataset.shape) != 2 or dataset.shape[1] != 2 or dataset.shape[0] > MAX_EDGES:
            raise FileFormatError(
                f"{where} has the shape {dataset.shape}, it must be (up to {MAX_EDGES}, 2)"
            )
        if h5py.check_string_dtype(dataset.dtype) is None:
            raise FileFormatError(f"{where} must be pairs of names, got {dataset.dtype}")
        self._charge(dataset, where)
        names = [_text(name, where) for name in self._texts(dataset, where)]
        return list(zip(names[::2], names[1::2], strict=True))

    def _texts(self, dataset: h5py.Dataset, where: str) -> list[bytes]:
        """Return the texts of a data set, in order."""
        if h5py.check_string_dtype(dataset.dtype).length is not None:
            return [bytes(text) for text in np.ravel(dataset[()])]
        if dataset.chunks or dataset.id.get_offset() is None:
            raise FileFormatError(f"{where} has texts that are stored in parts")
        return self.heap.texts(dataset.id.get_offset(), math.prod(dataset.shape))

    def _metadata(self, group: Any, where: str, depth: int) -> dict[str, Any]:
        if not isinstance(group, h5py.Group) or depth > MAX_DEPTH:
            raise FileFormatError(f"{where} is no group of HDF5")
        return {
            key: self._metadata(member, f"{where}: {key}", depth + 1)
            if isinstance(member, h5py.Group)
            else self._value(member, f"{where}: {key}")
            for key, member in self._members(group, where).items()
        }

    def _members(self, group: Any, where: str) -> dict[str, Any]:
        """Return what is in a group by name; links to elsewhere are refused."""
        if len(group) > MAX_NODES:
            raise FileFormatError(f"{where} has {len(group)} entries, more than {MAX_NODES}")
        members = {}
        for key in group:
            if len(key) > MAX_NAME or not key.isprintable():
                raise FileFormatError(f"{where} has an entry called {shown(key)}")
            if not isinstance(group.get(key, getlink=True), h5py.HardLink):
                raise FileFormatError(f"{where}: {key!r} is a link to another place")
            members[key] = group[key]
        return members

    def _value(self, dataset: Any, where: str) -> Any:
        """Return an array, a number or a text."""
        if not isinstance(dataset, h5py.Dataset):
            raise FileFormatError(f"{where} is no value of HDF5")
        self._charge(dataset, where)
        if h5py.check_string_dtype(dataset.dtype) is None:
            if dataset.dtype.kind not in "biuf":
                raise FileFormatError(f"{where} must be numbers or a text, got {dataset.dtype}")
            return np.asarray(dataset[()])
        texts = self._texts(dataset, where)
        return _text(texts[0], where) if dataset.shape == () else np.array(texts, object)

    def _charge(self, dataset: h5py.Dataset, where: str) -> None:
        """Refuse an array that is larger than what is stored of it can be."""
        if dataset.shape is None:
            raise FileFormatError(f"{where} is empty")
        if dataset.is_virtual or dataset.external:
            raise FileFormatError(f"{where} is stored in another file")
        filters = set(dataset._filters)
        if not filters <= {"gzip", "shuffle", "fletcher32", "lzf"} | _FILTERS:
            raise FileFormatError(f"{where} is packed by {', '.join(sorted(filters))}")
        n_bytes = math.prod(dataset.shape) * dataset.dtype.itemsize
        stored = min(dataset.id.get_storage_size(), self.size)
        if n_bytes > stored * (_MOST_PACKED if dataset.chunks else 1) or n_bytes > self.bytes_left:
            raise FileFormatError(
                f"{where} of the shape {dataset.shape} is larger than what the file holds of it"
            )
        if dataset.chunks and math.prod(dataset.chunks) > 2 * math.prod(dataset.shape) + _SMALL:
            raise FileFormatError(f"{where} is stored in parts of {dataset.chunks} numbers")
        self.bytes_left -= n_bytes

    def _where(self, path: tuple[str, ...]) -> str:
        return f"{self.name}: {'.'.join(path)!r}" if path else self.name


def _text(value: Any, where: str) -> str:
    """Return a text of HDF5."""
    if isinstance(value, bytes) and len(value) <= MAX_TEXT:
        return value.decode("utf8")
    raise FileFormatError(f"{where} is no text, or too long a one")
