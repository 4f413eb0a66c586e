"""Print which model is exactly the same on which back-end, and how far the others are from it.

Run ``python tests/conformance/table.py [BACK-END ...]``. With ``--write`` the verdicts on all
back-ends are kept in ``results.json`` beside this file, from which the pages of the models are made.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parents[2])]

from conformance.cases import CASES, MODELS
from conformance.layers import BACKENDS, Backend, Bound
from conformance.running import difference, reference, run
from rockpool.cli._output import table
from rockpool.utilities.backend_management import backend_status

RESULTS = Path(__file__).with_name("results.json")

# "exact", "within" a bound, "not run" or "fails"; with the back-end's class and, where there is a
# bound that was needed, its limit and reason
Verdict = dict[str, Any]


def judge(backend: Backend, model: str) -> Verdict | None:
    """Return the verdict for one model on one back-end; None where it is not offered."""
    if not backend.offers(model):
        return None
    cases = [case for case in CASES if case.model == model]
    verdict: Verdict = {"class": backend.classes[model], "precision": backend.precision}
    verdict["cases"] = len(cases)
    if not backend.is_here:
        return verdict | {"verdict": "not run", "reason": "needs a CUDA device"}
    verdict["verdict"] = "exact"
    for case in cases:
        found = difference(case, run(backend, case), reference(backend, case))
        bound = backend.bound(case) or Bound(0.0, "")
        if found > bound.limit:
            said = f"{found:.0e} > {bound.limit:.0e} ({case.name})"
            return verdict | {"verdict": "fails", "reason": said}
        if found > 0:
            known = {"verdict": "within", "bound": bound.limit, "reason": bound.reason}
            verdict |= known if bound.limit > verdict.get("bound", 0.0) else {}
    return verdict


def judged(backends: Iterable[Backend]) -> dict[str, dict[str, Verdict]]:
    """Return the verdicts by model and back-end."""
    found = {model: {b.name: judge(b, model) for b in backends} for model in MODELS}
    return {
        model: {name: verdict for name, verdict in row.items() if verdict is not None}
        for model, row in found.items()
    }


def cell(verdict: Verdict | None, notes: dict[str, str]) -> str:
    """Return a verdict in a few words, and note the reason for a bound."""
    if verdict is None:
        return "not offered"
    if verdict["verdict"] == "not run":
        return "needs CUDA"
    if verdict["verdict"] == "fails":
        return f"FAILS: {verdict['reason']}"
    if verdict["verdict"] == "exact":
        return "exact"
    mark = notes.setdefault(verdict["reason"], f"[{len(notes) + 1}]")
    return f"<= {verdict['bound']:.0e} {mark}"


def as_json(verdicts: dict[str, dict[str, Verdict]]) -> str:
    """Return what `RESULTS` holds: the verdicts, and what they were made with."""
    names = ("numpy", "numba", "torch", "jax", "brian", "nest", "sinabs")
    contents = {
        "versions": {name: backend_status(name).version for name in names},
        "settings": {backend.name: dict(backend.settings) for backend in BACKENDS},
        "verdicts": verdicts,
    }
    return json.dumps(contents, indent=1) + "\n"


def main(names: list[str]) -> int:
    """Print the table for these back-ends, or for all."""
    writes = "--write" in names
    names = [name for name in names if name != "--write"]
    if writes and names:
        print("--write keeps the verdicts on all back-ends: name none", file=sys.stderr)
        return 2
    backends = [backend for backend in BACKENDS if not names or backend.name in names]
    verdicts = judged(backends)
    notes: dict[str, str] = {}
    rows = [
        [model, *(cell(row.get(backend.name), notes) for backend in backends)]
        for model, row in verdicts.items()
    ]
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
    if any("FAILS" in entry for row in rows for entry in row):
        return 1
    if writes:
        RESULTS.write_text(as_json(verdicts))
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
