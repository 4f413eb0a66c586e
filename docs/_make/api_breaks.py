"""Tell what of the public interface has broken since the last tag, as griffe sees it.

``python docs/_make/api_breaks.py [TAG OR COMMIT]``, in an environment with the extra `docs`. The
exit code is 1 if anything has; without a tag there is nothing to compare with, which is said.
"""

from __future__ import annotations

import io
import re
import subprocess
import sys
import tarfile
import tempfile
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
    options: dict[str, Any] = {"allow_inspection": False, "try_relative_path": False}
    with tempfile.TemporaryDirectory() as folder:
        command = ["git", "archive", "--format=tar", against, "rockpool"]
        done = subprocess.run(command, cwd=ROOT, capture_output=True)
        if done.returncode:
            raise SystemExit(f"cannot compare with {against}: {done.stderr.decode().strip()}")
        with tarfile.open(fileobj=io.BytesIO(done.stdout)) as archive:
            archive.extractall(folder, filter="data")
        old = griffe.load("rockpool", search_paths=[folder], **options)
        new = griffe.load("rockpool", search_paths=[str(ROOT)], **options)
        breakages = list(griffe.find_breaking_changes(old, new))
    public = {f"{own.module}.{own.name}" for section in sections() for own in section.own}
    modules = {path.rpartition(".")[0] for path in public}
    found = []
    for breakage in breakages:
        path = breakage.obj.path
        is_public = any(path == name or path.startswith(f"{name}.") for name in public)
        # what is gone is no name of the reference any more: all of the files that it stood in count
        counts = is_public or path.rpartition(".")[0] in modules
        if counts and not _of_no_concern(breakage, new):
            text = breakage.explain(griffe.ExplanationStyle.ONE_LINE)
            found.append(re.sub(r"\x1b\[[0-9;]*m", "", text))  # in colours, whoever reads it
    return sorted(set(found))


def _of_no_concern(breakage: Any, new: Any) -> bool:
    """Return whether it is inner: a base class that is private, a method that stands elsewhere."""
    if isinstance(breakage, griffe.ClassRemovedBaseBreakage):
        gone = {*map(str, breakage.old_value)} - {*map(str, breakage.new_value)}
        return all(base.rpartition(".")[2].startswith("_") for base in gone)
    if isinstance(breakage, griffe.ObjectChangedKindBreakage):
        now = new[
            breakage.obj.path.partition(".")[2]
        ]  # ``evolve = evolve``, a function of the file
        other = now.module.members.get(str(now.value)) if now.is_attribute else None
        return other is not None and other.is_function and breakage.obj.is_function
    return False


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
