"""Print which model is exactly the same on which back-end, and how far the others are from it.

Run ``python tests/conformance/table.py [BACK-END ...]``.
"""

from __future__ import annotations

import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parents[2])]

from conformance.cases import CASES, MODELS
from conformance.layers import BACKENDS, Backend, Bound
from conformance.running import difference, reference, run
from rockpool.cli._output import table


def cell(backend: Backend, model: str, notes: dict[str, str]) -> str:
    """Return the verdict for one model on one back-end, and note the reason for a bound."""
    if not backend.offers(model):
        return "not offered"
    if not backend.is_here:
        return "needs CUDA"
    verdict = "exact"
    for case in (case for case in CASES if case.model == model):
        found = difference(case, run(backend, case), reference(backend, case))
        bound = backend.bound(case) or Bound(0.0, "")
        if found > bound.limit:
            return f"FAILS: {found:.0e} > {bound.limit:.0e} ({case.name})"
        if found > 0:
            mark = notes.setdefault(bound.reason, f"[{len(notes) + 1}]")
            verdict = f"<= {bound.limit:.0e} {mark}"
    return verdict


def main(names: list[str]) -> int:
    """Print the table for these back-ends, or for all."""
    backends = [backend for backend in BACKENDS if not names or backend.name in names]
    notes: dict[str, str] = {}
    rows = [[model, *(cell(backend, model, notes) for backend in backends)] for model in MODELS]
    print(table(["MODEL", *(backend.name for backend in backends)], rows), end="")
    print(
        f"\n{len(CASES)} cases. exact: each spike, each value; a bound: of spikes, how many are "
        "elsewhere,\nin parts of all; of values, the deviation in parts of the largest"
    )
    for reason, mark in notes.items():
        print(f"{mark} {reason}")
    for backend in backends:
        for name, value in backend.settings.items():
            print(f"{backend.name}: with {name}={value:g}, as the reference it is compared with")
    return int(any("FAILS" in entry for row in rows for entry in row))


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
