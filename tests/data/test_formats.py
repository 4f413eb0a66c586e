"""Each format is read right: files of other packages against their truth, and what they trip over."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from support import event_files
from support.event_files import CASES

from rockpool.data import Recording, RecordingWarning, read, read_samples, write
from rockpool.files import FileFormatError


def truth(name: str) -> dict[str, np.ndarray]:
    with np.load(CASES / name) as arrays:
        return dict(arrays)


def written(folder: Path, name: str, data: bytes) -> Path:
    (folder / name).write_bytes(data)
    return folder / name


def assert_same_events(recording: Recording, events: dict[str, np.ndarray]) -> None:
    assert recording.unit == "us"
    for name in "txyp":
        assert np.array_equal(recording.events[name], events[name]), name


# --- sensors ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "format", "sensor_size"),
    [
        ("dvs_dv_processing.aedat4", "aedat4", (128, 128)),
        ("dvs_event_stream.es", "es", (128, 128)),
        ("dvs_expelliarmus.dat", "dat", (128, 128)),
        ("dvs_expelliarmus_evt2.raw", "evt2", (128, 128)),
        ("dvs_faery_evt3.raw", "evt3", (128, 128)),
        ("dvs_truth.npz", "npz", (128, 128)),
        ("dvs_truth_txyp.csv", "csv", (128, 128)),
    ],
)
@pytest.mark.parametrize("renamed", [False, True])
def test_the_2000_events_come_back(
    name: str, format: str, sensor_size: tuple[int, int], renamed: bool, tmp_path: Path
) -> None:
    path = CASES / name
    if renamed:  # the content tells, not the name
        path = written(tmp_path, "recording.dat", path.read_bytes())
    recording = read(path)
    assert (recording.format, recording.sensor_size) == (format, sensor_size)
    assert recording.time_origin == 0
    assert_same_events(recording, event_files.dvs_truth())


def test_the_rows_of_an_event_stream_are_turned_over_where_that_is_asked_for() -> None:
    events = event_files.dvs_truth()
    turned = read(CASES / "dvs_event_stream.es", flip_y=True)
    assert_same_events(turned, events | {"y": 127 - events["y"]})


def test_a_structured_array_comes_back(tmp_path: Path) -> None:
    events = event_files.dvs_truth()
    array = np.zeros(2000, dtype=[("t", "i8"), ("x", "i2"), ("y", "i2"), ("p", "u1")])
    for name in "txyp":
        array[name] = events[name]
    np.save(tmp_path / "events.npy", array)
    assert_same_events(read(tmp_path / "events.npy"), events)


@pytest.mark.parametrize("encode", [event_files.evt2, event_files.evt3])
def test_the_origin_that_faery_keeps_in_the_header_is_added(encode: Any, tmp_path: Path) -> None:
    events = event_files.dvs_truth()
    version = "2.0" if encode is event_files.evt2 else "3.0"
    header = f"% evt {version}\n{event_files.GEOMETRY}% t0 10000\n% end\n"
    shifted = events | {"t": events["t"] - 10_000}
    recording = read(written(tmp_path, "a.raw", encode(shifted, header)))
    assert recording.time_origin == 10_000
    assert_same_events(recording, events)


def test_the_time_of_evt3_starts_again_and_goes_on() -> None:
    recording = read(CASES / "evt3_past_16s_every_tick.raw")
    assert_same_events(recording, truth("evt3_past_16s_truth.npz"))


def test_a_quiet_gap_around_the_new_start_is_no_trap(tmp_path: Path) -> None:
    """Only those TIME_HIGH words are there that have events: readers with a short window miss it."""
    steps = np.arange(0, 40_000_000, 3_000_000)
    events = {name: np.zeros(len(steps), dtype=np.int64) for name in "xyp"} | {"t": steps}
    assert_same_events(read(written(tmp_path, "a.raw", event_files.evt3(events))), events)


def test_times_of_evt3_that_cannot_be_restored_are_told(tmp_path: Path) -> None:
    """As expelliarmus 1.1.12 writes it: one TIME_HIGH word in the whole file."""
    events = event_files.dvs_truth()
    path = written(tmp_path, "a.raw", event_files.evt3(events, one_high=True))
    with pytest.warns(RecordingWarning, match=r"the time goes back \d+ times"):
        recording = read(path)
    for name in "xyp":
        assert np.array_equal(recording.events[name], events[name])
    assert recording.events["t"].min() >= 8192 and recording.events["t"].max() <= 12_287


def test_vectors_of_evt3_are_taken_apart(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        "a.raw",
        event_files.evt3_words(
            *(0x8001, 0x6002, 0x0005),  # t = 4098, row 5
            *(0x3800 | 10, 0x4801, 0x5081),  # from column 10 on: 10, 21, then 22, 29
            *(0x2000 | 3, 0x4001, 0xE123, 0x7001),  # one pixel; then the vectors go on at 30
            *(0x8001, 0x2000 | 4),  # the same upper part again leaves the lower one
            *(0x8002, 0x2000 | 5),  # a new one does not
        ),
    )
    events = read(path).events
    assert events["x"].tolist() == [10, 21, 22, 29, 3, 30, 4, 5]
    assert events["p"].tolist() == [1, 1, 1, 1, 0, 1, 0, 0]
    assert events["t"].tolist() == [4098] * 7 + [8192]
    assert set(events["y"].tolist()) == {5}


@pytest.mark.parametrize(
    "words",
    [
        (0x0001, 0x2003, 0x8001, 0x6000, 0x2004),  # before the time
        (0x8001, 0x6000, 0x2003, 0x0001, 0x2004),  # before the row
        (0x8001, 0x6000, 0x0001, 0x4001, 0x2004),  # before the column of a vector
    ],
)
def test_events_without_a_time_or_place_are_left_out_with_a_word(
    words: tuple[int, ...], tmp_path: Path
) -> None:
    with pytest.warns(RecordingWarning, match="1 events before the first time and place"):
        recording = read(written(tmp_path, "a.raw", event_files.evt3_words(*words)))
    assert recording.events["x"].tolist() == [4]


def test_evt3_is_the_same_in_pieces_of_any_size(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from rockpool.data.formats import evt3

    rng = np.random.default_rng(3)
    kinds = rng.choice([0, 2, 3, 4, 5, 6], size=400, p=[0.1, 0.3, 0.1, 0.2, 0.2, 0.1])
    low = np.where(kinds == 6, np.arange(400), rng.integers(0, 100, 400))
    words = event_files.evt3_words(0x8000, 0x6000, 0x0001, 0x3000, *(kinds << 12 | low))
    path = written(tmp_path, "a.raw", words)
    whole = read(path, sensor_size=(2048, 2060)).events
    for size in (1, 2, 7):
        monkeypatch.setattr(evt3, "_WORDS_AT_A_TIME", size)
        assert np.array_equal(read(path, sensor_size=(2048, 2060)).events, whole)


def test_evt2_goes_on_past_32_bits_and_past_its_own(tmp_path: Path) -> None:
    """One TIME_HIGH word a second, as its 34 bits hold 4.8 hours."""
    steps = np.array([2**32 - 5, 2**32 + 5, 2**34 - 5, 2**34 + 5])
    events = {name: np.zeros(4, dtype=np.int64) for name in "xyp"} | {"t": steps}
    assert_same_events(read(written(tmp_path, "a.raw", event_files.evt2(events))), events)


def test_events_of_evt2_before_the_first_time_are_left_out_with_a_word(tmp_path: Path) -> None:
    events = event_files.dvs_truth()
    data = event_files.evt2(events)
    begin = data.index(b"128x128\n") + 8
    with pytest.warns(RecordingWarning, match="1 events before the first time"):
        recording = read(written(tmp_path, "a.raw", data[:begin] + b"\0\0\0\0" + data[begin:]))
    assert_same_events(recording, events)


@pytest.mark.parametrize("version", [1, 2])
def test_the_version_of_a_dat_is_obeyed(version: int, tmp_path: Path) -> None:
    events = event_files.dvs_truth()
    data = event_files.dat(events, f"% Version {version}\n", version)
    assert_same_events(read(written(tmp_path, "a.dat", data)), events)


def test_a_dat_of_a_header_alone_has_no_events(tmp_path: Path) -> None:
    """As faery 0.7.1 writes a recording without events."""
    path = written(tmp_path, "a.dat", b"% Version 2\n% Width 640\n% Height 480\n")
    with pytest.warns(RecordingWarning, match="there is nothing behind its header"):
        recording = read(path)
    assert len(recording) == 0 and recording.sensor_size == (480, 640)


def test_a_dat_without_a_version_asks_for_it(tmp_path: Path) -> None:
    events = event_files.dvs_truth()
    header = "% Data file containing CD events\n"
    path = written(tmp_path, "a.dat", event_files.dat(events, header, 1))
    with pytest.raises(ValueError, match=r"a\.dat: its version must be 1 or 2, got ''"):
        read(path)
    assert_same_events(read(path, version=1), events)


def test_a_dat_has_the_origin_and_the_size_that_its_header_says(tmp_path: Path) -> None:
    header = "% Version 2\n% Height 240\n% Width 304\n% T0 10000\n"
    events = event_files.dvs_truth()
    recording = read(written(tmp_path, "a.dat", event_files.dat(events, header)))
    assert recording.sensor_size == (240, 304) and recording.time_origin == 10_000
    assert np.array_equal(recording.events["t"], events["t"] + 10_000)


def test_a_late_event_of_a_dat_is_not_71_minutes_late(tmp_path: Path) -> None:
    steps = np.array([100, 200, 150, 2**32 - 1, 2**32 + 3, 2**32 - 2, 2**32 + 9])
    events = {name: np.zeros(7, dtype=np.int64) for name in "xyp"} | {"t": steps}
    steady = np.array([0, 2**31, 2**32 - 10])  # so that no step is half of the 71 minutes
    before = {name: np.zeros(3, dtype=np.int64) for name in "xyp"} | {"t": steady}
    together = {
        name: np.concatenate((events[name][:3], before[name][1:], events[name][3:]))
        for name in "txyp"
    }
    assert_same_events(read(written(tmp_path, "a.dat", event_files.dat(together))), together)


def test_n_mnist_comes_back() -> None:
    recording = read(CASES / "nmnist_like.bin")
    assert recording.sensor_size == (34, 34)
    assert_same_events(recording, truth("nmnist_like_truth.npz"))


def test_a_mark_of_n_mnist_is_no_event_and_adds_23_bits(tmp_path: Path) -> None:
    data = event_files.nmnist([8_388_600, 0, 5], [1, 0, 2], [2, 240, 3], [1, 0, 0])
    recording = read(written(tmp_path, "a.bin", data))
    assert recording.events["t"].tolist() == [8_388_600, 8_388_613]
    unmarked = event_files.nmnist([8_388_600, 5], [1, 2], [2, 3], [1, 0])
    assert read(written(tmp_path, "b.bin", unmarked)).events["t"].tolist() == [8_388_600, 8_388_613]


# --- spikes ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["sonata_spikes_by_time.h5", "sonata_spikes_seconds.h5"])
def test_the_unit_of_sonata_is_applied(name: str) -> None:
    recording, said = read(CASES / name), truth("sonata_truth.npz")
    order = np.argsort(said["timestamps_ms"], kind="stable")
    assert (len(recording), recording.n_channels, recording.unit) == (500, 20, "ns")
    assert np.allclose(recording.times * 1e3, said["timestamps_ms"][order], rtol=0, atol=1e-6)
    assert np.array_equal(recording.channels, said["node_ids"][order])


@pytest.mark.parametrize("sorting", [0, 1, 2])
def test_what_sonata_says_of_its_order_is_not_trusted(sorting: int, tmp_path: Path) -> None:
    said = truth("sonata_truth.npz")
    event_files.sonata(tmp_path / "a.h5", said["timestamps_ms"], said["node_ids"], "ms", sorting)
    recording = read(tmp_path / "a.h5")
    assert np.array_equal(recording.channels, said["node_ids"])
    assert np.array_equal(
        recording.raster(1e-3), read(CASES / "sonata_spikes_by_time.h5").raster(1e-3)
    )


def test_channels_of_sonata_that_are_silent_come_back(tmp_path: Path) -> None:
    events = np.array([(1000, 0), (2000, 1)], dtype=[("t", "i8"), ("channel", "i8")])
    write(Recording(events, unit="us", n_channels=7), tmp_path / "a.h5")
    assert read(tmp_path / "a.h5").n_channels == 7
    assert read(tmp_path / "a.h5", n_channels=9).n_channels == 9
    with h5py.File(tmp_path / "a.h5", "r+") as file:
        file["spikes/cells"].attrs["n_channels"] = 1  # of somebody else
    assert read(tmp_path / "a.h5").n_channels == 2


def test_sonata_without_a_unit_asks_for_it(tmp_path: Path) -> None:
    event_files.sonata(tmp_path / "a.h5", [1.0], [0], None)
    with pytest.raises(ValueError, match="give time_unit"):
        read(tmp_path / "a.h5")
    assert read(tmp_path / "a.h5", time_unit="s").times.tolist() == [1.0]


def test_of_several_populations_one_is_asked_for(tmp_path: Path) -> None:
    event_files.sonata(tmp_path / "a.h5", [1.0], [0])
    with h5py.File(tmp_path / "a.h5", "a") as file:
        file.copy("spikes/cells", "spikes/others")
    with pytest.raises(ValueError, match="give population, one of 'cells, others'"):
        read(tmp_path / "a.h5")
    assert read(tmp_path / "a.h5", population="others").info == {"population": "others"}
    with pytest.raises(ValueError, match="population must be one of"):
        read(tmp_path / "a.h5", population="none")


def test_the_samples_of_the_heidelberg_sets_come_back() -> None:
    samples = list(read_samples(CASES / "shd_like.h5"))
    assert len(samples) == 8 and {sample.n_channels for sample in samples} == {700}
    with h5py.File(CASES / "shd_like.h5") as file:
        for number, sample in enumerate(samples):
            seconds = file["spikes/times"][number].astype(np.float64)
            assert np.allclose(sample.times, seconds, rtol=0, atol=6e-10)
            assert np.array_equal(sample.channels, file["spikes/units"][number])
            assert sample.info["label"] == file["labels"][number]
            assert sample.info["word"] == f"word{sample.info['label']}"
    one = read(CASES / "shd_like.h5", sample=3)
    assert np.array_equal(one.events, samples[3].events)
    with pytest.raises(ValueError, match=r"has 8 recordings; give sample, from 0 to 7"):
        read(CASES / "shd_like.h5")
    with pytest.raises(ValueError, match="sample must be from 0 to 7, got 8"):
        read(CASES / "shd_like.h5", sample=8)


def test_float16_is_told_of_for_short_bins_once(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    times = rng.uniform(0, 1.4, 20_000)
    event_files.shd(tmp_path / "a.h5", [times], [np.zeros(20_000)])
    recording = read(tmp_path / "a.h5")
    assert recording.raster(1e-3).sum() == 20_000  # without a warning
    with pytest.warns(RecordingWarning, match=r"in bins of 0\.5 ms about 2[4-7] % of the events"):
        recording.raster(0.5e-3)
    recording.raster(0.5e-3)
    event_files.shd(tmp_path / "b.h5", [times], [np.zeros(20_000)], np.float64)
    read(tmp_path / "b.h5").raster(0.5e-3)


def test_a_recorder_of_nest_comes_back() -> None:
    recording, said = read(CASES / "nest_ms-5-0.dat"), truth("nest_ms_truth.npz")
    assert recording.format == "nest" and recording.n_channels == 3
    assert np.array_equal(recording.channels + 1, said["senders"])
    assert np.array_equal(recording.events["t"], np.round(said["times_ms"] * 1e6))
    assert read(CASES / "nest_ms-5-0.dat", n_channels=5).n_channels == 5


def test_time_steps_of_nest_are_the_same_times(tmp_path: Path) -> None:
    """As NEST 3.10 wrote both for three neurons, one of them with precise times."""
    head = "# NEST version: 3.10.0\n# RecordingBackendASCII version: 2\n"
    in_ms = "sender\ttime_ms\n1\t9.900\n2\t9.900\n5\t9.808\n1\t21.800\n5\t21.617\n"
    steps = "sender\ttime_step\ttime_offset\n1\t99\t0.000\n2\t99\t0.000\n5\t99\t0.092\n"
    steps += "1\t218\t0.000\n5\t217\t0.083\n"
    times = read(written(tmp_path, "a.dat", (head + in_ms).encode()))
    path = written(tmp_path, "b.dat", (head + steps).encode())
    with pytest.raises(ValueError, match="its times are in time steps; give resolution"):
        read(path)
    assert np.array_equal(read(path, resolution=1e-4).events, times.events)
    assert times.events["channel"].tolist() == [0, 1, 4, 0, 4]
    with pytest.raises(ValueError, match="resolution must be a whole number of nanoseconds"):
        read(path, resolution=0)


def test_what_a_multimeter_of_nest_recorded_is_no_spikes() -> None:
    with pytest.raises(ValueError, match=r"nest_vm-7-0\.dat: .*'V_m, I_syn_ex', as a multimeter"):
        read(CASES / "nest_vm-7-0.dat")


def neo_trains() -> list[np.ndarray]:
    with np.load(CASES / "neo_truth.npz") as arrays:
        return [arrays[f"train{number}_s"] for number in range(4)]


def assert_same_trains(recording: Recording) -> None:
    assert recording.n_channels == 4 and recording.unit == "ns"
    for number, train in enumerate(neo_trains()):
        found = recording.times[recording.channels == number]
        assert np.allclose(found, train, rtol=0, atol=5e-10) and len(found) == len(train)


def test_trains_of_neo_come_back() -> None:
    recording = read(CASES / "neo_spiketrains.nix")
    assert_same_trains(recording)
    assert recording.t_stop == 1.0 and len(recording.raster(1e-3)) == 1000
    assert recording.info["names"] == ["unit 0", "unit 1", "in seconds", "silent"]


def test_trains_of_neo_come_back_from_matlab(tmp_path: Path) -> None:
    import neo
    import quantities as pq
    import scipy.io
    import scipy.sparse

    block, segment = neo.Block(), neo.Segment()
    block.segments.append(segment)
    for unit, train in zip((pq.ms, pq.ms, pq.s, pq.ms), neo_trains(), strict=True):
        times = (train * pq.s).rescale(unit)
        segment.spiketrains.append(neo.SpikeTrain(times, t_stop=(1 * pq.s).rescale(unit)))
    neo.io.NeoMatlabIO(str(tmp_path / "a.mat")).write_block(block)
    assert_same_trains(read(tmp_path / "a.mat"))
    data = (tmp_path / "a.mat").read_bytes()
    scipy.io.savemat(tmp_path / "o.mat", {"other": scipy.sparse.eye(3)})
    (tmp_path / "b.mat").write_bytes(data + (tmp_path / "o.mat").read_bytes()[128:])
    assert_same_trains(read(tmp_path / "b.mat"))
    packed = zlib.compress(data[128:])  # as Matlab itself writes its one variable
    head = data[:128] + struct.pack("<II", 15, len(packed))
    (tmp_path / "b.mat").write_bytes(head + packed)
    assert_same_trains(read(tmp_path / "b.mat"))
    for size in (100, 130, 150, 1000, len(data) - 8):
        (tmp_path / "c.mat").write_bytes(data[:size])
        with pytest.raises(FileFormatError, match=r"c\.mat"):
            read(tmp_path / "c.mat")
    (tmp_path / "c.mat").write_bytes(head + packed[:-40] + bytes(40))
    with pytest.raises(FileFormatError, match=r"c\.mat: it is damaged: Error -3 while"):
        read(tmp_path / "c.mat")
    (tmp_path / "c.mat").write_bytes(head + packed[:-8] + bytes(0))
    with pytest.raises(FileFormatError, match=r"c\.mat: it ends within an element"):
        read(tmp_path / "c.mat")


def test_files_of_matlab_that_neo_has_not_written_are_refused(tmp_path: Path) -> None:
    import scipy.io
    import scipy.sparse

    path = tmp_path / "other.mat"
    for values, said in (
        ({"x": {"y": scipy.sparse.eye(3)}}, "an array has the class 5, which neo does not write"),
        ({"x": scipy.sparse.eye(3)}, ""),
        ({"x": np.eye(3), "y": {"a": "text", "b": 2.0}, "z": np.array(["a", "bc"])}, ""),
    ):
        scipy.io.savemat(path, values)
        with pytest.raises(FileFormatError, match=rf"other\.mat: {said}"):
            read(path, format="mat")


def test_trains_of_neo_come_back_from_its_text(tmp_path: Path) -> None:
    lines = [
        "".join(
            f"{time * (1 if number == 2 else 1e3)!r} {'s' if number == 2 else 'ms'}\t"
            for time in train.tolist()
        )
        for number, train in enumerate(neo_trains())
    ]
    recording = read(written(tmp_path, "a.txt", ("\n".join(lines) + "\n").encode()))
    assert recording.format == "neo_text"
    assert_same_trains(recording)


# --- tables and rasters ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "p,y,x,t\n1,2,3,10\n0,5,4,20\n",
        "t_us;x;y;p\n10;3;2;1\n20;4;5;-1\n",
        "time (ms)\tx\ty\tpolarity\tmore\n0.01\t3\t2\tTrue\ta\n0.02\t4\t5\tFalse\tb\n",
        "# a sensor\n\ntimestamp x y on\n10 3 2 1\n20 4 5 0\n",
        "\ufefft[s], x@8, y@6, p\n0.00001, 3, 2, on\n0.00002, 4, 5, off\n",
        '"t","x","y","p"\n"10","3","2","1"\n"20","4","5","0"\n',
        '"time (ms)"; "x"; y; "p"; "of"\n"0.01"; "3"; 2; "on"; "a"\r\n"0.02";4;"5"; "off";"b"\n',
        '"t" "x" "y" "p" "of"\n"10" "3" "2" "1" ""\n20 "4" "5" "0" 5"\n',
    ],
)
def test_columns_of_a_csv_go_by_their_names(text: str, tmp_path: Path) -> None:
    recording = read(written(tmp_path, "a.csv", text.encode()))
    per_us = 1 if recording.unit == "us" else 1000
    assert (recording.events["t"] // per_us).tolist() == [10, 20]
    assert recording.events["x"].tolist() == [3, 4]
    assert recording.events["y"].tolist() == [2, 5]
    assert recording.events["p"].tolist() == [1, 0]
    assert recording.sensor_size == ((6, 8) if "@" in text else (6, 5))


def test_a_csv_without_names_or_units_asks_for_them(tmp_path: Path) -> None:
    path = written(tmp_path, "a.txt", b"0.5 3 2 1\n0.25 4 5 0\n")
    with pytest.raises(ValueError, match="its first line must have the names of the columns"):
        read(path, format="csv")
    quoted = written(tmp_path, "b.csv", b'"0.5","3"\n')
    with pytest.raises(ValueError, match="its first line must have the names of the columns"):
        read(quoted)
    assert read(quoted, columns="t,channel", time_unit="s").times.tolist() == [0.5]
    with pytest.raises(ValueError, match="in which unit its times are; give time_unit"):
        read(path, format="csv", columns="t,x,y,p")
    recording = read(path, format="csv", columns="t x y p", time_unit="s")
    assert recording.times.tolist() == [0.5, 0.25]
    with pytest.raises(ValueError, match="columns are t, x, and it has 4 of them"):
        read(path, format="csv", columns=["t", "x"])


@pytest.mark.parametrize("unit", ["us", "ns"])
def test_whole_times_of_a_csv_are_exact(unit: str, tmp_path: Path) -> None:
    times = 1_700_000_000_000_000_001 + np.arange(5)
    events = np.zeros(5, [("t", "i8"), ("channel", "i8")])
    events["t"] = times
    write(Recording(events, unit=unit), tmp_path / "a.csv")
    found = read(tmp_path / "a.csv")
    assert found.unit == unit
    np.testing.assert_array_equal(found.events["t"], times)
    text = "t_ns,x,y,p\n1700000000000000001,0,1,on\n1700000000000000003,2,1,off\n"
    (tmp_path / "b.csv").write_text(text)
    assert read(tmp_path / "b.csv").events["t"].tolist() == [times[0], times[2]]


def test_the_first_whole_number_that_floats_lack_is_exact(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(f"t_us,channel\n{2**53 + 1},0\n")
    assert read(tmp_path / "a.csv").events["t"].tolist() == [2**53 + 1]


@pytest.mark.parametrize("sign", [",", ";", "\t"])
def test_a_first_column_without_a_name_is_a_column(sign: str, tmp_path: Path) -> None:
    """The numbers of rows that pandas writes in front."""
    text = "\n".join(sign.join(row) for row in [("", "t", "channel"), ("0", "100", "3"), "142"])
    found = read(written(tmp_path, "a.csv", text.encode()))
    assert found.events.tolist() == [(100, 3), (4, 2)]


def test_an_empty_field_may_be_the_last(tmp_path: Path) -> None:
    found = read(written(tmp_path, "a.csv", b"t,channel\n100,3,\n200,4\n"))
    assert found.events.tolist() == [(100, 3), (200, 4)]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("t,channel\n1,100,3\n2,200,4\n", "line 1 after the names has 3 fields, for 2 names"),
        ("t,channel\n100,3\n200,4,9,9\n", "line 2 after the names has 4 fields, for 2 names"),
        (" t channel\n0 100 3\n1 200 4\n", "line 1 after the names has 3 fields, for 2 names"),
        ("t,channel\n100,3,,\n", "line 1 after the names has 3 fields, for 2 names"),
    ],
)
def test_a_line_with_more_fields_than_names_is_refused(
    text: str, message: str, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match=message):
        read(written(tmp_path, "a.csv", text.encode()), format="csv")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("time_s;neuron\n1.5;2\n1,5;2\n", "line 2 after the names: 'time_s' .*, got '1,5'"),
        ('t;channel\n"1,5";"2"\n', "line 1 after the names: 't' must be a number, got '1,5'"),
        ("t,x,y,p\n\n1,2,3,on\n1,2,\u200b,off\n", r"line 3 after .*: 'y' .*, got '\\u200b'"),
        ("t,channel\n1,\n", "line 1 after the names: 'channel' must be a number, got ''"),
        (f"t,channel\n{'9' * 500}x,1\n", r"line 1 after the names: 't' .*, got '9{56}\.\.\.$"),
        ("# NEST\nsender\ttime_ms\n1\t0,5\n", "line 1 after .*: 'time_ms' .*, got '0,5'"),
    ],
)
def test_a_word_among_numbers_is_shown_with_its_line(
    text: str, message: str, tmp_path: Path
) -> None:
    path = written(tmp_path, "a.csv", text.encode())
    with pytest.raises(ValueError, match=message) as caught:
        read(path)
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < len(str(path)) + 150


def test_large_times_of_a_csv_that_are_no_whole_numbers(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("t_ns,channel\n1.7e18,0\n1700000000000000256,1\n")
    assert read(tmp_path / "a.csv").events["t"].tolist() == [17 * 10**17, 17 * 10**17 + 256]


@pytest.mark.parametrize(
    ("start", "info", "message"),
    [
        (1_700_000_000_000_000, {}, "which cannot hold 1700000000000001 us"),
        (2**60, {}, f"which cannot hold {2**60} us"),
        (0, {"population": "a/b"}, r"info\['population'\] must be a name without '/', got 'a/b'"),
        (0, {"population": ""}, "must be a name without '/', got ''"),
        (0, {"population": "."}, r"must be a name without '/', got '\.'"),
    ],
)
def test_what_sonata_cannot_hold_is_refused(
    start: int, info: dict[str, str], message: str, tmp_path: Path
) -> None:
    events = np.zeros(100, [("t", "i8"), ("channel", "i8")])
    path = tmp_path / "a.h5"
    write(Recording(events), path)
    before = path.read_bytes()
    events["t"] = start + np.arange(100)
    with pytest.raises(ValueError, match=message):
        write(Recording(events, info=info), path)
    assert path.read_bytes() == before


def test_a_csv_of_channels(tmp_path: Path) -> None:
    path = written(tmp_path, "a.csv", b"neuron,time_ms\n2,0.1\n0,3\n")
    recording = read(path)
    assert recording.channels.tolist() == [2, 0] and recording.times.tolist() == [1e-4, 3e-3]
    assert (recording.n_channels, read(path, n_channels=20).n_channels) == (3, 20)
    with pytest.raises(ValueError, match="n_channels must be at least 3"):
        read(path, n_channels=2)


def test_a_csv_says_of_silent_channels(tmp_path: Path) -> None:
    events = np.zeros(2, [("t", "i8"), ("channel", "i8")])
    write(Recording(events, n_channels=20), tmp_path / "a.csv")
    assert (tmp_path / "a.csv").read_text() == "t_us,channel@20\n0,0\n0,0\n"
    assert read(tmp_path / "a.csv").n_channels == 20
    write(Recording(events[:0], n_channels=3), tmp_path / "b.csv")
    assert read(tmp_path / "b.csv").n_channels == 3


@pytest.mark.parametrize("dt", [None, 1e-3, 1 / 3000])
def test_a_raster_comes_back_from_its_events(dt: float | None) -> None:
    path = CASES / "raster_bool_TxN.npy"
    recording = read(path, dt=dt)
    assert np.array_equal(recording.raster(1e-3 if dt is None else dt), np.load(path))


def test_a_raster_of_counts_with_the_neurons_first(tmp_path: Path) -> None:
    counts = np.random.default_rng(0).poisson(0.3, size=(16, 200)).astype(np.uint8)
    np.save(tmp_path / "a.npy", counts)
    recording = read(tmp_path / "a.npy", layout="NT")
    assert recording.n_channels == 16 and np.array_equal(recording.raster(1e-3), counts.T)
    with pytest.raises(ValueError, match="layout must be TN or NT, got 'BTN'"):
        read(tmp_path / "a.npy", layout="BTN")


def test_rasters_of_a_batch_and_of_a_sensor(tmp_path: Path) -> None:
    counts = np.random.default_rng(0).poisson(0.3, size=(5, 2, 3, 4))
    np.savez(tmp_path / "a.npz", input=counts[:, 0], other=np.ones(3))
    batch = list(read_samples(tmp_path / "a.npz"))
    assert np.array_equal([one.raster(1e-3) for one in batch], counts[:, 0])
    np.save(tmp_path / "a.npy", counts)
    assert np.array_equal(read(tmp_path / "a.npy").raster(1e-3, sensor=True), counts)


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.full((3, 4), 0.5), "must have whole numbers of events"),
        (np.full((3, 4), -1), "must have counts >= 0"),
        (np.full((3, 4), 2**40), "at most 134217728 events in all"),
        (np.full((3, 4), np.nan), "must have counts >= 0"),
        (np.ones(3), "must have two, three or four axes"),
        (np.ones((3, 4), dtype=complex), "must have two, three or four axes and numbers"),
        (np.ones((3, 5, 2, 2)), "its second axis must be the polarity"),
        (np.array([("a",)], dtype=[("a", "U1")]), "its columns must be t, x, y, p"),
    ],
)
def test_what_is_no_raster_is_refused(array: np.ndarray, message: str, tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", array)
    with pytest.raises(ValueError, match=message):
        read(tmp_path / "a.npy")


def test_the_stream_of_an_aedat4_is_chosen_by_its_number() -> None:
    recording = read(CASES / "dvs_dv_processing.aedat4", stream=0)
    assert len(recording) == 2000
    with pytest.raises(ValueError, match="stream must be one of 0, got 3"):
        read(CASES / "dvs_dv_processing.aedat4", stream=3)
