"""How a module and its version are found without importing it.

The finders on `sys.meta_path` are asked for specs, and the names of `*.dist-info` folders state the
versions.
"""

import os
import sys
from _frozen_importlib import ModuleSpec, spec_from_loader  # loaded always, unlike `importlib`'s
from _frozen_importlib_external import PathFinder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any
else:  # for those who check annotations at run time
    from _collections_abc import Iterable

    Any = object


class HalfImported(ImportError):
    """A package that would be imported a second time; `name` is its name."""


class Guard:
    """A finder that lets nobody import packages a second time."""

    def __init__(self, packages: "set[str]") -> None:
        self._packages = packages
        self.refused: HalfImported | None = None

    def find_spec(self, name: str, path: object = None, target: object = None) -> None:
        if name in self._packages and name not in sys.modules:
            self.refused = HalfImported(f"an import of {name} has failed midway", name=name)
            raise self.refused


class Search:
    """One look: each module is looked for once, and each folder of `sys.path` listed once."""

    __slots__ = ("_finders", "_loaded", "_names", "_records", "_specs", "trouble")

    def __init__(self) -> None:
        self._finders = [f for f in sys.meta_path if not isinstance(f, Guard)]
        self._loaded: set[str] | None = None
        self._specs: dict[str, ModuleSpec | None] = {}
        # What finders have raised, by the module that they were asked for.
        self.trouble: dict[str, BaseException] = {}
        # Once folders are listed: the versions that each records, by distribution, and the names
        # that it holds, without endings; None where it has no list.
        self._records: dict[str, dict[str, set[str]]] = {}
        self._names: dict[str, set[str] | None] = {}

    def find_spec(self, name: str) -> "ModuleSpec | None":
        """The spec of a module, found without importing it or its parents; None: there is none."""
        if name not in self._specs:
            try:
                self._specs[name] = self._found(name)
            except KeyboardInterrupt:
                raise
            except BaseException as error:  # an import of it would raise this
                self._specs[name] = None
                if not isinstance(error, ImportError):  # by which a finder forbids a module
                    self.trouble[name] = error
        return self._specs[name]

    def _found(self, name: str) -> "ModuleSpec | None":
        if name in sys.modules:
            return loaded_spec(name)
        parent = name.rpartition(".")[0]
        path = None
        if parent:
            if sys.modules.get(parent) is not None:  # it may have changed its path
                found = attribute(sys.modules[parent], "__path__")
            else:
                found = attribute(self.find_spec(parent), "submodule_search_locations")
            if found is None:
                return None
            path = list(found)
        for finder in self._finders:
            where = path
            if finder is PathFinder and not parent and self._names:  # it takes long elsewhere
                where = [f for f, names in self._names.items() if names is None or name in names]
            try:
                spec = _ask(finder, name, where)
            except KeyError:  # a folder without a package, whose parent is not imported
                spec = _ask(finder, name.rpartition(".")[2], path)
            if spec is not None:
                return spec
        return None

    def may_be_made(self, module: str) -> bool:
        """Whether a module that is not found may be made by the import of its package."""
        parent = module.rpartition(".")[0]
        return bool(parent) and (
            self.find_spec(parent) is not None if parent not in sys.modules else is_loading(parent)
        )

    def parts_without_package(self, module: str) -> "list[str]":
        """The sub-modules that are loaded without their package: an import of it has failed."""
        if module in sys.modules:
            return []
        if self._loaded is None:  # the packages of which anything is loaded
            self._loaded = {str(name).partition(".")[0] for name in list(sys.modules)}
        if module.partition(".")[0] not in self._loaded:
            return []
        inside = f"{module}."
        names = [name for name in list(sys.modules) if str(name).startswith(inside)]
        return [name for name in names if sys.modules.get(name) is not None]

    def dist_version(self, distribution: str, module: str) -> "str | None":
        """The version in the name of a distribution's record, beside a module or on `sys.path`.

        None also where two records disagree: only the module can tell then.
        """
        if not self._records:
            for folder in sys.path:
                if isinstance(folder, str):
                    self._list(folder)
        key = distribution.lower().replace("-", "_").replace(".", "_")
        versions = self._records_beside(module).get(key)
        if not versions:
            recorded = (
                self._records[f] for f in sys.path if isinstance(f, str) and f in self._records
            )
            versions = next((records[key] for records in recorded if key in records), set())
        return next(iter(versions)) if len(versions) == 1 else None

    def is_recorded(self, distribution: str, module: str) -> bool:
        """Whether a distribution is recorded in the folder that holds a module."""
        self.dist_version(distribution, module)
        key = distribution.lower().replace("-", "_").replace(".", "_")
        return key in self._records_beside(module)

    def _records_beside(self, module: str) -> "dict[str, set[str]]":
        spec = self.find_spec(module.partition(".")[0])
        origin = spec.origin if spec is not None else None
        if not isinstance(origin, str):
            return {}
        is_package = spec is not None and spec.submodule_search_locations is not None
        folder = os.path.dirname(os.path.dirname(origin) if is_package else origin)
        if folder not in self._records:
            return _records(_listed(folder) or ())
        return self._records[folder]

    def _list(self, folder: str) -> None:
        entries = _listed(folder)
        self._records[folder] = _records(entries or ())
        self._names[folder] = None if entries is None else {e.partition(".")[0] for e in entries}


