"""The compiled modules: what they share with the numpy ones beyond the cases of the conformance suite."""

from __future__ import annotations

import copy
import inspect
import pickle
import tracemalloc
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rockpool.nn.models.finite_input import check_input
from rockpool.nn.modules.native import LIF, ExpSyn, Rate
from rockpool.nn.modules.numba import ExpSynNumba, LIFNumba, RateNumba

PAIRS = [(LIF, LIFNumba), (ExpSyn, ExpSynNumba), (Rate, RateNumba)]


def assert_same(found: tuple, wanted: tuple) -> None:
    """Compare what two calls returned, number by number."""
    np.testing.assert_array_equal(found[0], wanted[0])
    for got, expected in zip(found[1:], wanted[1:], strict=True):
        assert got.keys() == expected.keys()
        for name in expected:
            np.testing.assert_array_equal(got[name], expected[name], err_msg=name)


@given(
    n_out=st.integers(1, 5),
    n_syn=st.integers(1, 3),
    n_batch=st.integers(1, 3),
    n_steps=st.integers(1, 30),
    recurrent=st.booleans(),
    noise_std=st.sampled_from([0.0, 3.0]),
    most=st.sampled_from([1.0, 3.0, 2.0**16, np.inf]),
    seed=st.integers(0, 2**31),
)
@settings(max_examples=25, deadline=None)
def test_lif_is_the_same_bit_for_bit(
    n_out: int,
    n_syn: int,
    n_batch: int,
    n_steps: int,
    recurrent: bool,
    noise_std: float,
    most: float,
    seed: int,
) -> None:
    rng = np.random.default_rng(seed)
    shape = (n_out * n_syn, n_out)
    arguments: dict[str, Any] = {
        "tau_mem": rng.uniform(1e-3, 50e-3, n_out),
        "tau_syn": rng.uniform(1e-3, 50e-3, (n_out, n_syn)),
        "bias": rng.normal(0, 0.1, n_out),
        "threshold": rng.uniform(0.3, 2, n_out),
        "noise_std": noise_std,
        "max_spikes_per_dt": most,
    }
    if recurrent:  # weights whose sums are exact
        arguments |= {"has_rec": True, "w_rec": rng.integers(-64, 64, shape[::-1]) / 2**10}
    ours, reference = LIFNumba(shape, **arguments), LIF(shape, **arguments)
    for call in range(2):
        data = rng.normal(0, 0.5, (n_batch, n_steps, shape[0]))
        results = []
        for module in (ours, reference):
            np.random.seed(call)
            results.append(module(data, record=True))
        assert_same(*results)


@pytest.mark.parametrize("noise_std", [0.0, 1.0])
@pytest.mark.parametrize(("native", "compiled"), PAIRS)
def test_noise_is_the_same(native: type, compiled: type, noise_std: float) -> None:
    results = []
    for cls in (native, compiled):
        np.random.seed(0)
        results.append(cls(3, noise_std=noise_std)(np.ones((2, 20, 3)), record=True))
    assert_same(*results)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_numbers_that_are_none_come_out_as_they_do_in_numpy(bad: float) -> None:
    data = np.zeros((1, 6, 2))
    data[0, 2, 0] = bad
    with np.errstate(invalid="ignore"), check_input(False):
        wanted = LIF(2)(data, record=True)
        assert_same(LIFNumba(2)(data, record=True), wanted)


@pytest.mark.parametrize("power", [-1074, -1024, -1022])
@pytest.mark.parametrize("has_rec", [False, True])
def test_thresholds_whose_inverse_is_too_large(power: int, has_rec: bool) -> None:
    data = np.array([[[0.0], [2.0**power], [1.0]]])
    layer = LIFNumba(1, threshold=2.0**power, tau_syn=np.inf, has_rec=has_rec)
    assert layer(data)[0][0, :2, 0].tolist() == [0.0, 1.0]
    assert np.isfinite(layer.vmem).all()


@pytest.mark.parametrize(("native", "compiled"), PAIRS)
@pytest.mark.parametrize(
    "data",
    [
        np.ones(7),
        np.ones((7, 1)),
        np.ones((7, 3), dtype=np.float32),
        np.ones((2, 7, 3), dtype=int),
        np.asfortranarray(np.random.default_rng(0).random((2, 7, 3))),
        np.broadcast_to(np.arange(3.0), (2, 7, 3)),
        np.ones((2, 0, 3)),
        [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]],
    ],
    ids=["T", "T1", "float32", "int", "fortran", "read-only", "no time", "list"],
)
def test_any_input_that_numpy_takes_is_taken(native: type, compiled: type, data: Any) -> None:
    assert_same(compiled(3)(data, record=True), native(3)(data, record=True))


@pytest.mark.parametrize("n", [1, 63, 504, 512])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("native", "compiled"), PAIRS)
def test_layers_of_any_size_and_input_of_both_precisions(
    native: type, compiled: type, dtype: type, n: int
) -> None:
    data = np.random.default_rng(n).random((2, 20, n)).astype(dtype)
    ours, reference = compiled(n), native(n)
    for _ in range(2):
        assert_same(ours(data), reference(data))


@pytest.mark.parametrize("compiled", [LIFNumba, ExpSynNumba, RateNumba])
def test_input_in_single_precision_is_not_copied(compiled: type) -> None:
    module, data = compiled(100), np.ones((1, 2000, 100), dtype=np.float32)
    module(data)
    tracemalloc.start()
    module(data)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1.2 * 8 * data.size  # the output


@pytest.mark.parametrize(("native", "compiled"), PAIRS)
def test_the_input_is_left_alone(native: type, compiled: type) -> None:
    data = np.random.default_rng(0).random((2, 7, 3))
    before = data.copy()
    compiled(3)(data)
    np.testing.assert_array_equal(data, before)


@pytest.mark.parametrize(("native", "compiled"), PAIRS)
def test_wrong_input_is_refused_in_the_same_words(native: type, compiled: type) -> None:
    for data in (np.ones((7, 2)), np.ones((1, 2, 7, 3)), np.float64(1.0)):
        with pytest.raises(ValueError) as wanted:
            native(3)(data)
        with pytest.raises(ValueError) as raised:
            compiled(3)(data)
        named = str(wanted.value).replace(native.__name__, compiled.__name__)
        assert str(raised.value) == named


@pytest.mark.parametrize(("native", "compiled"), PAIRS)
def test_the_constructor_is_that_of_the_numpy_module(native: type, compiled: type) -> None:
    assert inspect.signature(compiled) == inspect.signature(native)
    with pytest.raises((ValueError, TypeError), match=compiled.__name__):
        compiled(3, dt=-1.0)


@pytest.mark.parametrize(("native", "compiled"), PAIRS)
def test_a_copy_goes_on_where_the_original_was(native: type, compiled: type) -> None:
    module = compiled(3)
    module(np.ones((5, 3)))
    wanted = copy.deepcopy(module)(np.ones((5, 3)))
    assert_same(pickle.loads(pickle.dumps(module))(np.ones((5, 3))), wanted)


def test_an_activation_function_of_ones_own_is_applied_by_numpy() -> None:
    data = np.random.default_rng(0).random((2, 9, 3))
    arguments = {"activation_func": lambda x, threshold: x**2 - threshold, "threshold": 0.5}
    assert_same(
        RateNumba(3, **arguments)(data, record=True), Rate(3, **arguments)(data, record=True)
    )
