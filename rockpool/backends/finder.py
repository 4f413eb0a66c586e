"""How a module and its version are found without importing it.

The finders on `sys.meta_path` are asked for specs, and the names of `*.dist-info` folders state the
versions.
"""

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from importlib.machinery import ModuleSpec


def find_spec(name: str) -> "ModuleSpec | None":
    """The spec of a module, found without importing it or its parents; None where there is none."""
    if name in sys.modules:
        module = sys.modules[name]
        spec: ModuleSpec | None = getattr(module, "__spec__", None)
        if module is None or spec is not None:
            return spec
    parent = name.rpartition(".")[0]
    path = None
    if parent:
        parent_spec = find_spec(parent)
        if parent_spec is None or parent_spec.submodule_search_locations is None:
            return None
        path = list(parent_spec.submodule_search_locations)
    for finder in list(sys.meta_path):
        if hasattr(finder, "find_spec"):
            try:
                spec = finder.find_spec(name, path)
            except ImportError:  # a finder that forbids a module ends the search
                return None
            except KeyError:  # a folder without a package, whose parent is not imported
                spec = finder.find_spec(name.rpartition(".")[2], path)
            if spec is not None:
                return spec
    return None


def invalidate_caches() -> None:
    """Have every folder looked at again, also where its time does not show that it has changed.

    `importlib.invalidate_caches` does this too, but imports `importlib.metadata` for it, at forty
    times the cost.
    """
    _versions.clear()
    for path, finder in list(sys.path_importer_cache.items()):
        if finder is None:  # there was nothing at this place
            sys.path_importer_cache.pop(path, None)
        elif type(finder).__name__ == "FileFinder":
            finder.invalidate_caches()  # type: ignore[attr-defined]


def parts_without_package(module: str) -> "list[str]":
    """The sub-modules that are loaded while their package is not: an import of it has failed."""
    if module in sys.modules:
        return []
    inside = f"{module}."
    names = [name for name in list(sys.modules) if name.startswith(inside)]
    return [name for name in names if sys.modules.get(name) is not None]


def location(name: str) -> str:
    """Where a module lies, for people."""
    spec = find_spec(name)
    return (spec and spec.origin) or "no file"


# --- versions -------------------------------------------------------------------------------------

# Folder -> (its modification time, {distribution: version}). Read anew when the folder changes.
_versions: "dict[str, tuple[int, dict[str, str]]]" = {}


def module_version(name: str) -> "str | None":
    """The version that an already imported module says of itself."""
    version = getattr(sys.modules.get(name), "__dict__", {}).get("__version__")
    return version if isinstance(version, str) else None


def dist_version(distribution: str, module: str) -> "str | None":
    """The version in a distribution's ``*.dist-info`` name, on `sys.path` or beside its module."""
    key = _normalized(distribution)
    for folder in sys.path:
        version = _versions_in(folder).get(key)
        if version is not None:
            return version
    spec = find_spec(module.partition(".")[0])
    origin = spec.origin if spec is not None else None
    beside = os.path.dirname(os.path.dirname(origin)) if origin and os.sep in origin else None
    return _versions_in(beside).get(key) if beside else None


def _versions_in(folder: str) -> "dict[str, str]":
    """The distributions that are installed in a folder."""
    try:
        folder = folder or os.getcwd()
        modified = os.stat(folder).st_mtime_ns
        known = _versions.get(folder)
        if known is not None and known[0] == modified:
            return known[1]
        entries = os.listdir(folder)
    except OSError:  # not a folder, or not ours to read: a zip file on sys.path, for example
        return {}
    found = {}
    for entry in entries:
        if entry.endswith((".dist-info", ".egg-info")):
            name, _, version = entry.rpartition(".")[0].partition("-")
            version = version.partition("-")[0]
            if version:
                found[_normalized(name)] = version
    _versions[folder] = (modified, found)
    return found


def _normalized(distribution: str) -> str:
    return distribution.lower().replace("-", "_").replace(".", "_")


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
