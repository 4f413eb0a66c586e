"""Run a case on a back-end, and measure how far two results are from each other."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import Any, NamedTuple

import numpy as np

from conformance.cases import Case
from conformance.layers import NATIVE, Backend

Arrays = dict[str, np.ndarray]


class Result(NamedTuple):
    """What came out, as numpy arrays."""

    output: np.ndarray
    state: Arrays
    records: Arrays


def run(backend: Backend, case: Case) -> Result:
    """Run a case on a back-end."""
    package = import_module(f"rockpool.nn.modules.{backend.package}")
    arguments = dict(case.arguments)
    if case.model in ("LIF", "LIF recurrent"):
        arguments |= backend.settings
    module = getattr(package, backend.classes[case.model])(case.shape, **arguments)
    if backend.framework == "torch" and backend.precision == "float64":
        module = module.double()
    if backend.framework == "cuda":
        module = module.to("cuda")
    if case.chunks > 1:
        module = module.keep_batch_state()
    outputs, records = [], []
    for chunk in np.split(case.data, case.chunks, axis=1):
        output, state, record = module(_given(backend, chunk), record=True)
        if backend.framework == "jax":
            module = module.set_attributes(state)
        outputs.append(_numpy(output))
        records.append({name: _numpy(value) for name, value in record.items()})
    return Result(
        np.concatenate(outputs, axis=1),
        {name: _numpy(value) for name, value in state.items() if name != "rng_key"},
        {name: np.concatenate([r[name] for r in records], axis=1) for name in records[0]},
    )


@cache
def _reference(model: str, name: str, settings: tuple[tuple[str, Any], ...]) -> Result:
    from conformance.cases import CASES

    case = next(case for case in CASES if (case.model, case.name) == (model, name))
    return run(NATIVE._replace(settings=dict(settings)), case)


def reference(backend: Backend, case: Case) -> Result:
    """Return what the numpy module gives, with the settings that go with a back-end."""
    return _reference(case.model, case.name, tuple(backend.settings.items()))


def difference(case: Case, found: Result, wanted: Result) -> float:
    """Return how far an output is from the reference.

    Of spikes, how many are elsewhere, in parts of all; of other values the largest deviation, in
    parts of the largest value.
    """
    if not case.spikes:
        return deviation(found.output, wanted.output)
    if found.output.shape != wanted.output.shape:
        raise AssertionError(f"shape {found.output.shape} instead of {wanted.output.shape}")
    elsewhere = np.abs(found.output - wanted.output).sum() / 2
    return float(elsewhere / max(wanted.output.sum(), 1.0))


def deviation(found: np.ndarray, wanted: np.ndarray) -> float:
    """Return the largest difference, in parts of the largest value."""
    if found.shape != wanted.shape:
        raise AssertionError(f"shape {found.shape} instead of {wanted.shape}")
    if not wanted.size:
        return 0.0
    difference = np.abs(found.astype(np.float64) - wanted)
    return float(np.max(difference) / (np.max(np.abs(wanted)) or 1.0))


def _given(backend: Backend, data: np.ndarray) -> Any:
    if backend.framework in ("torch", "cuda"):
        import torch

        device = "cuda" if backend.framework == "cuda" else "cpu"
        return torch.as_tensor(data, dtype=getattr(torch, backend.precision), device=device)
    return data


def _numpy(value: Any) -> np.ndarray:
    return np.asarray(value.detach().cpu() if hasattr(value, "detach") else value)
