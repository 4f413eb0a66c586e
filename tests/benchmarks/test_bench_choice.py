"""The benchmark of the back-end ``auto`` runs as it stands. Nothing is said of speed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from support.patience import PATIENCE

SCRIPT = Path(__file__).parent / "bench_choice.py"


def test_the_table_and_the_figures(tmp_path: Path) -> None:
    file = tmp_path / "figures.json"
    words = f"--backends numpy,numba --rounds 1 --shapes 2 --costs none --json {file}".split()
    done = subprocess.run(
        [sys.executable, str(SCRIPT), *words], capture_output=True, text=True, timeout=PATIENCE
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(file.read_text())
    assert [row["shape"] for row in found["rows"]] == [[1, 1, 10], [1, 1, 64]]
    assert all(min(row["ratios"].values()) >= 1 for row in found["rows"])
    assert done.stdout.splitlines()[-1].startswith("default: within 1.2 of the fastest in ")
