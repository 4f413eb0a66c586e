"""The jax example that trains a network on digits, run as it stands, on fewer digits."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from support.patience import PATIENCE

PROJECT = Path(__file__).parents[2]
SCRIPT = PROJECT / "examples" / "train_digits_jax.py"
SLOW = pytest.mark.slow
SMALL = ("--samples", "600", "--epochs", "8", "--hidden", "64")


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(SCRIPT), *arguments],
        env={**os.environ, "PYTHONPATH": str(PROJECT), "OMP_NUM_THREADS": "1"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )


def figure(text: str, pattern: str) -> float:
    found = re.search(pattern, text)
    assert found is not None, text
    return float(found.group(1))


@pytest.mark.slow
def test_it_learns_and_leaves_its_results(tmp_path: Path) -> None:
    picture, values = tmp_path / "training.png", tmp_path / "network.npz"

    done = run(*SMALL, "--plot", str(picture), "--save", str(values))

    assert done.returncode == 0, done.stderr
    assert "Trained on 480 digits" in done.stdout
    assert figure(done.stdout, r"Test accuracy: ([\d.]+) %") > 80
    assert figure(done.stdout, r"([\d.]+) at last") < 1 < figure(done.stdout, r"([\d.]+) at first")
    for backend in ("numpy", "numba", "torch"):
        assert f"In {backend} 120 of 120 answers are the same" in done.stdout
    assert picture.read_bytes().startswith(b"\x89PNG")
    with np.load(values, allow_pickle=False) as saved:
        assert saved["input_weights/weight"].shape == (64, 64)
        assert saved["output_weights/bias"].shape == (10,)
    assert "epoch" not in done.stderr  # the progress bar is for terminals


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--epochs", "0"], "--epochs must be at least 1, got 0"),
        (["--plot", "x.foo"], "--plot must end in .png, .pdf or .svg, got x.foo"),
        (["--seed", "-1"], "--seed must be from 0 to 4294967295, got -1"),
        pytest.param(["--samples", "3"], "--samples must be at least 10, got 3", marks=SLOW),
        pytest.param(
            ["--plot", "no/such/folder/x.png"],
            "there is no folder for no/such/folder/x.png",
            marks=SLOW,
        ),
    ],
)
def test_mistakes_are_named(arguments: list[str], message: str) -> None:
    done = run(*arguments)

    assert done.returncode == 2
    assert message in done.stderr and "Traceback" not in done.stderr


def test_without_jax_it_says_what_is_missing(numpy_python) -> None:
    done = numpy_python.run(str(SCRIPT), check=False)
    assert (done.returncode, done.stdout) == (1, "")
    first, *notes = done.stderr.splitlines()
    assert first.startswith("Missing the `jax` backend. `LIFJax` objects")
    assert any("To get it: pip install" in note for note in notes)
    assert "Traceback" not in done.stderr
