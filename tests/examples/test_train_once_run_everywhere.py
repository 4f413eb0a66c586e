"""The example that trains a network once and runs it on every back-end that is here."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from support.patience import PATIENCE

import rockpool
from rockpool import read_header
from rockpool.nn.modules import LIF

PROJECT = Path(__file__).parents[2]
SCRIPT = PROJECT / "examples" / "train_once_run_everywhere.py"
TRAINED = SCRIPT.with_name("digits_network.safetensors")
NO_TORCH = "There is no torch to train with: taking the network of digits_network.safetensors."


def test_numpy_alone_is_enough(numpy_python) -> None:
    done = numpy_python.run(str(SCRIPT), "--shown", "5")
    first, says, *lines = done.stdout.splitlines()
    assert first == NO_TORCH
    right = re.fullmatch(r"digits_network.safetensors: \d+ kB; reads (\d+) of 360 digits .+", says)
    assert right is not None and int(right[1]) > 340
    assert any(re.match("numpy .+ reference", line) for line in lines)
    for backend in ("numba", "torch", "jax", "brian", "nest", "sinabs"):
        assert any(re.match(f"{backend} .+ not run: ", line) for line in lines)
    assert re.search(r"^numpy reads \d of 5 rightly\.$", done.stdout, re.MULTILINE)
    assert done.stderr == ""


def test_the_network_beside_it_is_small_and_was_made_by_it() -> None:
    header = read_header(TRAINED)
    assert header.size < 200_000
    assert header.notes == {"made by": SCRIPT.name} and header.library == "torch"
    (lif,) = (node for _, node in header.network.walk() if node.model == "LIF")
    assert lif.settings["max_spikes_per_dt"] == 1 and not lif.states["spikes"].any()


@pytest.mark.slow
def test_with_torch_it_trains_and_all_back_ends_agree(full_python, tmp_path: Path) -> None:
    file = tmp_path / "net.safetensors"
    before = TRAINED.read_bytes()
    arguments = ["--epochs", "4", "--hidden", "32", "--shown", "4", "--file", str(file)]
    done = full_python.run(str(SCRIPT), *arguments, path=PROJECT)
    assert done.stdout.startswith("Trained on 1437 digits in ")
    right = re.search(r"reads (\d+) of 360", done.stdout)
    assert right is not None and int(right[1]) > 250
    answers = re.findall(r"^([\w-]+) reads (\d) of 4 rightly", done.stdout, re.MULTILINE)
    assert {"numpy", "numba", "torch", "jax", "brian", "nest", "sinabs"} <= dict(answers).keys()
    assert len({count for _, count in answers}) == 1
    assert file.is_file() and TRAINED.read_bytes() == before
    assert "training" not in done.stderr  # the progress bar is for terminals


def test_a_pipe_that_closes_early_ends_it_quietly(numpy_python) -> None:
    running = subprocess.Popen(
        [str(numpy_python), "-u", str(SCRIPT), "--shown", "2"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert running.stdout is not None and running.stderr is not None
    assert running.stdout.readline().strip() == NO_TORCH
    running.stdout.close()
    assert running.stderr.read() == ""
    running.stderr.close()
    assert running.wait(PATIENCE) == 141


@pytest.mark.skipif(os.name != "posix", reason="Ctrl-C is a signal there")
def test_ctrl_c_ends_it_quietly(numpy_python) -> None:
    import signal

    running = subprocess.Popen(
        [str(numpy_python), "-u", str(SCRIPT), "--shown", "360"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert running.stdout is not None and running.stdout.readline().strip() == NO_TORCH
    running.send_signal(signal.SIGINT)
    _, errors = running.communicate(timeout=PATIENCE)
    assert (running.returncode, errors) == (130, "\nStopped\n")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--shown", "0"], "--shown must be from 1 to 360, got 0"),
        (["--epochs", "0"], "--epochs must be from 1 to 1000, got 0"),
        (["--trained", "--file", "nothing"], "there is no file nothing"),
        (["--trained", "--file", __file__], "this is no safetensors file"),
    ],
)
def test_mistakes_are_named(numpy_python, arguments: list[str], message: str) -> None:
    done = numpy_python.run(str(SCRIPT), *arguments, check=False)
    assert done.returncode == 2
    assert message in done.stderr and "Traceback" not in done.stderr


def test_a_network_for_something_else_is_refused(numpy_python, tmp_path: Path) -> None:
    rockpool.save(LIF(3), tmp_path / "net.safetensors")
    arguments = ("--trained", "--file", str(tmp_path / "net.safetensors"))
    done = numpy_python.run(str(SCRIPT), *arguments, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert "the network must have the shape (64, 10)" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [(["--file", "no/such/folder/net"], "there is no folder for no/such/folder/net")],
)
def test_it_does_not_train_for_what_cannot_be_saved(arguments: list[str], message: str) -> None:
    done = subprocess.run(
        [sys.executable, str(SCRIPT), *arguments],
        env={**os.environ, "PYTHONPATH": str(PROJECT)},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert done.returncode == 2 and message in done.stderr and "Traceback" not in done.stderr
