"""Damaged files are refused by name or read, whatever they say, and take little memory."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from support import event_files, mutations
from support.patience import PATIENCE

from rockpool.data import read
from rockpool.files import FileFormatError

MB_AT_MOST = 500


@pytest.mark.skipif(sys.platform != "linux", reason="the memory is read from /proc")
@pytest.mark.parametrize(
    ("number", "seed"), [(300, 0), pytest.param(10_000, 1, marks=pytest.mark.slow)]
)
def test_a_damaged_file_is_read_or_refused(number: int, seed: int, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", mutations.__file__, str(number), str(seed), str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=10 * PATIENCE,
    )
    assert done.returncode == 0, done.stderr[-5000:]
    read_well, refused, megabytes = map(int, done.stdout.split()[-3:])
    assert read_well + refused == number and min(read_well, refused) > number // 10
    assert megabytes < MB_AT_MOST


def test_a_list_of_hdf5_that_says_it_is_larger_than_the_file_is_refused(tmp_path: Path) -> None:
    """HDF5 itself takes the memory for what a list says, before it looks."""
    path = tmp_path / "a.h5"
    event_files.shd(path, [[0.5] * 77], [[1] * 77])
    data = path.read_bytes()
    length, more = (77).to_bytes(4, "little"), (10 * len(data)).to_bytes(4, "little")
    assert data.count(length) >= 2
    for place in (i for i in range(len(data)) if data.startswith(length, i)):
        path.write_bytes(data[:place] + more + data[place + 4 :])
        with pytest.raises(FileFormatError, match=r"a\.h5"):
            read(path)


@pytest.mark.parametrize("more", [8, 64, 4096, 2**40])
def test_a_heap_of_hdf5_that_does_not_add_up_is_refused(more: int, tmp_path: Path) -> None:
    path = tmp_path / "a.h5"
    event_files.shd(path, [[0.5] * 77], [[1] * 77])
    data = path.read_bytes()
    (heap,) = (i for i in range(len(data)) if data.startswith(b"GCOL", i))
    assert len(read(path).events) == 77
    whole = int.from_bytes(data[heap + 8 : heap + 16], "little")
    first = heap + 24  # the size of the first object
    for place, size in ((first, whole - 32 + more), (heap + 8, len(data) - heap + more)):
        path.write_bytes(data[:place] + size.to_bytes(8, "little") + data[place + 8 :])
        with pytest.raises(FileFormatError, match=f"a heap of HDF5, at byte {heap}, does not add"):
            read(path)


def test_an_npy_that_says_it_is_larger_than_the_file_is_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.zeros((100, 100), dtype=np.uint8))
    data = (tmp_path / "a.npy").read_bytes()
    (tmp_path / "a.npy").write_bytes(data.replace(b"(100, 100), }  ", b"(999999, 999999)}"[:15]))
    with pytest.raises(FileFormatError, match=r"a\.npy"):
        read(tmp_path / "a.npy")


def test_what_a_library_quotes_of_a_damaged_file_is_short_and_printable(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    np.savez(path, **{"t" * 5000: np.ones(3)})
    path.write_bytes(path.read_bytes().replace(b"ttttt", b"\xff\x00\n\x1b\x07", 1))

    with pytest.raises(FileFormatError, match=r"a\.npz: it cannot be read: File name") as caught:
        read(path)

    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < len(str(path)) + 250


def test_an_aedat4_whose_description_is_no_ascii_is_refused(tmp_path: Path) -> None:
    """A damaged description can end the process in aedat 2.3.0, which is not asked for such a one."""
    data = (event_files.CASES / "dvs_dv_processing.aedat4").read_bytes()
    place = data.index(b'name="') + len(b'name="')
    path = tmp_path / "a.aedat4"
    path.write_bytes(data[:place] + "é".encode() + data[place + 2 :])
    with pytest.raises(FileFormatError, match="the description of its streams is damaged"):
        read(path)
