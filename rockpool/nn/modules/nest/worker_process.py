"""The worker process as the user's process sees it: started, called, replaced, ended.

There is one for all modules of this process. It keeps nothing between two calls.
"""

from __future__ import annotations

import atexit
import os
import signal
import subprocess
import tempfile
import threading
from contextlib import ExitStack
from io import FileIO
from typing import Any

import numpy as np

from rockpool.backends.child_process import ChildProcess, above_standard
from rockpool.backends.queries import backend_status
from rockpool.nn.modules.nest.messages import Message, receive, send

__all__ = ["NestWorkerError", "call", "require_nest", "shut_down"]

# Seconds to wait for a worker to be gone, or, when the program ends, to be free.
_GRACE = 2.0
# NEST keeps some 140 KiB of each run. A worker that has kept so many bytes is replaced.
_MOST_GROWTH = 1 << 28
# Lines of its stderr that an error shows.
_LINES = 12


class NestWorkerError(RuntimeError):
    """NEST refused a job, or the process that runs it has died."""


class _Worker:
    """One worker process, with the pipes to it."""

    def __init__(self) -> None:
        with ExitStack() as theirs, ExitStack() as ours:  # closed, whatever goes wrong
            requests, self._requests = _pipe(theirs, ours, "wb")
            replies, self._replies = _pipe(theirs, ours, "rb")
            self._stderr = ours.enter_context(_log_file())
            self.process = ChildProcess(
                "rockpool.nn.modules.nest.worker:main",
                *(requests, replies),
                stdout=subprocess.DEVNULL,
                stderr=self._stderr,  # read by no thread: a fork of this process may follow
                pass_fds=(requests, replies),
                env={**os.environ, "PYNEST_QUIET": "1"},
            )
            self._files = ours.pop_all()

    @property
    def is_alive(self) -> bool:
        """Whether it is there."""
        return self.process.poll() is None

    def answer(self) -> Message:
        """Wait for what it says: first, that it has imported NEST."""
        return receive(self._replies)

    def ask(self, message: Message) -> Message:
        """Send a job and wait for the answer."""
        self._stderr.truncate(0)
        send(self._requests, message)
        return self.answer()

    def end(self) -> None:
        """End it, wait until it is gone, and close what belongs to it."""
        self.process.end()
        self._files.close()

    def forget(self) -> None:
        """Leave it to the process that we were forked from.

        No lock is taken: the thread that held it may not be here.
        """
        self.process.returncode = 0  # it is not ours to wait for
        self.process.let_go()
        self._files.close()

    def exit_report(self) -> str:
        """Say how it died, with the last that it wrote."""
        try:
            code = self.process.wait(_GRACE)
        except subprocess.TimeoutExpired:  # it closed its pipes, and lives on
            self.process.end()
            code = self.process.returncode
        cause = f"with exit code {code}" if code >= 0 else f"by signal {-code} ({_signal(-code)})"
        self._stderr.seek(0)
        lines = self._stderr.read().decode(errors="replace").strip().splitlines()[-_LINES:]
        return f"ended {cause}" + "".join(f"\n    {line}" for line in lines)


def require_nest() -> None:
    """Raise `ModuleNotFoundError` if NEST is not installed. It is not imported to find out."""
    status = backend_status("nest")
    if status.state in ("missing", "shadowed", "outdated"):
        raise ModuleNotFoundError(
            f"No module named 'nest' can be used: {status.reason}", name="nest"
        )


_worker: _Worker | None = None
_lock = threading.Lock()


def call(
    owner: str, job: str, settings: dict[str, Any], arrays: dict[str, np.ndarray]
) -> dict[str, np.ndarray]:
    """Have the worker process, which is started if there is none, do one of ``simulations.JOBS``.

    Parameters
    ----------
    owner : str
        The class that asks, for error messages.
    job, settings, arrays
        The job's name and arguments.

    Raises
    ------
    ImportError
        The worker cannot import NEST.
    NestWorkerError
        NEST raised an error, or the worker died. The next call starts another. Or there is no
        process to be had, for example as this program is frozen.
    """
    global _worker
    with _lock:
        if _worker is not None and not _worker.is_alive:  # nothing was lost with it
            _worker.end()
            _worker = None
        if _worker is None:
            _worker = _start(owner)
        worker = _worker
        try:
            answer = worker.ask(Message({"job": job, **settings}, arrays))
        except (EOFError, OSError) as error:
            raise NestWorkerError(
                f"{owner}: the process that runs NEST has {worker.exit_report()}\n"
                f"The state is as it was before the call; the next call starts another process."
            ) from error
        except BaseException:  # Ctrl-C: the answer would come to the next question
            worker.end()
            _worker = None
            raise
        if answer.settings.get("growth", 0) > _MOST_GROWTH:
            worker.end()
            _worker = None
    if "error" in answer.settings:
        failure = NestWorkerError(f"{owner}: NEST raises {answer.settings['error']}")
        failure.add_note(answer.settings["trace"])
        raise failure
    return answer.arrays


def shut_down() -> None:
    """End the worker process, if there is one. The next call starts another."""
    global _worker
    with _lock:
        if _worker is not None:
            _worker.end()
        _worker = None


def _start(owner: str) -> _Worker:
    try:
        worker = _Worker()
    except OSError as error:
        raise NestWorkerError(
            f"{owner}: NEST needs a process of its own, and none can be started: "
            f"{error.strerror or error}"
        ) from error
    try:
        greeting = worker.answer().settings
    except (EOFError, OSError) as error:
        why = f"has {worker.exit_report()}"
        worker.end()
        raise ImportError(f"{owner}: the process that runs NEST {why}", name="nest") from error
    except BaseException:
        worker.end()
        raise
    if "error" in greeting:
        worker.end()
        why = f"cannot import it: {greeting['error']}"
        failure = ImportError(f"{owner}: the process that runs NEST {why}", name="nest")
        failure.add_note(greeting["trace"])
        raise failure
    return worker


def _signal(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return "unknown"


def _pipe(theirs: ExitStack, ours: ExitStack, mode: str) -> tuple[int, FileIO]:
    """Return the worker's end of a pipe, and ours as a file of this mode without a buffer."""
    read, write = map(above_standard, os.pipe())
    mine, other = (write, read) if mode == "wb" else (read, write)
    theirs.callback(os.close, other)
    return other, ours.enter_context(FileIO(mine, mode))


def _log_file() -> FileIO:
    """Return a file without a name or a buffer that is always appended to, whoever writes."""
    import fcntl

    with tempfile.TemporaryFile("r+b", buffering=0) as file:
        descriptor = above_standard(os.dup(file.fileno()))
    flags = fcntl.fcntl(descriptor, fcntl.F_GETFL)
    fcntl.fcntl(descriptor, fcntl.F_SETFL, flags | os.O_APPEND)
    return FileIO(descriptor, "r+")


def _after_fork() -> None:
    """Let the child of a fork start a worker of its own."""
    global _worker, _lock
    if _worker is not None:
        _worker.forget()
    _worker, _lock = None, threading.Lock()


def _at_exit() -> None:
    """End the worker, even if another thread waits for it."""
    if _worker is not None:
        _worker.process.kill()
    if _lock.acquire(timeout=_GRACE):
        _lock.release()
        shut_down()


atexit.register(_at_exit)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
