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

# A stand-in that says when it has begun
ENDLESS_JOBLIB = """
import time

def delayed(function):
    return lambda *arguments: arguments

def Parallel(n_jobs):
    print("training", flush=True)
    return lambda tasks: time.sleep(1000)
"""

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


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--jobs", "0"], "--jobs must be at least 1, got 0"),
        (["--seed", "-1"], "--seed must be from 0 to 4294967295, got -1"),
        (["--plot", "x.foo"], "--plot must end in .png, .pdf or .svg, got x.foo"),
    ],
)
def test_mistakes_are_named(arguments: list[str], message: str) -> None:
    done = run(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert message in done.stderr and "Traceback" not in done.stderr


@pytest.mark.skipif(os.name != "posix", reason="Ctrl-C is a signal there")
def test_ctrl_c_ends_it_quietly(tmp_path: Path) -> None:
    import signal

    (tmp_path / "joblib.py").write_text(ENDLESS_JOBLIB)
    running = subprocess.Popen(
        [sys.executable, str(SCRIPT)],
        env={**os.environ, "PYTHONPATH": f"{tmp_path}{os.pathsep}{PROJECT}"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert running.stdout is not None and running.stdout.readline().strip() == "training"
    running.send_signal(signal.SIGINT)
    _, errors = running.communicate(timeout=PATIENCE)
    assert (running.returncode, errors) == (130, "\nStopped\n")


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_without_torch_or_joblib_it_says_what_is_missing(numpy_python, jobs: str) -> None:
    done = numpy_python.run(str(SCRIPT), "--jobs", jobs, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert "This example needs joblib" in done.stderr and "Traceback" not in done.stderr
