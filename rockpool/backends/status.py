"""What can be said of a back-end without importing anything, and what is remembered of attempts.

Positive answers are kept: what was imported and passed its check can be used. A failed attempt is
kept to be told, with its error; it answers no question whether the back-end can be used now.
"""

import os
import sys

from .finder import (
    dist_version,
    find_spec,
    glance,
    module_version,
    parts_without_package,
    release,
)
from .specs import REGISTERED, STANDARD, BackendStatus, specification

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from .retry import Evidence
    from .specs import BackendSpec


class Failure:
    """A failed attempt to use a back-end.

    Attributes
    ----------
    status : BackendStatus
        What came of it.
    fingerprint : tuple
        What the back-end's modules looked like then.
    evidence : Evidence or None
        What its import depended on, where that was what failed.
    """

    __slots__ = ("evidence", "fingerprint", "status")

    def __init__(
        self,
        status: "BackendStatus",
        fingerprint: "tuple[object, ...]",
        evidence: "Evidence | None",
    ) -> None:
        self.status = status
        self.fingerprint = fingerprint
        self.evidence = evidence


# Back-ends that were imported and passed their check.
usable: "set[str]" = set()
# The last failed attempt of each back-end.
failures: "dict[str, Failure]" = {}
# The back-end because of which the import of a file of ours has failed, by the module's name.
lacked: "dict[str, str]" = {}


def look(spec: "BackendSpec") -> "BackendStatus":
    """What can be said without importing anything."""
    with glance():
        if spec.name in usable:
            return status_of(spec, "available", "imported, and works")
        obstacle = obstacle_to(spec)
        if obstacle is not None:
            return obstacle
        failure = failures.get(spec.name)
        if failure is not None:
            if failure.fingerprint == fingerprint_of(spec):
                return failure.status
            failures.pop(spec.name, None)
        return status_of(spec, "installed", _unchecked(spec))


def look_at(name: str) -> "BackendStatus":
    """`look` by name: as `backend_status`, but without the warning about a misspelt one."""
    return look(specification(name))


def must_be_checked(name: str) -> bool:
    """Whether a back-end has a condition beyond its modules that is not known to hold yet."""
    spec = specification(name)
    return spec.check is not True and spec.name not in usable


def fails_again(name: str) -> bool:
    """Whether the import of a back-end has failed, and nothing that it depended on has changed."""
    failure = failures.get(specification(name).name)
    return failure is not None and failure.evidence is not None and failure.evidence.holds()


def backend_lacked(error: BaseException) -> "str | None":
    """The known back-end that is missing, where that is what an error of an import is about."""
    absent = error.name if isinstance(error, ModuleNotFoundError) else None
    if absent is not None:
        for spec in (*STANDARD.values(), *REGISTERED.values()):
            is_missing = look(spec).state in ("missing", "shadowed")
            if is_missing and any(f"{absent}.".startswith(f"{m}.") for m in spec.modules):
                return spec.name
    return None


def obstacle_to(spec: "BackendSpec") -> "BackendStatus | None":
    """The reason why importing this back-end need not be tried, if there is one."""
    if spec.never_import:
        return status_of(spec, "unmet", "rockpool never imports it: its import installs software")
    for module in spec.modules:
        found = find_spec(module)
        if found is None:
            also = f"; it also needs {spec.check_needs}" if spec.check_needs else ""
            return status_of(
                spec, "missing", f"no module named {module!r} is installed{also}", module=module
            )
        if found.loader is None or (found.origin is None and found.submodule_search_locations):
            folders = ", ".join(found.submodule_search_locations or ())
            where = folders or module
            reason = f"{where} is a folder without a package, in the place of {module!r}"
            return status_of(spec, "shadowed", reason, module=module)
        if spec.are_packages and found.submodule_search_locations is None and "." not in module:
            reason = f"the file {found.origin} is in the place of the package {module!r}; rename it"
            return status_of(spec, "shadowed", reason, module=module)
        parts = parts_without_package(module)
        if parts:
            return _half_imported(spec, module, parts)
    return _too_old(spec) if spec.minimum is not None else None


