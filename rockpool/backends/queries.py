"""The public questions about back-ends: which are here, and why not.

A back-end *can be used* when each module that it needs can really be imported, is recent enough,
and the back-end's own check (a CUDA device, for example) says yes. A positive answer is kept until
`refresh_backends`. A question by name is never answered by an earlier failure; stand-ins follow the
rule of `retry`.
"""

import sys

from .finder import Search, invalidate_caches, module_version, release
from .specs import (
    ALIASES,
    REGISTERED,
    STANDARD,
    BackendSpec,
    BackendStatus,
    check_name,
    is_known,
    known_backends,
    module_names,
    new_specification,
    specification,
)
from .status import failed_files, failures, forget_failure, look, look_at, must_be_checked, usable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any, NoReturn
else:  # for those who check annotations at run time
    from _collections_abc import Callable, Iterable

    Any = NoReturn = object


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
        spec = _asked_for(name)
        if spec.name not in usable and _probe(spec).state != "available":
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
    spec = _asked_for(name)
    return _probe(spec) if probe else look(spec)


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
        Modules that have to be importable.
    check_flag : bool or callable, default True
        False always gives False. A callable is called, without arguments, once the modules are
        there.
    """
    check_name("check_backend", "backend_name", backend_name)
    wanted = (backend_name,) if required_modules is None else required_modules
    modules = module_names("check_backend", wanted)
    spec = new_specification(backend_name, modules, check=check_flag)
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
        False: it can never be used. A callable is called, without arguments, once the modules are
        there, and says whether it can.

    Raises
    ------
    TypeError
        An argument is of another type.
    ValueError
        For a standard back-end's name, no required modules, or a minimum that is no version.
    """
    caller = "register_backend"
    check_name(caller, "name", name)
    if ALIASES.get(name, name) in STANDARD:
        raise ValueError(f"{caller}: name {name!r} is a standard back-end; choose another name")
    modules = module_names(caller, (name,) if required_modules is None else required_modules)
    if not modules:
        raise ValueError(
            f"{caller}: required_modules must name at least one module, got {required_modules!r}"
        )
    if extra is not None and not isinstance(extra, str):
        raise TypeError(f"{caller}: extra must be a str or None, got {extra!r}")
    if minimum is not None and not isinstance(minimum, str):
        raise TypeError(f"{caller}: minimum must be a str like '1.4' or None, got {minimum!r}")
    oldest = release(minimum) if minimum is not None else None
    if oldest == ():
        raise ValueError(f"{caller}: minimum must be a version like '1.4', got {minimum!r}")
    # numpy, whose bools are meant, need not be there
    if not callable(check) and type(check).__name__ not in ("bool", "bool_"):
        raise TypeError(f"{caller}: check must be a bool or callable, got {check!r}")
    if extra is not None and "[" in extra and '"' not in extra:
        extra = f'"{extra}"'  # as shells want it
    _register(new_specification(name, modules, check=check, extra=extra, minimum=oldest))


def refresh_backends() -> None:
    """Forget every answer about back-ends, so that the next question looks again.

    An installation is seen without it. It is for what is not looked at (an environment variable, a
    driver, a file edited in place): the next use of a class whose back-end is broken tries again.
    """
    usable.clear()
    failures.clear()
    failed_files.clear()
    standin = sys.modules.get("rockpool.backends.standin")
    if standin is not None:
        standin.told.clear()
    invalidate_caches()


def list_backends() -> None:
    """Print a table of the known back-ends. Nothing is imported.

    "not checked" are those that need more than their modules, such as a CUDA device.
    """
    search = Search()
    rows = [look_at(name, search) for name in known_backends()]
    width = max(len(row.name) for row in rows)
    for row in rows:
        version = row.version or "-"
        is_open = row.state == "installed" and must_be_checked(row.name)
        state = "not checked" if is_open else row.state
        fix = "" if row.state in ("available", "installed") else f"   {row.install}"
        print(f"{row.name:<{width}}  {state:<11}  {version:<12}{fix}".rstrip())


def torch_version_satisfied(req_major: int = 0, req_minor: int = 0, req_patch: int = 0) -> bool:
    """Whether torch can be imported and is at least this version.

    A local suffix (``2.13.0+cpu``) does not count; a pre-release (``2.4.0a0+git1``) counts as older
    than the release that it leads to; missing parts (``2.13``) are zeros.
    """
    if "torch" not in usable and _probe(specification("torch")).state == "outdated":
        return False
    text = module_version("torch")
    if text is None:
        return False
    found = (*release(text), 0, 0, 0)[:3]
    wanted = (req_major, req_minor, req_patch)
    if found == wanted:
        rest = text.partition("+")[0].lstrip("v0123456789.")
        return not rest.startswith(("a", "b", "rc", "dev"))
    return found >= wanted


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
    from .standin import new_standin

    module = sys._getframe(1).f_globals.get("__name__", __name__)
    return new_standin(class_name, backend_name, module)


def missing_backend_error(class_name: str, backend_name: str) -> "Callable[..., NoReturn]":
    """A function, fit to be an `__init__`, that raises what a stand-in's constructor raises."""
    from .standin import MESSAGE, missing_error

    def raise_missing_backend(*args: object, **kwargs: object) -> "NoReturn":
        raise missing_error(class_name, backend_name)

    raise_missing_backend.__doc__ = MESSAGE.format(backend=backend_name, name=class_name)
    return raise_missing_backend


# --- how they are asked for -----------------------------------------------------------------------


def _asked_for(name: str) -> "BackendSpec":
    """The definition of a back-end, with a warning where its name seems to be misspelt.

    The warning points at the caller of the public function that calls this.
    """
    spec = specification(name)
    if not is_known(name) and Search().find_spec(name) is None:
        from difflib import get_close_matches

        close = get_close_matches(name, known_backends(), n=1, cutoff=0.7)
        if close:
            import warnings

            message = f"unknown back-end {name!r}: did you mean {close[0]!r}?"
            warnings.warn(message, stacklevel=3)
    return spec


def _probe(spec: "BackendSpec", *, remember: bool = True) -> "BackendStatus":
    from .importing import probe  # which a program that only looks need not load

    return probe(spec, remember=remember)


def _register(spec: "BackendSpec") -> None:
    if REGISTERED.get(spec.name) != spec:
        usable.discard(spec.name)
        forget_failure(spec.name)
        REGISTERED[spec.name] = spec
