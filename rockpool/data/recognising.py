"""Which format a file of a recording is of: by what is in it, and only then by its name."""

import os
import re
from typing import NamedTuple

from rockpool.data.formats.percent import read_header
from rockpool.data.libraries import need_library
from rockpool.files.tensors import FileFormatError

__all__ = ["FORMATS", "Format", "format_of"]


class Format(NamedTuple):
    """A format, and who reads it.

    Attributes
    ----------
    words : str
        What it is, for people.
    module : str
        The file in `rockpool.data.formats`, and after a colon the function, which is `read` else.
    options : str
        The arguments of that function.
    libraries : str
        What it needs besides numpy.
    """

    words: str
    module: str
    options: str = ""
    libraries: str = ""


_NPY = "time_unit sensor_size n_channels dt layout sample"
FORMATS = {
    "aedat4": Format("AEDAT4", "aedat4", "stream sensor_size", "aedat"),
    "evt2": Format("EVT 2.0", "evt2", "sensor_size"),
    "evt3": Format("EVT 3.0", "evt3", "sensor_size"),
    "dat": Format("DAT", "dat", "sensor_size version"),
    "nmnist": Format("N-MNIST .bin", "nmnist", "sensor_size"),
    "es": Format("Event Stream", "es", "flip_y sensor_size", "event_stream"),
    "shd": Format("Heidelberg spike sets", "shd", "sample n_channels", "h5py"),
    "sonata": Format("SONATA", "sonata", "population time_unit n_channels", "h5py"),
    "nest": Format("NEST ascii", "nest", "first_id resolution n_channels"),
    "nix": Format("neo NIX", "neo_files:read_nix", "sample", "nixio neo"),
    "mat": Format("neo Matlab", "neo_files:read_mat", "sample", "scipy neo"),
    "neo_text": Format("neo text", "neo_text"),
    "csv": Format("CSV", "text_table", "sensor_size time_unit columns n_channels"),
    "npy": Format("numpy .npy", "arrays:read_npy", _NPY),
    "npz": Format("numpy .npz", "arrays:read_npz", _NPY),
}

_HEAD = 2**16
_BEGINNINGS = {
    b"#!AER-DAT4": "aedat4",
    b"Event Stream": "es",
    b"\x93NUMPY": "npy",
    b"PK\x03\x04": "npz",
    b"MATLAB 5.0 MAT-file": "mat",
    b"# NEST version": "nest",
    b"# RecordingBackendASCII": "nest",
}
# What begins like a recording, and is none that is read -> what is said
_REFUSED = {
    b"#!AER-DAT": "AEDAT before version 4 is not read",
    b"#ROSBAG": "ROS bags are not read",
    b"MATLAB 7": "a .mat of version 7.3 is not read",
    b"\x1f\x8b": "it is compressed, with gzip; unpack it first",
    b"BZh": "it is compressed, with bzip2; unpack it first",
    b"\xfd7zXZ\x00": "it is compressed, with xz; unpack it first",
    b"\x28\xb5\x2f\xfd": "it is compressed, with zstd; unpack it first",
}
_HDF5 = b"\x89HDF\r\n\x1a\n"
_BY_ENDING = {".bin": "nmnist", ".dat": "dat"}
_TABLES = (".csv", ".tsv", ".txt")
_TEXT = re.compile(rb"[\t\r\n\x20-\x7e\x80-\xff]*")


def format_of(path: str) -> str | None:
    """Return the format of a file, or None if it is none of a recording.

    Raises
    ------
    FileFormatError
        It is of a format that is known and not read, or empty.
    ModuleNotFoundError
        It is HDF5, which h5py has to open.
    OSError
        It cannot be read.
    """
    if os.path.exists(path) and not (os.path.isfile(path) or os.path.isdir(path)):
        raise FileFormatError(
            f"{path}: it is no regular file, which is read more than once; write what comes from "
            "there to one"
        )
    with open(path, "rb") as file:
        head = file.read(_HEAD)
    if not head:
        raise FileFormatError(f"{path}: the file is empty")
    found = next((name for start, name in _BEGINNINGS.items() if head.startswith(start)), None)
    if found is not None:
        return found
    refusal = next((said for start, said in _REFUSED.items() if head.startswith(start)), None)
    if refusal is not None:
        raise FileFormatError(f"{path}: {refusal}")
    if head.startswith(_HDF5):
        need_library(path, "h5py", "HDF5 files are read by h5py")
        from rockpool.data.formats import hdf5

        return hdf5.format_of(path)
    if head.startswith(b"%"):
        by_header = _by_header(path, head)
        if by_header is not None:
            return by_header
    ending = os.path.splitext(path)[1].lower()
    return _by_text(head, ending) or _BY_ENDING.get(ending)


def _by_header(path: str, head: bytes) -> str | None:
    """Return the format that the lines with a percent sign say."""
    said = read_header(head).said
    if "version" in said or said.get("data", "").startswith("file containing"):
        return "dat"
    name = said.get("format", "").partition(";")[0] or "evt" + said.get("evt", "")
    version = name.removeprefix("evt").removesuffix(".0")
    if version in ("2", "3"):
        return f"evt{version}"
    if "evt" in said or "format" in said:
        raise FileFormatError(f"{path}: its events are {name[:20]}; EVT 2.0 and 3.0 are read")
    return None


def _by_text(head: bytes, ending: str) -> str | None:
    """Return the format of a text, by its first lines; a table has a column of times."""
    text = head if len(head) < _HEAD else head.rpartition(b"\n")[0]
    if not _TEXT.fullmatch(text):
        return None
    from rockpool.data.formats.columns import is_time
    from rockpool.data.formats.neo_text import FIRST_TIME

    lines = text.decode("utf-8-sig", "replace").splitlines()
    first = next((line for line in lines if line.strip() and line.lstrip()[0] not in "#%"), "")
    if FIRST_TIME.match(first):
        return "neo_text"
    if "sender" in first.split() and "\t" in first:
        return "nest"
    names = re.split(r"[,;\t ]+", first.strip())
    is_table = len(names) > 1 and (ending in _TABLES or any(map(is_time, names)))
    return "csv" if is_table else None
