"""Whether an import that has failed would fail again, as far as that can be seen without trying.

Trying again may take seconds, and a name whose back-end is broken may be used in a loop. So a use
of a stand-in tries again only when something has changed that the failure depended on. What no look
can tell (a driver that was mended, a shared library that was installed elsewhere) is seen when the
back-end is asked for by name: `backend_available` and ``backend_status(..., probe=True)`` always
try, and after `refresh_backends` every use does.
"""

import os
import sys

from .finder import find_spec, is_settled

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from types import FrameType, TracebackType


class Evidence:
    """What a failed import depended on.

    * the import system: `sys.path`, the time of each folder on it (any installation changes one),
      the finders on `sys.meta_path`;
    * the back-end's modules: where they are found, what is loaded of them;
    * the files that the error has come through, or is about: their times and sizes;
    * modules that the error says are missing: whether they can be found by now;
    * modules and classes that it says lack a name: how many names they have;
    * the environment variables.

    Parameters
    ----------
    modules : iterable of str
        The back-end's modules.
    error : BaseException
        What the import has raised.
    """

    __slots__ = ("_absent", "_files", "_modules", "_owners", "_seen", "_settled")

    def __init__(self, modules: "Iterable[str]", error: BaseException) -> None:
        errors = list(_chain(error))
        frames = [frame for link in errors for frame in _frames(link.__traceback__)]
        named = [getattr(link, key, None) for link in errors for key in ("filename", "path")]
        files = [*(frame.f_code.co_filename for frame in frames), *named]
        packages = [str(frame.f_globals.get("__name__")).partition(".")[0] for frame in frames]
        self._files = [file for file in dict.fromkeys(files) if isinstance(file, str) and file]
        self._absent = [name for link in errors if (name := _absent(link))]
        self._owners = [owner for link in errors for owner in _owners(link)]
        self._modules = tuple(dict.fromkeys([*modules, *packages]))
        self._seen, times = self._look()
        self._settled = all(map(is_settled, times))  # else a change might not be seen

    def holds(self) -> bool:
        """Whether all of it is still as it was."""
        return self._settled and self._look()[0] == self._seen

    def _look(self) -> "tuple[list[object], list[int]]":
        """All of it as it is now, and the times (ns) of the files and folders among it."""
        specs = {name: find_spec(name) for name in (*self._modules, *self._absent)}
        origins = [spec.origin if spec is not None else None for spec in specs.values()]
        places = dict.fromkeys([*sys.path, *self._files, *(path for path in origins if path)])
        stamps = {path: _stamp(path) for path in places}
        seen: list[object] = [
            list(sys.path),
            stamps,
            origins,
            [name for name, spec in specs.items() if spec is None],
            [id(sys.modules.get(name)) for name in specs],
            [len(vars(owner)) for owner in self._owners],
            [id(finder) for finder in sys.meta_path],
            dict(os.environ),
        ]
        return seen, [changed for changed, _ in stamps.values() if changed]


def _stamp(path: str) -> "tuple[int, int]":
    """The time (ns) and the size of a file or a folder; zeros where there is none."""
    try:
        found = os.stat(path or os.getcwd())
    except (OSError, ValueError):  # gone, or no path at all, such as <string>
        return 0, 0
    return found.st_mtime_ns, found.st_size


def _chain(error: "BaseException | None") -> "Iterator[BaseException]":
    """An error and those that led to it, each once."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


def _frames(trace: "TracebackType | None") -> "Iterator[FrameType]":
    while trace is not None:
        yield trace.tb_frame
        trace = trace.tb_next


def _absent(error: BaseException) -> "str | None":
    """The module that is missing, where that is what an error is about."""
    name = error.name if isinstance(error, ModuleNotFoundError) else None
    return name if isinstance(name, str) else None


def _owners(error: BaseException) -> "list[object]":
    """The module or the class that lacks a name, where that is what an error is about."""
    owner: object = None
    if isinstance(error, AttributeError) and error.obj is not None:
        owner = error.obj
    elif isinstance(error, ImportError) and error.name:
        owner = sys.modules.get(error.name)
    if owner is None:
        return []
    return [owner if isinstance(owner, (type, type(sys))) else type(owner)]
