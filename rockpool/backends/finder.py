"""How a module and its version are found without importing it. Standard library only.

The finders on `sys.meta_path` are asked for specs, and the names of `*.dist-info` folders tell the
versions. The import system keeps what it has seen of each folder, and so does this file; what has
changed since is looked at again.
"""

import os
import sys
import time
from _thread import get_ident

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from importlib.machinery import ModuleSpec
    from typing import Any

# What has changed long before this (s) had done so before this process first looked at it.
_STARTED = time.time()


class glance:
    """A `with` block in which each module is looked for once, however often it is asked for.

    Back-ends share modules, and each answer about one takes several looks. Nothing may be imported
    or installed inside the block: it would not be seen. It concerns its own thread alone.
    """

    __slots__ = ("_outer",)

    def __enter__(self) -> None:
        me = get_ident()
        self._outer = _glances.get(me)
        if self._outer is None:
            _glances[me] = {}

    def __exit__(self, *error: object) -> None:
        if self._outer is None:
            del _glances[get_ident()]


# What was found since each thread's `glance` began.
_glances: "dict[int, dict[tuple[object, ...], Any]]" = {}


def _once(find: "Callable[..., Any]", *what: str) -> "Any":
    """What `find` finds, or has found already in this glance."""
    seen = _glances.get(get_ident())
    if seen is None:
        return find(*what)
    if (find, what) not in seen:
        seen[find, what] = find(*what)
    return seen[find, what]


def find_spec(name: str) -> "ModuleSpec | None":
    """The spec of a module, found without importing it or its parents; None where there is none."""
    spec: ModuleSpec | None = _once(_seek, name)
    return spec


def _seek(name: str) -> "ModuleSpec | None":
    if name in sys.modules:
        module = sys.modules[name]
        spec = getattr(module, "__spec__", None)
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


def parts_without_package(module: str) -> "list[str]":
    """The sub-modules that are loaded while their package is not: an import of it has failed."""
    if module in sys.modules:
        return []
    # Thousands of names may be loaded, and this is asked on each use of a stand-in.
    _, *after = _once(_loaded_names).split(f" {module}.")
    parts = [f"{module}.{text.partition(' ')[0]}" for text in after]
    return [name for name in parts if sys.modules.get(name) is not None]


# The names in `sys.modules`, and the same as one text.
_loaded: "tuple[list[str], str]" = ([], "")


def _loaded_names() -> str:
    """The names of all loaded modules with blanks around them: made anew when they change."""
    global _loaded
    names, kept = list(sys.modules), _loaded
    if kept[0] != names:
        kept = _loaded = names, f" {' '.join(names)} "
    return kept[1]


def location(name: str) -> str:
    """Where a module lies, for people."""
    spec = find_spec(name)
    return (spec and spec.origin) or "no file"


def module_version(name: str) -> "str | None":
    """The version that an already imported module says of itself."""
    version = getattr(sys.modules.get(name), "__dict__", {}).get("__version__")
    return version if isinstance(version, str) else None


# Folder -> (its modification time, {distribution: version}). Read anew when the folder changes.
_distributions: "dict[str, tuple[int, dict[str, str]]]" = {}


def dist_version(distribution: str, module: str) -> "str | None":
    """The version in a distribution's ``*.dist-info`` name, beside its module or on `sys.path`."""
    version: str | None = _once(_read_version, distribution, module)
    return version


def _read_version(distribution: str, module: str) -> "str | None":
    key = distribution.lower().replace("-", "_").replace(".", "_")
    spec = find_spec(module.partition(".")[0])
    origin = spec.origin if spec is not None else None
    beside = os.path.dirname(os.path.dirname(origin)) if origin and os.sep in origin else None
    for folder in ([beside] if beside else []) + sys.path:
        version = _once(_installed_in, folder).get(key)
        if version is not None:
            return str(version)
    return None


def _installed_in(folder: str) -> "dict[str, str]":
    try:
        folder = folder or os.getcwd()
        changed = os.stat(folder).st_mtime_ns
        known = _distributions.get(folder)
        if known is not None and known[0] == changed:
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
                found[name.lower().replace("-", "_").replace(".", "_")] = version
    _distributions[folder] = (changed, found)
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


# --- looked at again ------------------------------------------------------------------------------

# Folder -> its modification time (ns) when it was looked at again, long enough after that change.
_seen_again: "dict[str, int]" = {}


def is_settled(changed: int) -> bool:
    """Whether another change could not have the same time as this one (ns) any more.

    Files get the time of the system's last tick. Some file systems keep whole seconds, even ones.
    """
    is_fine = changed % 1_000_000 != 0
    return changed < time.time_ns() - (50_000_000 if is_fine else 2_000_000_000)


def look_again(modules: "Iterable[str]") -> None:
    """Make sure that it is seen when one of these has just been installed, at little cost.

    The import system sees by itself that a folder's time has changed. But that time is coarse, and
    a folder may change twice in one tick of it: those that changed lately are read anew.
    """
    lately = (_STARTED - 60.0) * 1e9
    for folder in {*sys.path, *_distributions.copy(), *_parent_folders(modules)}:
        try:
            folder = folder or os.getcwd()
            changed = os.stat(folder).st_mtime_ns
        except OSError:  # not there, or not there any more
            _forget(folder)
            continue
        if changed >= lately and _seen_again.get(folder) != changed:
            _forget(folder)
            if is_settled(changed):
                _seen_again[folder] = changed


def _parent_folders(modules: "Iterable[str]") -> "list[str]":
    """Where sub-modules are looked for."""
    folders: list[str] = []
    for module in modules:
        parent = find_spec(module.rpartition(".")[0]) if "." in module else None
        folders += (parent.submodule_search_locations or ()) if parent is not None else ()
    return folders


def forget_finder_caches() -> None:
    """Make the import system look at the folders of `sys.path` again.

    `importlib.invalidate_caches` does this too, but imports `importlib.metadata` for it, at forty
    times the cost.
    """
    _seen_again.clear()
    _distributions.clear()
    for path in list(sys.path_importer_cache):
        _forget(path)


def _forget(path: str) -> None:
    """Have a folder looked at again, also one that was not there."""
    _distributions.pop(path, None)
    finder = sys.path_importer_cache.get(path)
    if finder is None:
        sys.path_importer_cache.pop(path, None)
    elif type(finder).__name__ == "FileFinder":
        finder.invalidate_caches()  # type: ignore[attr-defined]
