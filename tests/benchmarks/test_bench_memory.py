"""The benchmark of memory runs as it stands. Nothing is said of speed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("bench_memory.py")


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="peaks are read from /proc")
def test_the_table_and_the_figures(tmp_path: Path) -> None:
    file = tmp_path / "figures.json"
    command = [sys.executable, str(SCRIPT), "--rounds", "1", "--steps", "500", "--json", str(file)]
    printed = subprocess.run(command, capture_output=True, check=True, text=True).stdout
    found = json.loads(file.read_text())
    assert all({"full", "low", "ratio"} == set(layer) for layer in found.values())
    assert all(name in printed for name in found)
