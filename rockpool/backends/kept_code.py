"""Compiled kernels on disk: in which folder, who else can write there, and what is in a file.

A file holds the machine code of one function for one signature, so that processes which compile for
different types at once share nothing. In front of the code stand two checksums: that of all that
follows, looked at before anything is made of the content, and that of what the code was made from.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress

__all__ = [
    "CANNOT_BE_WRITTEN",
    "PACKAGE",
    "Turn",
    "base_folders",
    "can_write",
    "chosen_folder",
    "damaged_files",
    "file_name",
    "folder_within",
    "not_private",
    "read",
    "user_cache",
    "write",
]

# The folder of this package.
PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
CANNOT_BE_WRITTEN = "cannot be written"
SOURCE = os.path.join(os.path.realpath(PACKAGE), "nn", "kernels")  # that of the kernels

_BEGINNING = b"rockpool kernel 1\n"
_DIGEST = hashlib.sha256().digest_size
_NAME = re.compile(r".+-[0-9a-f]{16}\.[\w-]+\.nbc")


# --- folders --------------------------------------------------------------------------------------


def base_folders(given: str | None) -> list[str]:
    """Where kernels may be kept: where one is told to, beside the source, in the user's cache."""
    beside = os.path.join(SOURCE, "__pycache__")
    return [*([given] if given else []), beside, os.path.join(user_cache(), "numba")]


def user_cache() -> str:
    """The folder in which programs of this user keep what can be made again."""
    if sys.platform == "win32":
        return os.environ.get("LOCALAPPDATA") or os.path.expanduser("~")
    if sys.platform == "darwin":
        return os.path.expanduser("~/Library/Caches")
    return os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")


def folder_within(base: str) -> str:
    """The folder for the kernels of this copy of the package, in one of `base_folders`."""
    if os.path.dirname(base) == SOURCE:
        return base
    return os.path.join(base, f"kernels_{hashlib.sha1(SOURCE.encode()).hexdigest()}")


def chosen_folder(given: str | None) -> tuple[str | None, list[tuple[str, str]]]:
    """The first of `base_folders` that serves; and those before it, each with the reason."""
    passed: list[tuple[str, str]] = []
    for base in base_folders(given):
        reason = not_private(base) or not_private(folder_within(base))
        if reason is None and not can_write(folder_within(base)):
            reason = CANNOT_BE_WRITTEN
        if reason is None:
            return base, passed
        passed.append((base, reason))
    return None, passed


def can_write(folder: str) -> bool:
    """Whether files can be made in a folder, or the folder itself. Nothing is made to find out."""
    path = os.path.abspath(folder)
    while not os.path.lexists(path):
        path = os.path.dirname(path)
    return os.path.isdir(path) and os.access(path, os.W_OK | os.X_OK)


def not_private(folder: str) -> str | None:
    """Why a folder is not to be trusted with code; None if it is, or is not there."""
    try:
        status = os.stat(folder)
    except (OSError, ValueError):
        return None
    return _in_other_hands(status)


def _in_other_hands(status: os.stat_result) -> str | None:
    """Who else than this user (and root, who may do anything) can change what is there."""
    if not hasattr(os, "geteuid"):
        return None
    if status.st_uid not in (0, os.geteuid()):
        return f"belongs to another user ({status.st_uid})"
    if status.st_mode & stat.S_ISVTX and stat.S_ISDIR(status.st_mode):
        return None  # others can add files, and not touch those that are there
    group_writes = status.st_mode & stat.S_IWGRP and not _is_own_group(status.st_gid)
    if status.st_mode & stat.S_IWOTH or group_writes:
        return "can be written by other users"
    return None


def _is_own_group(group: int) -> bool:
    """Whether a group is that of this user alone, as many systems make one for each user."""
    import grp
    import pwd

    try:
        name, found = pwd.getpwuid(os.geteuid()).pw_name, grp.getgrgid(group)
    except KeyError:
        return False
    return found.gr_name == name and set(found.gr_mem) <= {name}


# --- files ----------------------------------------------------------------------------------------


def file_name(function: str, signature: str) -> str:
    """The name of the file for a function and a signature."""
    digest = hashlib.sha256(signature.encode()).hexdigest()[:16]
    readable = re.sub(r"[^\w.]", "", function)
    return f"{readable}-{digest}.{sys.implementation.cache_tag}.nbc"


def read(path: str, made_from: str) -> bytes | None:
    """Return the code in a file; None if there is none, or it was made from something else.

    An OSError or ValueError says why the file cannot be trusted.
    """
    content = _checked(path)
    if content is None or content[:_DIGEST] != _digest(made_from.encode()):
        return None
    return content[_DIGEST:]


def write(path: str, made_from: str, code: bytes) -> None:
    """Put code into a file, all at once. OSError if that cannot be done."""
    folder, name = os.path.split(path)
    os.makedirs(os.path.dirname(folder), 0o755, exist_ok=True)
    os.makedirs(folder, 0o755, exist_ok=True)
    content = _digest(made_from.encode()) + code
    descriptor, temporary = tempfile.mkstemp(".tmp", f"{name}.", folder)
    try:
        with open(descriptor, "wb") as file:
            file.write(_BEGINNING + _digest(content) + content)
        os.replace(temporary, path)
    except BaseException:
        with suppress(OSError):
            os.unlink(temporary)
        raise


class Turn:
    """The turn to make a file, where several processes want to at once; one has it at a time.

    It is a lock on a file beside it, which the system takes back when its owner dies. Where there
    are no such locks, or one is held for very long, nobody waits: then the file is made twice.
    """

    PATIENCE = 300.0  # s

    def __init__(self, path: str) -> None:
        self.waited = False
        self._path = f"{path}.lock"
        self._descriptor = -1
        with suppress(ImportError, OSError):
            self._take()

    def _take(self) -> None:
        import fcntl

        os.makedirs(os.path.dirname(self._path), 0o755, exist_ok=True)
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW
        self._descriptor = os.open(self._path, flags | os.O_NONBLOCK, 0o600)
        end = time.monotonic() + self.PATIENCE
        while time.monotonic() < end:
            try:
                fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return
            except BlockingIOError:
                self.waited = True
                time.sleep(0.05)

    def end(self) -> None:
        """Let the next one have it."""
        if self._descriptor >= 0:
            with suppress(OSError):
                os.unlink(self._path)
            os.close(self._descriptor)
            self._descriptor = -1


def damaged_files(folder: str) -> Iterator[str]:
    """Find the files of a folder that `read` would not take."""
    with suppress(OSError):
        for name in sorted(filter(_NAME.fullmatch, os.listdir(folder))):
            try:
                _checked(os.path.join(folder, name))
            except (OSError, ValueError):
                yield os.path.join(folder, name)


def _checked(path: str) -> bytes | None:
    """Return what stands behind the checksum of a file, if it is true; None for no file."""
    try:
        with open(path, "rb", opener=_open_at_once) as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise ValueError("is no ordinary file")
            reason = _in_other_hands(status)
            if reason is not None:
                raise ValueError(reason)
            whole = file.read()
    except FileNotFoundError:
        return None
    beginning, rest = whole[: len(_BEGINNING)], whole[len(_BEGINNING) :]
    checksum, content = rest[:_DIGEST], rest[_DIGEST:]
    if beginning != _BEGINNING or checksum != _digest(content) or len(content) <= _DIGEST:
        raise ValueError("is damaged")
    return content


def _open_at_once(path: str, flags: int) -> int:
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))  # a pipe would be waited for


def _digest(content: bytes) -> bytes:
    return hashlib.sha256(content).digest()
