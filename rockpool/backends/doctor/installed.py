"""What lies on `sys.path`: where modules are, what is recorded as installed, what was left behind.

Nothing is imported. Folders are listed and metadata files are read as text.
"""

from __future__ import annotations

import os
import sys

from rockpool.backends.doctor.requirements import conflict

TYPE_CHECKING = False
if TYPE_CHECKING:
    from importlib.machinery import ModuleSpec

__all__ = [
    "Distribution",
    "conflicts",
    "distributions",
    "is_site_folder",
    "places",
    "remains",
    "version_of",
]


class Distribution:
    """One record of an installation: a ``*.dist-info`` or ``*.egg-info``.

    Attributes
    ----------
    name, version : str
        As its folder's name says.
    folder, path : str
        The folder on `sys.path` that it lies in, and its own.
    """

    __slots__ = ("folder", "name", "path", "version")

    def __init__(self, name: str, version: str, folder: str, path: str) -> None:
        self.name = name
        self.version = version
        self.folder = folder
        self.path = path

    def requirements(self) -> list[str]:
        """The ``Requires-Dist`` lines of its metadata."""
        for file in ("METADATA", "PKG-INFO", ""):
            try:
                with open(
                    os.path.join(self.path, file), encoding="utf-8", errors="replace"
                ) as text:
                    head = text.read().partition("\n\n")[0]
            except OSError:
                continue
            lines = (line.partition(":") for line in head.splitlines())
            return [value.strip() for key, _, value in lines if key.lower() == "requires-dist"]
        return []


def normal(name: str) -> str:
    """A distribution's name as its folder spells it."""
    return name.lower().replace("-", "_").replace(".", "_")


def distributions(name: str) -> list[Distribution]:
    """Every record of a distribution on `sys.path`, the one that counts first."""
    found = []
    for folder in _folders():
        for entry in _listed(folder):
            stem, dot, kind = entry.rpartition(".")
            if dot and kind in ("dist-info", "egg-info"):
                recorded, _, version = stem.partition("-")
                if version and normal(recorded) == normal(name):
                    path = os.path.join(folder, entry)
                    found.append(Distribution(name, version.partition("-")[0], folder, path))
    return found


def version_of(name: str) -> str | None:
    """The version in which a distribution is installed; None where it is not."""
    return next((found.version for found in distributions(name)), None)


def conflicts(name: str) -> list[tuple[str, str, str, str]]:
    """What a distribution needs in other versions than those that are installed.

    Returns
    -------
    list of tuple
        (its version, the other distribution, what it wants of it, what is installed)
    """
    found = []
    for distribution in distributions(name)[:1]:
        for line in distribution.requirements():
            clash = conflict(line, version_of)
            if clash is not None:
                found.append((distribution.version, *clash, version_of(clash[0]) or ""))
    return found


def places(module: str) -> list[ModuleSpec]:
    """Every place of a top-level module on `sys.path`, the one that is imported first."""
    from importlib.machinery import PathFinder

    found = []
    for folder in _folders():
        spec = PathFinder.find_spec(module, [folder])
        if spec is not None and spec.loader is not None:
            found.append(spec)
    return found


def remains(name: str) -> list[str]:
    """What an uninstallation or an update that was cut short has left of a distribution.

    pip renames what it is about to remove, so that ``torch`` becomes ``~orch``.
    """
    found = []
    for folder in _folders():
        for entry in _listed(folder):
            if entry.startswith("~") and is_site_folder(folder):
                rest = normal(entry.lstrip("~").partition("-")[0])
                if len(rest) > 1 and normal(name).endswith(rest):
                    found.append(os.path.join(folder, entry))
    return sorted(found)


def is_site_folder(folder: str) -> bool:
    """Whether packages are installed into this folder, rather than written by the user."""
    return os.path.basename(os.path.normpath(folder)) in ("site-packages", "dist-packages")


def _folders() -> list[str]:
    """The entries of `sys.path`, each once."""
    seen: dict[str, str] = {}
    for entry in sys.path:
        folder = os.path.abspath(entry or os.curdir)
        seen.setdefault(os.path.realpath(folder), folder)
    return list(seen.values())


def _listed(folder: str) -> list[str]:
    try:
        return sorted(os.listdir(folder))
    except OSError:  # a zip file, or gone
        return []
