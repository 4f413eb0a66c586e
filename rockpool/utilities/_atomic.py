"""Write a file whole or not at all: on a full disk, or after Ctrl-C, the old one is still there."""

from __future__ import annotations

import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import IO, Any

__all__ = ["check_path", "replacing"]


def check_path(owner: str, path: Any, name: str = "filename") -> str:
    """Return a path as text; `TypeError` for what is none. A number would be an open descriptor."""
    if isinstance(path, str | bytes | os.PathLike):
        return os.fsdecode(path)
    raise TypeError(f"{owner}: {name} must be a path, got {path!r}")


@contextmanager
def replacing(path: str, mode: str = "w", encoding: str | None = None) -> Iterator[IO[Any]]:
    """Open a file to be written, which takes the place of `path` when the block has ended well.

    It is written beside it, so that there has to be room for both. Links are followed, and the
    permissions stay. A pipe, or a file in a folder that must not be written, is written in place.

    Parameters
    ----------
    path : str
        The file to be written.
    mode : str
        ``"w"`` for text, ``"wb"`` for bytes.
    encoding : str, optional
        That of the text.

    Raises
    ------
    OSError
        It cannot be written. A file that was there is as before.
    """
    target = os.path.realpath(path)
    folder = os.path.dirname(target)
    permissions = _permissions_of(target)
    if os.path.exists(target) and (permissions is None or not os.access(folder, os.W_OK)):
        with open(target, mode, encoding=encoding) as file:
            yield file
        return
    beside = os.path.join(folder, f".{secrets.token_hex(8)}.tmp")
    try:
        with open(beside, mode.replace("w", "x"), encoding=encoding) as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        if permissions is not None:
            os.chmod(beside, permissions)
        os.replace(beside, target)
    except BaseException as error:
        with suppress(OSError):
            os.unlink(beside)
        if isinstance(error, OSError) and beside in (error.filename, error.filename2):
            raise type(error)(error.errno, error.strerror, path) from None
        raise
    _keep_folder(folder)


def _permissions_of(path: str) -> int | None:
    """The permissions of a file that may be replaced; None where there is none, or it is no file.

    That it must not be written counts, though the folder may be.
    """
    try:
        mode = os.stat(path).st_mode
    except FileNotFoundError:
        return None
    if not stat.S_ISREG(mode):
        return None
    with open(path, "ab"):  # raises where that is not allowed
        return stat.S_IMODE(mode)


def _keep_folder(folder: str) -> None:
    """Have the new name on the disk as well, where the system does that for folders."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
