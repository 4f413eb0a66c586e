"""What breaks the interface since the last tag is told."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NOBODY = ["-c", "user.name=nobody", "-c", "user.email=nobody@localhost"]

pytestmark = pytest.mark.slow


@pytest.fixture
def told(docs_python: Path, tmp_path: Path) -> Callable[[], subprocess.CompletedProcess[str]]:
    """A repository with a copy of the package, and the program that looks at it."""
    for folder in ("rockpool", "docs/_make"):
        hidden = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=hidden)
    git(tmp_path, "init", "--quiet")
    git(tmp_path, "add", "--all")
    git(tmp_path, *NOBODY, "commit", "--quiet", "--message", "as it was")

    def run() -> subprocess.CompletedProcess[str]:
        program = tmp_path / "docs" / "_make" / "api_breaks.py"
        return subprocess.run([docs_python, program], capture_output=True, text=True, cwd=tmp_path)

    return run


def git(folder: Path, *words: str) -> None:
    subprocess.run(["git", *words], cwd=folder, check=True, capture_output=True)


def test_without_a_tag_that_is_said(told) -> None:
    done = told()
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("no tag yet")


def test_a_parameter_that_is_gone_is_a_break(told, tmp_path: Path) -> None:
    git(tmp_path, "tag", "v1")
    assert "breaks of the interface since v1: 0" in told().stdout
    file = tmp_path / "rockpool" / "files" / "network_file.py"
    text = file.read_text()
    assert "notes: Mapping[str, str] | None = None" in text
    file.write_text(text.replace(", *, notes: Mapping[str, str] | None = None", ""))
    done = told()
    assert done.returncode == 1
    assert "since v1: 1" in done.stdout and "save(notes)" in done.stdout


def test_what_is_moved_inside_the_package_is_none(told, tmp_path: Path) -> None:
    git(tmp_path, "tag", "v1")
    file = tmp_path / "rockpool" / "nn" / "modules" / "numba" / "euler_numba.py"
    text = file.read_text()
    assert "class IFEulerNumba(IFEuler):" in text and "    evolve = evolve\n" in text
    inner = "class _Compiled:\n    evolve = evolve\n\n\n"
    text = text.replace("class IFEulerNumba(", f"{inner}class IFEulerNumba(_Compiled, ", 1)
    file.write_text(text)
    git(tmp_path, *NOBODY, "commit", "--quiet", "--all", "--message", "a base of its own")
    git(tmp_path, "tag", "v2")
    file.write_text(text.replace("IFEulerNumba(_Compiled, ", "IFEulerNumba("))
    done = told()
    assert (done.returncode, done.stdout) == (0, "breaks of the interface since v2: 0\n")
    file.write_text(text.replace("IFEulerNumba(_Compiled, IFEuler)", "IFEulerNumba"))
    done = told()
    assert done.returncode == 1
    assert "euler_numba.py" in done.stdout and "Base class was removed" in done.stdout
