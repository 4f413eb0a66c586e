"""The pages that people write: a list of those in each folder, and their part of the navigation."""

from __future__ import annotations

import re
from pathlib import Path

DOCS = Path(__file__).resolve().parents[1]

# Folder -> title, introduction, and pages that lie elsewhere.
FOLDERS = {
    "lessons": (
        "Lessons",
        "From a first neuron to a network that is trained, converted and streamed. Each takes at "
        "most ten\nminutes; each block of code was run, and printed what is shown below it.",
        (),
    ),
    "how_to": ("How to", "One task a page.", ()),
    "explanations": (
        "Explanations",
        "Why things are as they are.",
        ("simulators.md", "simulators_checked.md", "exchange_matrix.md"),
    ),
}
# Pages that come first in their folder.
_FIRST = ("install.md",)


def _pages_in(folder: str) -> list[str]:
    files = sorted(path.name for path in (DOCS / folder).glob("*.md") if path.name != "index.md")
    files.sort(key=lambda name: name not in _FIRST)
    return [f"{folder}/{name}" for name in files] + list(FOLDERS[folder][2])


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
    """Return the list of each folder, by its path in ``docs/``."""
    made = {}
    for folder, (title, about, _) in FOLDERS.items():
        lines = [f"# {title}", "", about, ""]
        for page in _pages_in(folder):
            link = page.removeprefix(f"{folder}/") if page.startswith(folder) else f"../{page}"
            begins = _begins(page)
            lines.append(f"* [{_title(page)}]({link})" + (f": {begins}." if begins else ""))
        made[f"{folder}/index.md"] = "\n".join(lines).rstrip() + "\n"
    return made


def nav() -> list[str]:
    """Return their part of the navigation, as lines of ``mkdocs.yml``."""
    lines = []
    for folder, (title, _, _) in FOLDERS.items():
        lines += [f"  - {title}:", f"    - {folder}/index.md"]
        lines += [f'    - "{_title(page)}": {page}' for page in _pages_in(folder)]
        if folder == "lessons" and (DOCS / "gallery.md").exists():
            lines.append("  - Gallery: gallery.md")
    return lines
