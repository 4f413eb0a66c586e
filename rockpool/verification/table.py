"""The rows of a verdict, and the table of text that it prints as."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from rockpool.verification.compare import Difference

__all__ = ["VerdictRow", "table"]


@dataclass(frozen=True)
class VerdictRow:
    """What came out on one back-end.

    Attributes
    ----------
    backend, precision : str
        The back-end, and "float32" or "float64".
    state : str
        "reference"; "equal", not one spike differs; "rounding", some do, and the first for reasons
        of rounding; "fault"; "not run".
    note : str
        Why it was not run, or what else there is to say: of rounding, that it has gathered over
        time, and the membranes are farther than 8 units in the last place from the threshold.
    differing, neuron_steps : int
        Numbers of spikes that differ, of all neurons in all time steps.
    first : Difference or None
        The first of them.
    value_difference : float
        The largest relative difference of values that are no spikes, before that.
    seconds : float
        How long it took.
    """

    backend: str
    precision: str
    state: str
    note: str = ""
    differing: int = 0
    neuron_steps: int = 0
    first: Difference | None = None
    value_difference: float = 0.0
    seconds: float = 0.0

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain values, fit for JSON."""
        first = None if self.first is None else self.first.to_dict()
        return {**self.__dict__, "first": first}


_HEAD = ("back-end", "precision", "differing spikes", "values", "seconds", "verdict")


def table(rows: Sequence[VerdictRow]) -> str:
    """Return a line for each back-end, and below them the first differences."""
    cells = [_HEAD, *map(_cells, rows)]
    widths = [max(len(line[column]) for line in cells) for column in range(len(_HEAD))]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in cells
    ]
    for row in rows:
        if row.first is not None:
            lines += ["", *_told(row)]
    return "\n".join(lines)


def _cells(row: VerdictRow) -> tuple[str, ...]:
    if row.state == "not run":
        return row.backend, "", "", "", "", f"not run: {row.note}"
    spikes = (
        f"of {row.neuron_steps:,}"
        if row.state == "reference"
        else (f"{row.differing:,} of {row.neuron_steps:,}")
    )
    values = "" if row.state == "reference" else f"{row.value_difference:.1e}"
    verdict = f"{row.state}: {row.note}" if row.note else row.state
    return row.backend, row.precision, spikes, values, f"{row.seconds:.2f}", verdict


def _told(row: VerdictRow) -> list[str]:
    """Return what is to be said of the first spike that differs."""
    first = row.first
    assert first is not None
    where = f"layer {first.layer!r}, " if first.layer else ""
    why = "rounding" if first.rounding else "no rounding: a fault"
    lines = [
        f"{row.backend}: first difference in {where}batch element {first.batch}, neuron "
        f"{first.neuron}, step {first.step}: {first.expected} spikes on numpy, {first.got} here",
        f"  membranes {first.membranes[0]:.17g} and {first.membranes[1]:.17g}, threshold "
        f"{first.threshold:.17g}: {first.ulp[0]:+.3g} and {first.ulp[1]:+.3g} ulp from it ({why})",
    ]
    steps, inputs = first.step_ulp, first.input_ulp
    if steps is not None and inputs is not None and np.isfinite(steps + inputs):
        lines.append(
            f"  each time step alone is within {steps:.2g} ulp of numpy's, on input within "
            f"{inputs:.2g} ulp"
        )
    return lines
