"""`rockpool.data.read`: which format, which arguments, what is missing; and `write`."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.event_files import CASES

from rockpool.data import Recording, RecordingWarning, read, read_samples, write
from rockpool.files import FileFormatError

# --- which format ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "the file is empty"),
        (b"#!AER-DAT2.0\r\n", "AEDAT before version 4 is not read"),
        (b"#ROSBAG V2.0\n", "ROS bags are not read"),
        (b"MATLAB 7.3 MAT-file", r"a \.mat of version 7\.3 is not read"),
        (b"\x1f\x8b\x08\x00\x00", "it is compressed, with gzip; unpack it first"),
        (b"\xfd7zXZ\x00\x00", "it is compressed, with xz; unpack it first"),
        (b"% evt 2.1\n% end\n", r"its events are evt2\.1; EVT 2\.0 and 3\.0 are read"),
        (b"% format EVT4;height=1\n% end\n", "its events are evt4; EVT"),
        (b"\x89PNG\r\n\x1a\n" + bytes(50), "no recording of a format that is read: AEDAT4, EVT"),
        (b'{\n  "a": 1\n}\n', "no recording of a format that is read"),
        (b"A letter, of words.\n", "no recording of a format that is read"),
        (b"t,x,y\n1,2,3\n", "its columns must be t, x, y, p or t, channel"),
        (b"t,x,y,p,t_us\n1,2,3,0,1\n", "two of its columns are the t of the events"),
        (b"t,x,y,p\n1,2,3\n", "after the names: "),
        (b"t,x,y,p\n1,2,3,7\n", "polarities must be 0 and 1, or -1 and 1"),
        (b"t,x,y,p\n1,2,3,1\n1,2,3,0\n1,2,3,-1\n", "its polarities are -1, 0 and 1"),
        (b"t,x,y,p\n1,2.5,3,1\n", "x must be whole numbers"),
        (b"t,x,y,p\n1e30,2,3,1\n", "a time is too large"),
        (b"t,x,y,p\nnan,2,3,1\n", "a time is NaN or infinite"),
        (b"t,x@2,y@2,p\n1,2,1,1\n", r"sensor_size \(2, 2\) is too small"),
        (b"% Version 2\n\x0e\x08", r"must be of the type 0 or 12 and of 8 bytes, got \[14, 8\]"),
    ],
)
def test_what_is_foreign_is_refused_by_name(data: bytes, message: str, tmp_path: Path) -> None:
    path = tmp_path / "odd.file"
    path.write_bytes(data)
    with pytest.raises(FileFormatError, match=rf"odd\.file: .*{message}"):
        read(path)


@pytest.mark.parametrize("path", sorted(CASES.iterdir()), ids=lambda path: path.name)
def test_a_file_that_has_been_cut_is_refused(path: Path, tmp_path: Path) -> None:
    """But for a text that ends with a line; an Event Stream, which does not say its end, warns."""
    whole, cut = path.read_bytes(), tmp_path / path.name
    ends_anywhere = path.suffix in (".raw", ".dat", ".bin")  # after any whole event
    cut.write_bytes(whole[: -1 if ends_anywhere else len(whole) // 2])
    if path.suffix == ".es":
        cut.write_bytes(whole[:-3])
        with pytest.warns(RecordingWarning, match="not as long as its 1999 events are"):
            assert len(read(cut)) == 1999
        return
    if path.name == "nest_ms-5-0.dat":
        assert 0 < len(read(cut)) <= len(read(path))
        return
    with pytest.raises(FileFormatError, match=path.name):
        list(read_samples(cut))


def test_hdf5_of_something_else_is_refused(tmp_path: Path) -> None:
    import h5py

    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["weights"] = np.ones(3)
    with pytest.raises(FileFormatError, match="no recording of a format that is read"):
        read(tmp_path / "a.h5")


def test_the_format_can_be_said(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes((CASES / "nest_ms-5-0.dat").read_bytes())
    assert read(path).format == "nest"
    assert read(path, format="nmnist").format == "nmnist"
    with pytest.raises(ValueError, match=r"format must be one of aedat4, evt2.*, got 'evt4'"):
        read(path, format="evt4")
    with pytest.raises(FileFormatError, match=r"a\.bin: it cannot be read: "):
        read(path, format="sonata")


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        ("dvs_faery_evt3.raw", {"flip_y": True}, "flip_y is not for EVT 3.0, which takes sensor_s"),
        ("dvs_faery_evt3.raw", {"sample": 1}, "sample is not for EVT 3.0"),
        ("raster_bool_TxN.npy", {"population": "a"}, "population is not for numpy .npy"),
    ],
)
def test_arguments_of_other_formats_are_refused(
    name: str, arguments: dict[str, Any], message: str
) -> None:
    with pytest.raises(TypeError, match=message):
        read(CASES / name, **arguments)


def test_arguments_that_do_not_fit_are_refused() -> None:
    assert len(read(CASES / "dvs_faery_evt3.raw", sample=0)) == 2000
    with pytest.raises(ValueError, match="sensor_size must be height and width"):
        read(CASES / "dvs_faery_evt3.raw", sensor_size=(128,))  # type: ignore[arg-type]
    with pytest.raises(FileFormatError, match=r"sensor_size \(100, 128\) is too small"):
        read(CASES / "dvs_faery_evt3.raw", sensor_size=(100, 128))
    with pytest.raises(ValueError, match="it holds a raster, for which there is no sensor_size"):
        read(CASES / "raster_bool_TxN.npy", sensor_size=(4, 4))
    with pytest.raises(ValueError, match="it holds events, for which there is no dt"):
        read(CASES / "dvs_truth.npz", dt=1e-3)
    with pytest.raises(FileFormatError, match="the unit of time must be s, ms, us, ns, got 'year'"):
        read(CASES / "dvs_truth.npz", time_unit="year")
    with pytest.raises(TypeError, match="read: path must be a path, got 3"):
        read(3)  # type: ignore[arg-type]
    for format in (None, "es", "aedat4", "sonata"):
        with pytest.raises(FileNotFoundError):
            read(CASES / "none.raw", format=format)


def test_a_file_without_a_recording_says_so(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.zeros((0, 3, 4)))
    with pytest.raises(FileFormatError, match=r"a\.npy: there is no recording in it"):
        read(tmp_path / "a.npy")
    assert not list(read_samples(tmp_path / "a.npy"))


def test_nothing_is_unpickled(tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> Any:
            return os.mkdir, (str(tmp_path / "sprung"),)

    np.save(tmp_path / "a.npy", np.array([Trap()], dtype=object), allow_pickle=True)
    np.savez(tmp_path / "a.npz", t=np.array([Trap()], dtype=object))
    for name in ("a.npy", "a.npz"):
        with pytest.raises(FileFormatError, match="holds objects of Python, which are not read"):
            read(tmp_path / name)
    assert not (tmp_path / "sprung").exists()


# --- what is missing -------------------------------------------------------------------------------


def test_numpy_alone_reads_what_needs_no_library(numpy_python: Any) -> None:
    names = ["dvs_faery_evt3.raw", "dvs_expelliarmus.dat", "nmnist_like.bin", "dvs_truth_txyp.csv"]
    code = f"from rockpool.data import read\nfor name in {names}: print(len(read({str(CASES)!r} + '/' + name)))"
    assert numpy_python.python(code).split() == ["2000"] * 4


@pytest.mark.parametrize(
    ("name", "library", "install"),
    [
        ("dvs_dv_processing.aedat4", "aedat", '"aedat>=2.3"'),
        ("dvs_event_stream.es", "event_stream", '"event_stream>=1.6"'),
        ("sonata_spikes_by_time.h5", "h5py", '"h5py>=3.10"'),
        ("neo_spiketrains.nix", "h5py", '"h5py>=3.10"'),
    ],
)
def test_a_missing_library_is_named(
    name: str, library: str, install: str, numpy_python: Any
) -> None:
    code = (
        "from rockpool.data import read\n"
        f"try: read({str(CASES / name)!r})\n"
        "except ModuleNotFoundError as error: print(error.name, error)"
    )
    said = numpy_python.python(code)
    assert said.startswith(f"{library} {CASES / name}: ")
    assert f"Get it with: pip install {install} (the extra 'recordings')" in said


def test_each_format_imports_its_own_library_alone(full_python: Any) -> None:
    code = (
        "import sys\nfrom rockpool.data import read, Recording\n"
        "libraries = {'aedat', 'dv_processing', 'event_stream', 'h5py', 'neo', 'nixio', 'scipy'}\n"
        f"read({str(CASES / 'dvs_faery_evt3.raw')!r})\nprint(sorted(libraries & set(sys.modules)))\n"
        f"read({str(CASES / 'dvs_event_stream.es')!r})\nprint(sorted(libraries & set(sys.modules)))\n"
    )
    assert full_python.python(code).splitlines() == ["[]", "['event_stream']"]


# --- writing ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("ending", ["npz", "csv", "aedat4"])
def test_a_sensor_is_written_and_read(ending: str, tmp_path: Path) -> None:
    recording = read(CASES / "dvs_faery_evt3.raw", sensor_size=(200, 300))
    write(recording, tmp_path / f"a.{ending}")
    back = read(tmp_path / f"a.{ending}")
    assert back.sensor_size == (200, 300) and back.unit == "us"
    assert np.array_equal(back.events, recording.events)


@pytest.mark.parametrize("ending", ["npz", "csv", "h5"])
def test_spikes_are_written_and_read(ending: str, tmp_path: Path) -> None:
    recording = read(CASES / "sonata_spikes_seconds.h5")
    write(recording, tmp_path / f"a.{ending}")
    back = read(tmp_path / f"a.{ending}")
    assert back.unit == "ns" and back.n_channels == 20
    assert np.array_equal(back.raster(1e-4), recording.raster(1e-4))
    assert np.array_equal(np.sort(back.events, order="t"), np.sort(recording.events, order="t"))


def test_an_npz_keeps_all_that_is_known(tmp_path: Path) -> None:
    events = np.zeros(2, dtype=[("t", "i8"), ("channel", "i8")])
    events["t"] = [5, -3]
    known = {"n_channels": 7, "time_origin": 2, "t_stop": 0.5, "info": {"label": 1, "word": "a"}}
    write(Recording(events, unit="ns", **known), tmp_path / "a.npz")
    back = read(tmp_path / "a.npz")
    assert back.events.tolist() == [(5, 0), (-3, 0)] and back.unit == "ns"
    assert {name: getattr(back, name) for name in known} == known
    with zipfile.ZipFile(tmp_path / "a.npz") as archive:
        assert sorted(archive.namelist()) == ["channel.npy", "recording.npy", "t.npy"]


@pytest.mark.parametrize("said", [b"[]", b"{}", b'{"unit": "us", "time_origin": "a"}', b"\xff"])
def test_a_description_that_cannot_be_is_refused(said: bytes, tmp_path: Path) -> None:
    columns = {name: np.zeros(1, dtype=int) for name in ("t", "channel")}
    np.savez(tmp_path / "a.npz", recording=np.frombuffer(said, np.uint8), **columns)
    with pytest.raises(FileFormatError, match="its description"):
        read(tmp_path / "a.npz")


def test_unsorted_events_are_sorted_where_the_format_needs_it(tmp_path: Path) -> None:
    recording = read(CASES / "dvs_truth.npz")
    backward = Recording(recording.events[::-1].copy(), sensor_size=(128, 128))
    write(backward, tmp_path / "a.aedat4")
    back = read(tmp_path / "a.aedat4")
    assert np.all(np.diff(back.events["t"]) >= 0)
    assert np.array_equal(back.raster(1e-3), recording.raster(1e-3))


def test_what_a_format_cannot_hold_is_refused(tmp_path: Path) -> None:
    recording = read(CASES / "nest_ms-5-0.dat")
    with pytest.raises(ValueError, match="an AEDAT4 has the events of a sensor"):
        write(recording, tmp_path / "a.aedat4")
    with pytest.raises(ValueError, match=r"format must be one of npz, csv, .*the ending '\.raw'"):
        write(recording, tmp_path / "a.raw")
    with pytest.raises(ValueError, match="got 'evt3'"):
        write(recording, tmp_path / "a.npz", format="evt3")
    with pytest.raises(TypeError, match="recording must be a Recording, got 3"):
        write(3, tmp_path / "a.npz")  # type: ignore[arg-type]
    recording.info["bad"] = object()
    with pytest.raises(TypeError):
        write(recording, tmp_path / "a.npz")
    assert not list(tmp_path.iterdir())


def test_a_file_stays_as_it_was_where_writing_fails(tmp_path: Path) -> None:
    recording = read(CASES / "nest_ms-5-0.dat")
    path = tmp_path / "a.npz"
    write(recording, path, format="csv")
    before = path.read_bytes()
    recording.info["bad"] = object()
    with pytest.raises(TypeError):
        write(recording, path)
    assert path.read_bytes() == before and len(list(tmp_path.iterdir())) == 1
    with pytest.raises(FileNotFoundError):
        write(recording, tmp_path / "none" / "a.csv")


def test_sonata_says_what_it_holds(tmp_path: Path) -> None:
    import h5py

    write(read(CASES / "sonata_spikes_by_time.h5"), tmp_path / "a.h5")
    with h5py.File(tmp_path / "a.h5") as file:
        group = file["spikes/cells"]
        kinds = h5py.check_enum_dtype(group.attrs.get_id("sorting").dtype)
        assert kinds["by_time"] == group.attrs["sorting"]
        assert group["timestamps"].attrs["units"] == "ms"
        assert group["node_ids"].dtype == np.uint64 and np.all(np.diff(group["timestamps"]) >= 0)
        assert file.attrs["magic"] == 0x0A7A
