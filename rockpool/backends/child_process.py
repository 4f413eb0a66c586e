"""A Python of its own for what may crash, hang, print or leave threads behind.

`ChildProcess` is the side of the process that starts it. The function that runs there sends
messages with `take_stdout` and ends with `leave`. Standard library only.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from queue import Empty, SimpleQueue
from threading import Thread
from typing import IO, Any, NoReturn

Message = dict[str, Any]

__all__ = ["ChildProcess", "flush_output", "leave", "take_stdout"]

# Stands before each message: whatever the interpreter runs at its start (``.pth`` files,
# ``sitecustomize``) may print before the child is ours.
_MARK = b"\x1erockpool "
# The most that is kept of what a child prints, in bytes.
_KEPT = 1 << 16


class ChildProcess(subprocess.Popen[bytes]):
    """A process that runs one function, with this one's `sys.path`.

    It has a session of its own: a Ctrl-C in the terminal is not for it, and it is killed with all
    that it has started. Nothing comes to its stdin.

    It calls `function` (``package.module:function``) with `arguments`, which are literals. `flags`
    are for the interpreter, and `options` for `subprocess.Popen`: unless they say where stdout and
    stderr go, what the function says is kept for `next_message`, and what it prints for `printed`.
    """

    def __init__(
        self, function: str, *arguments: object, flags: Sequence[str] = (), **options: Any
    ) -> None:
        self.began = time.monotonic()
        self._messages: SimpleQueue[Message | None] = SimpleQueue()
        self._printed = b""
        self._readers: list[tuple[Thread, IO[bytes]]] = []
        module, _, name = function.partition(":")
        path = [entry for entry in sys.path if isinstance(entry, str)]
        values = ", ".join(map(ascii, arguments))
        code = f"import sys; sys.path[:] = {path!a}; from {module} import {name}; {name}({values})"
        super().__init__(
            [sys.executable, *flags, "-c", code],
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            **{"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options},
        )
        for pipe, read in ((self.stdout, self._read_messages), (self.stderr, self._read_printed)):
            if pipe is not None:
                reader = Thread(target=read, args=(pipe,), daemon=True)
                reader.start()
                self._readers.append((reader, pipe))

    @property
    def seconds(self) -> float:
        """How long ago it was started."""
        return time.monotonic() - self.began

    def has_ended(self) -> bool:
        """Whether it is over. Left unreaped, its process group is still ours to kill."""
        if not hasattr(os, "waitid"):
            return self.poll() is not None
        if self.returncode is not None:
            return True
        flags = os.WEXITED | os.WNOWAIT | os.WNOHANG
        return os.waitid(os.P_PID, self.pid, flags) is not None

    def end(self) -> None:
        """Kill it and all that it has started, and close what belongs to it."""
        if self.returncode is None:
            try:
                os.killpg(self.pid, signal.SIGKILL)
            except (AttributeError, ProcessLookupError, PermissionError):
                self.kill()  # there are no groups, or nobody is left but the dead process
            self.wait()
        for reader, pipe in self._readers:
            reader.join(1.0)  # not for long: a process that broke away may hold the pipe
            if not reader.is_alive():
                pipe.close()

    def next_message(self, timeout: float) -> Message | None:
        """What it says next; None at its end. `TimeoutError` if that takes so many seconds."""
        try:
            return self._messages.get(timeout=max(timeout, 0.0))
        except Empty:
            raise TimeoutError from None

    def last_message(self) -> Message | None:
        """The last that it has said and nobody has asked for; None where there is nothing."""
        last = None
        while not self._messages.empty():
            last = self._messages.get() or last
        return last

    def printed(self) -> str:
        """The last of what it has printed."""
        return self._printed.decode(errors="replace").strip()

    def exit_report(self, when: str = "") -> str:
        """How it has ended: ``crashes on import (signal 11)``, where `when` is ``on import``."""
        code = self.wait()
        when = f" {when}" if when else ""
        if code < 0:
            return f"crashes{when} (signal {-code})"
        return f"ends the process{when}" + (f" (exit code {code})" if code else "")

    def _read_messages(self, pipe: IO[bytes]) -> None:
        for line in pipe:
            _, mark, message = line.rpartition(_MARK)
            if mark and line.endswith(b"\n"):
                self._messages.put(json.loads(message))
        self._messages.put(None)

    def _read_printed(self, pipe: IO[bytes]) -> None:
        while chunk := os.read(pipe.fileno(), _KEPT):
            self._printed = (self._printed + chunk)[-_KEPT:]


# --- in the child ---------------------------------------------------------------------------------


def take_stdout() -> Callable[[Message], None]:
    """Keep stdout for messages, which the result sends; what is printed now goes to stderr."""
    answers = os.dup(1)  # not inherited by what is started from here
    os.dup2(2, 1)
    sys.argv = [""]

    def report(message: Message) -> None:
        os.write(answers, _MARK + json.dumps(message).encode() + b"\n")

    return report


def flush_output() -> None:
    """Write out what has been printed."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError, AttributeError):
            continue  # somebody has closed or replaced it


def leave() -> NoReturn:
    """End at once: no exit handler, and no thread that is still running, can spoil the answer."""
    flush_output()
    os._exit(0)
