"""What lies on `sys.path`: where modules are, what is recorded as installed, what was left behind.

Nothing is imported: folders are listed.
"""

import os
import sys
from collections.abc import Callable, Iterator
from importlib.machinery import ModuleSpec
from typing import NamedTuple

__all__ = ["Record", "is_site_folder", "places", "records", "remains", "versions"]


class Record(NamedTuple):
    """A record of an installation, a ``*.dist-info`` or ``*.egg-info``, as its own name tells it.

    `importlib.metadata` reads the version in it, which may be unreadable or gone.
    """

    version: str
    folder: str
    path: str


def records(name: str) -> list[Record]:
    """Every record of a distribution on `sys.path`, the one that counts first."""
    return [record for recorded, record in _records() if recorded == _normal(name)]


def versions() -> Callable[[str], str | None]:
    """What gives the version in which a distribution is installed, None where it is not."""
    found: dict[str, str] = {}
    for name, record in _records():
        found.setdefault(name, record.version)
    return lambda name: found.get(_normal(name))


def _records() -> Iterator[tuple[str, Record]]:
    for folder, entry in _entries():
        stem, _, kind = entry.rpartition(".")
        recorded, _, version = stem.partition("-")
        if kind in ("dist-info", "egg-info") and version:
            path = os.path.join(folder, entry)
            yield _normal(recorded), Record(version.partition("-")[0], folder, path)


def places(module: str) -> list[ModuleSpec]:
    """Every place of a top-level module on `sys.path`, the one that is imported first."""
    from importlib.machinery import PathFinder

    specs = [PathFinder.find_spec(module, [folder]) for folder in _folders()]
    return [spec for spec in specs if spec is not None and spec.loader is not None]


def remains(name: str) -> list[str]:
    """What an uninstallation or an update that was cut short has left of a distribution.

    pip renames what it is about to remove, so that ``torch`` becomes ``~orch``.
    """
    found = []
    for folder, entry in _entries():
        if entry.startswith("~") and is_site_folder(folder):
            rest = _normal(entry.lstrip("~").partition("-")[0])
            if len(rest) > 1 and _normal(name).endswith(rest):
                found.append(os.path.join(folder, entry))
    return sorted(found)


def is_site_folder(folder: str) -> bool:
    """Whether packages are installed into this folder, rather than written by the user."""
    return os.path.basename(os.path.normpath(folder)) in ("site-packages", "dist-packages")


def _normal(name: str) -> str:
    """A distribution's name as its record spells it."""
    return name.lower().replace("-", "_").replace(".", "_")


def _entries() -> Iterator[tuple[str, str]]:
    """(folder, name) of all that lies in the folders of `sys.path`."""
    for folder in _folders():
        try:
            yield from ((folder, entry) for entry in sorted(os.listdir(folder)))
        except OSError:  # a zip file, or gone
            continue


def _folders() -> list[str]:
    """The entries of `sys.path`, each once."""
    seen: dict[str, str] = {}
    for entry in sys.path:
        folder = os.path.abspath(entry or os.curdir)
        seen.setdefault(os.path.realpath(folder), folder)
    return list(seen.values())
