"""The folders in which back-ends keep what they compile: which of them serve, and what is amiss."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass, field

from rockpool.backends.kept_code import (
    CANNOT_BE_WRITTEN,
    PACKAGE,
    base_folders,
    can_write,
    chosen_folder,
    damaged_files,
    folder_within,
)

__all__ = ["Cache", "bytecode_folder", "caches"]


@dataclass
class Cache:
    """A place for compiled code."""

    backend: str
    folders: list[str]  # where it may be, in the order in which they are tried
    variable: str  # the environment variable that moves it
    used: str | None  # the first of them that serves, if any
    passed: list[tuple[str, str]]  # those before it, each with the reason
    damaged: list[str] = field(default_factory=list)  # files in it that are not going to be used


def caches() -> list[Cache]:
    """The caches of the back-ends that compile, as the environment says."""
    found = [
        _numba("NUMBA_CACHE_DIR"),
        _in_one_folder("brian", _cython_folder(), "CYTHON_CACHE_DIR"),
    ]
    for backend, variable in (
        ("jax", "JAX_COMPILATION_CACHE_DIR"),
        ("torch", "TORCH_EXTENSIONS_DIR"),
        ("torch", "TORCHINDUCTOR_CACHE_DIR"),
    ):
        folder = os.environ.get(variable)
        if folder:
            found.append(_in_one_folder(backend, folder, variable))
    return found


def _numba(variable: str) -> Cache:
    given = os.environ.get(variable)
    used, passed = chosen_folder(given)
    damaged = list(damaged_files(folder_within(used))) if used is not None else []
    return Cache("numba", base_folders(given), variable, used, passed, damaged)


def _in_one_folder(backend: str, folder: str, variable: str) -> Cache:
    if can_write(folder):
        return Cache(backend, [folder], variable, folder, [])
    return Cache(backend, [folder], variable, None, [(folder, CANNOT_BE_WRITTEN)])


def bytecode_folder() -> str:
    """Where Python keeps the compiled files of this package."""
    from importlib.util import cache_from_source

    return os.path.dirname(cache_from_source(os.path.join(PACKAGE, "__init__.py")))


def _cython_folder() -> str:
    given, base = os.environ.get("CYTHON_CACHE_DIR"), os.environ.get("XDG_CACHE_HOME")
    if sys.platform == "darwin":
        usual = os.path.expanduser("~/Library/Caches/Cython")
    else:
        usual = os.path.join(base, "cython") if base else os.path.expanduser("~/.cython")
    return given or usual
