"""The pages that people write: the navigation has them as the first page of each folder does."""

from __future__ import annotations

import posixpath
import re
from pathlib import Path

DOCS = Path(__file__).resolve().parents[1]

# Folder -> title.
FOLDERS = {"lessons": "Lessons", "how_to": "How to", "explanations": "Explanations"}


def _title(page: str) -> str:
    """Return the heading of a page, as plain text."""
    match = re.search(r"^# (.+)$", (DOCS / page).read_text(), re.M)
    if match is None:
        raise SystemExit(f"docs/{page} has no heading")
    return match[1].replace("`", "")


def _listed(folder: str) -> list[str]:
    """Return the pages that the lists of a folder's first page link to, each once, in order."""
    text = (DOCS / folder / "index.md").read_text()
    lists = "\n".join(re.findall(r"^(?:\*|\d+\.| ) .*$", text, re.M))
    links = re.findall(r"\]\(([^)#:]+\.md)\)", lists)
    pages = list(dict.fromkeys(posixpath.normpath(f"{folder}/{link}") for link in links))
    there = {f"{folder}/{path.name}" for path in (DOCS / folder).glob("*.md")}
    left_out = sorted(there - {f"{folder}/index.md", *pages})
    if left_out:
        raise SystemExit(f"docs/{folder}/index.md does not link to {', '.join(left_out)}")
    return pages


def nav() -> list[str]:
    """Return their part of the navigation, as lines of ``mkdocs.yml``."""
    lines = []
    for folder, title in FOLDERS.items():
        lines += [f"  - {title}:", f"    - {folder}/index.md"]
        lines += [f'    - "{_title(page)}": {page}' for page in _listed(folder)]
        if folder == "lessons":
            lines.append("  - Gallery: gallery/index.md")
    return lines
