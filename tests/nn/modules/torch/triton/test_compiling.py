"""The kernels compile for GPUs that need not be here, and keep their states in registers."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import support
from support.patience import PATIENCE

import rockpool

pytestmark = pytest.mark.triton

SCRIPT = Path(support.__file__).with_name("triton_compiling.py")
ROOT = Path(rockpool.__file__).parents[1]


@pytest.mark.parametrize("architecture", ["sm_80", "sm_90"])
def test_kernels_compile_and_spill_nothing(architecture: str, tmp_path: Path, device: str) -> None:
    settings = {"TRITON_CACHE_DIR": str(tmp_path), "PYTHONPATH": str(ROOT)}
    environment = {k: v for k, v in os.environ.items() if "TRITON" not in k}
    environment.pop("ROCKPOOL_KERNELS", None)
    done = subprocess.run(
        [sys.executable, str(SCRIPT), architecture],
        env=environment | settings,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    head, _, *rows = [line.strip("| ").split(" | ") for line in done.stdout.splitlines()]
    spilled = head.index("spilled")
    assert {row[spilled] for row in rows} == {"0"}
    kernels = {row[0] for row in rows}
    assert kernels == {"lif_forward", "lif_backward", "leaky_sum_forward", "leaky_sum_backward"}
