"""Kernels on disk: what is wrong with a file or a folder costs a compilation, and is said once.

The files that are damaged here never reach numba: that the checksum refuses them is asserted first.
"""

from __future__ import annotations

import os
import threading
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numba
import numpy as np
import pytest
from numba.core import event

from rockpool.backends import kept_code
from rockpool.nn.kernels import compiling, keeping

PROJECT = Path(__file__).parents[3]


def twice(x: Any, output: Any) -> None:
    """A kernel that is quick to compile."""
    for k in range(output.size):
        output[k] = 2 * x[k]


def n_compiled(dtype: type = np.float64) -> int:
    """Call a kernel as a new process does; how often it was compiled."""
    fresh = compiling.kernel()(twice)
    output = np.empty(3, dtype)
    with event.install_recorder("numba:compile") as recorder:
        compiling.call(fresh, x=np.ones(3, dtype), output=output)
    assert output.tolist() == [2, 2, 2]
    return sum(e.is_start and e.data["dispatcher"] is fresh for _, e in recorder.buffer)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder in which kernels are kept, of a process that has said nothing yet."""
    monkeypatch.setattr(numba.config, "CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(keeping, "_said", set())
    keeping._folder.cache_clear()
    yield Path(kept_code.folder_within(str(tmp_path)))
    keeping._folder.cache_clear()


def make_pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def flip(path: Path, place: float) -> None:
    content = bytearray(path.read_bytes())
    content[int(place * len(content))] ^= 1
    path.write_bytes(content)


DAMAGE: dict[str, Callable[[Path], Any]] = {
    "empty": lambda path: path.write_bytes(b""),
    "cut": lambda path: path.write_bytes(path.read_bytes()[:-100]),
    "cut in the checksum": lambda path: path.write_bytes(path.read_bytes()[:30]),
    "nothing behind the checksum": lambda path: path.write_bytes(path.read_bytes()[:50]),
    "random": lambda path: path.write_bytes(np.random.default_rng(1).bytes(1000)),
    "longer": lambda path: path.write_bytes(path.read_bytes() + b"x"),
    "a bit of the beginning": lambda path: flip(path, 0),
    "a bit of the code": lambda path: flip(path, 0.6),
    "a bit of the end": lambda path: flip(path, 0.9999),
    "a pipe": make_pipe,
    "others can write": lambda path: path.chmod(0o666),
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_a_bad_file_is_dropped_and_made_again(damage: Callable[[Path], Any], place: Path) -> None:
    assert [n_compiled(), n_compiled()] == [1, 0]
    (file,) = place.iterdir()
    damage(file)
    with pytest.raises(ValueError, match=r"damaged|ordinary|other users"):
        kept_code.read(str(file), "")
    with pytest.warns(RuntimeWarning, match="the kernel is compiled anew"):
        assert n_compiled() == 1
    assert list(place.iterdir()) == [file]
    assert n_compiled() == 0


def test_a_file_that_cannot_be_opened_is_no_obstacle(place: Path) -> None:
    n_compiled()
    (file,) = place.iterdir()
    file.unlink()
    file.mkdir()
    with pytest.warns(RuntimeWarning) as said:
        assert [n_compiled(), n_compiled()] == [1, 1]
    assert [str(warning.message).split(":")[0] for warning in said] == ["rockpool"] * 2  # once each


def test_code_that_numba_refuses_is_dropped(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    n_compiled()
    monkeypatch.setattr(keeping.pickle, "loads", lambda code: 1 / 0)
    with pytest.warns(RuntimeWarning, match="ZeroDivisionError"):
        assert n_compiled() == 1


def test_a_full_disk_is_no_obstacle(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*paths: str) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.warns(RuntimeWarning, match=r"not kept: .*No space left on device") as said:
        assert [n_compiled(), n_compiled()] == [1, 1]
    assert len(said) == 1
    assert list(place.iterdir()) == []


@pytest.mark.parametrize("inner", [False, True])
def test_a_folder_that_others_can_write_is_not_used(place: Path, inner: bool) -> None:
    place.mkdir()
    (place if inner else place.parent).chmod(0o777)
    with pytest.warns(RuntimeWarning, match="can be written by other users") as said:
        n_compiled()
        n_compiled(np.float32)
    assert len(said) == 1
    assert list(place.iterdir()) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_what_belongs_to_another_user_is_not_used(place: Path) -> None:
    n_compiled()
    (file,) = place.iterdir()
    os.chown(file, 12345, 12345)
    with pytest.warns(RuntimeWarning, match="belongs to another user"):
        assert n_compiled() == 1
    assert file.stat().st_uid == 0
    os.chown(place, 12345, 12345)
    keeping._folder.cache_clear()
    with pytest.warns(RuntimeWarning, match="belongs to another user"):
        n_compiled()


def test_each_type_has_a_file_of_its_own(place: Path) -> None:
    assert [n_compiled(dtype) for dtype in (np.float32, np.float64) * 2] == [1, 1, 0, 0]
    assert len(list(place.iterdir())) == 2


def test_a_file_that_another_source_has_left_is_replaced_without_a_word(place: Path) -> None:
    n_compiled()
    (file,) = place.iterdir()
    kept_code.write(str(file), "another source", b"machine code")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert [n_compiled(), n_compiled()] == [1, 0]


def test_threads_compile_several_types_of_one_kernel(
    place: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(compiling, "PATIENCE", 0.0)
    fresh, ready = compiling.kernel()(twice), threading.Barrier(4)
    errors: list[BaseException] = []

    def work(dtype: type) -> None:
        output = np.empty(3, dtype)
        ready.wait()
        try:
            compiling.call(fresh, x=np.ones(3, dtype), output=output)
            assert output.tolist() == [2, 2, 2]
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=[t]) for t in (np.float32, np.float64) * 2]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert len(list(place.iterdir())) == 2
    assert capfd.readouterr().err.count("compiling twice") == 2


AGAIN = """
import sys
import numpy as np
from rockpool.nn.modules import LIFNumba
LIFNumba(2)(np.ones((1, 3, 2)))
print("numba.np.linalg" in sys.modules)
"""


def test_what_numba_compiles_with_is_not_loaded_for_kernels_that_are_kept(
    full_python: Any,
) -> None:
    full_python.python(AGAIN, path=PROJECT)
    assert full_python.python(AGAIN, path=PROJECT) == "False"
