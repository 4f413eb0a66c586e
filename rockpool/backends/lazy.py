"""A package's stub becomes its lazy face: `__getattr__`, `__dir__` and `__all__`.

The stub is the only list of what a package offers; type checkers, `dir()`, `__all__`, the look-up
of names and ``rockpool modules`` all read it. It has one name a line::

    from .rate_torch import RateTorch as RateTorch
    from .filter_bank import ButterFilter as ButterFilter  # backend: scipy

The comment names the back-end that a single file needs, where it is another one than its package's.
That of the package stands in a line of its own, ``# backend: torch``, where nothing but the stub is
left of its source. A file is listed as a sub-module by ``from . import plain as plain``, with the
comment where it needs a back-end; other files that can be reached by their names stand in a line
``# files: more others``.

This file is on the way of every import of the package, and loads nothing itself. With the first
name of a back-end come `lazy_loader`, which imports and keeps what is found, and `status`.
"""

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType
    from typing import Any
else:  # for those who check annotations at run time
    from _collections_abc import Callable

    FrameType = Any = object

__all__ = ["advertised", "attach"]

Face = dict[str, tuple[str, "str | None"]]
# The names, the sub-modules with the back-end that each needs, and the files that are not listed.
Stub = tuple[Face, "dict[str, str | None]", set[str]]

# What each package that called `attach` offers: by name, as a line of the stub says, the sub-module
# that defines it and the back-end that it needs.
_faces: "dict[str, Face]" = {}

# What makes programs of scripts has to be told of the stubs.
_TAKE_ALONG = (
    "a program that is frozen needs the .pyi files: of cx_Freeze "
    'include_files=[(FOLDER, "lib/{0}")], of Nuitka --include-data-files=FOLDER/={0}/=**/*.pyi, '
    "with FOLDER for where {0} is installed (see README, Frozen programs)"
)

# The frames that are inside a `rockpool.lazy_imports()` block, by thread.
_lazy_blocks: "dict[int, list[FrameType]]" = {}


def attach(
    package: str, file: str, backend: "str | None" = None
) -> "tuple[Callable[[str], Any], Callable[[], list[str]], list[str]]":
    """Make a package lazy, as its stub says.

    The whole of a package's ``__init__.py`` is::

        from rockpool.utilities.lazy_loading import attach

        __getattr__, __dir__, __all__ = attach(__name__, __file__, backend="torch")

    and its stub lists its names as shown on top of this module. The files import their back-end
    plainly: they are imported only when it is there. Any package can do this; one whose back-end
    rockpool does not know registers that first::

        register_backend("sparse", ["scipy.sparse"], extra="mypackage[sparse]")

    Parameters
    ----------
    package : str
        The package's `__name__`.
    file : str
        The package's `__file__`; the stub lies beside it, as ``__init__.pyi``. It may be inside a
        zip file.
    backend : str, optional
        The back-end that the package's files import. While it is missing, the package's names are
        stand-ins, which say so when they are used, and become the real classes once it is there.
        It is one that `rockpool.utilities.backend_management` knows, or is registered there; any
        other name is that of a module. None for a package of names that need no back-end, or that
        come from packages which know theirs.

    Returns
    -------
    tuple
        ``__getattr__``, ``__dir__`` and ``__all__``. With the environment variable ``EAGER_IMPORT``
        set (and not "0"), every name is looked up at once.

    Raises
    ------
    FileNotFoundError
        There is no stub.
    ValueError
        A line of the stub is not of the form above.
    """
    entries, submodules, files = _read_stub(package, file, backend)
    _faces[package] = _with_files(entries, submodules)
    names = sorted(submodules.keys() | entries.keys())
    reachable = {source.partition(".")[0] for source, _ in entries.values()}
    files |= submodules.keys() | (reachable - entries.keys())
    look_up = None

    def __getattr__(name: str) -> "Any":
        nonlocal look_up
        if name not in entries and name not in files:
            raise _no_such_name(package, name)
        source, needs = entries.get(name) or ("", submodules.get(name))
        if _lazy_blocks and source and _asked_by_a_lazy_block():
            later = _later(name, f"{package}.{source}", needs, package)
            if later is not None:
                return later
        if source and needs is None:
            return _import(package, name, f"{package}.{source}")
        if not source and needs is None:
            __import__(f"{package}.{name}")
            return sys.modules[f"{package}.{name}"]
        if look_up is None:
            look_up = _lazy_look_up(package, entries, files)
        assert needs is not None
        return _resolve(package, name, f"{package}.{source or name}", needs, look_up)

    def __dir__() -> "list[str]":
        from .completion import show_as_properties

        show_as_properties(package, names)
        return names.copy()

    if not reachable.isdisjoint(entries):
        # lazy_loader guards a name against the file of the same name, from before that is imported
        look_up = _lazy_look_up(package, entries, files)
    if os.environ.get("EAGER_IMPORT", "") not in ("", "0"):
        for name in names:
            __getattr__(name)
    return __getattr__, __dir__, names.copy()


