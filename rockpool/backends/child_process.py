"""A Python of its own for what may crash, hang, print or leave threads behind.

`ChildProcess` is the side of the process that starts it. The function that runs there sends
messages with `take_stdout` and ends with `leave`. Standard library only.
"""

from __future__ import annotations

import errno
import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from queue import Empty, SimpleQueue
from threading import Thread
from typing import IO, Any, NoReturn

Message = dict[str, Any]

__all__ = [
    "ChildProcess",
    "above_standard",
    "end_with",
    "flush_output",
    "interpreter",
    "leave",
    "take_stdout",
]

# Stands before each message: whatever the interpreter runs at its start (``.pth`` files,
# ``sitecustomize``) may print before the child is ours.
_MARK = b"\x1erockpool "
# The most that is kept of what a child prints, in bytes.
_KEPT = 1 << 16
# For how many seconds what a child has said is read when it is over.
_READING = 30
# Names the interpreter where this program is none.
VARIABLE = "ROCKPOOL_PYTHON"


def interpreter() -> tuple[str, bool]:
    """The Python to run, and whether it is another one than this, with packages of its own.

    `OSError` where there is none: a frozen program would start itself.
    """
    is_frozen = getattr(sys, "frozen", False)
    named = os.environ.get(VARIABLE)
    if named and (is_frozen or not sys.flags.ignore_environment):
        if not (os.path.isfile(named) and os.access(named, os.X_OK)):
            raise OSError(errno.ENOENT, f"{VARIABLE} is {named!r}, which is no program")
        return named, True
    if is_frozen or not os.path.isfile(sys.executable or ""):
        what = "this is a frozen program" if is_frozen else f"sys.executable is {sys.executable!r}"
        raise OSError(
            errno.ENOENT,
            f"{what}, so that there is no Python to start; the environment variable {VARIABLE} may "
            f"name one that has rockpool and the back-end",
        )
    return sys.executable, False


class ChildProcess(subprocess.Popen[bytes]):
    """A process that runs one function, with this one's `sys.path`.

    It has a session of its own: a Ctrl-C in the terminal is not for it, and it is killed with all
    that it has started. It ends with this process. Nothing comes to its stdin. `OSError` if it
    cannot be started.

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
        self._lifeline = -1
        program, is_other = interpreter()
        end = ""
        theirs: tuple[int, ...] = ()
        if sys.platform != "win32":
            watched, self._lifeline = map(above_standard, os.pipe())
            end, theirs = f"end_with({watched}); ", (watched,)
        module, _, name = function.partition(":")
        path = [entry for entry in sys.path if isinstance(entry, str)]
        here = "" if is_other else f"sys.path[:] = {path!a}; "
        own = [] if is_other else _inherited_flags()
        values = ", ".join(map(ascii, arguments))
        code = f"import sys; {here}from {__name__} import end_with; {end}"
        code += f"from {module} import {name}; {name}({values})"
        try:
            super().__init__(
                [program, *own, *flags, "-c", code],
                stdin=subprocess.DEVNULL,
                start_new_session=True,
                pass_fds=(*options.pop("pass_fds", ()), *theirs),
                **{"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options},
            )
        except BaseException:
            self.let_go()
            raise
        finally:
            for descriptor in theirs:
                os.close(descriptor)
        try:
            self._read(self.stdout, self._read_messages)
            self._read(self.stderr, self._read_printed)
        except RuntimeError as error:  # there can be no more threads
            self.end()
            for pipe in filter(None, (self.stdout, self.stderr)):
                pipe.close()
            raise OSError(errno.EAGAIN, str(error)) from error

    def _read(self, pipe: IO[bytes] | None, read: Callable[[IO[bytes]], None]) -> None:
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
        self.let_go()
        for reader, pipe in self._readers:
            for _ in range(_READING):  # not for ever: a process that broke away may hold the pipe
                reader.join(1.0)
                if not (reader.is_alive() and _has_more(pipe)):
                    break
            if not reader.is_alive():
                pipe.close()

    def let_go(self) -> None:
        """Close what it would end with. No lock is taken: this may be the child of a fork."""
        descriptor, self._lifeline = self._lifeline, -1
        if descriptor >= 0:
            os.close(descriptor)

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


def _has_more(pipe: IO[bytes]) -> bool:
    """Whether something can be read, its end among that."""
    if not hasattr(select, "poll"):
        return False
    poll = select.poll()
    poll.register(pipe, select.POLLIN)
    return bool(poll.poll(0))


def above_standard(descriptor: int) -> int:
    """Move a descriptor out of the place of stdin, stdout or stderr, if one of them is closed.

    What is printed would go there.
    """
    if descriptor > 2:
        return descriptor
    import fcntl

    try:
        return fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, 3)
    finally:
        os.close(descriptor)


def _inherited_flags() -> list[str]:
    """The flags of this interpreter that say what it runs and how, for another one."""
    flags = sys.flags
    letters = "".join(
        letter * int(getattr(flags, name, 0))
        for name, letter in (
            ("isolated", "I"),
            ("ignore_environment", "E"),
            ("no_user_site", "s"),
            ("safe_path", "P"),
            ("no_site", "S"),
            ("dont_write_bytecode", "B"),
            ("optimize", "O"),
            ("bytes_warning", "b"),
        )
    )
    options = [
        f"-X{name}" if value is True else f"-X{name}={value}"
        for name, value in sys._xoptions.items()
    ]
    return [*([f"-{letters}"] if letters else []), *(f"-W{w}" for w in sys.warnoptions), *options]


# --- in the child ---------------------------------------------------------------------------------


def end_with(parent: int) -> None:
    """Let the system end this process when nobody has the other end of a pipe any more.

    It does so whatever the process does then; no thread has to watch.
    """
    try:
        import fcntl

        fcntl.fcntl(parent, fcntl.F_SETOWN, os.getpid())  # who gets SIGIO, which ends a process
        flags = fcntl.fcntl(parent, fcntl.F_GETFL)
        fcntl.fcntl(parent, fcntl.F_SETFL, flags | os.O_ASYNC | os.O_NONBLOCK)
        if os.read(parent, 1) == b"":  # it has been closed already
            os._exit(1)
    except BlockingIOError:
        return
    except (ImportError, AttributeError, OSError) as error:
        # then it is left to itself, if its parent is killed
        sys.stderr.write(f"cannot watch the parent process: {error}\n")


def take_stdout() -> Callable[[Message], None]:
    """Keep stdout for messages, which the result sends; what is printed now goes to stderr."""
    answers = os.dup(1)  # not inherited by what is started from here
    os.dup2(2, 1)
    sys.argv = [""]

    def report(message: Message) -> None:
        line = memoryview(_MARK + json.dumps(message).encode() + b"\n")
        while line:
            line = line[os.write(answers, line) :]

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
