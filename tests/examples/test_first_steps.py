"""The example of a small network, run as it stands."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from support.patience import PATIENCE

PROJECT = Path(__file__).parents[2]
SCRIPT = PROJECT / "examples" / "first_steps.py"


def test_numpy_alone_is_enough(numpy_python) -> None:
    done = numpy_python.run(str(SCRIPT), "--neurons", "5", "--seed", "3")
    lines = done.stdout.splitlines()
    assert lines[0] == "ModSequential  with shape (16, 2) {"
    rasters = {
        line.split(":")[0]: lines[number + 1 : number + 1 + size]
        for number, line in enumerate(lines)
        for name, size in {"Input": 16, "Hidden layer": 5, "Output": 2}.items()
        if line.startswith(f"{name}: ")
    }
    assert set(rasters) == {"Input", "Hidden layer", "Output"}
    for raster in rasters.values():
        assert all(len(line) == 80 and set(line[5:]) <= set(".|#") for line in raster)
    assert any("|" in line for line in rasters["Hidden layer"])
    assert done.stderr == ""


def test_the_same_seed_gives_the_same_spikes(full_python) -> None:
    first, again, other = (
        full_python.run(str(SCRIPT), "--seed", seed, path=PROJECT).stdout
        for seed in ("1", "1", "2")
    )
    assert first == again != other


def test_picture(full_python, tmp_path: Path) -> None:
    picture = tmp_path / "network.png"
    full_python.run(str(SCRIPT), "--plot", str(picture), path=PROJECT)
    assert picture.read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--neurons", "0"], "--neurons must be at least 1, got 0"),
        (["--seed", "-1"], "--seed must be from 0 to 4294967295, got -1"),
        (["--plot", "x.foo"], "--plot must end in .png, .pdf or .svg, got x.foo"),
        (["--plot", "network.png"], '--plot needs matplotlib: pip install "matplotlib>=3.7"'),
    ],
)
def test_mistakes_are_named(numpy_python, arguments: list[str], message: str) -> None:
    done = numpy_python.run(str(SCRIPT), *arguments, check=False)
    assert done.returncode == 2
    assert message in done.stderr and "Traceback" not in done.stderr


def test_a_picture_for_no_folder_is_refused_before_anything_runs(full_python) -> None:
    done = full_python.run(str(SCRIPT), "--plot", "no/where.png", path=PROJECT, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert "there is no folder for no/where.png" in done.stderr


@pytest.mark.skipif(not hasattr(os, "fork"), reason="pipes end in another way there")
@pytest.mark.parametrize(
    "words",
    [
        ["first_steps.py"],
        ["optional_backend.py", "--steps", "1"],
        ["train_digits_torch.py", "--epochs", "1", "--samples", "10"],
        ["sweep.py", "--epochs", "1", "--samples", "20", "--jobs", "1"],
    ],
    ids=lambda words: words[0],
)
def test_nobody_has_to_read_to_the_end(words: list[str]) -> None:
    read, write = os.pipe()
    os.close(read)
    try:
        done = subprocess.run(
            [sys.executable, str(SCRIPT.parent / words[0]), *words[1:]],
            env={**os.environ, "PYTHONPATH": str(PROJECT)},
            stdout=write,
            stderr=subprocess.PIPE,
            text=True,
            timeout=PATIENCE,
        )
    finally:
        os.close(write)
    assert (done.returncode, "Traceback" in done.stderr) == (0, False), done.stderr


def test_without_numpy_it_says_what_is_missing(bare_python) -> None:
    done = bare_python.run(str(SCRIPT), check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("Missing the `numpy` backend. `LIF` objects")
    assert "Traceback" not in done.stderr
