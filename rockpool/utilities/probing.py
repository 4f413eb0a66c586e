"""Import a back-end in a process of its own, and tell what came of it. Standard library only.

An import may crash the interpreter, hang, print, end the program, change `sys.argv` or the number
of threads. None of that reaches the process that asks here: it gets a record with one line of
words.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from threading import Thread

from rockpool.backends.specs import STANDARD, specification

from .backend_management import backend_status, register_backend

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import IO, Any

__all__ = ["probe_backend", "probe_backends"]

# Stands before the child's answer. A back-end's own output goes elsewhere, but whatever the
# interpreter runs at its start (``.pth`` files, ``sitecustomize``) may print before the child is
# ours.
_MARK = b"\x1erockpool "
# The most that is kept of what a child prints, and of its answer, in bytes.
_KEPT = 1 << 16
# How often the children are looked at, in seconds.
_TICK = 0.01
# A child ends itself this long after its time is up, in case the process that should end it is
# gone (seconds).
_GRACE = 5
# What is known without an import, and would not change with one.
_SETTLED = ("missing", "shadowed", "outdated")


def probe_backend(name: str, timeout: float = 60.0) -> dict[str, Any]:
    """Import one back-end in a child process.

    Parameters
    ----------
    name : str
        A back-end (see `rockpool.utilities.backend_management.known_backends`).
    timeout : float, default 60.0
        Seconds that the import may take. The child and all that it started are killed then.

    Returns
    -------
    dict
        As `BackendStatus.to_dict` (name, state, version, reason, error, install), and besides

        * ``outcome``: ``"not tried"`` (what is seen without an import settles it), ``"answered"``,
          ``"crashed"``, ``"ended"`` (the import ended the process) or ``"no answer"``;
        * ``seconds``: float, how long it took;
        * ``output``: str, the last that it printed, with the traceback of its error.

    Raises
    ------
    OSError
        No process can be started.
    """
    return next(probe_backends([name], timeout))


def probe_backends(
    names: Iterable[str],
    timeout: float = 60.0,
    jobs: int = 2,
    started: Callable[[str], object] | None = None,
    thorough: bool = False,
) -> Iterator[dict[str, Any]]:
    """Import several back-ends, each in a child process, and yield the records as they come.

    Parameters
    ----------
    names : iterable of str
        Back-ends.
    timeout : float, default 60.0
        Seconds that each import may take.
    jobs : int, default 2
        How many children run at a time.
    started : callable, optional
        Called with the name of each back-end when its turn comes.
    thorough : bool, default False
        Whether to ask each process for more once it has imported its back-end: the record has
        ``facts``, a dict (see `rockpool.utilities.diagnosis.facts`), and ``traceback``, a list of
        lines, then. A process that hangs is asked where.

    Yields
    ------
    dict
        As `probe_backend`. When the iterator is left, by an exception as well, no child is left
        running.
    """
    waiting = list(names)
    running: list[_Child] = []
    try:
        while waiting or running:
            while waiting and len(running) < jobs:
                name = waiting.pop(0)
                if started is not None:
                    started(name)
                status = backend_status(name)
                if status.state in _SETTLED:
                    yield {**status.to_dict(), "outcome": "not tried", "seconds": 0.0, "output": ""}
                else:
                    running.append(_Child(name, timeout, thorough))
            done = [child for child in running if child.has_ended() or child.is_late()]
            for child in done:
                running.remove(child)
                yield child.record()
            if running and not done:
                time.sleep(_TICK)
    finally:
        for child in running:
            child.kill()


class _Child:
    """A process that imports one back-end."""

    def __init__(self, name: str, timeout: float, thorough: bool = False) -> None:
        self.name = name
        self.timeout = timeout
        self.began = time.monotonic()
        limit = int(timeout) + 1 + _GRACE
        path = [entry for entry in sys.path if isinstance(entry, str)]
        code = (
            f"import sys; sys.path[:] = {path!a}; "
            f"from rockpool.utilities.probing import _answer; "
            f"_answer({name!a}, {limit}, {_definition(name)!a}, {timeout if thorough else 0.0})"
        )
        self.process = subprocess.Popen(
            [sys.executable, "-X", "faulthandler", "-c", code],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
            start_new_session=True,
        )
        self.answer = _Tail(self.process.stdout)
        self.printed = _Tail(self.process.stderr)

    def has_ended(self) -> bool:
        """Whether the process is over. Left unreaped, its process group is still ours to kill."""
        if not hasattr(os, "waitid"):
            return self.process.poll() is not None
        if self.process.returncode is not None:
            return True
        flags = os.WEXITED | os.WNOWAIT | os.WNOHANG
        return os.waitid(os.P_PID, self.process.pid, flags) is not None

    def is_late(self) -> bool:
        """Whether its time is up."""
        return time.monotonic() - self.began > self.timeout

    def kill(self) -> None:
        """End the process and all that it started."""
        if self.process.returncode is not None:
            return
        if hasattr(os, "killpg"):
            try:
                os.killpg(self.process.pid, signal.SIGKILL)
            except (ProcessLookupError, PermissionError):  # nobody is left but the dead process
                self.process.kill()
        else:
            self.process.kill()
        self.process.wait()
        self.answer.close()
        self.printed.close()

    def record(self) -> dict[str, Any]:
        """What became of it, once it has ended or is late. Kills what is left of it."""
        late = not self.has_ended()
        seconds = time.monotonic() - self.began
        self.kill()
        code = self.process.returncode
        extra = {"seconds": round(seconds, 3), "output": self.printed.text()}
        answers = [a for a in self.answer.data.split(_MARK)[1:] if a.endswith(b"\n")]
        if answers:  # the last one that is whole tells most
            import json

            return {**json.loads(answers[-1]), "outcome": "answered", **extra}
        if late:
            outcome, reason = "no answer", f"no answer within {self.timeout:g} s"
        elif code < 0:
            outcome, reason = "crashed", f"crashes on import (signal {-code})"
        elif code == 0:
            outcome, reason = "ended", "ends the process on import"
        else:
            outcome, reason = "ended", f"ends the process on import (exit code {code})"
        status = backend_status(self.name).to_dict()
        if status["state"] == "installed" and outcome != "no answer":
            again = "pip install --force-reinstall "
            status["install"] = again + str(status["install"]).removeprefix("pip install ")
        status.update(state="broken", reason=reason)
        return {**status, "error": None, "outcome": outcome, **extra}


class _Tail:
    """Reads a pipe to its end, in a thread, and keeps the last of it."""

    def __init__(self, pipe: IO[bytes] | None) -> None:
        assert pipe is not None
        self.data = b""
        self._pipe = pipe
        self._thread = Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        while chunk := os.read(self._pipe.fileno(), _KEPT):
            self.data = (self.data + chunk)[-_KEPT:]

    def close(self) -> None:
        """Wait for the end of the pipe, but not for long: a process that broke away may hold it."""
        self._thread.join(1.0)
        if not self._thread.is_alive():
            self._pipe.close()

    def text(self) -> str:
        """What was read, as text."""
        return self.data.decode(errors="replace").strip()


def _answer(
    name: str, limit: int, registered: tuple[Any, ...] | None = None, thorough: float = 0.0
) -> None:
    """What the child does: import the back-end, write the record on a file of its own, and be gone.

    Whatever the back-end prints goes to stderr. The process ends at once, so that a crash in some
    exit handler or a thread that is still running does not matter: the question was about the
    import.

    Parameters
    ----------
    name : str
        The back-end.
    limit : int
        Seconds after which the process ends itself.
    registered : tuple, optional
        What `_definition` says of a back-end that is not a standard one.
    thorough : float, default 0.0
        Seconds that the import may take, where more is to be told than how it went.
    """
    import json
    import traceback

    answer = os.dup(1)  # not inherited by what the back-end may start
    os.dup2(2, 1)
    sys.argv = [""]
    if hasattr(signal, "alarm"):
        signal.alarm(limit)
    if registered is not None:
        _register(name, *registered)
    if thorough:
        import faulthandler

        faulthandler.dump_traceback_later(0.9 * thorough)  # a process that hangs says where
    status = backend_status(name, probe=True)
    if status.error is not None:
        traceback.print_exception(status.error)
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError, AttributeError):
            continue  # the back-end has closed or replaced it
    record: dict[str, Any] = dict(status.to_dict())
    os.write(answer, _MARK + json.dumps(record).encode() + b"\n")
    if thorough:  # asking for more may go wrong as well: the first answer stands then
        from .diagnosis.facts import facts, traceback_lines

        record["traceback"] = traceback_lines(status.error)
        record["facts"] = facts(specification(name).modules)
        os.write(answer, _MARK + json.dumps(record).encode() + b"\n")
    os._exit(0)


def _definition(name: str) -> tuple[Any, ...] | None:
    """How the child is told of a back-end; None for those that it knows by itself.

    Returns
    -------
    tuple or None
        (modules, what pip installs, oldest version, check). A check is told as ``module:function``;
        one that is not a function of a module stays behind, and counts as passed.
    """
    spec = specification(name)
    if spec.name in STANDARD:
        return None
    oldest = ".".join(map(str, spec.minimum)) if spec.minimum is not None else None
    check: bool | str = spec.check is not False
    if callable(spec.check):
        module, function = (getattr(spec.check, key, "") for key in ("__module__", "__qualname__"))
        if module != "__main__" and function.isidentifier():
            check = f"{module}:{function}"
    return spec.modules, spec.pip, oldest, check


def _register(
    name: str, modules: tuple[str, ...], extra: str, minimum: str | None, check: bool | str
) -> None:
    """Make a back-end known in the child as it is in the process that asks."""
    condition: bool | Callable[[], object] = bool(check)
    if isinstance(check, str):
        from importlib import import_module

        module, _, function = check.partition(":")
        condition = getattr(import_module(module), function)
    register_backend(name, modules, extra=extra, minimum=minimum, check=condition)
