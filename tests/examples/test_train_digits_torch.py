"""The example that trains a network on digits, run as it stands, on fewer digits."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from support.patience import PATIENCE

PROJECT = Path(__file__).parents[2]
SCRIPT = PROJECT / "examples" / "train_digits_torch.py"
SLOW = pytest.mark.slow
SMALL = ("--samples", "600", "--epochs", "8", "--hidden", "64")


def run(*arguments: str, launcher: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(PROJECT), "GLOO_SOCKET_IFNAME": "lo"}
    return subprocess.run(
        [sys.executable, *launcher, str(SCRIPT), *arguments],
        env={**environment, "OMP_NUM_THREADS": "1"},
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
    picture, values = tmp_path / "training.png", tmp_path / "network.json"
    done = run(*SMALL, "--plot", str(picture), "--save", str(values))
    assert done.returncode == 0, done.stderr
    assert "Trained on 480 digits" in done.stdout
    assert figure(done.stdout, r"Test accuracy: ([\d.]+) %") > 80
    assert (
        figure(done.stdout, r"([\d.]+) at last") < 1.0 < figure(done.stdout, r"([\d.]+) at first")
    )
    assert picture.read_bytes().startswith(b"\x89PNG")
    weight = json.loads(json.loads(values.read_text(encoding="utf-8"))["0_LinearTorch"]["weight"])
    assert (len(weight), len(weight[0])) == (64, 64)
    assert "epoch" not in done.stderr  # the progress bar is for terminals


@pytest.mark.slow
def test_two_processes_learn_as_well() -> None:
    launcher = ("-m", "torch.distributed.run", "--nproc-per-node", "2")
    done = run(*SMALL, launcher=launcher)
    assert done.returncode == 0, done.stderr
    assert "2 process(es)" in done.stdout and done.stdout.count("Test accuracy") == 1
    assert figure(done.stdout, r"Test accuracy: ([\d.]+) %") > 80


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--epochs", "0"], "--epochs must be at least 1, got 0"),
        (["--plot", "x.foo"], "--plot must end in .png, .pdf or .svg, got x.foo"),
        pytest.param(["--seed", "-1"], "--seed must be from 0 to 4294967295, got -1", marks=SLOW),
        pytest.param(["--samples", "3"], "--samples must be at least 10, got 3", marks=SLOW),
        pytest.param(
            ["--save", "no/such/folder/x.json"],
            "there is no folder for no/such/folder/x.json",
            marks=SLOW,
        ),
    ],
)
def test_mistakes_are_named(arguments: list[str], message: str) -> None:
    done = run(*arguments)
    assert done.returncode == 2
    assert message in done.stderr and "Traceback" not in done.stderr


def test_help() -> None:
    done = run("--help")
    assert done.returncode == 0 and "torchrun --nproc-per-node 2" in done.stdout


def test_without_torch_it_says_what_is_missing(numpy_python) -> None:
    done = numpy_python.run(str(SCRIPT), check=False)
    assert (done.returncode, done.stdout) == (1, "")
    first, *notes = done.stderr.splitlines()
    assert first.startswith("Missing the `torch` backend. `LIFTorch` objects")
    assert any("To get it: pip install" in note for note in notes)
    assert "Traceback" not in done.stderr
