"""One process for each back-end: start it, listen to it, and compare what it answers."""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from threading import Thread
from typing import Any

import numpy as np

from rockpool.backends.lazy import advertised
from rockpool.backends.queries import backend_status
from rockpool.cli._progress import Progress
from rockpool.cli.bench import REFERENCE, SUFFIXES

__all__ = ["Record", "run_all"]

# Stands before each message: other things may be printed before the child takes over its stdout.
MARK = "\x1erockpool "
# Lines of what a child printed that are kept for its reason.
_LINES = 200
# How many of 1000 spikes may be elsewhere, and how far other values may be off, in parts of the
# largest: what single precision does to them.
_SPIKES, _VALUES = 1e-3, 1e-5


class Record:
    """What came of one back-end.

    Attributes
    ----------
    backend, class_name, version : str
        Who ran.
    seconds : float or None
        Median time of a round; None where there was none.
    times : list of float
        The times of all rounds.
    start_up : float
        Seconds from the start of the process to its first answer.
    memory : int
        Bytes that the process had at most; 0 where that cannot be told.
    difference : float or None
        How far the answer is from the reference.
    agrees : bool or None
        Whether that is near enough; None where nothing was expected.
    answer : str
        The difference in words.
    reason : str
        Why there is no answer.
    """

    def __init__(self, backend: str, class_name: str = "") -> None:
        self.backend = backend
        self.class_name = class_name
        self.version = ""
        self.seconds: float | None = None
        self.times: list[float] = []
        self.start_up = 0.0
        self.memory = 0
        self.difference: float | None = None
        self.agrees: bool | None = None
        self.answer = ""
        self.reason = ""

    def to_dict(self) -> dict[str, Any]:
        """The record as JSON can hold it."""
        return dict(vars(self))


def run_all(names: list[str], values: dict[str, Any]) -> list[Record]:
    """Run the layer on these back-ends, one after the other.

    Parameters
    ----------
    names : list of str
        Back-ends; the reference comes first.
    values : dict
        The options of the command.

    Returns
    -------
    list of Record
        One for each back-end.

    Raises
    ------
    OSError
        No process can be started.
    """
    records: list[Record] = []
    reference: np.ndarray | None = None
    rounds_each = values["rounds"] + 1
    with (
        tempfile.TemporaryDirectory(prefix="rockpool_bench_") as folder,
        Progress(f"rounds on {len(names)} back-ends", rounds_each * len(names)) as progress,
    ):
        for place, name in enumerate(names):
            record = _offered(name, values["model"])
            records.append(record)
            answer = Path(folder) / f"{place}.npy"
            if not record.reason:
                _Child(record, values, answer).listen(lambda: progress.advance(1))
            progress.advance(rounds_each * (place + 1) - progress.done)
            if record.seconds is None:
                continue
            output = np.load(answer, allow_pickle=False)
            answer.unlink()
            if name == REFERENCE:
                reference = output
                record.answer, record.agrees, record.difference = "is the reference", True, 0.0
            elif reference is not None:
                _compare(record, output, reference, spikes=values["model"] == "LIF")
    return records


def _offered(name: str, model: str) -> Record:
    """A record for a back-end, with a reason where it need not be tried."""
    package = {"numpy": "native", "sinabs-exodus": "sinabs"}.get(name, name)
    record = Record(name, model + SUFFIXES[name])
    if record.class_name not in advertised(f"rockpool.nn.modules.{package}"):
        record.reason = f"has no {model}"
        return record
    status = backend_status(name)
    record.version = status.version or ""
    if status.state not in ("available", "installed"):
        record.reason = f"{status.reason}; to get it: {status.install}"
    return record


def _compare(record: Record, output: np.ndarray, reference: np.ndarray, spikes: bool) -> None:
    """Say how far an answer is from the reference."""
    if output.shape != reference.shape:
        record.agrees, record.answer = False, f"WRONG: has the shape {output.shape}"
        return
    deviation = np.abs(output.astype(np.float64) - reference)
    if spikes:
        elsewhere, total = float(deviation.sum()) / 2, float(np.abs(reference).sum())
        record.difference = elsewhere / max(total, 1.0)
        told, limit = f"{elsewhere:.0f} of {total:.0f} spikes elsewhere", _SPIKES
    else:
        largest = float(np.abs(reference).max(initial=0.0))
        record.difference = float(deviation.max(initial=0.0)) / (largest or 1.0)
        told, limit = f"within {record.difference:.0e} of the largest value", _VALUES
    record.agrees = record.difference <= limit  # not so for NaN
    record.answer = "the same" if record.difference == 0 else told
    if not record.agrees:
        record.answer = f"WRONG: {told}"


