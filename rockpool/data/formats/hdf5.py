"""What the formats that are HDF5 share: which one a file is, and arrays that fit into it."""

from __future__ import annotations

import mmap
import os
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from rockpool.files.tensors import FileFormatError, shown

__all__ = ["array_of", "check_claim", "check_lists", "format_of", "opened"]

# As much as deflate can pack into one byte
_MOST_PACKED = 1032
_HEAP = b"GCOL\x01\0\0\0"  # how a heap of lists and texts begins
_START = 16  # bytes of the start of a file that are looked at


def opened(path: str) -> h5py.File:
    """Return an HDF5 file, open for reading, whose heaps are what they say.

    HDF5 walks through a heap by the sizes that its objects say they have, and need not come to an
    end where these are wrong.

    Raises
    ------
    FileFormatError
        A heap, or an object in it, says it is larger than there is room for, or of no size.
    """
    with open(path, "rb") as file:
        start = file.read(_START)
        if len(start) == _START:
            size_of_lengths = start[14 if start[8] < 2 else 10]
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
                begin = content.find(_HEAP)
                while begin >= 0:
                    _check_heap(path, content, begin, size_of_lengths)
                    begin = content.find(_HEAP, begin + 1)
    return h5py.File(path, "r")


def _check_heap(path: str, content: mmap.mmap, begin: int, size_of_lengths: int) -> None:
    """Refuse a heap through which the sizes of its objects do not lead to the end."""

    def number(at: int) -> int:
        return int.from_bytes(content[at : at + size_of_lengths], "little")

    header = 8 + size_of_lengths  # of the heap, and of each object: its index and its size
    left = number(begin + 8) - header
    at = begin + header
    fits = left >= 0 and at + left <= len(content)
    while fits and left >= header:
        index, size = int.from_bytes(content[at : at + 2], "little"), number(at + 8)
        taken = header + -(-size // 8) * 8 if index else size  # 0: what is free, with its header
        fits = header <= taken <= left
        at, left = at + taken, left - taken
    if not fits:
        raise FileFormatError(
            f"{path}: the file is damaged: a heap of HDF5, at byte {begin}, does not add up"
        )


def format_of(path: str) -> str | None:
    """Return the format of a recording in an HDF5 file, by what is in it; None for another."""
    with opened(path) as file:
        spikes = file.get("spikes")
        if isinstance(spikes, h5py.Group):
            if isinstance(spikes.get("times"), h5py.Dataset) and "units" in spikes:
                return "shd"
            if any("timestamps" in member for member in _groups(spikes)):
                return "sonata"
        said = file.attrs.get("format")
        if said is not None and (said.decode() if isinstance(said, bytes) else said) == "nix":
            return "nix"
    return None


def _groups(group: h5py.Group) -> list[h5py.Group]:
    return [member for member in group.values() if isinstance(member, h5py.Group)]


def array_of(path: str, group: h5py.Group, name: str) -> NDArray[Any]:
    """Return a list of numbers from a group."""
    dataset = group.get(name)
    where = f"{path}: {shown(f'{group.name}/{name}')}"
    if not isinstance(dataset, h5py.Dataset):
        raise FileFormatError(f"{where} must be an array")
    if dataset.ndim != 1 or dataset.dtype.kind not in "iuf":
        raise FileFormatError(
            f"{where} must be a list of numbers, got {dataset.dtype} {dataset.shape}"
        )
    check_claim(path, dataset)
    return np.asarray(dataset[()])


def check_claim(path: str, dataset: h5py.Dataset) -> None:
    """Refuse an array that says it is larger than the file can hold."""
    most = _MOST_PACKED * os.stat(path).st_size
    if dataset.size * dataset.dtype.itemsize > most:
        raise FileFormatError(
            f"{path}: {shown(dataset.name)} says that it has the shape {dataset.shape}, for which "
            "the file is too small"
        )


def check_lists(path: str, dataset: h5py.Dataset) -> None:
    """Refuse an array of lists of numbers in which a list says it is larger than the file.

    HDF5 would take that much memory before it finds out. A list is stored as its length, and where
    the heap lies that has it.
    """
    of = h5py.check_vlen_dtype(dataset.dtype)
    if of is None or of.kind not in "iuf":
        raise FileFormatError(f"{path}: {shown(dataset.name)} must have a list for each sample")
    check_claim(path, dataset)
    offset_size = dataset.file.id.get_create_plist().get_sizes()[0]
    entry = np.dtype([("length", "<u4"), ("heap", f"<u{offset_size}"), ("number", "<u4")])
    size = os.stat(path).st_size
    with open(path, "rb") as file:
        for begin, n_bytes in _stored_at(dataset, entry.itemsize):
            file.seek(begin)
            data = file.read(min(n_bytes, size))
            lengths = np.frombuffer(data[: len(data) // entry.itemsize * entry.itemsize], entry)
            most = int(lengths["length"].max(initial=0))
            if most * of.itemsize > size:
                raise FileFormatError(
                    f"{path}: {shown(dataset.name)} has a list that says it has {most} numbers, "
                    "for which the file is too small"
                )


def _stored_at(dataset: h5py.Dataset, entry_size: int) -> list[tuple[int, int]]:
    """Return where the entries of an array lie in the file, and in how many bytes."""
    if dataset.chunks is None:
        begin = dataset.id.get_offset()
        return [] if begin is None else [(begin, dataset.size * entry_size)]
    if dataset.id.get_create_plist().get_nfilters():  # which have checksums of their own
        return []
    chunks = (dataset.id.get_chunk_info(n) for n in range(dataset.id.get_num_chunks()))
    return [(chunk.byte_offset, chunk.size) for chunk in chunks if chunk.byte_offset is not None]
