"""When a failed import is tried again: one rule.

Not before `sys.path`, the finders on `sys.meta_path`, or a folder on `sys.path` has changed; every
installation changes one. A try may take seconds, and a name whose back-end is broken may be used in
a loop. Other causes (a driver, an environment variable, a file edited in place) are not looked at:
a back-end that is asked for by name is always tried again, and so is each one after
`refresh_backends`.
"""

import os
import sys
import time

from .specs import BackendStatus


class Failure:
    """A failed attempt: its status, and what the import system looked like after it."""

    __slots__ = ("_is_certain", "_stamp", "status")

    def __init__(self, status: "BackendStatus") -> None:
        self.status = status
        self._stamp = _stamp()
        self._is_certain = all(map(_shows_changes, self._stamp[2]))

    def is_current(self) -> bool:
        """Whether nothing has changed since."""
        return self._stamp == _stamp()

    def would_repeat(self) -> bool:
        """Whether this was an import that would fail again. A check (unmet) is always repeated."""
        return self.status.state != "unmet" and self._is_certain and self.is_current()


def _stamp() -> "tuple[list[str], list[object], list[int]]":
    """`sys.path`, `sys.meta_path`, and the modification times (ns) of the folders on `sys.path`."""
    path = list(sys.path)
    return path, list(sys.meta_path), [_modified(folder) for folder in path]


def _modified(folder: str) -> int:
    try:
        return os.stat(folder or os.getcwd()).st_mtime_ns
    except (OSError, ValueError):  # not there, or no path at all
        return 0


def _shows_changes(modified: int) -> bool:
    """Whether another change would give a folder another time (ns) than this one.

    Folders get the time of the system's last tick. Some file systems keep whole seconds, even ones.
    """
    is_fine = modified % 1_000_000 != 0
    return modified < time.time_ns() - (50_000_000 if is_fine else 2_000_000_000)
