"""Compiled kernels, kept from one process to the next, and a note where one has to be compiled.

Numba's own cache takes what it finds for machine code, and has one record for all signatures of a
function. Here an error of any kind, in reading or in writing, is said once and means: compile.

Of processes that need a kernel at once, one compiles it, and the others wait for what it keeps.
"""

from __future__ import annotations

import hashlib
import os
import pickle
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path
from typing import Any

import llvmlite
import numba
from numba.core import config
from numba.core.compiler import CompileResult
from numba.core.runtime import rtsys
from numba.core.serialize import dumps

from rockpool.backends import kept_code

__all__ = ["KeptCode"]

_said: set[str] = set()


class KeptCode:
    """The cache of one function, in the form in which numba's dispatchers and callbacks use it."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self._function = function
        self._timers: dict[int, threading.Timer] = {}  # by thread, for the announcement
        self._turns: dict[int, kept_code.Turn] = {}  # by thread, to compile

    @property
    def cache_path(self) -> str | None:
        """The folder; None where there is no place."""
        return _folder(config.CACHE_DIR)

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """Return what is kept for a signature; None means that it is going to be compiled."""
        # what code runs with; all of the rest, which takes longer, numba gets itself to compile
        rtsys.initialize(target_context)
        found = self.load(sig, target_context)
        if found is None and self._waits_for_turn(sig, target_context):
            found = self.load(sig, target_context)
            if found is not None:
                self._end_turn()
        timer = self._timers.get(threading.get_ident())
        if found is None and timer is not None and timer.ident is None:
            timer.start()
        return found

    def load(self, sig: Any, target_context: Any) -> Any:
        """Return what is kept for a signature, or None."""
        path, made_from = self._file(sig, target_context.codegen())
        if path is None:
            return None
        try:
            code = kept_code.read(path, made_from)
            return code and CompileResult._rebuild(target_context, *pickle.loads(code))
        except Exception as error:  # whatever is wrong with a file, the kernel can be compiled
            with suppress(OSError):
                os.unlink(path)
            _say_once("read", f"{path} {_reason(error)}; the kernel is compiled anew")
            return None

    def save_overload(self, sig: Any, data: Any) -> None:
        """Keep what was compiled for a signature."""
        timer = self._timers.get(threading.get_ident())
        if timer is not None:
            timer.cancel()
        try:
            self._save(sig, data)
        finally:
            self._end_turn()

    def _save(self, sig: Any, data: Any) -> None:
        path, made_from = self._file(sig, data.codegen)
        if path is None or data.library.has_dynamic_globals:
            return
        try:
            kept_code.write(path, made_from, dumps(data._reduce()))
        except Exception as error:  # it is compiled, and serves
            _say_once("write", f"compiled kernels are not kept: {path} {_reason(error)}")

    def _waits_for_turn(self, sig: Any, target_context: Any) -> bool:
        """Take the turn to compile, unless there is no place; whether another had it before."""
        path, _ = self._file(sig, target_context.codegen())
        if path is None:
            return False
        turn = kept_code.Turn(path)
        self._turns[threading.get_ident()] = turn
        return turn.waited

    def _end_turn(self) -> None:
        turn = self._turns.pop(threading.get_ident(), None)
        if turn is not None:
            turn.end()

    def flush(self) -> None:
        """Do nothing: what no longer holds is never taken."""

    def _file(self, sig: Any, codegen: Any) -> tuple[str | None, str]:
        """Return the path of the file for a signature, if there is a place, and what it is of."""
        folder = self.cache_path
        stamp = _source_stamp()
        if folder is None or stamp is None:
            return None, ""
        function = self._function
        cells = tuple(cell.cell_contents for cell in function.__closure__ or ())
        made_of = hashlib.sha256(function.__code__.co_code + dumps(cells)).hexdigest()
        name = f"{function.__module__.rpartition('.')[2]}.{function.__qualname__}"
        signature = repr((sig, codegen.magic_tuple()))
        path = os.path.join(folder, kept_code.file_name(name, signature))
        return path, repr((numba.__version__, llvmlite.__version__, stamp, signature, made_of))

    @contextmanager
    def announced(self, patience: float) -> Iterator[None]:
        """Say on stderr when it takes more than so many seconds to compile it in this block.

        Of this thread alone: others may be at the same function, with other types.
        """
        kept = self.cache_path is not None
        timer = threading.Timer(patience, _announce, [self._function.__name__, kept])
        timer.daemon = True
        self._timers[threading.get_ident()] = timer
        try:
            yield
        finally:
            self._timers.pop(threading.get_ident()).cancel()
            self._end_turn()  # if it could not be compiled


def _announce(name: str, kept: bool) -> None:
    later = "later runs find it in the cache"
    if not kept:
        later = "no folder can keep it, so that each run does so; NUMBA_CACHE_DIR names one"
    if sys.stderr is not None:
        sys.stderr.write(f"rockpool: compiling {name}; {later}\n")
        sys.stderr.flush()


@lru_cache
def _folder(given: str) -> str | None:
    """Return where code is kept, if anywhere; say which folder is not used because of others."""
    base, passed = kept_code.chosen_folder(given)
    barred = kept_code.CANNOT_BE_WRITTEN
    unsafe = [f"{path} {reason}" for path, reason in passed if reason != barred]
    if unsafe:
        _say_once("folder", f"compiled kernels are not kept there: {'; '.join(unsafe)}")
    return None if base is None else kept_code.folder_within(base)


@lru_cache
def _source_stamp() -> object:
    """Return what changes with any file of this folder; None where there are no files."""
    folder = Path(__file__).parent
    if getattr(sys, "frozen", False):
        files = [Path(sys.executable)]
    elif folder.is_dir():
        files = sorted(folder.glob("*.py*"))
    else:  # the package is in an archive
        files = [next((parent for parent in folder.parents if parent.is_file()), folder)]
    try:
        return [(path.name, path.stat().st_mtime_ns, path.stat().st_size) for path in files] or None
    except (OSError, ValueError):
        return None


def _reason(error: Exception) -> str:
    text = getattr(error, "strerror", None) or str(error)
    return text if type(error) is ValueError else f"cannot be used ({type(error).__name__}: {text})"


def _say_once(what: str, text: str) -> None:
    if what not in _said:
        _said.add(what)
        warnings.warn(f"rockpool: {text}", RuntimeWarning, stacklevel=2)
