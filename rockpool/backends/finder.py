"""How a module and its version are found without importing it.

The finders on `sys.meta_path` are asked for specs, and the names of `*.dist-info` folders state the
versions.
"""

import os
import sys
from _frozen_importlib_external import PathFinder  # loaded always, unlike `importlib.machinery`

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from importlib.machinery import ModuleSpec


class Search:
    """One look: each module is looked for once, and each folder of `sys.path` listed once."""

    __slots__ = ("_finders", "_loaded", "_names", "_records", "_specs")

    def __init__(self) -> None:
        self._finders = [
            finder
            for finder in sys.meta_path
            if hasattr(finder, "find_spec") and not hasattr(finder, "is_guard")
        ]
        self._loaded: set[str] | None = None
        self._specs: dict[str, ModuleSpec | None] = {}
        self._records: dict[str, str] | None = None
        # Once folders are listed: what each holds, without endings; None where it has no list.
        self._names: dict[str, set[str] | None] = {}

    def find_spec(self, name: str) -> "ModuleSpec | None":
        """The spec of a module, found without importing it or its parents; None: there is none."""
        if name not in self._specs:
            self._specs[name] = self._found(name)
        return self._specs[name]

    def _found(self, name: str) -> "ModuleSpec | None":
        if name in sys.modules:
            module = sys.modules[name]
            spec: ModuleSpec | None = getattr(module, "__spec__", None)
            if module is None or spec is not None:
                return spec
        parent = name.rpartition(".")[0]
        path = None
        if parent:
            parent_spec = self.find_spec(parent)
            if parent_spec is None or parent_spec.submodule_search_locations is None:
                return None
            path = list(parent_spec.submodule_search_locations)
        for finder in self._finders:
            where = path
            if finder is PathFinder and not parent and self._names:  # it takes long elsewhere
                where = [f for f, names in self._names.items() if names is None or name in names]
            try:
                spec = finder.find_spec(name, where)
            except ImportError:  # a finder that forbids a module ends the search
                return None
            except KeyError:  # a folder without a package, whose parent is not imported
                spec = finder.find_spec(name.rpartition(".")[2], path)
            if spec is not None:
                return spec
        return None

    def parts_without_package(self, module: str) -> "list[str]":
        """The sub-modules that are loaded without their package: an import of it has failed."""
        if module in sys.modules:
            return []
        if self._loaded is None:  # the packages of which anything is loaded
            self._loaded = {name.partition(".")[0] for name in list(sys.modules)}
        if module.partition(".")[0] not in self._loaded:
            return []
        inside = f"{module}."
        names = [name for name in list(sys.modules) if name.startswith(inside)]
        return [name for name in names if sys.modules.get(name) is not None]

    def dist_version(self, distribution: str, module: str) -> "str | None":
        """The version in the name of a distribution's record, on `sys.path` or beside a module."""
        if self._records is None:
            self._records = {}
            for folder in sys.path:
                entries = _listed(folder)
                self._records = {**_records(entries or ()), **self._records}  # the first one counts
                stems = None if entries is None else {e.partition(".")[0] for e in entries}
                self._names.setdefault(folder, stems)
        key = distribution.lower().replace("-", "_").replace(".", "_")
        record = self._records.get(key)
        if record is None:
            spec = self.find_spec(module.partition(".")[0])
            origin = spec.origin if spec is not None else None
            beside = os.path.dirname(os.path.dirname(origin)) if origin else ""
            if beside and beside not in sys.path:
                record = _records(_listed(beside) or ()).get(key)
        version = record and record.rpartition(".")[0].partition("-")[0]
        return version or None


def invalidate_caches() -> None:
    """Have every folder looked at again, also where its time does not show that it has changed.

    `importlib.invalidate_caches` does this too, but imports `importlib.metadata` for it, at forty
    times the cost.
    """
    for path, finder in list(sys.path_importer_cache.items()):
        if finder is None:  # there was nothing at this place
            sys.path_importer_cache.pop(path, None)
        elif type(finder).__name__ == "FileFinder":
            finder.invalidate_caches()  # type: ignore[attr-defined]


def location(name: str) -> str:
    """Where a module lies, for people."""
    spec = Search().find_spec(name)
    return (spec and spec.origin) or "no file"


# --- versions -------------------------------------------------------------------------------------


def module_version(name: str) -> "str | None":
    """The version that an already imported module says of itself."""
    if name not in sys.modules:
        return None
    version = getattr(sys.modules[name], "__dict__", {}).get("__version__")
    return version if isinstance(version, str) else None


def _listed(folder: str) -> "list[str] | None":
    """What lies in a folder; None for what is none: a zip file on `sys.path`, for example."""
    try:
        return os.listdir(folder or os.curdir) if isinstance(folder, str) else None
    except (OSError, ValueError):
        return None


def _records(entries: "Iterable[str]") -> "dict[str, str]":
    """The distributions that a folder records: name -> the rest of the record's name."""
    found = {}
    for entry in entries:
        if entry[-5:] == "-info":  # .dist-info, .egg-info; the name in it has no hyphen
            name, _, rest = entry.partition("-")
            found[name.lower().replace(".", "_")] = rest
    return found


def release(version: str) -> "tuple[int, ...]":
    """The leading numbers of a version: ``2.13.0+cpu`` is (2, 13, 0). No number at all gives ()."""
    numbers: list[int] = []
    for part in version.lstrip("v").split("+")[0].split("."):
        digits = part[: len(part) - len(part.lstrip("0123456789"))]
        if not digits:
            break
        numbers.append(int(digits))
        if digits != part:
            break
    return tuple(numbers)


def differ(version: str, other: str) -> bool:
    """Whether two versions are of different releases: 2.3 and 2.3.0+cpu are not."""
    a, b = release(version), release(other)
    length = max(len(a), len(b))
    return a + (0,) * (length - len(a)) != b + (0,) * (length - len(b))
