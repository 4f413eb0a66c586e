"""README's training snippets, as they stand, learn to read."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

README = (Path(__file__).parents[2] / "README.md").read_text()


def snippet(backend: str) -> str:
    part = README.partition(f"<!-- training {backend} -->")[2].partition("<!-- /training")[0]
    return part.partition("```python\n")[2].partition("```")[0]


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["torch", "jax"])
def test_most_digits_of_the_test_half_are_read_rightly(backend: str) -> None:
    program = snippet(backend)
    assert "seed(0)" in program
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    found = re.search(r"([\d.]+) % are right", done.stdout)
    assert found is not None and float(found[1]) >= 95
