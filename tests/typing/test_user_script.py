"""Type checkers report, in a script of a user, the errors that are marked in it and no others."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("user_script.py")

pytestmark = pytest.mark.slow  # they read all of torch and jax


def expected_errors(position: int) -> set[tuple[int, str]]:
    """Lines with names of their errors; those of mypy come first in a mark, pyright's second."""
    errors = set()
    for number, line in enumerate(SCRIPT.read_text().splitlines(), start=1):
        if "# expect: " in line:
            names = line.partition("# expect: ")[2].split(";")[position]
            errors |= {(number, name) for name in names.split()}
    return errors


def run(directory: Path, *arguments: str) -> str:
    """What a checker prints, started where it finds no settings of this package."""
    command = [sys.executable, "-m", *arguments, str(SCRIPT)]
    done = subprocess.run(command, cwd=directory, capture_output=True, text=True, check=False)
    assert done.returncode in (0, 1), done.stdout + done.stderr
    return done.stdout


def test_mypy_reports_the_marked_errors(tmp_path):
    pytest.importorskip("mypy")
    printed = run(tmp_path, "mypy", "--config-file=", "--cache-dir=cache", "--strict")
    found = re.findall(r":(\d+): error: .*\[([a-z-]+)\]$", printed, flags=re.MULTILINE)
    assert {(int(line), name) for line, name in found} == expected_errors(0), printed


def test_pyright_reports_the_marked_errors(tmp_path):
    pytest.importorskip("basedpyright")
    printed = run(
        tmp_path, "basedpyright", "--pythonpath", sys.executable, "--level", "error", "--outputjson"
    )
    found = json.loads(printed)["generalDiagnostics"]
    errors = {(entry["range"]["start"]["line"] + 1, entry["rule"]) for entry in found}
    assert errors == expected_errors(1), printed
