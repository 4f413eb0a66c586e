"""One import of a back-end: guarded against what an earlier one has left, and open to Ctrl-C.

Where the import of a package fails midway, its sub-modules stay loaded. Importing it again may
crash the interpreter (torch registers things twice), and it is imported again by all that is built
on it: sinabs imports torch.
"""

import sys

from .finder import Guard, Search
from .specs import STANDARD

# What an error of a class of its own has: its attributes may be anything.
_CAUSE = vars(BaseException)["__cause__"].__get__
_CONTEXT = vars(BaseException)["__context__"].__get__


class guarded_import:
    """A ``with`` block that imports a back-end, or a file that uses one.

    In the block, the packages of back-ends whose import has failed midway raise `HalfImported`
    instead of being imported again. A `KeyboardInterrupt` that a library has made another error of
    is raised as what it was.
    """

    def __enter__(self) -> None:
        search = Search()
        tops = {module.partition(".")[0] for spec in STANDARD.values() for module in spec.modules}
        halves = {top for top in tops if search.parts_without_package(top)}
        self._guard = Guard(halves) if halves else None
        if self._guard is not None:
            sys.meta_path.insert(0, self._guard)
        self._before = (sys.exception(), getattr(sys, "last_value", None))

    def __exit__(self, kind: object, error: "BaseException | None", trace: object) -> None:
        if self._guard is not None:
            sys.meta_path[:] = [finder for finder in sys.meta_path if finder is not self._guard]
        if isinstance(error, Exception) and self._was_interrupted(error):
            raise KeyboardInterrupt from error
        if error is not None and self._guard is not None and self._guard.refused is not None:
            raise self._guard.refused  # which brian2 makes another error of

    def _was_interrupted(self, error: "BaseException | None") -> bool:
        """Whether Ctrl-C is behind an error: as its cause, or printed by numpy's C interface."""
        handled, printed = self._before
        seen = {id(handled)}
        while error is not None and id(error) not in seen:
            if isinstance(error, KeyboardInterrupt):
                return True
            seen.add(id(error))
            error = _CAUSE(error) or _CONTEXT(error)
        last = getattr(sys, "last_value", None)
        return isinstance(last, KeyboardInterrupt) and last is not printed
