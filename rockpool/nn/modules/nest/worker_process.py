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
from typing import Any, BinaryIO

import numpy as np

from rockpool.backends.child_process import ChildProcess
from rockpool.backends.queries import backend_status
from rockpool.nn.modules.nest.messages import Message, receive, send

__all__ = ["NestWorkerError", "call", "require_nest", "shut_down"]

# Seconds to wait for a worker to be gone, or, when the program ends, to be free.
_GRACE = 2.0
# Lines of its stderr that an error shows.
_LINES = 12


class NestWorkerError(RuntimeError):
    """NEST refused a job, or the process that runs it has died."""


class _Worker:
    """One worker process, with the pipes to it."""

    def __init__(self) -> None:
        request_read, request_write = os.pipe()
        reply_read, reply_write = os.pipe()
        end_read, self._end_of_us = os.pipe()
        theirs = (request_read, reply_write, end_read)
        self._stderr = _log_file()
        try:
            self.process = ChildProcess(
                "rockpool.nn.modules.nest.worker:main",
                *theirs,
                stdout=subprocess.DEVNULL,
                stderr=self._stderr,  # read by no thread: a fork of this process may follow
                pass_fds=theirs,
                env={**os.environ, "PYNEST_QUIET": "1"},
            )
        except BaseException:
            for descriptor in (request_write, reply_read, self._end_of_us):
                os.close(descriptor)
            self._stderr.close()
            raise
        finally:
            for descriptor in theirs:
                os.close(descriptor)
        self._requests: BinaryIO = os.fdopen(request_write, "wb")
        self._replies: BinaryIO = os.fdopen(reply_read, "rb")

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
        self._close()

    def forget(self) -> None:
        """Leave it to the process that we were forked from."""
        self.process.returncode = 0  # it is not ours to wait for
        self._close()

    def _close(self) -> None:
        os.close(self._end_of_us)
        for stream in (self._requests, self._replies, self._stderr):
            try:
                stream.close()
            except OSError:  # what it did not read any more cannot be flushed
                continue

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
        NEST raised an error, or the worker died. The next call starts another.
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
    worker = _Worker()
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


def _log_file() -> BinaryIO:
    """Return a file without a name that is always appended to, whoever writes."""
    import fcntl

    file = tempfile.TemporaryFile("r+b")  # noqa: SIM115  (it lives as long as the worker)
    flags = fcntl.fcntl(file, fcntl.F_GETFL)
    fcntl.fcntl(file, fcntl.F_SETFL, flags | os.O_APPEND)
    return file  # type: ignore[return-value]


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
