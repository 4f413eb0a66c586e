"""``rockpool bench --choose``: measure what layers cost, and keep it for the back-end ``auto``."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

from rockpool.backends.child_process import ChildProcess
from rockpool.backends.plain_text import printable
from rockpool.backends.queries import backend_status
from rockpool.cli._output import CommandError, in_json, table, write
from rockpool.cli._progress import Progress
from rockpool.cli.bench.children import cause_of, threads_of
from rockpool.nn.choice import column_of
from rockpool.nn.costs import CANDIDATES, KINDS, Column, Cost, cost_file, write_costs

__all__ = ["measure_and_keep"]


def measure_and_keep(values: dict[str, Any]) -> int:
    """Measure the back-ends that are here; the exit code is 1 where one could not be measured."""
    if values["plot"] is not None:
        raise CommandError("--plot: there is no picture of what --choose measures", code=2)
    names = list(dict.fromkeys(values["backends"] or CANDIDATES))
    for name in names:
        if name not in CANDIDATES:
            listed = ", ".join(CANDIDATES)
            raise CommandError(f"--choose: 'auto' is one of {listed}, and never {name!r}", code=2)
    measured: dict[str, Column] = {}
    reasons: dict[str, str] = {}
    missing = {name: _missing(name) for name in names if _missing(name)}
    columns = [column_of(name) for name in names if name not in missing]
    with Progress("kinds of layers", len(columns) * (len(KINDS) + 1)) as progress:
        for number, column in enumerate(columns, 1):
            try:
                measured[column] = _column(column, values, progress)
            except _NotMeasured as error:
                reasons[column] = str(error)
            except OSError as error:
                raise CommandError(f"no process can be started: {error.strerror}") from error
            progress.advance(number * (len(KINDS) + 1) - progress.done)
    if measured:
        try:
            write_costs(measured)
        except OSError as error:
            reason = error.strerror or error
            raise CommandError(f"cannot write {cost_file()}: {reason}") from error
    if values["json"]:
        costs = {
            name: {
                "start": column.start,
                "layers": {kind: cost._asdict() for kind, cost in column.layers.items()},
            }
            for name, column in measured.items()
        }
        write(in_json({"file": cost_file(), "columns": costs, "reasons": missing | reasons}))
    else:
        write(_as_text(measured, missing | reasons))
    return int(bool(reasons) or not measured)


class _NotMeasured(Exception):
    """Why a column has no costs."""


def _missing(name: str) -> str:
    """Return why a back-end is not here; "" if it is."""
    status = backend_status(name)
    here = status.state in ("available", "installed")
    return "" if here else f"{status.reason}; to get it: {status.install}"


def _column(column: str, values: dict[str, Any], progress: Progress) -> Column:
    """Measure one column: its layers, and then its start, which compiles nothing any more."""
    layers: dict[str, Cost] = {}
    start = 0.0
    for is_start in (False, True):
        for message in _messages(column, is_start, values):
            if message["is"] == "error":
                raise _NotMeasured(printable(message["text"]))
            if message["is"] == "layer":
                layers[message["kind"]] = Cost(*message["cost"])
            else:
                start = message["ns"]
            progress.advance(1)
    return Column(start, layers)


def _messages(column: str, is_start: bool, values: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Run a child process, and go over what it says."""
    child = ChildProcess(
        "rockpool.cli.bench.costing:main",
        {"backend": column.partition(",")[0], "rounds": values["rounds"], "start": is_start},
        flags=("-X", "faulthandler"),
        env={**os.environ, **threads_of(1)},
    )
    said = 0
    try:
        while (message := child.next_message(values["timeout"] - child.seconds)) is not None:
            said += 1
            yield message
    except TimeoutError:
        raise _NotMeasured(f"no answer within {values['timeout']:g} s") from None
    finally:
        child.end()
    if said < (1 if is_start else len(KINDS)):
        raise _NotMeasured(cause_of(child))


def _as_text(measured: dict[str, Column], reasons: dict[str, str]) -> str:
    rows = [
        (name, kind, *(f"{number:.3g}" if number else "-" for number in cost))
        for name, column in measured.items()
        for kind, cost in column.layers.items()
    ]
    fields = (field.upper() for field in Cost._fields)
    header = ("BACK-END", "LAYER", *fields)
    text = (
        "Nanoseconds on one thread for each call, time step, value, multiplication and weight\n\n"
    )
    text += table(header, rows, right=range(2, len(header))) if rows else ""
    starts = ", ".join(f"{name} {column.start / 1e9:.2g}" for name, column in measured.items())
    text += f"\nseconds to start: {starts}\n" if starts else ""
    text += "".join(f"not measured: {name}: {reason}\n" for name, reason in reasons.items())
    if measured:
        text += f"\nThe back-end 'auto' is chosen by {cost_file()}, which may be deleted.\n"
    return text
