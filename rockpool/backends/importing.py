"""Import a back-end, run its check, and tell what went wrong. Loaded when one is first tried.

Whatever an import raises, short of `KeyboardInterrupt`, is kept with the back-end's own frames:
extensions in Rust raise a `BaseException` of their own where they fail.
"""

import sys
from importlib import import_module

from .finder import HalfImported, Search, is_loading, location, module_version
from .guarded import guarded_import
from .plain_text import is_distribution
from .retry import Failure
from .specs import BackendSpec, BackendStatus, specification
from .status import (
    beyond_understanding,
    failures,
    first_line,
    forget_failure,
    missing_module,
    modules_in,
    obstacle_to,
    replaced,
    status_of,
    still_loaded,
    usable,
    version_of,
)

# Whose frames are left out of the errors that are kept.
_OURS = ("rockpool", "lazy_loader", "importlib")


def probe(spec: "BackendSpec", *, remember: bool = True) -> "BackendStatus":
    """Import the back-end, run its check, and remember what happened."""
    try:
        obstacle = obstacle_to(spec, to_import=True)
        if obstacle is not None:
            return obstacle
        status = _try(spec)
    except Exception as error:  # of what finders and modules hold, anything may raise
        return beyond_understanding(spec, error)
    if remember:
        _remember(spec, status)
    return status


def status_after(name: str, error: BaseException) -> "BackendStatus":
    """What is known of a back-end after the import of a file that uses it has failed.

    Where the error has come out of the back-end, it is the answer: nothing is imported again.
    """
    spec = specification(name)
    on_its_way = modules_in(error)
    for module in spec.modules:
        if module not in sys.modules and module.partition(".")[0] in on_its_way:
            status = _blame(spec, module, error)
            _remember(spec, status)
            return status
    return probe(spec)


def _remember(spec: "BackendSpec", status: "BackendStatus") -> None:
    if any(map(is_loading, spec.modules)):  # asked during the import, which may fail yet
        return
    if status.state != "available":
        failures[spec.name] = Failure(status)
        return
    usable.add(spec.name)
    forget_failure(spec.name)


def _try(spec: "BackendSpec") -> "BackendStatus":
    for module in spec.modules:
        try:
            with guarded_import():
                import_module(module)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # an import may raise anything; the error is kept
            return _blame(spec, module, error)
    outdated = obstacle_to(spec)  # now that modules say their own version
    if outdated is not None:
        return outdated
    try:
        passed = spec.check() if callable(spec.check) else spec.check
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        reason = f"its check raised {first_line(error)}"
        return status_of(spec, "unmet", reason, error=_trimmed(error))
    if not passed:
        return status_of(spec, "unmet", spec.unmet)
    return status_of(spec, "available", "imported, and works")


def _blame(spec: "BackendSpec", module: str, error: BaseException) -> "BackendStatus":
    """Tell a back-end that is not there from one that is there and cannot be imported."""
    error = _trimmed(error)
    if isinstance(error, HalfImported):
        parts = still_loaded(Search().parts_without_package(str(error.name)))
        return status_of(spec, "broken", str(error), error, module=module, fix="", restart=parts)
    missing = missing_module(error)
    if missing is not None and (module == missing or module.startswith(missing + ".")):
        reason = f"no module named {missing!r} is installed"
        return status_of(spec, "missing", reason, error, module=missing)
    if module == spec.own_module:
        version = version_of(spec)
    else:
        version = module_version(module) or Search().dist_version(module, module)
    where = f"{module} {version or ''}".rstrip() + f" ({location(module)})"
    restart = _why_restart(spec, module, error)
    if missing is not None:
        reason = f"{where} is installed, but needs {missing!r}, which is missing"
        lacking = missing.partition(".")[0]
        pip = f"pip install {lacking}" if is_distribution(lacking) else ""
        return status_of(spec, "broken", reason, error, module=missing, fix=pip, restart=restart)
    reason = f"importing {where} raises {first_line(error)}"
    advice = spec.advice() if spec.advice is not None else None
    conflict, fix = advice or ("", None)
    if conflict:
        reason = f"{reason}; {conflict}"
    return status_of(spec, "broken", reason, error, module=module, fix=fix, restart=restart)


def _why_restart(spec: "BackendSpec", module: str, error: BaseException) -> str:
    """Why another try in this process cannot help, if that is so."""
    parts = Search().parts_without_package(module)
    return replaced([*spec.modules, "numpy", *modules_in(error)], spec.distribution) or (
        still_loaded(parts) if parts else ""
    )


def _trimmed(error: BaseException) -> BaseException:
    """The error without the frames of rockpool and of the import system above its own."""
    trace = error.__traceback__
    while trace is not None and (
        str(trace.tb_frame.f_globals.get("__name__")).partition(".")[0] in _OURS
        or trace.tb_frame.f_code.co_filename.startswith(("<frozen importlib", "<frozen zipimport"))
    ):
        trace = trace.tb_next
    BaseException.with_traceback(error, trace)  # its own may do anything
    return error
