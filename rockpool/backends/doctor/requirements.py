"""What distributions need of each other, and is installed in another version."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from importlib.metadata import Distribution
from itertools import islice

from rockpool.backends.doctor.installed import records, versions

__all__ = ["conflict", "conflicts"]

# Requirements of one distribution that are looked at.
_MOST = 10_000


def conflicts(name: str) -> list[tuple[str, str, str, str]]:
    """What a distribution needs in other versions than those that are installed.

    As tuples: its version, the other distribution, what it wants of it, what is installed.
    """
    found = []
    version_of = versions()
    for record in records(name)[:1]:
        for line in dict.fromkeys(islice(requires(record.path), _MOST)):
            clash = conflict(line, version_of)
            if clash is not None:
                found.append((record.version, *clash, version_of(clash[0]) or ""))
    return found


def requires(record: str) -> Iterator[str]:
    """What the record of an installation says that a distribution needs, a line each.

    `importlib.metadata` has a parser for letters, which takes its time.
    """
    wheel, egg = os.path.join(record, "METADATA"), os.path.join(record, "requires.txt")
    try:
        if os.path.exists(wheel):
            with open(wheel, encoding="utf-8", errors="replace") as lines:
                for line in lines:
                    if not line.strip():  # the rest is the description
                        return
                    name, _, value = line.partition(":")
                    if name.lower() == "requires-dist":
                        yield value.strip()
        elif os.path.exists(egg):
            yield from Distribution.at(record).requires or []
    except (OSError, ValueError):  # there is no text to be read
        return


def conflict(line: str, version_of: Callable[[str], str | None]) -> tuple[str, str] | None:
    """What a ``Requires-Dist`` line asks for, where something else is installed.

    Of ``numpy (<2.4,>=1.24) ; python_version < "3.12"``, for example, the distribution and what is
    wanted of it: ``("numpy", "<2.4,>=1.24")``. None where it is satisfied, is not installed at all,
    is meant for other systems or extras, or is not understood. `version_of` gives the version in
    which a distribution is installed.
    """
    try:
        from packaging import markers
        from packaging.requirements import InvalidRequirement, Requirement
        from packaging.version import InvalidVersion, Version
    except ImportError:  # the doctor says so elsewhere
        return None
    try:
        name = re.match(r"[A-Za-z0-9._-]+", line)
        if name is None or version_of(name[0]) is None:  # most of a long list
            return None
        needed = Requirement(line)
        installed = version_of(needed.name) if needed.specifier else None
        if installed is None or needed.specifier.contains(Version(installed), prereleases=True):
            return None
        if needed.marker is not None and not needed.marker.evaluate({"extra": ""}):
            return None
    except (
        InvalidRequirement,
        InvalidVersion,
        markers.UndefinedComparison,
        markers.UndefinedEnvironmentName,
    ):
        return None
    wanted = re.search(r"[<>=!~][^;)]*", line)  # packaging would sort it
    return needed.name, wanted[0].replace(" ", "") if wanted else str(needed.specifier)
