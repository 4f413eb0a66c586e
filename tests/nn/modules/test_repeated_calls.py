"""A call like the one before does little besides the arithmetic, and sees all that has changed."""

from __future__ import annotations

import copy
import gc
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from rockpool.nn import modules
from rockpool.nn.modules import (
    LIF,
    CubaLIFEuler,
    CubaLIFEulerNumba,
    LIFEuler,
    LIFEulerNumba,
    LIFNumba,
)

N = 8


def functions_of_python(run: Callable[[], Any]) -> list[str]:
    """Return which functions of Python a call runs, once it is like the one before."""
    events: list[str] = []
    run()
    run()
    gc.collect()  # what that finds to run is none of the call
    gc.disable()
    before = sys.getprofile()
    sys.setprofile(
        lambda frame, event, _: events.append(frame.f_code.co_name) if event == "call" else None
    )
    try:
        run()
    finally:
        sys.setprofile(before)
        gc.enable()
    return events


# half as many again as there are, for other releases of Python and torch
@pytest.mark.parametrize(
    ("name", "most"),
    [
        ("LIF", 21),
        ("LIFNumba", 24),
        ("ExpSyn", 28),
        ("ExpSynNumba", 28),
        ("LIFTorch", 150),
        ("LIFEuler", 48),
        ("LIFEulerNumba", 36),
    ],
)
def test_a_repeated_call_runs_few_functions(name: str, most: int) -> None:
    layer = getattr(modules, name)(N)
    data = np.ones((1, 1, N))
    given: Any = data
    if name.endswith("Torch"):
        given = torch.tensor(data, dtype=torch.float32)
        torch.optim.Adam(layer.parameters().astorch())  # imports much of torch, for good
    run = functions_of_python(lambda: layer(given))
    assert len(run) <= most, f"{len(run)}: {' '.join(run)}"


def edit_in_place(layer: Any) -> None:
    layer.tau_mem[...] *= 2


def assign(layer: Any) -> None:
    setattr(layer, "bias" if hasattr(layer, "bias") else "v_leak", np.full(N, 0.3))


def change_a_setting(layer: Any) -> None:
    layer.max_spikes_per_dt = 1.0


def change_the_step(layer: Any) -> None:
    layer.dt = 2e-3


def set_the_state(layer: Any) -> None:
    layer.vmem = np.linspace(0.0, 3.0, N)


def edit_the_state(layer: Any) -> None:
    layer.isyn[...] += 1.0


def set_the_state_in_single_precision(layer: Any) -> None:
    layer.vmem = np.linspace(0.0, 3.0, N, dtype=np.float32)


def reset(layer: Any) -> None:
    layer.reset_state()


def keep_batches(layer: Any) -> None:
    layer.keep_batch_state()


@pytest.mark.parametrize(
    "change",
    [
        edit_in_place,
        assign,
        change_a_setting,
        change_the_step,
        set_the_state,
        edit_the_state,
        set_the_state_in_single_precision,
        reset,
        keep_batches,
    ],
)
@pytest.mark.parametrize("kind", [LIF, LIFNumba, CubaLIFEuler, CubaLIFEulerNumba])
def test_what_changed_between_two_calls_is_seen(
    kind: Callable[..., Any], change: Callable[[Any], None]
) -> None:
    rng = np.random.default_rng(0)
    first, second = rng.random((2, 1, 2, N)) * 3
    settings: dict[str, Any] = {"max_spikes_per_dt": 5.0}
    if kind in (CubaLIFEuler, CubaLIFEulerNumba):  # such that there are several spikes in a step
        settings |= {"reset": "subtract", "gain": "unit", "gain_syn": "unit"}
    layer = kind(N, tau_mem=np.full(N, 20e-3), **settings)
    layer(first)
    change(layer)
    fresh = copy.deepcopy(layer)  # which keeps nothing of the call
    found, wanted = layer(second, record=True), fresh(second, record=True)
    np.testing.assert_array_equal(found[0], wanted[0])
    for got, expected in zip(found[1:], wanted[1:], strict=True):
        assert list(got) == list(expected)
        for name in expected:
            np.testing.assert_array_equal(got[name], expected[name], err_msg=name)


def test_states_that_were_returned_stay_as_they_were() -> None:
    for kind in (LIF, LIFNumba):
        layer = kind(N)
        state = layer(np.ones((1, 1, N)))[1]
        before = {name: value.copy() for name, value in state.items()}
        layer(np.ones((1, 1, N)))
        for name, value in before.items():
            np.testing.assert_array_equal(state[name], value)


@pytest.mark.parametrize("data", [np.ones((1, 1, N), np.float32), np.ones(3), np.ones((2, 3, N))])
def test_input_of_another_kind_than_before(data: np.ndarray) -> None:
    layer, compiled = LIF(N), LIFNumba(N)
    for given in (np.ones((1, 1, N)), data, data[::-1], np.ones((1, 1, N))):
        layer.reset_state()
        compiled.reset_state()
        np.testing.assert_array_equal(compiled(given)[0], layer(given)[0])


def test_nan_after_a_call_is_named_and_leaves_the_state() -> None:
    for kind in (LIF, LIFNumba):
        layer = kind(N)
        state = layer(np.ones((1, 1, N)))[1]
        with pytest.raises(ValueError, match=f"{kind.__name__}: the input must be finite, got nan"):
            layer(np.full((1, 1, N), np.nan))
        for name, value in layer.state().items():
            np.testing.assert_array_equal(value, state[name])


def test_records_of_compiled_layers_are_in_the_order_of_those_of_numpy() -> None:
    data = np.ones((1, 3, N))
    records = [kind(N)(data, record=True)[2] for kind in (LIFEuler, LIFEulerNumba)]
    assert list(records[0]) == list(records[1])
