"""What is made of the site is up to date."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
sys.path.append(str(ROOT / "docs" / "_make"))

import pages as make  # noqa: E402
import written  # noqa: E402


def test_the_pages_that_are_made_are_up_to_date() -> None:
    texts = make.pages()
    old = [
        str(path) for path, text in texts.items() if not path.exists() or path.read_text() != text
    ]
    old += [str(path) for path in make.left_over(texts)]
    assert not old, f"run `python docs/_make/pages.py`: {old}"


@pytest.mark.parametrize("folder", written.FOLDERS)
def test_each_page_is_in_the_list_of_its_folder(folder: str) -> None:
    text = (ROOT / "docs" / folder / "index.md").read_text()
    pages = {path.name for path in (ROOT / "docs" / folder).glob("*.md")} - {"index.md"}
    assert [page for page in sorted(pages) if f"({page})" not in text] == []
