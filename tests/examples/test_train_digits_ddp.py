"""The example that trains a larger network with several processes, on a few batches."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from support.patience import PATIENCE

PROJECT = Path(__file__).parents[2]
SCRIPT = PROJECT / "examples" / "train_digits_ddp.py"


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


@pytest.mark.slow
def test_two_processes_have_the_gradients_of_one() -> None:
    launcher = ("-m", "torch.distributed.run", "--nproc-per-node", "2")
    done = run("--batches", "2", launcher=launcher)
    assert done.returncode == 0, done.stderr
    found = re.search(r"Gradients: at most (\S+) of the largest", done.stdout)
    assert found is not None and float(found[1]) < 1e-6
    assert done.stdout.count("digits/s with 2 process(es)") == 1


def test_a_mistake_is_named() -> None:
    done = run("--batches", "0")
    assert done.returncode == 2
    assert "--batches must be at least 1, got 0" in done.stderr and "Traceback" not in done.stderr
