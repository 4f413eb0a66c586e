"""The process that runs NEST: it takes jobs from one pipe and answers on another.

NEST prints, reads ``sys.argv``, changes the flags of ``dlopen`` and the number of threads when it
is imported, has one kernel per process, and brings an OpenMP run-time that does not get along with
others. So it is imported here and nowhere else.
"""

from __future__ import annotations

import os
import sys
import traceback
from typing import BinaryIO

from rockpool.nn.modules.nest.messages import Message, receive, send


def main(requests: int, replies: int, parent: int) -> None:
    """Serve until nobody sends requests; the arguments are descriptors of the pipes' ends.

    Nobody writes to `parent`. It is closed by whoever started this process, or with it: then this
    process ends, also in the middle of a simulation.
    """
    _end_with(parent)
    with os.fdopen(requests, "rb") as source, os.fdopen(replies, "wb") as sink:
        try:
            from rockpool.nn.modules.nest import simulations
        except (Exception, SystemExit) as error:
            send(sink, _failure(error))
            return
        send(sink, Message({"version": simulations.version()}, {}))
        _serve(source, sink, simulations.JOBS)


def _serve(source: BinaryIO, sink: BinaryIO, jobs: dict) -> None:
    while True:
        try:
            settings, arrays = receive(source)
        except EOFError:
            return
        job = jobs[settings.pop("job")]
        try:
            answer = Message({}, job(**settings, **arrays))
        except Exception as error:
            answer = _failure(error)
        send(sink, answer)


def _failure(error: BaseException) -> Message:
    text = f"{type(error).__name__}: {error}"
    return Message({"error": text, "trace": traceback.format_exc()}, {})


def _end_with(parent: int) -> None:
    """Let the system end this process when the pipe is closed; NEST lets no thread watch it."""
    try:
        import fcntl

        fcntl.fcntl(parent, fcntl.F_SETOWN, os.getpid())  # who gets SIGIO, which ends a process
        fcntl.fcntl(parent, fcntl.F_SETFL, fcntl.fcntl(parent, fcntl.F_GETFL) | os.O_ASYNC)
    except (ImportError, AttributeError, OSError) as error:
        # then the process ends with its current job, when it finds that nobody sends another
        sys.stderr.write(f"cannot watch the parent process: {error}\n")
