"""A model is the same model on every back-end that offers it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from support.patience import PATIENCE

from conformance.cases import CASES, MODELS, Case
from conformance.layers import BACKENDS, NATIVE, Backend
from conformance.running import deviation, difference, reference, run
from conformance.table import RESULTS, judged
from rockpool.utilities.lazy_loading import advertised

# Brian takes a second for each case.
ENOUGH_FOR_BRIAN = {"batch", "several synapses", "per-neuron constants", "recurrent"}


def marks(backend: Backend, case: Case) -> tuple[pytest.MarkDecorator, ...]:
    is_slow = backend.name == "brian" and case.name not in ENOUGH_FOR_BRIAN
    return (pytest.mark.slow,) if is_slow else ()


OFFERED = [
    pytest.param(
        backend, case, id=f"{backend.name}-{case}".replace(" ", "_"), marks=marks(backend, case)
    )
    for backend in BACKENDS
    for case in CASES
    if backend.offers(case.model) and backend.is_here
]


@pytest.mark.parametrize(("backend", "case"), OFFERED)
def test_a_backend_answers_as_numpy_does(backend: Backend, case: Case) -> None:
    wanted = reference(backend, case)
    found = run(backend, case)

    bound = backend.bound(case)
    assert difference(case, found, wanted) <= (bound.limit if bound else 0.0)
    if bound and case.spikes:
        return  # a spike that is elsewhere moves the membrane by a threshold
    assert found.state.keys() == wanted.state.keys()
    assert found.records.keys() == wanted.records.keys()
    for name in wanted.state:
        assert deviation(found.state[name], wanted.state[name]) <= backend.values, name
    for name in wanted.records:
        assert deviation(found.records[name], wanted.records[name]) <= backend.values, name


@pytest.mark.parametrize("case", [case for case in CASES if case.model != "Linear"], ids=str)
def test_the_cases_are_worth_running(case: Case) -> None:
    for backend in (backend for backend in BACKENDS if backend.offers(case.model)):
        output = reference(backend, case).output
        assert bool(np.any(output)) != (case.name == "zero input")


@pytest.mark.parametrize("case", [case for case in CASES if case.chunks > 1], ids=str)
def test_a_chunked_run_is_a_whole_run(case: Case) -> None:
    whole = run(NATIVE, case._replace(chunks=1))
    assert difference(case, run(NATIVE, case), whole) == 0.0


def test_every_layer_that_is_advertised_is_here() -> None:
    ours = {name for backend in BACKENDS for name in backend.classes.values()}
    # classes of the same models with more to them, which have tests of their own
    others = {"LIFBitshiftTorch", "LIFNeuronTorch", "LIFODEJax", "RateEulerJax"}
    others |= {"LIFMembraneExodus", "LIFSlayer"}
    layers = {
        name
        for backend in BACKENDS
        for name in advertised(f"rockpool.nn.modules.{backend.package}")
        if name.startswith(MODELS)
    }
    assert layers - others <= ours


def test_one_command_prints_the_table() -> None:
    script = Path(__file__).with_name("table.py")
    done = subprocess.run(
        [sys.executable, str(script), "numba"], capture_output=True, text=True, timeout=PATIENCE
    )
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].split() == ["MODEL", "numba"]
    assert [line.split("  ")[0] for line in lines[1 : 1 + len(MODELS)]] == list(MODELS)
    assert "exact" in lines[1] and "not offered" in lines[5]


KEPT = json.loads(RESULTS.read_text())["verdicts"]


@pytest.mark.parametrize("model", MODELS)
def test_the_verdicts_that_are_kept_are_about_these_cases_and_bounds(model: str) -> None:
    offering = {backend.name: backend for backend in BACKENDS if backend.offers(model)}
    assert KEPT[model].keys() == offering.keys()
    cases = [case for case in CASES if case.model == model]
    for name, verdict in KEPT[model].items():
        backend = offering[name]
        stated = [bound for case in cases if (bound := backend.bound(case))]
        assert (verdict["class"], verdict["cases"]) == (backend.classes[model], len(cases))
        assert verdict["verdict"] in (
            ("not run",) if backend.framework == "cuda" else ("exact", "within")
        )
        if verdict["verdict"] == "within":
            assert (verdict["bound"], verdict["reason"]) in stated


def test_the_verdicts_that_are_kept_are_found_again() -> None:
    (numba,) = (backend for backend in BACKENDS if backend.name == "numba")
    found = judged([numba])
    assert found == {m: {n: v for n, v in row.items() if n == "numba"} for m, row in KEPT.items()}
