"""Which computational back-ends are here, and why not. Standard library only.

* A back-end *can be used* when each module that it needs can really be imported, is recent enough,
  and the back-end's own check (a CUDA device, for example) says yes. Anything else that an import
  may do, short of
  `KeyboardInterrupt`, is an answer too: the back-end is broken, and the error is kept.
* Looking costs nothing: the finders on `sys.meta_path` are asked for specs and `*.dist-info`
  folders are read for versions; nothing is imported until somebody asks whether a back-end really
  works.
* A positive answer is kept, a negative one never: a package that is installed later is seen at the
  next question.
* samna is never imported: the package of that name on the public index runs ``pip install`` when it
  is.
"""

import os
import sys
import time

from ._backend_specs import (
    ALIASES,
    STANDARD,
    BackendSpec,
    BackendStatus,
    dist_version,
    find_spec,
    forget_distributions,
    glance,
    location,
    module_version,
    parts_without_package,
    release,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any, NoReturn

__all__ = [
    "AbortImport",
    "BackendStatus",
    "backend_available",
    "backend_status",
    "check_backend",
    "check_samna_available",
    "check_torch_cuda_available",
    "known_backends",
    "list_backends",
    "missing_backend_error",
    "missing_backend_shim",
    "refresh_backends",
    "register_backend",
    "torch_version_satisfied",
]

# What has been registered besides the standard back-ends, by name.
_registered: "dict[str, BackendSpec]" = {}
# Back-ends that were imported and passed their check. Only positive answers stand here.
_usable: "set[str]" = set()
# The last failed attempt of each back-end and what its modules looked like then. It informs
# `backend_status`, and answers nothing: every question tries again.
_failures: "dict[str, tuple[tuple[object, ...], BackendStatus]]" = {}
# What has changed long before this (s) had done so before this process first looked at it.
_STARTED = time.time()
# Whose frames are left out of the errors that are kept.
_OURS = ("rockpool", "lazy_loader", "importlib")


class AbortImport(Exception):
    """Raised by code that gives up importing an optional part of itself."""


# --- asking ---------------------------------------------------------------------------------------


def backend_available(*backends: str) -> bool:
    """Whether every one of these back-ends can really be used.

    Parameters
    ----------
    *backends : str
        Names of back-ends (see `known_backends`), or of any importable modules. None at all gives
        True.

    Returns
    -------
    bool
        True if and only if the modules of each back-end were imported without an error, are recent
        enough and its check passed. True is remembered until `refresh_backends`, False is not.

    Warns
    -----
    UserWarning
        For a name that is neither a back-end nor a module, but close to a known one.

    Examples
    --------
    >>> backend_available("no_such_thing")
    False
    """
    for name in backends:
        spec = _spec_of(name, warn=True)
        if spec.name not in _usable and _probe(spec).state != "available":
            return False
    return True


def backend_status(name: str, *, probe: bool = False) -> "BackendStatus":
    """What is known of one back-end.

    Parameters
    ----------
    name : str
        A back-end, or any module.
    probe : bool, default False
        False looks and imports nothing. True imports the back-end and runs its check, as
        `backend_available` does.

    Returns
    -------
    BackendStatus
        name, state, version, reason, error and install. The state is one of

        * ``available``: imported, and its check passed;
        * ``installed``: found, not yet imported;
        * ``missing``: not found;
        * ``broken``: found, but importing it raises (`error` is what it raised);
        * ``outdated``: older than the oldest version that rockpool works with;
        * ``shadowed``: a file or a folder of that name is in the way;
        * ``unmet``: importable, but its check said no (no CUDA device, for example).
    """
    spec = _spec_of(name, warn=True)
    return _probe(spec) if probe else _look(spec)


def check_backend(
    backend_name: str,
    required_modules: "Iterable[str] | None" = None,
    check_flag: "bool | Callable[[], object]" = True,
) -> bool:
    """Register a back-end by what it needs, and say whether it can be used.

    Parameters
    ----------
    backend_name : str
        The name by which `backend_available` knows it from now on. The standard back-ends keep
        their own definition; for them the call only answers.
    required_modules : iterable of str, default ``[backend_name]``
        Modules that have to be importable. A failure of any kind to import one of them gives False.
    check_flag : bool or callable, default True
        False always gives False. A callable is called, without arguments, once the modules are
        there.

    Returns
    -------
    bool
    """
    modules = (backend_name,) if required_modules is None else required_modules
    spec = _make_spec(backend_name, modules, check=check_flag)
    if backend_name not in STANDARD:
        _register(spec)
        return backend_available(backend_name)
    if required_modules is None and check_flag is True:
        return backend_available(backend_name)
    return _probe(spec, remember=False).state == "available"


def register_backend(
    name: str,
    required_modules: "Iterable[str] | None" = None,
    *,
    extra: "str | None" = None,
    minimum: "str | None" = None,
    check: "bool | Callable[[], object]" = True,
) -> None:
    """Make a back-end known by name, without asking whether it is here.

    A package calls this before it names the back-end to `rockpool.utilities.lazy_loading.attach`.
    From then on `backend_available`, `backend_status`, `list_backends` and the errors of its
    stand-ins know the back-end as they know the standard ones. Registering the same again changes
    nothing; another definition takes the place of the first.

    Parameters
    ----------
    name : str
        Its name, as in ``Missing the `name` backend``. A standard back-end cannot be registered
        again.
    required_modules : iterable of str, default ``[name]``
        Modules that have to be importable; the first one is the back-end's own.
    extra : str, optional
        What ``pip install`` takes to bring it, such as ``mypackage[name]``. Default: the first
        module's name.
    minimum : str, optional
        The oldest version of the first module that will do, such as ``"1.4"``.
    check : bool or callable, default True
        As `check_flag` of `check_backend`.

    Raises
    ------
    ValueError
        For a standard back-end's name, or a minimum that is no version.
    """
    if name in STANDARD:
        raise ValueError(
            f"register_backend: name {name!r} is a standard back-end; choose another name"
        )
    oldest = release(minimum) if minimum is not None else None
    if oldest == ():
        raise ValueError(f"register_backend: minimum must be a version like '1.4', got {minimum!r}")
    modules = (name,) if required_modules is None else required_modules
    if extra is not None and "[" in extra and '"' not in extra:
        extra = f'"{extra}"'  # as shells want it
    _register(_make_spec(name, modules, check=check, extra=extra, minimum=oldest))


def known_backends() -> "tuple[str, ...]":
    """Names of the standard back-ends, then of those that were registered."""
    return (*(name for name, spec in STANDARD.items() if not spec.never_import), *_registered)


def refresh_backends() -> None:
    """Forget every answer about back-ends, so that the next question looks again."""
    _usable.clear()
    _failures.clear()
    forget_finder_caches()


def list_backends() -> None:
    """Print a table of the known back-ends. Nothing is imported."""
    rows = [backend_status(name) for name in known_backends()]
    width = max(len(row.name) for row in rows)
    for row in rows:
        version = row.version or "-"
        mend = "" if row.state in ("available", "installed") else f"   {row.install}"
        print(f"{row.name:<{width}}  {row.state:<9}  {version:<12}{mend}".rstrip())


def torch_version_satisfied(req_major: int = 0, req_minor: int = 0, req_patch: int = 0) -> bool:
    """Whether torch can be used and is at least this version.

    A local suffix (``2.13.0+cpu``) does not count; a pre-release (``2.4.0a0+git1``) counts as older
    than the release that it leads to; missing parts (``2.13``) are zeros.
    """
    if not backend_available("torch"):
        return False
    text = str(sys.modules["torch"].__version__)
    found = (*release(text), 0, 0, 0)[:3]
    wanted = (req_major, req_minor, req_patch)
    if found == wanted:
        rest = text.partition("+")[0].lstrip("v0123456789.")
        return not rest.startswith(("a", "b", "rc", "dev"))
    return found >= wanted


def must_be_checked(name: str) -> bool:
    """Whether a back-end has a condition beyond its modules that is not known to hold yet."""
    spec = _spec_of(name)
    return spec.check is not True and spec.name not in _usable


def check_torch_cuda_available() -> bool:
    """Whether torch can be used and sees a CUDA device."""
    return backend_available("cuda")


def check_samna_available() -> bool:
    """False: samna is never imported, as the package of that name installs software when it is."""
    return False


# --- stand-ins ------------------------------------------------------------------------------------


def missing_backend_shim(class_name: str, backend_name: str) -> "type[Any]":
    """A stand-in for a class whose back-end is missing.

    Parameters
    ----------
    class_name : str
        The class that it stands for; also its `__name__`. Its `__module__` is the caller's.
    backend_name : str
        The back-end that the class needs.

    Returns
    -------
    type
        A class that can be imported, documented, annotated with, derived from and pickled by name.
        Constructing it, or an attribute of it without a leading underscore, raises
        `ModuleNotFoundError`.
    """
    from .standins import new_standin

    module = sys._getframe(1).f_globals.get("__name__", __name__)
    return new_standin(class_name, backend_name, module)


def missing_backend_error(class_name: str, backend_name: str) -> "Callable[..., NoReturn]":
    """A function, fit to be an `__init__`, that raises what a stand-in's constructor raises."""

    from .standins import MESSAGE, missing_error

    def raise_missing_backend(*args: object, **kwargs: object) -> "NoReturn":
        raise missing_error(class_name, backend_name)

    raise_missing_backend.__doc__ = MESSAGE.format(backend=backend_name, name=class_name)
    return raise_missing_backend


# --- how it is found out --------------------------------------------------------------------------


def _make_spec(
    name: str,
    modules: "Iterable[str]",
    *,
    check: "bool | Callable[[], object]" = True,
    extra: "str | None" = None,
    minimum: "tuple[int, ...] | None" = None,
) -> "BackendSpec":
    if not isinstance(name, str) or not name:
        raise TypeError(f"a back-end's name must be a non-empty str, got {name!r}")
    names = (modules,) if isinstance(modules, str) else tuple(modules)
    if not all(isinstance(module, str) and module for module in names):
        raise TypeError(f"{name}: required_modules must be names of modules, got {names!r}")
    if not (check is True or check is False or callable(check)):
        check = bool(check)
    return BackendSpec(
        name, names, check=check, pip=extra or (names[0] if names else name), minimum=minimum
    )


def _register(spec: "BackendSpec") -> None:
    if _registered.get(spec.name) != spec:
        _usable.discard(spec.name)
        _failures.pop(spec.name, None)
        _registered[spec.name] = spec


def look(name: str) -> "BackendStatus":
    """`backend_status` for our own use: without the warning about a misspelt name."""
    return _look(_spec_of(name))


def specification(name: str) -> "BackendSpec":
    """What a back-end needs, for our own use."""
    return _spec_of(name)


def status_after(name: str, error: "BaseException") -> "BackendStatus":
    """What is known of a back-end after the import of a file that uses it has failed.

    Where the error has come out of the back-end, it is the answer: nothing is imported again.
    """
    from ._leftovers import modules_in

    spec = _spec_of(name)
    on_its_way = modules_in(error)
    for module in spec.modules:
        if module not in sys.modules and module.partition(".")[0] in on_its_way:
            status = _blame(spec, module, error)
            _remember(spec, status)
            return status
    return _probe(spec)


def backend_lacked(error: "BaseException") -> "str | None":
    """The known back-end that is missing, where that is what an error of an import is about."""
    absent = error.name if isinstance(error, ModuleNotFoundError) else None
    if absent is not None:
        for spec in (*STANDARD.values(), *_registered.values()):
            is_missing = _look(spec).state in ("missing", "shadowed")
            if is_missing and any(f"{absent}.".startswith(f"{m}.") for m in spec.modules):
                return spec.name
    return None


def replaced_while_loaded(name: str) -> str:
    """Say that a back-end is loaded in another version than it is installed in; mostly empty."""
    from ._leftovers import replaced

    spec = _spec_of(name)
    return replaced([*spec.modules, "numpy"], spec.distribution)


def _spec_of(name: str, *, warn: bool = False) -> "BackendSpec":
    """The definition of a back-end; a name that nobody defined is a module of that name.

    The warning about a misspelt name points at the caller of the public function that calls this.
    """
    if not isinstance(name, str) or not name:
        raise TypeError(f"a back-end's name must be a non-empty str, got {name!r}")
    name = ALIASES.get(name, name)
    spec = STANDARD.get(name) or _registered.get(name)
    if spec is None:
        spec = BackendSpec(name, (name,), pip=name.partition(".")[0])
        if warn and find_spec(name) is None:
            from difflib import get_close_matches

            close = get_close_matches(name, known_backends(), n=1, cutoff=0.7)
            if close:
                import warnings

                message = f"unknown back-end {name!r}: did you mean {close[0]!r}?"
                warnings.warn(message, stacklevel=3)
    return spec


def _look(spec: "BackendSpec") -> "BackendStatus":
    """What can be said without importing anything."""
    with glance():
        if spec.name in _usable:
            return _status(spec, "available", "imported, and works")
        obstacle = _obstacle(spec)
        if obstacle is not None:
            return obstacle
        kept = _failures.get(spec.name)
        if kept is not None:
            if kept[0] == _fingerprint(spec):
                return kept[1]
            _failures.pop(spec.name, None)
        return _status(spec, "installed", "found, not imported yet")


def _obstacle(spec: "BackendSpec") -> "BackendStatus | None":
    """The reason why importing this back-end need not be tried, if there is one."""
    if spec.never_import:
        return _status(spec, "unmet", "rockpool never imports it: its import installs software")
    for module in spec.modules:
        found = find_spec(module)
        if found is None:
            also = f"; it also needs {spec.check_needs}" if spec.check_needs else ""
            return _status(
                spec, "missing", f"no module named {module!r} is installed{also}", module=module
            )
        if found.loader is None or (found.origin is None and found.submodule_search_locations):
            folders = ", ".join(found.submodule_search_locations or ())
            where = folders or module
            reason = f"{where} is a folder without a package, in the place of {module!r}"
            return _status(spec, "shadowed", reason, module=module)
        if spec.are_packages and found.submodule_search_locations is None and "." not in module:
            reason = f"the file {found.origin} is in the place of the package {module!r}; rename it"
            return _status(spec, "shadowed", reason, module=module)
        parts = parts_without_package(module)
        if parts:
            return _half_imported(spec, module, parts)
    if spec.minimum is not None:
        version = _version(spec)
        if version is not None and release(version) < spec.minimum:
            wanted = ".".join(map(str, spec.minimum))
            own = spec.own_module
            reason = f"{own} is {version}; at least {wanted} is needed"
            installed = dist_version(spec.distribution or own, own)
            if installed is None or release(installed) < spec.minimum:
                return _status(spec, "outdated", reason)
            restart = f"{version} is loaded, but {installed} is installed by now"
            return _status(spec, "outdated", reason, mend="", restart=restart)
    return None


def _half_imported(spec: "BackendSpec", module: str, parts: "list[str]") -> "BackendStatus":
    """A back-end whose import failed midway; importing it again would mix old parts with new."""
    from ._leftovers import in_words

    restart = in_words(parts)
    first, error, mend = f"an import of {module} has failed midway", None, ""
    fingerprint, failure = _failures.get(spec.name, (None, None))
    if failure is not None and failure.state == "broken":
        first, error = failure.reason, failure.error
        absent = error.name if isinstance(error, ModuleNotFoundError) else None
        if fingerprint == _fingerprint(spec) and not (absent and find_spec(absent)):
            mend = failure.install  # else it was mended since, and the restart is all that is left
    return _status(spec, "broken", first, error, module=module, mend=mend, restart=restart)


def _probe(spec: "BackendSpec", *, remember: bool = True) -> "BackendStatus":
    """Import the back-end, run its check, and remember what happened."""
    obstacle = _obstacle(spec)
    if obstacle is not None:
        return obstacle
    status = _try(spec)
    if remember:
        _remember(spec, status)
    return status


def _remember(spec: "BackendSpec", status: "BackendStatus") -> None:
    if status.state == "available":
        _failures.pop(spec.name, None)
        _usable.add(spec.name)
    else:
        _failures[spec.name] = (_fingerprint(spec), status)


def _try(spec: "BackendSpec") -> "BackendStatus":
    from importlib import import_module

    for module in spec.modules:
        try:
            import_module(module)
        except (Exception, SystemExit) as error:  # an import may raise anything; the error is kept
            return _blame(spec, module, error)
    outdated = _obstacle(spec)  # now that modules say their own version
    if outdated is not None:
        return outdated
    try:
        passed = spec.check() if callable(spec.check) else spec.check
    except (Exception, SystemExit) as error:
        return _status(spec, "unmet", f"its check raised {_in_words(error)}", error=_trimmed(error))
    if not passed:
        return _status(spec, "unmet", spec.unmet)
    return _status(spec, "available", "imported, and works")


def _blame(spec: "BackendSpec", module: str, error: "BaseException") -> "BackendStatus":
    """Tell a back-end that is not there from one that is there and cannot be imported."""
    error = _trimmed(error)
    absent = error.name if isinstance(error, ModuleNotFoundError) else None
    if absent is not None and (module == absent or module.startswith(absent + ".")):
        return _status(
            spec, "missing", f"no module named {absent!r} is installed", error, module=absent
        )
    is_own = module == spec.own_module
    version = _version(spec) if is_own else module_version(module) or dist_version(module, module)
    where = f"{module} {version or ''}".rstrip() + f" ({location(module)})"
    restart = _why_restart(spec, module, error)
    if absent is not None:
        reason = f"{where} is installed, but needs {absent!r}, which is missing"
        mend = f"pip install {absent.partition('.')[0]}"
        return _status(spec, "broken", reason, error, module=absent, mend=mend, restart=restart)
    reason = f"importing {where} raises {_in_words(error)}"
    advice = spec.advice() if spec.advice is not None else None
    conflict, cure = advice or ("", None)
    if conflict:
        reason = f"{reason}; {conflict}"
    return _status(spec, "broken", reason, error, module=module, mend=cure, restart=restart)


def _why_restart(spec: "BackendSpec", module: str, error: "BaseException") -> str:
    """Why another try in this process cannot help, if that is so."""
    from ._leftovers import in_words, modules_in, replaced

    parts = parts_without_package(module)
    return replaced([*spec.modules, "numpy", *modules_in(error)], spec.distribution) or (
        in_words(parts) if parts else ""
    )


def _status(
    spec: "BackendSpec",
    state: str,
    reason: str,
    error: "BaseException | None" = None,
    *,
    module: "str | None" = None,
    mend: "str | None" = None,
    restart: str = "",
) -> "BackendStatus":
    if mend is None:
        flag = {"outdated": "--upgrade ", "broken": "--force-reinstall "}.get(state, "")
        mend = f"pip install {flag}{spec.pip}"
    version = None if state == "missing" else _version(spec)
    about = module or (*spec.modules, spec.name)[0]
    return BackendStatus(spec.name, state, version, reason, error, mend, about, restart)


def _version(spec: "BackendSpec") -> "str | None":
    """The version that is loaded, or the one that is installed; the module need not say it."""
    module = spec.own_module
    if not module:
        return None
    return module_version(module) or dist_version(spec.distribution or module, module)


def _fingerprint(spec: "BackendSpec") -> "tuple[object, ...]":
    """Changes when a back-end's modules move, appear, or come in another version."""
    found = [find_spec(module) for module in spec.modules]
    return (_version(spec), *(spec.origin if spec else None for spec in found))


def _trimmed(error: "BaseException") -> "BaseException":
    """The error without the frames of rockpool and of the import system above its own."""
    trace = error.__traceback__
    while trace is not None and (
        str(trace.tb_frame.f_globals.get("__name__")).partition(".")[0] in _OURS
        or trace.tb_frame.f_code.co_filename.startswith(("<frozen importlib", "<frozen zipimport"))
    ):
        trace = trace.tb_next
    return error.with_traceback(trace)


def _in_words(error: "BaseException") -> str:
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__


def forget_finder_caches() -> None:
    """Make the import system look at the folders of `sys.path` again.

    `importlib.invalidate_caches` does this too, but imports `importlib.metadata` for it, at forty
    times the cost.
    """
    forget_distributions()
    for path in list(sys.path_importer_cache):
        _forget(path)


def look_again(name: str) -> None:
    """Make sure that it is seen when a back-end has just been installed, at little cost.

    The import system sees by itself that a folder's time has changed. But that time is coarse, and
    a folder may change twice in one tick of it: those that changed lately are read anew.
    """
    lately = _STARTED - 60.0
    forget_distributions(lately)
    folders = list(sys.path)
    for module in _spec_of(name).modules:
        parent = find_spec(module.rpartition(".")[0]) if "." in module else None
        folders += (parent.submodule_search_locations or ()) if parent is not None else ()
    for folder in folders:
        try:
            if os.stat(folder or os.curdir).st_mtime >= lately:
                _forget(folder)
        except OSError:  # not there, or not there any more
            _forget(folder)


def _forget(path: str) -> None:
    """Have a folder looked at again, also one that was not there."""
    finder = sys.path_importer_cache.get(path)
    if finder is None:
        sys.path_importer_cache.pop(path, None)
    elif type(finder).__name__ == "FileFinder":
        finder.invalidate_caches()  # type: ignore[attr-defined]
