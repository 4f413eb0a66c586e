"""The process that runs NEST: it takes jobs from one pipe and answers on another.

NEST prints, reads ``sys.argv``, changes the flags of ``dlopen`` and the number of threads when it
is imported, has one kernel per process, and brings an OpenMP run-time that does not get along with
others. So it is imported here and nowhere else.
"""

from __future__ import annotations

import os
import traceback
from collections.abc import Callable, Mapping
from io import FileIO
from typing import Any

from rockpool.nn.modules.nest.messages import Message, receive, send


def main(requests: int, replies: int) -> None:
    """Serve until nobody sends requests; the arguments are descriptors of the pipes' ends."""
    with (
        os.fdopen(requests, "rb", buffering=0) as source,
        os.fdopen(replies, "wb", buffering=0) as sink,
    ):
        try:
            from rockpool.nn.modules.nest import simulations
        except (Exception, SystemExit) as error:
            send(sink, _failure(error))
            return
        send(sink, Message({"version": simulations.version()}, {}))
        _serve(source, sink, simulations.JOBS, simulations.growth)


def _serve(
    source: FileIO, sink: FileIO, jobs: Mapping[str, Any], growth: Callable[[], int]
) -> None:
    while True:
        try:
            settings, arrays = receive(source)
        except EOFError:
            return
        job = jobs[settings.pop("job")]
        try:
            arrays = job(**settings, **arrays)
            answer = Message({"growth": growth()}, arrays)
        except Exception as error:
            answer = _failure(error)
        send(sink, answer)


def _failure(error: BaseException) -> Message:
    text = f"{type(error).__name__}: {error}"
    return Message({"error": text, "trace": traceback.format_exc()}, {})
