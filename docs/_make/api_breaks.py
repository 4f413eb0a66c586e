"""Tell what of the public interface has broken since the last tag, as griffe sees it.

``python docs/_make/api_breaks.py [TAG OR COMMIT]``, in an environment with the extra `docs`. The
exit code is 1 if anything has; without a tag there is nothing to compare with, which is said.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import griffe

sys.path.insert(0, str(Path(__file__).parent))

from surface import ROOT, sections


def last_tag() -> str | None:
    """Return the last tag before what is checked out, or None."""
    command = ["git", "describe", "--tags", "--abbrev=0"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    return done.stdout.strip() or None


def breaks(against: str) -> list[str]:
    """Return a text for each break of what the reference describes, or did."""
    options: dict[str, Any] = {"allow_inspection": False, "resolve_aliases": False}
    old = griffe.load_git("rockpool", ref=against, repo=ROOT, **options)
    new = griffe.load("rockpool", search_paths=[str(ROOT)], **options)
    public = {f"{own.module}.{own.name}" for section in sections() for own in section.own}
    modules = {path.rpartition(".")[0] for path in public}
    found = []
    for breakage in griffe.find_breaking_changes(old, new):
        path = breakage.obj.path
        is_public = any(path == name or path.startswith(f"{name}.") for name in public)
        # what is gone is no name of the reference any more: all of the files that it stood in count
        if is_public or path.rpartition(".")[0] in modules:
            text = breakage.explain(griffe.ExplanationStyle.ONE_LINE)
            found.append(re.sub(r"\x1b\[[0-9;]*m", "", text))  # in colours, whoever reads it
    return sorted(set(found))


def main(arguments: list[str]) -> int:
    """Print what has broken since a commit, or since the last tag."""
    against = arguments[0] if arguments else last_tag()
    if against is None:
        print("no tag yet: nothing to compare the interface with; name a commit to do so")
        return 0
    found = breaks(against)
    print("\n".join([f"breaks of the interface since {against}: {len(found)}", *found]))
    return int(bool(found))


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
