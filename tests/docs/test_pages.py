"""The pages that are made are up to date, and every public name is described in full."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def make():
    """The program that makes the pages."""
    folder = str(ROOT / "docs" / "_make")
    sys.path.insert(0, folder)
    try:
        import pages

        yield pages
    finally:
        sys.path.remove(folder)


def test_the_pages_that_are_made_are_up_to_date(make) -> None:
    texts = make.pages()
    old = [str(path) for path, text in texts.items() if not path.exists() or path.read_text() != text]
    old += [str(path) for path in make.left_over(texts)]
    assert not old, f"run `python docs/_make/pages.py`: {old}"
