"""The jax modules against their native counterparts, step for step."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from rockpool.nn.models.exp_syn import decay as exact_decay
from rockpool.nn.modules.jax import ExpSynJax, LIFJax, LinearJax, RateJax, step_pwl
from rockpool.nn.modules.jax._base.decays import decay
from rockpool.nn.modules.native import LIF, ExpSyn, Linear, Rate

by_both_paths = pytest.mark.usefixtures("both_paths")

PRECISIONS = {"single": 1e-5, "double": 1e-10}


@pytest.fixture(params=PRECISIONS)
def tolerance(request: pytest.FixtureRequest) -> Any:
    """Run a test in single precision and with ``jax_enable_x64``; the tolerance of each."""
    with jax.enable_x64(True) if request.param == "double" else nullcontext():
        yield PRECISIONS[request.param]


def dyadic(rng: np.random.Generator, *shape: int) -> np.ndarray:
    """Draw numbers that single precision holds exactly, and so their sums."""
    return rng.integers(-32, 33, shape) / 64


def assert_same(found: Any, expected: Any, tolerance: float, what: str = "") -> None:
    scale = max(1.0, float(np.abs(expected).max(initial=0.0)))
    np.testing.assert_allclose(
        found, expected, rtol=tolerance, atol=tolerance * scale, err_msg=what
    )


def assert_same_evolution(
    module: Any, reference: Any, data: np.ndarray, tolerance: float, exact: bool = False
) -> None:
    """Compare output, state and record."""
    output, state, record = module(data)
    expected, _, expected_record = reference(data, record=True)
    if exact:
        assert np.asarray(output).tolist() == expected.tolist()
    assert_same(output, expected, tolerance, "output")
    assert set(record) == set(expected_record)
    for name, values in expected_record.items():
        assert_same(record[name], values, tolerance, name)
    for name, values in reference.state().items():
        assert_same(state[name], values, tolerance, f"state {name}")


@by_both_paths
@pytest.mark.parametrize("recurrent", [False, True], ids=["feed-forward", "recurrent"])
@pytest.mark.parametrize("n_syn", [1, 2])
def test_lif(recurrent: bool, n_syn: int, tolerance: float) -> None:
    rng = np.random.default_rng(n_syn)
    shape = (3 * n_syn, 3)
    arguments: dict[str, Any] = {
        "tau_mem": rng.uniform(2e-3, 50e-3, 3),
        "tau_syn": rng.uniform(2e-3, 50e-3, (3, n_syn)),
        "bias": rng.uniform(0, 0.1, 3),
        "threshold": rng.uniform(0.5, 2, 3),
        "max_spikes_per_dt": 3,
    }
    if recurrent:
        arguments |= {"has_rec": True, "w_rec": dyadic(rng, 3, 3 * n_syn)}
    data = 2 * np.abs(dyadic(rng, 2, 30, 3 * n_syn))

    assert_same_evolution(
        LIFJax(shape, **arguments), LIF(shape, **arguments), data, tolerance, exact=True
    )


@by_both_paths
def test_spikes_are_the_same_bit_for_bit_on_a_dyadic_grid() -> None:
    # decays of exactly 1/2 and 3/4, for which all sums are exact in single precision
    arguments: dict[str, Any] = {
        "tau_mem": 1e-3 / np.log(2),
        "tau_syn": 1e-3 / np.log(4 / 3),
        "dt": 1e-3,
    }
    rng = np.random.default_rng(0)
    weights = rng.integers(-64, 65, (5, 5)) / 64
    layer = LIFJax(5, has_rec=True, w_rec=weights, **arguments)
    reference = LIF(5, has_rec=True, w_rec=weights, **arguments)
    data = rng.integers(0, 64, (2, 8, 5)) / 64

    output, _, record = layer(data)
    expected, _, expected_record = reference(data, record=True)

    np.testing.assert_array_equal(output, expected)
    np.testing.assert_array_equal(record["irec"], expected_record["irec"])


@by_both_paths
@pytest.mark.parametrize("threshold", [0.3, 0.7, 1.1])
def test_a_multiple_of_the_threshold_is_as_many_spikes(threshold: float) -> None:
    # a product with the reciprocal, which the compiler would prefer, gives too few
    potentials = (np.arange(300) * np.float32(threshold)).astype(np.float32)
    expected = np.floor(potentials / np.float32(threshold))
    layer = LIFJax(300, tau_mem=np.inf, tau_syn=np.inf, threshold=threshold)
    data = potentials[None, None]

    found = [
        jax.jit(lambda x: layer(x)[0])(data),
        jax.jit(lambda layer, x: layer(x)[0])(layer, data),
        jax.jit(lambda x: step_pwl(x, threshold))(potentials),
    ]

    for spikes in found:
        np.testing.assert_array_equal(spikes.ravel(), expected)


def test_decays_are_those_of_double_precision() -> None:
    rng = np.random.default_rng(0)
    tau = np.exp(rng.uniform(np.log(1e-4), np.log(10), 20_000)).astype(np.float32)

    traced = jax.jit(lambda tau: decay(1e-3, tau))(tau)

    expected = exact_decay(1e-3, tau).astype(np.float32)
    np.testing.assert_array_equal(traced, expected)
    np.testing.assert_array_equal(decay(1e-3, tau), expected)


def test_decays_have_derivatives() -> None:
    def gradient(tau: Any) -> Any:
        return jax.grad(lambda tau: decay(1e-3, tau))(tau)

    ratio = 1e-3 / 0.02
    np.testing.assert_allclose(gradient(0.02), np.exp(-ratio) * ratio / 0.02, rtol=1e-6)
    second = np.exp(-ratio) * ratio / 0.02**2 * (ratio - 2)
    np.testing.assert_allclose(jax.grad(gradient)(0.02), second, rtol=1e-5)
    of_dt = jax.grad(lambda dt: decay(dt, 0.02))(1e-3)
    np.testing.assert_allclose(of_dt, -np.exp(-ratio) / 0.02, rtol=1e-6)


@by_both_paths
def test_exp_syn(tolerance: float) -> None:
    rng = np.random.default_rng(0)
    tau = rng.uniform(1e-3, 0.1, 3)

    assert_same_evolution(
        ExpSynJax(3, tau=tau), ExpSyn(3, tau=tau), rng.poisson(0.2, (2, 30, 3)), tolerance
    )


@by_both_paths
@pytest.mark.parametrize("activation", ["relu", "tanh", "sigmoid"])
@pytest.mark.parametrize("recurrent", [False, True], ids=["feed-forward", "recurrent"])
def test_rate(activation: str, recurrent: bool, tolerance: float) -> None:
    rng = np.random.default_rng(0)
    arguments: dict[str, Any] = {
        "tau": rng.uniform(10e-3, 0.1, 3),
        "bias": rng.normal(size=3),
        "threshold": rng.normal(size=3),
        "activation_func": activation,
    }
    if recurrent:
        arguments |= {"has_rec": True, "w_rec": rng.normal(size=(3, 3))}
    data = rng.normal(size=(2, 20, 3))

    assert_same_evolution(RateJax(3, **arguments), Rate(3, **arguments), data, tolerance)


def test_linear(tolerance: float) -> None:
    rng = np.random.default_rng(0)
    weight, bias = rng.normal(size=(3, 2)), rng.normal(size=2)
    layer = LinearJax((3, 2), weight=weight, bias=bias)
    reference = Linear((3, 2), weight=weight, bias=bias)

    for shape in [(1, 3), (5, 3), (2, 5, 3)]:
        data = rng.normal(size=shape)
        assert_same(layer(data)[0], reference(data)[0], tolerance)
    assert_same(layer(2.0)[0], 2 * weight + bias, tolerance)


def test_double_precision_is_used_throughout() -> None:
    with jax.enable_x64(True):
        layer = LIFJax((4, 2), has_rec=True)
        output, state, record = layer(np.ones((1, 3, 4)))

        found = {value.dtype for value in [output, state["vmem"], *record.values()]}
        assert found == {jnp.dtype("float64")}
        single, _, _ = layer.set_attributes(
            jax.tree.map(lambda p: p.astype("float32"), layer.parameters())
        )(np.ones((1, 3, 4), dtype="float32"))
        assert single.dtype == jnp.float32


def test_the_registries_agree() -> None:
    """Parameters, states and settings have the names and shapes of the native modules."""
    pairs = [
        (LIFJax((4, 2), has_rec=True), LIF((4, 2), has_rec=True), set()),
        (LIFJax((4, 2)), LIF((4, 2)), set()),
        (RateJax(3, has_rec=True), Rate(3, has_rec=True), set()),
        (ExpSynJax(3), ExpSyn(3), {"max_window_length"}),
        (LinearJax((2, 3), has_bias=True), Linear((2, 3), has_bias=True), set()),
    ]
    for module, reference, native_only in pairs:
        attributes, _ = module._get_attribute_registry()
        expected, _ = reference._get_attribute_registry()
        assert set(attributes) - {"rng_key"} == set(expected) - native_only
        for name in set(expected) - native_only:
            assert attributes[name][1:3] == expected[name][1:3], name
            assert attributes[name][4] == expected[name][4], name
