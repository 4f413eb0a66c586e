"""One process for each back-end: start it, listen to it, and compare what it answers."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from rockpool.backends.child_process import ChildProcess
from rockpool.backends.lazy import advertised
from rockpool.backends.plain_text import printable
from rockpool.backends.queries import backend_status
from rockpool.cli._progress import Progress

__all__ = ["Record", "cause_of", "run_all", "threads_of"]

# How many of 1000 spikes may be elsewhere, and how far other values may be off, in parts of the
# largest: what single precision does to them.
_SPIKES, _VALUES = 1e-3, 1e-5
# The options that say what is measured.
SETTINGS = ("model", "neurons", "steps", "batch", "rounds", "threads")


@dataclass
class Record:
    """What came of one back-end."""

    backend: str
    class_name: str = ""
    version: str = ""
    seconds: float | None = None  # median time of a round; None where there was none
    times: list[float] = field(default_factory=list)  # of all rounds
    start_up: float = 0.0  # seconds from the start of the process to its first answer
    memory: int = 0  # bytes that the process had at most; 0 where that cannot be told
    difference: float | None = None  # how far the answer is from the reference
    agrees: bool | None = None  # whether that is near enough; None where nothing was expected
    answer: str = ""  # the difference in words
    reason: str = ""  # why there is no answer

    def to_dict(self) -> dict[str, Any]:
        """The record as JSON can hold it."""
        return asdict(self)


def run_all(classes: dict[str, str], values: dict[str, Any]) -> Iterator[Record]:
    """Run the layer on these back-ends, given with their classes, one after the other.

    The reference comes first; `values` are the options of the command. If no process can be started
    that is an OSError.
    """
    records = [_offered(name, kind, values["model"]) for name, kind in classes.items()]
    here = [record for record in records if not record.reason]
    reference: np.ndarray | None = None
    rounds_each, begun = values["rounds"] + 1, 0
    with (
        tempfile.TemporaryDirectory(prefix="rockpool_bench_") as folder,
        Progress(f"rounds on {len(here)} back-ends", rounds_each * len(here)) as progress,
    ):
        answer = Path(folder) / "answer.npy"
        for record in records:
            if not record.reason:
                begun += 1
                _measure(record, values, answer, progress)
                progress.advance(rounds_each * begun - progress.done)
            if record.seconds is not None:
                output = np.load(answer, allow_pickle=False)
                if record is records[0]:
                    reference = output
                    record.answer, record.agrees, record.difference = "is the reference", True, 0.0
                elif reference is not None:
                    _compare(record, output, reference, spikes=values["model"] == "LIF")
            answer.unlink(missing_ok=True)
            yield record


def _offered(name: str, class_name: str, model: str) -> Record:
    """A record for a back-end, with a reason where it need not be tried."""
    package = {"numpy": "native", "sinabs-exodus": "sinabs"}.get(name, name)
    record = Record(name, class_name)
    if class_name not in advertised(f"rockpool.nn.modules.{package}"):
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
        words, limit = f"{elsewhere:.0f} of {total:.0f} spikes elsewhere", _SPIKES
    else:
        largest = float(np.abs(reference).max(initial=0.0))
        record.difference = float(deviation.max(initial=0.0)) / (largest or 1.0)
        words, limit = f"within {record.difference:.0e} of the largest value", _VALUES
    record.agrees = record.difference <= limit  # not so for NaN
    record.answer = "the same" if record.difference == 0 else words
    if not record.agrees:
        record.answer = f"WRONG: {words}"


def _measure(record: Record, values: dict[str, Any], answer: Path, progress: Progress) -> None:
    """Run the layer in a process of its own, and write into the record what it says."""
    wanted = {name: values[name] for name in SETTINGS}
    wanted |= {"backend": record.backend, "class_name": record.class_name, "path": str(answer)}
    child = ChildProcess(
        "rockpool.cli.bench.measure:main",
        wanted,
        flags=("-X", "faulthandler"),
        env={**os.environ, **threads_of(values["threads"])},
    )
    try:
        while (message := child.next_message(values["timeout"] - child.seconds)) is not None:
            kind = message.pop("is")
            if kind == "round":
                record.start_up = record.start_up or child.seconds
                progress.advance(1)
            elif kind == "error":
                record.reason, record.agrees = printable(message["text"]), False
            else:
                record.times, record.memory = message["times"], message["memory"]
                record.seconds = float(np.median(record.times))
        if record.seconds is None and not record.reason:
            record.reason, record.agrees = cause_of(child), False
    except TimeoutError:
        record.reason, record.agrees = f"no answer within {values['timeout']:g} s", False
        record.seconds = None
    finally:
        child.end()


def cause_of(child: ChildProcess) -> str:
    """Why a process ended that said nothing of it."""
    child.wait()
    child.end()
    printed = child.printed().splitlines()
    crashed = child.returncode < 0  # what is printed then is a trace of calls
    return child.exit_report() + (f": {printable(printed[-1])}" if printed and not crashed else "")


def threads_of(number: int) -> dict[str, str]:
    """The environment in which libraries use so many threads."""
    names = ("OMP", "MKL", "OPENBLAS", "NUMBA", "ROCKPOOL")
    environment = {f"{name}_NUM_THREADS": str(number) for name in names}
    if number == 1:
        flags = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
        environment["XLA_FLAGS"] = f"{os.environ.get('XLA_FLAGS', '')} {flags}".strip()
    return environment
