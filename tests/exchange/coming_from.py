"""The pages for those who come from another package, run where that package is installed.

    python tests/exchange/coming_from.py FOLDER [PAGE...] [--write]

Into FOLDER goes an environment with pinned versions, made once (about 1 GB). There all Python of
``docs/how_to/from_snntorch.md`` and ``from_norse.md`` is run, theirs and ours, also what the tests of
the documentation leave out, and what it prints is compared with what the page shows. ``--write``
puts it there.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
from pathlib import Path

from environments import python_of

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "docs" / "how_to" / f"from_{name}.md" for name in ("snntorch", "norse")]
_BLOCK = re.compile(r"^```python\n(.*?)^```\n(?:\n^```text\n(.*?)^```\n)?", re.M | re.S)
# prints a line between what the blocks print
_MARK = "-" * 20


def printed(python: Path | str, text: str) -> list[str]:
    """Return what each block of a page prints, all run in one process."""
    program = f"print({_MARK!r})\n".join(block[1] for block in _BLOCK.finditer(text))
    env = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "ignore"}
    done = subprocess.run(
        [python, "-c", program], env=env, check=True, stdout=subprocess.PIPE, text=True
    )
    return done.stdout.split(f"{_MARK}\n")


def checked(python: Path | str, page: Path, write: bool) -> bool:
    """Return whether the blocks of a page print what it shows; say which do not."""
    text = page.read_text()
    blocks = list(_BLOCK.finditer(text))
    good = True
    for block, output in reversed(list(zip(blocks, printed(python, text), strict=True))):
        shown = block[2] or ""
        if shown == output:
            continue
        good = False
        print(f"{page.name}: shown {shown!r}, printed {output!r}")
        if write and block[2] is not None:
            text = text[: block.start(2)] + output + text[block.end(2) :]
    if write:
        page.write_text(text)
    return good


def main() -> None:
    """Read the command line, and run the pages."""
    parser = argparse.ArgumentParser(description="Run the pages about other packages.")
    parser.add_argument("folder", type=Path, help="where the environment is, or is made")
    parser.add_argument("pages", nargs="*", type=Path, help="the pages (default: all of them)")
    parser.add_argument("--write", action="store_true", help="put what is printed into the pages")
    given = parser.parse_args()
    python = python_of(given.folder.resolve(), "coming_from")
    results = [checked(python, page, given.write) for page in given.pages or PAGES]
    if all(results):
        print("every block prints what is shown")
    sys.exit(not all(results))


if __name__ == "__main__":
    main()
