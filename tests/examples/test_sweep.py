"""The example that sweeps over time constants and thresholds, on few digits."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from support.patience import PATIENCE

PROJECT = Path(__file__).parents[2]
SCRIPT = PROJECT / "examples" / "sweep.py"

pytest.importorskip("joblib")


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(SCRIPT), *arguments],
        env={**os.environ, "PYTHONPATH": str(PROJECT), "OMP_NUM_THREADS": "1"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )


@pytest.mark.slow
def test_two_at_a_time_give_what_one_after_the_other_does(tmp_path: Path) -> None:
    files = {jobs: tmp_path / f"{jobs}.npy" for jobs in ("1", "2")}
    picture = tmp_path / "sweep.png"
    few = ("--epochs", "1", "--samples", "100", "--plot", str(picture))
    for jobs, file in files.items():
        done = run("--jobs", jobs, *few, "--save", str(file))
        assert done.returncode == 0, done.stderr
        assert "16 trainings in" in done.stdout and f"{jobs} at a time" in done.stdout
        assert done.stdout.count("%") == 16
    assert files["1"].read_bytes() == files["2"].read_bytes()
    accuracies = np.load(files["1"])
    assert accuracies.shape == (4, 4) and len(np.unique(accuracies)) > 4
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_a_mistake_is_named() -> None:
    done = run("--jobs", "0")
    assert done.returncode == 2
    assert "--jobs must be at least 1, got 0" in done.stderr and "Traceback" not in done.stderr


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_without_torch_or_joblib_it_says_what_is_missing(numpy_python, jobs: str) -> None:
    done = numpy_python.run(str(SCRIPT), "--jobs", jobs, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert "This example needs joblib" in done.stderr and "Traceback" not in done.stderr
