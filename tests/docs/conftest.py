"""An environment that has what builds the site and no back-end, and the site that it builds."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from filelock import FileLock
from support.patience import PATIENCE

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def docs_python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Python with the extra `docs`; ROCKPOOL_DOCS_PYTHON names one, else it is made."""
    named = os.environ.get("ROCKPOOL_DOCS_PYTHON")
    if named:
        return Path(named)
    folder = tmp_path_factory.mktemp("docs") / "environment"
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    python = folder / "bin" / "python"
    pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    constraints = ["-c", ROOT / ".ci" / "constraints.txt"]
    subprocess.run([*pip, *constraints, f"{ROOT}[docs]"], check=True, timeout=PATIENCE)
    return python


@pytest.fixture(scope="session")
def site(docs_python: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built by `mkdocs build --strict`, which fails at the first warning; once for all."""
    shared = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        shared = shared.parent
    folder = shared / "site"
    with FileLock(f"{folder}.lock"):
        if not folder.exists():
            build(docs_python, "mkdocs", "--site-dir", shared / "site.new")
            (shared / "site.new").rename(folder)
    return folder


def build(python: Path, builder: str, *options: str | Path) -> str:
    """Build the site of the working tree, and return what was said."""
    program = python.parent / builder
    done = subprocess.run(
        [program, "build", "--strict", *options],
        cwd=ROOT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1", "NO_COLOR": "1"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    return said