def _ask(finder: "Any", name: str, path: "list[str] | None") -> "ModuleSpec | None":
    """What a finder says, asked as an import would ask it."""
    if hasattr(finder, "find_spec"):
        found: ModuleSpec | None = finder.find_spec(name, path, None)
        return found
    if sys.version_info < (3, 12) and hasattr(finder, "find_module"):  # the way of before 3.4
        loader = finder.find_module(name, path)
        return None if loader is None else spec_from_loader(name, loader)
    return None


def loaded_spec(name: str) -> "ModuleSpec | None":
    """The spec of a module that is in `sys.modules`; one is made for a module that has none."""
    module = sys.modules[name]
    if module is None:  # which forbids its import
        return None
    spec = attribute(module, "__spec__")
    if isinstance(spec, ModuleSpec):
        return spec
    file, path = attribute(module, "__file__"), attribute(module, "__path__")
    spec = ModuleSpec(name, None, origin=file if isinstance(file, str) else None)
    if isinstance(path, list):
        spec.submodule_search_locations = path
    return spec


def is_made_by_hand(name: str) -> bool:
    """Whether a loaded module has come from no loader: a program has put it there itself."""
    module = sys.modules.get(name)
    return module is not None and attribute(attribute(module, "__spec__"), "loader") is None


def is_loading(name: str) -> bool:
    """Whether a module is being imported at this moment."""
    spec = attribute(sys.modules.get(name), "__spec__")
    return isinstance(spec, ModuleSpec) and bool(attribute(spec, "_initializing"))


def attribute(thing: object, name: str) -> "Any":
    """An attribute of something that may be anything; None where it cannot be had."""
    try:
        return getattr(thing, name, None)
    except Exception:  # whatever it raises, it is not there
        return None


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


# No number in a version is longer: Python refuses to read ones of thousands of digits.
_DIGITS = 18

# --- versions -------------------------------------------------------------------------------------


def module_version(name: str) -> "str | None":
    """The version that an already imported module says of itself."""
    contents = attribute(sys.modules.get(name), "__dict__")  # not what a lazy module would load
    version = contents.get("__version__") if isinstance(contents, dict) else None
    return version if isinstance(version, str) else None


def _listed(folder: str) -> "list[str] | None":
    """What lies in a folder; None for what is none: a zip file on `sys.path`, for example."""
    try:
        return os.listdir(folder or os.curdir) if isinstance(folder, str) else None
    except (OSError, ValueError):
        return None


def _records(entries: "Iterable[str]") -> "dict[str, set[str]]":
    """The distributions that a folder records, with each version that the records' names say."""
    found: dict[str, set[str]] = {}
    for entry in entries:
        if entry[-5:] == "-info":  # .dist-info, .egg-info; the name in it has no hyphen
            name, _, rest = entry.partition("-")
            version = rest.rpartition(".")[0].partition("-")[0]
            if version:
                found.setdefault(name.lower().replace(".", "_"), set()).add(version)
    return found


def release(version: str) -> "tuple[int, ...]":
    """The leading numbers of a version: ``2.13.0+cpu`` is (2, 13, 0), ``1!2.0`` is (2, 0).

    () for what says no version: no number at all, or the ``0+unknown`` of a tool that found none.
    """
    number, _, local = version.partition("!")[2 if "!" in version else 0].partition("+")
    if local == "unknown":
        return ()
    numbers: list[int] = []
    for part in number.lstrip("v").split("."):
        digits = part[: len(part) - len(part.lstrip("0123456789"))]
        if not digits:
            break
        numbers.append(int(digits[:_DIGITS]))
        if digits != part:
            break
    return tuple(numbers)


def is_older(version: str, minimum: "tuple[int, ...]") -> bool:
    """Whether a version comes before another; one that is not understood is not said to."""
    numbers = release(version)
    return bool(numbers) and not _epoch(version) and numbers < minimum


def _epoch(version: str) -> int:
    epoch = version.partition("!")[0] if "!" in version else ""
    return int(epoch[:_DIGITS]) if epoch.isascii() and epoch.isdigit() else 0


def differ(version: str, other: str) -> bool:
    """Whether two versions are of different releases: 2.3 and 2.3.0+cpu are not."""
    a, b = release(version), release(other)
    if not a or not b:
        return False
    length = max(len(a), len(b))
    a, b = (numbers + (0,) * (length - len(numbers)) for numbers in (a, b))
    return (_epoch(version), a) != (_epoch(other), b)
