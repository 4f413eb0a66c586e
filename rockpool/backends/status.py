"""What can be said of a back-end without importing anything, and what is remembered of attempts.

Positive answers are kept: what was imported and passed its check can be used. Of a failed attempt
its error is kept, to be shown until something changes (see `retry`).
"""

import os
import sys

from .finder import (
    Search,
    attribute,
    differ,
    is_loading,
    is_made_by_hand,
    is_older,
    module_version,
)
from .plain_text import printable
from .specs import REGISTERED, STANDARD, BackendSpec, BackendStatus, specification, text_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from importlib.machinery import ModuleSpec

    from .retry import Failure
else:  # for those who check annotations at run time
    from _collections_abc import Iterable

    ModuleSpec = Failure = object

# Back-ends that were imported and passed their check.
usable: "set[str]" = set()
# The last failed attempt of each back-end.
failures: "dict[str, Failure]" = {}
# The files whose last import failed: by module, the name of the back-end at fault, and its failure.
failed_files: "dict[str, tuple[str, Failure]]" = {}
# How many sub-modules an error lists.
_LISTED = 3


def look(
    spec: "BackendSpec", search: "Search | None" = None, *, to_import: bool = False
) -> "BackendStatus":
    """What can be said without importing anything; looks at several back-ends share a search.

    `to_import`: where the import is to follow, which may make a module that no finder knows.
    """
    try:
        return _look(spec, search or Search(), to_import)
    except Exception as error:  # of what finders and modules hold, anything may raise
        return beyond_understanding(spec, error)


def _look(spec: "BackendSpec", search: Search, to_import: bool) -> "BackendStatus":
    if spec.name in usable:
        return status_of(spec, "available", "imported, and works", search=search)
    obstacle = obstacle_to(spec, search, to_import=to_import)
    if obstacle is not None:
        return obstacle
    failure = failures.get(spec.name)
    if failure is not None and failure.is_current():
        return failure.status
    return status_of(spec, "installed", _unchecked(spec), search=search)


def look_at(name: str, search: "Search | None" = None) -> "BackendStatus":
    """`look` by name: as `backend_status`, but without the warning about a misspelt one."""
    return look(specification(name), search)


def must_be_checked(name: str) -> bool:
    """Whether a back-end has a condition beyond its modules that is not known to hold yet."""
    spec = specification(name)
    return spec.check is not True and spec.name not in usable


def fails_again(name: str) -> bool:
    """Whether the import of a back-end has failed, and would do so again."""
    failure = failures.get(specification(name).name)
    return failure is not None and failure.would_repeat()


def forget_failure(name: str) -> None:
    """Have a back-end, and the files that failed because of it, tried again."""
    failures.pop(name, None)
    for module, (_, failure) in list(failed_files.items()):
        if failure.status.name == name:
            failed_files.pop(module, None)


def missing_backend(error: BaseException) -> "BackendStatus | None":
    """The known back-end that is missing, where that is what an error of an import is about."""
    missing = missing_module(error)
    if missing is not None:
        for spec in (*STANDARD.values(), *REGISTERED.values()):
            if any(f"{missing}.".startswith(f"{module}.") for module in spec.modules):
                status = look(spec)
                is_about_it = f"{missing}.".startswith(f"{status.module}.")
                if status.state in ("missing", "shadowed") and is_about_it:
                    return status
    return None


def why_not_here(spec: "BackendSpec") -> str:
    """Why a back-end must not be imported in this thread; empty where it may."""
    threading = sys.modules.get("threading")  # without it there are no other threads
    if not spec.in_main_thread or spec.own_module in sys.modules or threading is None:
        return ""
    if threading.current_thread() is threading.main_thread():
        return ""
    return (
        f"{spec.own_module} has to be imported in the main thread first, as it handles signals: "
        f"write 'import {spec.own_module}' at the top of the program"
    )