def _no_such_name(package: str, name: str) -> Exception:
    """Python's own error, with a note of where the project has a name like this."""
    asker = sys._getframe(2)
    asks_first = asker.f_code.co_filename.startswith("<frozen importlib")
    error: Exception = AttributeError(
        f"module {package!r} has no attribute {name!r}", name=name, obj=sys.modules.get(package)
    )
    if not asks_first and not name.startswith("_"):  # which tools ask for by the dozen
        from .near_misses import imports_from, meant

        close = meant(package, name, advertised)
        if close:
            if imports_from(asker):  # Python would make this error of the other one, without notes
                file = getattr(sys.modules.get(package), "__file__", None)
                text = (
                    f"cannot import name {name!r} from {package!r} ({file or 'unknown location'})"
                )
                error = ImportError(text, name=package, path=file)
            error.add_note(f"Did you mean {close}?")
    return error


def _lazy_look_up(package: str, entries: "Face", files: "set[str]") -> "Callable[[str], Any]":
    """The look-up of names, and of the files that define them, by lazy_loader."""
    import lazy_loader

    sources: dict[str, list[str]] = {}
    for name, (source, _) in entries.items():
        sources.setdefault(source, []).append(name)
    # It would look everything up by itself if asked to be eager, but without stand-ins.
    eager = os.environ.pop("EAGER_IMPORT", None)
    try:
        look_up: Callable[[str], Any] = lazy_loader.attach(package, files, sources)[0]
    finally:
        if eager is not None:
            os.environ["EAGER_IMPORT"] = eager
    return look_up


def advertised(package: str) -> "dict[str, tuple[str, str | None]]":
    """What a package offers: each name with the module that defines it and its back-end.

    Parameters
    ----------
    package : str
        A package that uses `attach`. Neither it nor its sub-packages are imported for this: their
        stubs are read.

    Returns
    -------
    dict
        name -> (module, back-end); the back-end is None where a name needs nothing but Python.

    Raises
    ------
    ModuleNotFoundError
        There is no such package, or it has no stub.
    """
    entries = _face(package)
    if entries is None:
        raise ModuleNotFoundError(f"there is no package {package!r} with a stub", name=package)
    inner: dict[str, Face] = {}
    found: Face = {}
    for name, (source, backend) in entries.items():
        module = f"{package}.{source}"
        if backend is None and module not in inner:
            inner[module] = _face(module) or {}
        if name in inner.get(module, ()):
            deeper, backend = inner[module][name]
            module = f"{module}.{deeper}"
        found[name] = module, backend
    return found


def _face(package: str) -> "Face | None":
    """What a package offers, read from its files while it is not imported; None for a module."""
    if package in _faces:
        return _faces[package]
    top, *inner = package.split(".")
    spec = getattr(sys.modules.get(top) or __import__(top), "__spec__", None)
    if spec is None or spec.origin is None:
        return None
    path = os.sep.join((os.path.dirname(spec.origin), *inner, "__init__.py"))
    try:
        stub = _text(path + "i", spec.loader)
    except OSError:
        return None
    backend = f"\n{stub}".partition("\n# backend:")[2].partition("\n")[0].strip()
    if not backend:  # the argument of `attach`, which is called when the package is imported
        try:
            backend = _text(path, spec.loader).partition('backend="')[2].partition('"')[0]
        except OSError:  # there is no source
            backend = ""
    entries, submodules, _ = _parse(path + "i", stub, backend or None)
    _faces[package] = _with_files(entries, submodules)
    return _faces[package]


def _with_files(entries: "Face", submodules: "dict[str, str | None]") -> "Face":
    """All names that need a back-end: the sub-modules that do are stand-ins without it as well."""
    return entries | {name: (name, needs) for name, needs in submodules.items() if needs}


def _read_stub(package: str, file: str, backend: "str | None") -> "Stub":
    """What the stub beside `file` says."""
    path = file.rpartition(".")[0] + ".pyi"
    spec = getattr(sys.modules.get(package), "__spec__", None)
    try:
        text = _text(path, getattr(spec, "loader", None))
    except OSError as error:
        how = _TAKE_ALONG.format(package.partition(".")[0])
        raise FileNotFoundError(f"{package}: there is no stub {path}; {how}") from error
    return _parse(path, text, backend)


def _text(path: str, loader: "Any") -> str:
    """A file that lies beside a package's: in a zip file, or wherever its loader finds it."""
    if hasattr(loader, "get_data"):
        text: str = loader.get_data(path).decode()
        return text
    with open(path, encoding="utf-8") as file:
        return file.read()


