"""The folders in which back-ends keep what they compile, and whether they can be written."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass

__all__ = ["PACKAGE", "Cache", "bytecode_folder", "caches", "can_write"]

# The folder of this package.
PACKAGE = os.path.abspath(os.path.join(os.path.dirname(__file__), *[os.pardir] * 2))


@dataclass
class Cache:
    """A place for compiled code."""

    backend: str
    folders: list[str]  # where it may be, in the order in which they are tried
    variable: str  # the environment variable that moves it
    needed: bool = False  # whether modules fail without it, rather than compile anew each time

    @property
    def used(self) -> str | None:
        """The first of its folders that can be written; None where none can."""
        return next((folder for folder in self.folders if can_write(folder)), None)


def caches() -> list[Cache]:
    """The caches of the back-ends that compile, as the environment says."""
    found = [
        Cache("numba", _numba_folders(), "NUMBA_CACHE_DIR", needed=True),
        Cache("brian", [_cython_folder()], "CYTHON_CACHE_DIR"),
    ]
    for backend, variable in (
        ("jax", "JAX_COMPILATION_CACHE_DIR"),
        ("torch", "TORCH_EXTENSIONS_DIR"),
        ("torch", "TORCHINDUCTOR_CACHE_DIR"),
    ):
        folder = os.environ.get(variable)
        if folder:
            found.append(Cache(backend, [folder], variable))
    return found


def can_write(folder: str) -> bool:
    """Whether files can be made in a folder, or the folder itself. Nothing is made to find out."""
    path = os.path.abspath(folder)
    while not os.path.lexists(path):
        path = os.path.dirname(path)
    return os.path.isdir(path) and os.access(path, os.W_OK | os.X_OK)


def bytecode_folder() -> str:
    """Where Python keeps the compiled files of this package."""
    from importlib.util import cache_from_source

    return os.path.dirname(cache_from_source(os.path.join(PACKAGE, "__init__.py")))


def _numba_folders() -> list[str]:
    """As numba looks for them: where it is told to, beside the source, in the user's cache."""
    kernels = os.path.join(PACKAGE, "nn", "kernels", "__pycache__")
    given = os.environ.get("NUMBA_CACHE_DIR")
    return [*([given] if given else []), kernels, os.path.join(_user_cache(), "numba")]


def _cython_folder() -> str:
    given, base = os.environ.get("CYTHON_CACHE_DIR"), os.environ.get("XDG_CACHE_HOME")
    if sys.platform == "darwin":
        usual = os.path.expanduser("~/Library/Caches/Cython")
    else:
        usual = os.path.join(base, "cython") if base else os.path.expanduser("~/.cython")
    return given or usual


def _user_cache() -> str:
    if sys.platform == "win32":
        return os.environ.get("LOCALAPPDATA") or os.path.expanduser("~")
    if sys.platform == "darwin":
        return os.path.expanduser("~/Library/Caches")
    return os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