def obstacle_to(
    spec: "BackendSpec", search: "Search | None" = None, *, to_import: bool = False
) -> "BackendStatus | None":
    """The reason why importing this back-end need not be tried, if there is one (see `look`)."""
    search = search or Search()
    if spec.never_import:
        return status_of(spec, "unmet", "rockpool never imports it: its import installs software")
    for module in spec.modules:
        found = search.find_spec(module)
        if module in search.trouble:
            error = search.trouble[module]
            reason = f"looking for {module} raises {first_line(error)}"
            return status_of(spec, "broken", reason, error, module=module)
        if found is None:
            if to_import and not spec.are_packages and search.may_be_made(module):
                continue
            also = f"; it also needs {spec.check_needs}" if spec.check_needs else ""
            return status_of(
                spec, "missing", f"no module named {module!r} is installed{also}", module=module
            )
        in_the_way = "" if is_made_by_hand(module) else _in_the_way(spec, module, found)
        if in_the_way:
            return status_of(spec, "shadowed", in_the_way, module=module, search=search)
        parts = search.parts_without_package(module)
        if parts:
            return _half_imported(spec, module, parts)
    if spec.telling and _is_another(spec, search):
        return _another(spec)
    refusal = why_not_here(spec)
    if refusal:
        return status_of(spec, "unmet", refusal, fix="", search=search)
    return _too_old(spec, search) if spec.minimum is not None else None


def _in_the_way(spec: "BackendSpec", module: str, found: "ModuleSpec") -> str:
    """What lies in the place of a module, if it is seen without importing it; mostly empty."""
    if found.loader is None or (found.origin is None and found.submodule_search_locations):
        folders = ", ".join(found.submodule_search_locations or ())
        return f"{folders or module} is a folder without a package, in the place of {module!r}"
    if spec.are_packages and found.submodule_search_locations is None and "." not in module:
        return f"the file {found.origin} is in the place of the package {module!r}; rename it"
    return ""


def _is_another(spec: "BackendSpec", search: Search) -> bool:
    """Whether the module that is loaded is another one of the same name.

    The right one has its telling attribute, or the record of its installation beside it.
    """
    own = spec.own_module
    loaded = sys.modules.get(own)
    if loaded is None or is_made_by_hand(own) or is_loading(own):
        return False
    return attribute(loaded, spec.telling) is None and not search.is_recorded(
        spec.distribution or own, own
    )


def _another(spec: "BackendSpec") -> "BackendStatus":
    own = spec.own_module
    where = attribute(sys.modules[own], "__file__") or own
    reason = f"{where} is another package called {own!r}: it has no `{own}.{spec.telling}`"
    restart = f"{own} is loaded from there; rename that package, or remove it, first"
    return status_of(spec, "shadowed", reason, module=own, restart=restart)


def _too_old(spec: "BackendSpec", search: Search) -> "BackendStatus | None":
    """A back-end of a version before the oldest one that will do; one without any may pass."""
    version, minimum = version_of(spec, search), spec.minimum or ()
    if version is None or not is_older(version, minimum):
        return None
    own = spec.own_module
    reason = f"{own} is {version}; at least {'.'.join(map(str, minimum))} is needed"
    installed = search.dist_version(spec.distribution or own, own)
    if installed is None or is_older(installed, minimum):
        return status_of(spec, "outdated", reason)
    restart = f"{version} is loaded, but {installed} is installed by now"
    return status_of(spec, "outdated", reason, fix="", restart=restart)


def _half_imported(spec: "BackendSpec", module: str, parts: "list[str]") -> "BackendStatus":
    """A back-end whose import failed midway; importing it again would mix old parts with new."""
    reason, error, fix = f"an import of {module} has failed midway", None, ""
    failure = failures.get(spec.name)
    if failure is not None and failure.status.state == "broken":
        reason, error = failure.status.reason, failure.status.error
        missing = missing_module(error)
        if failure.is_current() and not (missing and Search().find_spec(missing)):
            fix = failure.status.install  # else it was fixed since: only the restart is left
    restart = still_loaded(parts)
    return status_of(spec, "broken", reason, error, module=module, fix=fix, restart=restart)


def _unchecked(spec: "BackendSpec") -> str:
    """What is said of a back-end that is found, and what else has to hold for it."""
    if spec.check is True:
        return "found, not imported yet"
    condition = f"there is {spec.check_needs}" if spec.check_needs else "its check passes"
    return f"found, not imported yet; whether {condition} is known only then"