def _too_old(spec: "BackendSpec") -> "BackendStatus | None":
    """A back-end of a version before the oldest one that will do; one without any may pass."""
    version, minimum = version_of(spec), spec.minimum or ()
    if version is None or release(version) >= minimum:
        return None
    own = spec.own_module
    reason = f"{own} is {version}; at least {'.'.join(map(str, minimum))} is needed"
    installed = dist_version(spec.distribution or own, own)
    if installed is None or release(installed) < minimum:
        return status_of(spec, "outdated", reason)
    restart = f"{version} is loaded, but {installed} is installed by now"
    return status_of(spec, "outdated", reason, mend="", restart=restart)


def _half_imported(spec: "BackendSpec", module: str, parts: "list[str]") -> "BackendStatus":
    """A back-end whose import failed midway; importing it again would mix old parts with new."""
    restart = in_words(parts)
    first, error, mend = f"an import of {module} has failed midway", None, ""
    failure = failures.get(spec.name)
    if failure is not None and failure.status.state == "broken":
        first, error = failure.status.reason, failure.status.error
        absent = error.name if isinstance(error, ModuleNotFoundError) else None
        if failure.fingerprint == fingerprint_of(spec) and not (absent and find_spec(absent)):
            mend = failure.status.install  # else it was mended since: only the restart is left
    return status_of(spec, "broken", first, error, module=module, mend=mend, restart=restart)


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
    mend: "str | None" = None,
    restart: str = "",
) -> "BackendStatus":
    """A record of a back-end, with the command that mends such a state unless another is given."""
    if mend is None:
        flag = {"outdated": "--upgrade ", "broken": "--force-reinstall "}.get(state, "")
        mend = f"pip install {flag}{spec.pip}"
    version = None if state == "missing" else version_of(spec)
    about = module or (*spec.modules, spec.name)[0]
    return BackendStatus(spec.name, state, version, reason, error, mend, about, restart)


def version_of(spec: "BackendSpec") -> "str | None":
    """The version that is loaded, or the one that is installed; the module need not say it."""
    module = spec.own_module
    if not module:
        return None
    return module_version(module) or dist_version(spec.distribution or module, module)


def fingerprint_of(spec: "BackendSpec") -> "tuple[object, ...]":
    """Changes when a back-end's modules move, appear, or come in another version."""
    found = [find_spec(module) for module in spec.modules]
    return (version_of(spec), *(spec.origin if spec else None for spec in found))


# --- what only a restart mends --------------------------------------------------------------------

# How many names an error lists.
_NAMED = 3


def in_words(parts: "list[str]") -> str:
    """Say that these sub-modules are loaded without their package."""
    more = f" and {len(parts) - _NAMED} more" if len(parts) > _NAMED else ""
    are = "is" if len(parts) == 1 else "are"
    return f"{', '.join(parts[:_NAMED])}{more} {are} still loaded from an import that failed"


def replaced(modules: "Iterable[str]", distribution: "str | None" = None) -> str:
    """Say which of these loaded modules are not what is on the disk by now; "" where all are.

    Parameters
    ----------
    modules : iterable of str
        Names of modules; those that are not loaded are passed over.
    distribution : str, optional
        What the first one is installed as, where it has another name.
    """
    for index, name in enumerate(modules):
        loaded = sys.modules.get(name)
        if loaded is None:
            continue
        if _is_gone(loaded):
            return f"{name} is loaded, but its files are gone"
        version = module_version(name)
        installed = dist_version(distribution if distribution and index == 0 else name, name)
        if version and installed and differ(version, installed):
            return f"{name} {version} is loaded, but {installed} is installed by now"
    return ""


def replaced_while_loaded(name: str) -> str:
    """Say that a back-end is loaded in another version than it is installed in; mostly empty."""
    spec = specification(name)
    return replaced([*spec.modules, "numpy"], spec.distribution)


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


def _is_gone(module: object) -> bool:
    """Whether a module was loaded from a file that does not exist any more."""
    spec = getattr(module, "__spec__", None)
    origin = getattr(spec, "origin", None)
    loader = type(getattr(spec, "loader", None)).__name__
    on_disk = loader in ("SourceFileLoader", "ExtensionFileLoader", "SourcelessFileLoader")
    return on_disk and isinstance(origin, str) and not os.path.exists(origin)


def differ(version: str, other: str) -> bool:
    """Whether two versions are of different releases: 2.3 and 2.3.0+cpu are not."""
    a, b = release(version), release(other)
    length = max(len(a), len(b))
    return a + (0,) * (length - len(a)) != b + (0,) * (length - len(b))
