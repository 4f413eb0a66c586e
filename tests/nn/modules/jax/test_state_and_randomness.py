"""States from one call to the next, and random numbers."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from support import golden

from rockpool.nn.combinators import Sequential
from rockpool.nn.modules.jax import (
    ExpSynJax,
    JaxModule,
    LIFJax,
    LIFODEJax,
    LinearJax,
    RateJax,
)
from rockpool.nn.modules.native import LIF
from rockpool.nn.modules.timed_module import TimedModuleWrapper
from rockpool.timeseries import TSContinuous, TSEvent

DATA = golden.inputs(3, 8, 2, 1.5)
MODULES = [
    LIFJax(2, has_rec=True, w_rec=golden.weights(2, 2)),
    LIFODEJax(2, threshold=0.05),
    RateJax(2, tau=0.01, has_rec=True, w_rec=golden.weights(2, 2)),
    ExpSynJax(2, spiking_input=False),
    Sequential(LinearJax((2, 2), weight=np.array([[1.0, 0.5], [0.25, 1.0]])), LIFJax(2)),
]
IDS = [type(module).__name__ for module in MODULES]


def assert_close(found: Any, expected: Any) -> None:
    jax.tree.map(
        lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6), found, expected
    )


@pytest.mark.parametrize("module", MODULES, ids=IDS)
def test_a_module_goes_on_from_where_it_was(module: JaxModule) -> None:
    whole, end, _ = module(DATA[:1])

    first, state, _ = module(DATA[:1, :5])
    rest, new_state, _ = module.set_attributes(state)(DATA[:1, 5:])

    assert_close(jnp.concatenate([first, rest], 1), whole)
    assert jax.tree.structure(new_state) == jax.tree.structure(module.state())
    states = [leaf for leaf in jax.tree.leaves(new_state) if leaf.dtype == jnp.float32]
    expected = [leaf for leaf in jax.tree.leaves(end) if leaf.dtype == jnp.float32]
    assert_close(states, expected)


@pytest.mark.parametrize("module", MODULES, ids=IDS)
def test_the_state_of_each_batch_element_can_be_kept(module: JaxModule) -> None:
    whole, _, _ = module(DATA)

    keeping = module.keep_batch_state()
    first, state, _ = keeping(DATA[:, :5])
    keeping = jax.jit(lambda m, s: m.set_attributes(s))(keeping, state)
    rest, _, _ = keeping(DATA[:, 5:])

    assert_close(jnp.concatenate([first, rest], 1), whole)
    with pytest.raises(ValueError, match="batch of 3, but the input has a batch of 2"):
        keeping(DATA[:2])
    assert_close(keeping.reset_state()(DATA[:2])[0], whole[:2])
    element_0 = keeping.keep_batch_state(False).state()
    assert jax.tree.map(jnp.shape, element_0) == jax.tree.map(jnp.shape, module.state())


def test_evolving_changes_nothing() -> None:
    layer = LIFJax(2)
    before = {name: id(value) for name, value in layer.state().items()}

    with jax.checking_leaks():
        jax.jit(layer)(DATA)
        layer(DATA)

    assert {name: id(value) for name, value in layer.state().items()} == before


def test_no_time_steps_change_nothing() -> None:
    for layer in [LIFJax((4, 2), has_rec=True), RateJax(4), ExpSynJax(4)]:
        layer = layer.set_attributes(jax.tree.map(lambda value: value + 1, layer.state()))
        output, new_state, record = layer(np.zeros((2, 0, 4)))
        assert output.shape == (2, 0, layer.size_out)
        assert all(values.shape[:2] == (2, 0) for values in record.values())
        for name in set(new_state) - {"rng_key"}:
            np.testing.assert_array_equal(new_state[name], getattr(layer, name))


def test_a_call_result_is_passed_on() -> None:
    first, second = LinearJax((2, 2)), LIFJax(2)

    output, states, records = second(first(DATA))

    assert output.shape == DATA.shape
    assert "vmem" in states[""] and "vmem" in records[""]


def test_a_timed_module_goes_on_as_well() -> None:
    def spikes(series: Any) -> list[list[float]]:
        return series.raster(dt=1e-3, add_events=True).tolist()

    series = TSContinuous.from_clocked(np.full((20, 2), 0.3), dt=1e-3)
    timed, reference = LIFJax(2).timed(), LIF(2).timed()

    for _ in range(2):
        output, _, record = timed(series, duration=0.01, record=True)
        expected, _, expected_record = reference(series, duration=0.01, record=True)
        assert isinstance(output, TSEvent) and spikes(output) == spikes(expected)
        np.testing.assert_allclose(
            record["vmem"].samples, expected_record["vmem"].samples, atol=1e-5
        )
    assert timed.t == reference.t


@pytest.mark.parametrize("module", MODULES, ids=IDS)
def test_a_wrapped_module_carries_its_state_from_piece_to_piece(module: JaxModule) -> None:
    def values(series: Any) -> np.ndarray:
        if isinstance(series, TSEvent):
            return series.raster(dt=1e-3, add_events=True)
        return series.samples

    data = golden.inputs(1, 60, 2, 1.5)
    series = TSContinuous.from_clocked(data[0], dt=1e-3)
    whole, end, _ = module(data)
    timed = TimedModuleWrapper(module)

    pieces = [values(timed(series, num_timesteps=30)[0]) for _ in range(2)]

    assert_close(np.concatenate(pieces)[:60], np.asarray(whole[0]))
    assert jnp.any(whole) and timed.t == pytest.approx(0.06)
    for found, expected in zip(
        jax.tree.leaves(timed.module.state()), jax.tree.leaves(end), strict=True
    ):
        if expected.dtype == jnp.float32:
            assert_close(found, expected)


def test_records_of_a_sequence_become_time_series() -> None:
    net = Sequential(LinearJax((2, 2)), LIFJax(2))

    wrapped = net._wrap_recorded_state(net(DATA, record=True)[2], 0.5)

    assert isinstance(wrapped["1_LIFJax"]["spikes"], TSEvent)
    assert wrapped["0_LinearJax_output"].t_start == 0.5


# -- random numbers ------------------------------------------------------------------------------

NOISY = {
    "LIFJax": lambda key: LIFJax(2, noise_std=0.5, rng_key=key),
    "RateJax": lambda key: RateJax(2, noise_std=0.5, rng_key=key, activation_func="tanh"),
    "ExpSynJax": lambda key: ExpSynJax(2, noise_std=0.5, rng_key=key),
}


@pytest.fixture(params=NOISY)
def noisy(request: pytest.FixtureRequest) -> Any:
    return NOISY[request.param]


def observed(module: JaxModule) -> np.ndarray:
    """Return something that depends on the noise."""
    output, _, record = module(np.zeros((1, 4, 2)))
    return np.asarray(record.get("vmem", output))


def test_the_same_key_gives_the_same_noise(noisy: Any) -> None:
    raw, typed = noisy(jax.random.PRNGKey(1)), noisy(jax.random.key(1))

    expected = observed(raw)
    np.testing.assert_array_equal(observed(typed), expected)
    np.testing.assert_array_equal(observed(raw), expected)
    jitted = jax.jit(lambda m, x: m(x))(raw, np.zeros((1, 4, 2)))
    np.testing.assert_array_equal(jitted[2].get("vmem", jitted[0]), expected)
    assert not np.array_equal(observed(noisy(jax.random.key(2))), expected)


def test_each_call_has_its_own_noise(noisy: Any) -> None:
    module = noisy(jax.random.key(1))
    _, state, _ = module(np.zeros((1, 4, 2)))

    following = module.set_attributes({"rng_key": state["rng_key"]})

    assert state["rng_key"].dtype == module.rng_key.dtype
    assert not np.array_equal(observed(following), observed(module))
    np.testing.assert_array_equal(observed(following.reset_state()), observed(module))


def test_noise_has_the_spread_that_was_asked_for() -> None:
    layer = LIFJax(400, tau_mem=1e-9, noise_std=2.0, dt=0.25, threshold=100)

    vmem = layer(np.zeros((1, 50, 400)))[2]["vmem"]
    assert float(jnp.std(vmem)) == pytest.approx(1, rel=0.02)


def test_noise_that_is_set_as_an_array_can_be_switched_off() -> None:
    layer = LIFJax(2, rng_key=jax.random.key(0))

    @jax.jit
    def vmem(noise_std: Any) -> Any:
        return layer.set_attributes({"noise_std": noise_std})(np.zeros((1, 4, 2)))[2]["vmem"]

    assert not vmem(0.0).any()
    np.testing.assert_allclose(vmem(2.0), 2 * vmem(1.0), rtol=1e-6)


def test_the_global_state_is_used_once_for_a_default_key() -> None:
    np.random.seed(0)
    first = [LIFJax(2).rng_key.tolist(), RateJax(2).rng_key.tolist()]
    np.random.seed(0)
    second = [LIFJax(2).rng_key.tolist(), RateJax(2).rng_key.tolist()]
    assert first == second and first[0] != first[1]

    state = np.random.get_state()[1].tolist()
    layer = LIFJax(2, rng_key=jax.random.key(0), noise_std=1.0)
    layer(DATA), layer.reset_state()
    assert np.random.get_state()[1].tolist() == state
