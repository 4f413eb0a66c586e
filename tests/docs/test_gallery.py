"""The scripts of the gallery draw their pictures, and the page shows them."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from docs.gallery_page import MOST_BYTES, ORDER, PAGE, ROOT, SCRIPTS, Script, page


def test_the_page_is_made_of_the_scripts() -> None:
    assert PAGE.read_text(encoding="utf-8") == page()


def test_every_script_is_on_the_page() -> None:
    assert sorted(ORDER) == sorted(path.stem for path in SCRIPTS.glob("*.py"))


@pytest.mark.slow
@pytest.mark.parametrize("name", ORDER)
def test_a_script_draws_its_picture(name: str, tmp_path: Path) -> None:
    script = Script.of(name)
    missing = [module for module in script.needs if find_spec(module) is None]
    if missing:
        pytest.skip(f"needs {', '.join(missing)}")
    picture = tmp_path / "picture.png"
    program = [sys.executable, "-W", "error::UserWarning", str(script.path), str(picture)]
    done = subprocess.run(program, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert picture.stat().st_size <= MOST_BYTES


@pytest.mark.parametrize("name", ORDER)
def test_a_picture_is_small(name: str) -> None:
    assert (PAGE.parent / "images" / f"{name}.png").stat().st_size <= MOST_BYTES


def test_the_readme_shows_three_of_them() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    shown = re.findall(r"docs/gallery/images/(\w+)\.png", readme)
    assert len(shown) == 3 and set(shown) <= set(ORDER)