def _parse(path: str, text: str, backend: "str | None") -> "Stub":
    """What the text of a stub says."""
    entries: Face = {}
    submodules: dict[str, str | None] = {}
    files: set[str] = set()
    for line in text.splitlines():
        head, _, names = line.partition(" import ")
        known, _, alias = names.partition(" as ")
        if known == alias and head[:6] == "from ." and head[6:7] not in ("", "."):
            entries[known] = head[6:], backend  # nearly all of them
            continue
        parts = line.split()
        if parts[:2] == ["#", "files:"]:
            files.update(parts[2:])
        if parts[:1] != ["from"]:
            continue
        source = parts[1] if len(parts) > 1 else ""
        name = parts[3] if parts[2:3] == ["import"] and len(parts) > 3 else ""
        if parts[4:6] != ["as", name] or source[:1] != "." or source[1:2] == ".":
            raise ValueError(
                f"{path}: a line must be `from .module import Name as Name`, got {line!r}"
            )
        needs = parts[8] if parts[6:8] == ["#", "backend:"] and len(parts) > 8 else None
        if source == ".":
            submodules[name] = needs
        else:
            entries[name] = source[1:], needs or backend
    return entries, submodules, files


def _resolve(
    package: str, name: str, module: str, backend: str, look_up: "Callable[[str], Any]"
) -> "Any":
    """The object behind an advertised name, or its stand-in while its back-end cannot be had."""
    from .standin import standin_for

    lacking = _known_to_lack(module, backend)
    if lacking is None:
        from .guarded import guarded_import

        try:
            with guarded_import():
                return look_up(name)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # the import of a back-end may raise anything
            lacking = _backend_at_fault(module, backend, error)
            if lacking is None and isinstance(error, AttributeError):
                raise _cannot_load(name, module, error) from error
            if lacking is None:  # it is a bug here, and must not look like a missing back-end
                raise
    return standin_for(name, lacking, module, package)


def _known_to_lack(module: str, backend: str) -> "str | None":
    """The back-end because of which a file need not be imported to know that it cannot be."""
    from .specs import specification
    from .status import failed_files, fails_again, look, must_be_checked

    status = look(specification(backend), to_import=True)
    if status.state in ("missing", "shadowed", "outdated") or status.restart:
        from .specs import is_known

        if not is_known(backend):
            from .queries import backend_status

            backend_status(backend)  # warns where it is misspelt
        return backend
    at_fault, failure = failed_files.get(module, (None, None))
    if failure is not None and failure.would_repeat():
        return at_fault
    if must_be_checked(backend):
        from .queries import backend_status

        if fails_again(backend) or backend_status(backend, probe=True).state != "available":
            return backend
    return None


def _backend_at_fault(module: str, backend: str, error: BaseException) -> "str | None":
    """The back-end because of which a file could not be imported, if it is the fault of one."""
    from .importing import status_after
    from .retry import Failure
    from .status import failed_files, missing_backend, replaced_while_loaded

    status = status_after(backend, error)
    if status.state != "available":
        failed_files[module] = backend, Failure(status)
        return backend
    other = missing_backend(error)  # the file needs it besides its own
    if other is not None:
        failed_files[module] = other.name, Failure(other)
        return other.name
    replaced = replaced_while_loaded(backend)
    if replaced:
        error.add_note(f"Restart Python: {replaced}.")
    return None


def _asked_by_a_lazy_block() -> bool:
    """Whether the line that asks for a name stands in a `lazy_imports` block itself."""
    from _thread import get_ident

    frame: FrameType | None = sys._getframe(2)
    while frame is not None and (
        frame.f_code.co_filename == "<frozen importlib._bootstrap>"
        or frame.f_globals.get("__name__") == "rockpool.backends.completion"
    ):
        frame = frame.f_back
    return frame in _lazy_blocks.get(get_ident(), ())


def _later(name: str, module: str, backend: "str | None", package: str) -> "Any":
    """The stand-in for a name that is not to be loaded yet; None for what needs no back-end."""
    if backend is None:
        if module not in _faces:
            if module.startswith("rockpool."):
                _face(module)  # it need not even be imported
            else:
                __import__(module)  # which may register its back-end
        source, needs = _faces.get(module, {}).get(name, ("", None))
        return _later(name, f"{module}.{source}", needs, module) if source else None
    from .standin import standin_for

    return standin_for(name, backend, module, package)


def _import(package: str, name: str, module: str) -> "Any":
    """What needs no back-end of its own: a file of ours, or another package that is lazy."""
    try:
        __import__(module)
        found = getattr(sys.modules[module], name)
    except AttributeError as error:
        raise _cannot_load(name, module, error) from error
    standin = sys.modules.get("rockpool.backends.standin")
    if standin is None or standin.home_of(found) is None:  # which is never kept
        vars(sys.modules[package])[name] = found
    return found


def _cannot_load(name: str, module: str, error: AttributeError) -> ImportError:
    """An `AttributeError` would tell Python that there is no such name, and its text be lost."""
    return ImportError(f"cannot load {name!r} from {module!r}: {error}", name=module)
