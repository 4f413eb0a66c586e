"""What distributions need of each other, and is installed in another version."""

from __future__ import annotations

import re
from collections.abc import Callable
from importlib.metadata import Distribution

from rockpool.backends.doctor.installed import records, version_of

__all__ = ["conflict", "conflicts"]


def conflicts(name: str) -> list[tuple[str, str, str, str]]:
    """What a distribution needs in other versions than those that are installed.

    As tuples: its version, the other distribution, what it wants of it, what is installed.
    """
    found = []
    for record in records(name)[:1]:
        try:
            lines = Distribution.at(record.path).requires or []
        except (OSError, ValueError):  # there is no text to be read
            lines = []
        for line in lines:
            clash = conflict(line, version_of)
            if clash is not None:
                found.append((record.version, *clash, version_of(clash[0]) or ""))
    return found


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