def status_of(
    spec: "BackendSpec",
    state: str,
    reason: str,
    error: "BaseException | None" = None,
    *,
    module: "str | None" = None,
    fix: "str | None" = None,
    restart: str = "",
    search: "Search | None" = None,
) -> "BackendStatus":
    """A record of a back-end, with the command that fixes such a state unless another is given."""
    if fix is None:
        flag = {"outdated": "--upgrade ", "broken": "--force-reinstall "}.get(state, "")
        fix = f"pip install {flag}{spec.pip}"
    version = None if state == "missing" else version_of(spec, search)
    about = module or (*spec.modules, spec.name)[0]
    version = version and printable(version)
    return BackendStatus(spec.name, state, version, printable(reason), error, fix, about, restart)


def beyond_understanding(spec: "BackendSpec", error: BaseException) -> "BackendStatus":
    """The record of a back-end of which not even this much can be found out."""
    reason = f"looking at it raises {first_line(error)}"
    fix = f"pip install --force-reinstall {spec.pip}"
    about = (*spec.modules, spec.name)[0]
    return BackendStatus(spec.name, "broken", None, printable(reason), error, fix, about)


def version_of(spec: "BackendSpec", search: "Search | None" = None) -> "str | None":
    """The version that is loaded, or the one that is installed; the module need not say it."""
    module = spec.own_module
    if not module:
        return None
    installed = (search or Search()).dist_version
    return module_version(module) or installed(spec.distribution or module, module)


# --- what only a restart of Python helps ----------------------------------------------------------
#
# Python removes a package whose import fails from `sys.modules`, but not the sub-modules that were
# loaded by then: importing it again mixes old parts with new ones. And a package that is loaded
# stays as it is when its files are replaced. Neither can be undone in a running process.


def still_loaded(parts: "list[str]") -> str:
    """Say that these sub-modules are loaded without their package."""
    more = f" and {len(parts) - _LISTED} more" if len(parts) > _LISTED else ""
    are = "is" if len(parts) == 1 else "are"
    return f"{', '.join(parts[:_LISTED])}{more} {are} still loaded from an import that failed"


def replaced(modules: "Iterable[str]", distribution: "str | None" = None) -> str:
    """Say which of these modules is loaded, but not what is on the disk by now; "" where none is.

    The first one is installed as `distribution`, where that has another name.
    """
    search = Search()
    for index, name in enumerate(modules):
        loaded = sys.modules.get(name)
        if loaded is None:
            continue
        if _is_gone(loaded):
            return f"{name} is loaded, but its files are gone"
        version = module_version(name)
        installed = search.dist_version((distribution if index == 0 else None) or name, name)
        if version and installed and differ(version, installed):
            return f"{name} {version} is loaded, but {installed} is installed by now"
    return ""


def replaced_while_loaded(name: str) -> str:
    """Say that a back-end is loaded in another version than it is installed in; mostly empty."""
    spec = specification(name)
    return replaced([*spec.modules, "numpy"], spec.distribution)


def _is_gone(module: object) -> bool:
    """Whether a module was loaded from a file that does not exist any more."""
    spec = attribute(module, "__spec__")
    origin = attribute(spec, "origin")
    loader = type(attribute(spec, "loader")).__name__
    on_disk = loader in ("SourceFileLoader", "ExtensionFileLoader", "SourcelessFileLoader")
    return on_disk and isinstance(origin, str) and not os.path.exists(origin)


# --- errors of imports, which may be anything -----------------------------------------------------


def first_line(error: "BaseException | None") -> str:
    """The type of an error and the first line of its text, where that can be had."""
    lines = text_of(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__


def missing_module(error: "BaseException | None") -> "str | None":
    """The module that an error says is missing."""
    name = attribute(error, "name") if isinstance(error, ModuleNotFoundError) else None
    return name if isinstance(name, str) and name else None


def modules_in(error: BaseException) -> "list[str]":
    """The packages through which an error has come, each once, the innermost one last."""
    names: dict[str, None] = {}
    trace = error.__traceback__
    while trace is not None:
        name = trace.tb_frame.f_globals.get("__name__")
        if isinstance(name, str):
            names.setdefault(name.partition(".")[0])
        trace = trace.tb_next
    return list(names)
