"""The pages that people write: the list of the lessons, and their part of the navigation."""

from __future__ import annotations

import re
from pathlib import Path

DOCS = Path(__file__).resolve().parents[1]

# Folder -> title, and pages of it that lie elsewhere
FOLDERS: dict[str, tuple[str, tuple[str, ...]]] = {
    "lessons": ("Lessons", ()),
    "how_to": ("How to", ()),
    "explanations": (
        "Explanations",
        ("simulators.md", "simulators_checked.md", "exchange_matrix.md"),
    ),
}
_LESSONS = """\
# Lessons

From a first neuron to a network that is trained, converted and streamed. Each takes at most ten
minutes; each block of code was run, and printed what is shown below it.

"""
# Pages that come first in their folder.
_FIRST = ("install.md",)


def _pages_in(folder: str) -> list[str]:
    files = sorted(path.name for path in (DOCS / folder).glob("*.md") if path.name != "index.md")
    files.sort(key=lambda name: name not in _FIRST)
    return [f"{folder}/{name}" for name in files] + list(FOLDERS[folder][1])


def _title(page: str) -> str:
    """Return the heading of a page, as plain text."""
    text = (DOCS / page).read_text()
    match = re.search(r"^# (.+)$", text, re.M)
    if match is None:
        raise SystemExit(f"docs/{page} has no heading")
    return match[1].replace("`", "")


def _begins(page: str) -> str:
    """Return the first sentence of a page."""
    text = re.sub(r"<!--.*?-->", "", (DOCS / page).read_text(), flags=re.S)
    below = re.split(r"^# .+$", text, maxsplit=1, flags=re.M)[1].strip()
    first = " ".join(below.partition("\n\n")[0].split())
    if not re.match(r"\w|`\w|\*\*\w|\[", first):  # a table, a list, a picture or a block of code
        return ""
    return re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", re.split(r"(?<=[.:])\s", first)[0].rstrip(":."))


def pages() -> dict[str, str]:
    """Return the list of the lessons, by its path in ``docs/``."""
    lines = []
    for page in _pages_in("lessons"):
        begins = _begins(page)
        name = page.removeprefix("lessons/")
        lines.append(f"* [{_title(page)}]({name})" + (f": {begins}." if begins else ""))
    return {"lessons/index.md": (_LESSONS + "\n".join(lines)).rstrip() + "\n"}


def nav() -> list[str]:
    """Return their part of the navigation, as lines of ``mkdocs.yml``."""
    lines = []
    for folder, (title, _) in FOLDERS.items():
        lines += [f"  - {title}:", f"    - {folder}/index.md"]
        lines += [f'    - "{_title(page)}": {page}' for page in _pages_in(folder)]
        if folder == "lessons" and (DOCS / "gallery" / "index.md").exists():
            lines.append("  - Gallery: gallery/index.md")
    return lines
