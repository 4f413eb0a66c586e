"""The benchmark on a GPU runs as it stands, by Triton's interpreter. Nothing is said of speed."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from support.patience import PATIENCE

SCRIPT = Path(__file__).with_name("bench_gpu.py")


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(SCRIPT), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)


@pytest.mark.triton
@pytest.mark.skipif(find_spec("triton") is None, reason="needs triton")
def test_a_rehearsal(tmp_path: Path) -> None:
    file = tmp_path / "figures.json"
    done = run("--rehearse", "--json", str(file))
    assert done.returncode == 0, done.stderr
    found = json.loads(file.read_text())
    assert "1 passed" in found["tests"]
    assert found["both"]["5"].keys() >= {"ours, kernel", "ours, loop", "weights alone"}
    assert found["alone"]["5"].keys() == {"ours, kernel", "ours, loop", "limit"}
    for name, reason in found["left out"].items():
        assert reason.endswith("is not installed"), name


def test_wrong_arguments_are_refused() -> None:
    assert "--steps must be above 0, got 0" in run("--steps", "0").stderr