class _Child:
    """A process that runs the layer on one back-end."""

    def __init__(self, record: Record, values: dict[str, Any], answer: Path) -> None:
        self.record = record
        self.timeout = values["timeout"]
        wanted = {k: values[k] for k in ("model", "neurons", "steps", "batch", "rounds", "threads")}
        wanted |= {"backend": record.backend, "class_name": record.class_name, "path": str(answer)}
        path = [entry for entry in sys.path if isinstance(entry, str)]
        code = (
            f"import sys; sys.path[:] = {path!a}; "
            f"from rockpool.cli.bench.measure import main; main({wanted!a})"
        )
        self.began = time.monotonic()
        self.process = subprocess.Popen(
            [sys.executable, "-X", "faulthandler", "-c", code],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            env={**os.environ, **_threads(values["threads"])},
            start_new_session=True,
        )
        self.lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self.printed: list[str] = []
        self._readers = [
            Thread(target=self._read_answers, daemon=True),
            Thread(target=self._read_errors, daemon=True),
        ]
        for reader in self._readers:
            reader.start()

    def _read_answers(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.put(line)
        self.lines.put(None)

    def _read_errors(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.printed = [*self.printed, line.rstrip()][-_LINES:]

    def listen(self, one_more: Any) -> None:
        """Follow the process to its end, and write into the record what it says."""
        record = self.record
        try:
            while (message := self._next()) is not None:
                kind = message.pop("is")
                if kind == "round":
                    record.start_up = record.start_up or time.monotonic() - self.began
                    one_more()
                elif kind == "error":
                    record.reason, record.agrees = message["text"], False
                else:
                    record.times, record.memory = message["times"], message["memory"]
                    record.seconds = float(np.median(record.times))
            if record.seconds is None and not record.reason:
                record.reason, record.agrees = self._cause(), False
        except TimeoutError:
            record.reason, record.agrees = f"no answer within {self.timeout:g} s", False
            record.seconds = None
        finally:
            self._end()

    def _next(self) -> dict[str, Any] | None:
        """The next message; None at the end."""
        while True:
            left = self.began + self.timeout - time.monotonic()
            try:
                line = self.lines.get(timeout=max(left, 0.0))
            except queue.Empty:
                raise TimeoutError from None
            if line is None:
                return None
            if MARK in line:
                message: dict[str, Any] = json.loads(line.rpartition(MARK)[2])
                return message

    def _cause(self) -> str:
        """Why a process ended that said nothing of it."""
        code = self.process.wait()
        self._readers[1].join(1.0)
        last = next((line for line in reversed(self.printed) if line.strip()), "")
        how = f"crashes (signal {-code})" if code < 0 else f"ends the process (exit code {code})"
        return f"{how}: {last}" if last and code >= 0 else how

    def _end(self) -> None:
        """End the process and all that it started in its session."""
        if self.process.poll() is None and hasattr(os, "killpg"):
            try:
                os.killpg(self.process.pid, signal.SIGKILL)
            except (ProcessLookupError, PermissionError):  # it has just gone
                self.process.kill()
        elif self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        for reader, pipe in zip(
            self._readers, (self.process.stdout, self.process.stderr), strict=True
        ):
            reader.join(1.0)
            if not reader.is_alive() and pipe is not None:
                pipe.close()


def _threads(number: int) -> dict[str, str]:
    """The environment in which libraries use so many threads."""
    names = ("OMP", "MKL", "OPENBLAS", "NUMBA")
    environment = {f"{name}_NUM_THREADS": str(number) for name in names}
    if number == 1:
        flags = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
        environment["XLA_FLAGS"] = f"{os.environ.get('XLA_FLAGS', '')} {flags}".strip()
    return environment
