"""`rockpool show` and `run` for recordings of events and spikes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support import event_files
from support.event_files import CASES

import rockpool
from rockpool.cli import main
from rockpool.data import read, read_samples
from rockpool.nn.combinators import Sequential
from rockpool.nn.modules import LIF, Linear


def network(channels: int, dt: float = 1e-3) -> Any:
    weight = np.random.default_rng(1).normal(size=(channels, 3))
    return Sequential(Linear((channels, 3), weight=weight), LIF(3, dt=dt))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to be in."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def ran(capsys: pytest.CaptureFixture[str], *words: object) -> tuple[int, str, str]:
    code = main([str(word) for word in words])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_show_tells_what_a_recording_holds(capsys: Any) -> None:
    code, out, _ = ran(capsys, "show", CASES / "dvs_faery_evt3.raw")
    assert code == 0 and "12,522 bytes, EVT 3.0" in out
    assert out.splitlines()[-1].split() == "0 2,000 128 x 128 0.01 1.01".split()
    said = json.loads(ran(capsys, "show", CASES / "shd_like.h5", "--json")[1])
    assert said["format"] == "Heidelberg spike sets" and len(said["recordings"]) == 8
    assert said["recordings"][0]["info"]["word"] == "word7"
    assert said["recordings"][0]["channels"] == 700


def test_show_says_why_a_recording_cannot_be_read(capsys: Any, folder: Path) -> None:
    code, _, err = ran(capsys, "show", CASES / "nest_vm-7-0.dat")
    assert code == 1 and "V_m, I_syn_ex" in err
    Path("cut.raw").write_bytes((CASES / "dvs_faery_evt3.raw").read_bytes()[:-1])
    code, _, err = ran(capsys, "show", "cut.raw")
    assert code == 1 and "cut.raw: it ends within a word of 2 bytes" in err
    Path("words.md").write_text("Some words.\n")
    code, _, err = ran(capsys, "show", "words.md")
    assert code == 1 and "words.md: " in err


@pytest.mark.parametrize("dt", [1e-3, 5e-3])
def test_run_counts_spikes_in_the_time_step_of_the_network(
    dt: float, folder: Path, capsys: Any
) -> None:
    rockpool.save(network(20, dt), "net.safetensors")
    path = CASES / "sonata_spikes_seconds.h5"
    code, _, err = ran(
        capsys, "run", "net.safetensors", path, "--backend", "numpy", "-o", "out.npy"
    )
    assert code == 0, err
    raster = read(path).raster(dt)
    wanted = network(20, dt)(raster[np.newaxis].astype(float))[0]
    assert np.array_equal(np.load("out.npy"), wanted)


def test_run_takes_all_samples_as_long_as_the_longest(folder: Path, capsys: Any) -> None:
    rockpool.save(network(700), "net.safetensors")
    path = CASES / "shd_like.h5"
    code, out, err = ran(capsys, "run", "net.safetensors", path, "--backend", "numpy", "--json")
    assert code == 0, err
    longest = max(len(sample.raster(1e-3)) for sample in read_samples(path))
    said = json.loads(out)
    assert (said["inputs"], said["steps"]) == (8, longest)


@pytest.mark.parametrize("name", ["dvs_truth.npz", "dvs_truth_txyp.csv", "events.npy"])
def test_run_takes_the_events_of_a_sensor_from_any_file(
    name: str, folder: Path, capsys: Any
) -> None:
    rockpool.save(network(2 * 128 * 128), "net.safetensors")
    np.save("events.npy", read(CASES / "dvs_truth.npz").events)
    path = name if name == "events.npy" else CASES / name
    code, out, err = ran(capsys, "run", "net.safetensors", path, "--backend", "numpy", "--json")
    assert code == 0, err
    assert json.loads(out)["steps"] == 1011


def test_run_knows_that_the_last_neurons_may_have_been_silent(folder: Path, capsys: Any) -> None:
    rockpool.save(network(7), "net.safetensors")
    code, _, err = ran(capsys, "run", "net.safetensors", CASES / "nest_ms-5-0.dat")
    assert code == 0, err
    rockpool.save(network(2), "net.safetensors")
    code, _, err = ran(capsys, "run", "net.safetensors", CASES / "nest_ms-5-0.dat")
    assert code == 1 and "n_channels must be at least 3" in err


@pytest.mark.parametrize("ending", ["csv", "npy"])
def test_the_last_channels_of_columns_may_be_silent(ending: str, folder: Path, capsys: Any) -> None:
    rockpool.save(network(4), "net.safetensors")
    events = np.array([(1000, 0), (2500, 1)], [("t", "i8"), ("channel", "i8")])
    if ending == "npy":
        np.save("events.npy", events)
    else:
        np.savetxt("events.csv", events, "%d", ",", header="t_us,channel", comments="")
    code, _, err = ran(capsys, "run", "net.safetensors", f"events.{ending}", "--backend", "numpy")
    assert code == 0, err


def test_warnings_are_told_in_words_for_the_command_line(folder: Path, capsys: Any) -> None:
    rockpool.save(network(4), "net.safetensors")
    Path("early.csv").write_text("t_us,channel\n-1000,0\n2500,2\n")
    code, _, err = ran(capsys, "run", "net.safetensors", "early.csv", "--backend", "numpy")
    assert code == 0 and "early.csv: 1 events before the time 0 are left out\n" in err
    assert "RecordingWarning" not in err and "give" not in err


def test_run_says_what_does_not_fit(folder: Path, capsys: Any) -> None:
    rockpool.save(network(4), "net.safetensors")
    code, _, err = ran(capsys, "run", "net.safetensors", CASES / "dvs_faery_evt3.raw")
    assert code == 1 and "has 32768 channels, the network takes 4" in err
    Path("odd.raw").write_bytes(event_files.evt3_words(0x8000)[:-1])
    code, _, err = ran(capsys, "run", "net.safetensors", "odd.raw")
    assert code == 1 and "odd.raw: it ends within a word" in err
    Path("words.md").write_text("Some words.\n")
    code, _, err = ran(capsys, "run", "net.safetensors", "words.md")
    assert code == 1 and "no recording of a format that is read" in err


def test_a_missing_library_is_said(numpy_python: Any, tmp_path: Path) -> None:
    path = str(CASES / "dvs_dv_processing.aedat4")
    done = numpy_python.run("-m", "rockpool", "show", path, check=False)
    assert done.returncode == 1 and 'pip install "aedat>=2.3"' in done.stderr
    rockpool.save(network(4), tmp_path / "net.safetensors")
    done = numpy_python.run(
        "-m", "rockpool", "run", str(tmp_path / "net.safetensors"), path, check=False
    )
    assert done.returncode == 1 and "the extra 'recordings'" in done.stderr
