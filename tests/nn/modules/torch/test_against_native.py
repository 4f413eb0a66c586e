"""The torch modules against their native counterparts, step for step."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from rockpool.nn.modules.native import LIF, ExpSyn, Linear, Rate
from rockpool.nn.modules.torch import ExpSynTorch, LIFTorch, LinearTorch, RateTorch

pytestmark = pytest.mark.usefixtures("both_paths")

few = settings(max_examples=25, deadline=None)
PRECISIONS = [(torch.float32, 1e-5), (torch.float64, 1e-10)]


def dyadic(rng: np.random.Generator, *shape: int) -> np.ndarray:
    """Draw numbers that single precision holds exactly, and so their sums."""
    return rng.integers(-32, 33, shape) / 64


def assert_same(
    found: Any, expected: Any, tolerance: float, what: str = "", scale: float = 1.0
) -> None:
    scale = max(scale, float(np.abs(expected).max(initial=0.0)))
    np.testing.assert_allclose(
        found.detach().numpy(), expected, rtol=tolerance, atol=tolerance * scale, err_msg=what
    )


def in_precision(module: Any, dtype: torch.dtype, exact: dict[str, Any]) -> Any:
    """Return a module in a precision, its parameters set to values not rounded before."""
    module = module.to(dtype)
    with torch.no_grad():
        for name, value in exact.items():
            parameter = getattr(module, name)
            parameter.copy_(torch.as_tensor(value, dtype=dtype).reshape(parameter.shape))
    return module


@pytest.mark.parametrize(("dtype", "tolerance"), PRECISIONS)
@given(
    n_out=st.integers(1, 4),
    n_syn=st.integers(1, 3),
    n_batch=st.integers(1, 3),
    recurrent=st.booleans(),
    most=st.sampled_from([1, 3, 2**16]),
    seed=st.integers(0, 2**31),
)
@few
def test_lif(
    dtype: torch.dtype,
    tolerance: float,
    n_out: int,
    n_syn: int,
    n_batch: int,
    recurrent: bool,
    most: int,
    seed: int,
) -> None:
    rng = np.random.default_rng(seed)
    n_in = n_out * n_syn
    values: dict[str, Any] = {
        "tau_mem": rng.uniform(2e-3, 50e-3, n_out),
        "tau_syn": rng.uniform(2e-3, 50e-3, (n_out, n_syn)),
        "bias": dyadic(rng, n_out) / 4,
        "threshold": rng.integers(32, 128, n_out) / 64,
    }
    if recurrent:
        values["w_rec"] = dyadic(rng, n_out, n_in) / 4
    settings_ = {"max_spikes_per_dt": most, "has_rec": recurrent}
    native = LIF((n_in, n_out), **values, **settings_)
    module = in_precision(LIFTorch((n_in, n_out), **values, **settings_), dtype, values)
    for _ in range(2):  # the second call goes on from the state of the first
        x = dyadic(rng, n_batch, 20, n_in)
        expected = native(x, record=True)
        found = module(torch.as_tensor(x, dtype=dtype), record=True)
        # round-off is that of the largest value that went into a sum; it may decide a close call
        scale = max(float(np.abs(value).max()) for value in expected[2].values())
        reached = expected[2]["vmem"] / values["threshold"] + expected[2]["spikes"]
        assume(np.abs(reached - np.round(reached)).min() > tolerance * scale)
        np.testing.assert_array_equal(found[0].detach().numpy(), expected[0])
        for part in (1, 2):
            assert found[part].keys() == expected[part].keys()
            for name, value in expected[part].items():
                assert_same(found[part][name], value, tolerance, name, scale)


@pytest.mark.parametrize(("dtype", "tolerance"), PRECISIONS)
def test_exp_syn(dtype: torch.dtype, tolerance: float) -> None:
    rng = np.random.default_rng(1)
    tau = rng.uniform(2e-3, 50e-3, 5)
    native, module = ExpSyn(5, tau=tau), in_precision(ExpSynTorch(5, tau=tau), dtype, {"tau": tau})
    for _ in range(2):
        x = rng.integers(0, 3, (3, 50, 5)).astype(float)
        expected, found = native(x), module(torch.as_tensor(x, dtype=dtype))
        assert_same(found[0], expected[0], tolerance)
        assert_same(found[1]["isyn"], expected[1]["isyn"], tolerance)


@pytest.mark.parametrize("recurrent", [False, True])
@pytest.mark.parametrize("activation", ["relu", "sigmoid", "tanh"])
@pytest.mark.parametrize(("dtype", "tolerance"), PRECISIONS)
def test_rate(dtype: torch.dtype, tolerance: float, activation: str, recurrent: bool) -> None:
    rng = np.random.default_rng(2)
    values: dict[str, Any] = {
        "tau": rng.uniform(20e-3, 50e-3, 4),  # the native module lengthens those below 10 dt
        "bias": rng.normal(size=4),
        "threshold": rng.normal(size=4),
    }
    if recurrent:
        values["w_rec"] = rng.normal(size=(4, 4))
    arguments = {"has_rec": recurrent, "activation_func": activation}
    native = Rate(4, **values, **arguments)
    module = in_precision(RateTorch(4, **values, **arguments), dtype, values)
    for _ in range(2):
        x = rng.normal(size=(3, 30, 4))
        expected = native(x, record=True)
        found = module(torch.as_tensor(x, dtype=dtype), record=True)
        assert_same(found[0], expected[0], tolerance)
        assert_same(found[1]["x"], expected[1]["x"], tolerance)
        for name in ("x", "rec_input"):
            assert_same(found[2][name], expected[2][name], tolerance, name)


@pytest.mark.parametrize("bias", [None, 0.5, [1.0, 2.0, 3.0]])
@pytest.mark.parametrize(("dtype", "tolerance"), PRECISIONS)
def test_linear(dtype: torch.dtype, tolerance: float, bias: Any) -> None:
    rng = np.random.default_rng(3)
    weight, x = rng.normal(size=(2, 3)), rng.normal(size=(4, 5, 2))
    module = in_precision(LinearTorch((2, 3), weight, bias), dtype, {"weight": weight})
    expected, _, _ = Linear((2, 3), weight, bias)(x)
    assert_same(module(torch.as_tensor(x, dtype=dtype))[0], expected, tolerance)


def test_names_and_shapes_are_those_of_the_native_modules() -> None:
    for native, module in (
        (LIF((4, 2), has_rec=True), LIFTorch((4, 2), has_rec=True)),
        (LIF(2), LIFTorch(2)),
        (Rate(2, has_rec=True), RateTorch(2, has_rec=True)),
        (ExpSyn(2), ExpSynTorch(2)),
        (Linear((2, 3)), LinearTorch((2, 3))),
    ):
        for collection in ("parameters", "state"):
            expected = getattr(native, collection)()
            found = getattr(module, collection)()
            assert {name: np.shape(value) for name, value in found.items()} == {
                name: np.shape(value) for name, value in expected.items()
            }
        own = {"leak_mode", "learning_window", "spike_generation_fn"}
        absent = {"max_window_length"}
        assert module.simulation_parameters().keys() - own == (
            native.simulation_parameters().keys() - absent
        )
