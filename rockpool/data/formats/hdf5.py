"""What the formats that are HDF5 share: which one a file is, and arrays that fit into it."""

from __future__ import annotations

import os
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from rockpool.files.tensors import FileFormatError, shown

__all__ = ["array_of", "check_claim", "check_lists", "format_of"]

# As much as deflate can pack into one byte
_MOST_PACKED = 1032


def format_of(path: str) -> str | None:
    """Return the format of a recording in an HDF5 file, by what is in it; None for another."""
    with h5py.File(path, "r") as file:
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
