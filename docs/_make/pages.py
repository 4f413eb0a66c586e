"""Write what is made of the site: pages and navigation. Run ``python docs/_make/pages.py``.

The pages of reference, models and speed are, the list of the lessons, and the README's table of
speeds.
They are kept in the repository, so that `mkdocs build --strict` is all that it takes to build the
site; `tests/docs` looks whether they are up to date. With numpy installed, and nothing else.
"""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(Path(__file__).parent), str(ROOT)]

import models  # noqa: E402
import reference  # noqa: E402
import speed  # noqa: E402
import written  # noqa: E402

DOCS = ROOT / "docs"
CONFIGURATION = ROOT / "mkdocs.yml"
BEGIN, END = "  # made by docs/_make/pages.py\n", "  # /made\n"
# Folders that hold nothing else.
MADE = ("reference", "models")


def pages() -> dict[Path, str]:
    """Return every file that is made, with what it has to hold."""
    made = models.pages() | reference.pages() | speed.pages()
    texts = {DOCS / name: text for name, text in made.items()} | {speed.README: speed.readme()}
    before, _, rest = CONFIGURATION.read_text().partition(BEGIN)
    nav = "\n".join([*written.nav(), *models.nav(), *reference.nav()]) + "\n"
    texts[CONFIGURATION] = before + BEGIN + nav + END + rest.partition(END)[2]
    return texts


def left_over(texts: dict[Path, str]) -> list[Path]:
    """Return the files in the folders of made pages that are none of these."""
    return [
        path for name in MADE for path in sorted((DOCS / name).rglob("*.md")) if path not in texts
    ]


def main() -> None:
    """Write them, and take away what is there from before."""
    texts = pages()
    for path in left_over(texts):
        path.unlink()
    for path, text in texts.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists() or path.read_text() != text:
            path.write_text(text)


if __name__ == "__main__":
    main()
