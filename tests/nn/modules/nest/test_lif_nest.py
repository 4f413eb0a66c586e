"""The modules on NEST, beyond the cases of the conformance suite."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rockpool.nn.modules.native import LIF, ExpSyn
from rockpool.nn.modules.nest import ExpSynNest, LIFNest
from rockpool.nn.modules.nest.recipe import propagator


def events(*shape: int, strength: float = 0.05, seed: int = 0) -> np.ndarray:
    """Return input that is weak enough for less than a spike a time step."""
    rng = np.random.default_rng(seed)
    return rng.random(shape) * strength * (rng.random(shape) < 0.5)


@given(
    n_out=st.integers(1, 4),
    n_syn=st.integers(1, 3),
    n_batch=st.integers(1, 3),
    n_steps=st.integers(1, 60),
    recurrent=st.booleans(),
    noisy=st.booleans(),
    seed=st.integers(0, 2**31),
)
@settings(max_examples=25, deadline=None)
def test_spikes_are_those_of_lif(
    n_out: int,
    n_syn: int,
    n_batch: int,
    n_steps: int,
    recurrent: bool,
    noisy: bool,
    seed: int,
) -> None:
    rng = np.random.default_rng(seed)
    shape = (n_out * n_syn, n_out)
    arguments: dict[str, Any] = {
        "tau_mem": rng.uniform(1e-3, 100e-3, n_out),
        "tau_syn": rng.uniform(1e-3, 100e-3, (n_out, n_syn)),
        "bias": rng.normal(0, 0.2, n_out),
        "threshold": rng.uniform(0.3, 2, n_out),
        "noise_std": 3.0 if noisy else 0.0,
        "max_spikes_per_dt": 1,
    }
    if recurrent:
        arguments |= {"has_rec": True, "w_rec": rng.normal(-0.02, 0.05, shape[::-1])}
    ours, reference = LIFNest(shape, **arguments), LIF(shape, **arguments)
    for call in range(2):
        data = rng.normal(0, 0.2, (n_batch, n_steps, shape[0]))
        results = []
        for module in (ours, reference):
            np.random.seed(call)
            results.append(module(data, record=True))
        np.testing.assert_array_equal(results[0][0], results[1][0])
        for found, wanted in zip(results[0][1:], results[1][1:], strict=True):
            assert found.keys() == wanted.keys()
            for name in wanted:
                scale = max(1.0, np.abs(wanted[name]).max())
                np.testing.assert_allclose(found[name], wanted[name], atol=1e-9 * scale)


@pytest.mark.parametrize("recurrent", [False, True])
def test_batches_that_nest_takes_in_several_runs(recurrent: bool) -> None:
    rng = np.random.default_rng(0)
    arguments: dict[str, Any] = {"tau_mem": rng.uniform(5e-3, 50e-3, 40), "max_spikes_per_dt": 1}
    if recurrent:
        arguments |= {"has_rec": True, "w_rec": rng.normal(-0.02, 0.05, (40, 80))}
    data = rng.normal(0, 0.2, (7, 400, 80))  # two of them are 64,000 inputs and time steps
    found, _, records = LIFNest((80, 40), **arguments)(data, record=True)
    wanted, _, expected = LIF((80, 40), **arguments)(data, record=True)
    np.testing.assert_array_equal(found, wanted)
    for name, values in expected.items():
        np.testing.assert_allclose(records[name], values, atol=1e-8, err_msg=name)
    isyn, reference = (module(80, tau=0.02)(data)[0] for module in (ExpSynNest, ExpSyn))
    np.testing.assert_allclose(isyn, reference, atol=1e-12)


@pytest.mark.parametrize("recurrent", [False, True])
def test_what_nest_cannot_do_is_refused_and_nothing_changes(recurrent: bool) -> None:
    arguments = {"has_rec": True, "w_rec": np.zeros((3, 3))} if recurrent else {}
    module = LIFNest(3, **arguments)
    module(np.full((20, 3), 0.01))
    before = {name: value.copy() for name, value in module.state().items()}
    strong = np.zeros((2, 10, 3))
    strong[1, 4, 2] = 5.0
    message = r"LIFNest: neuron 2 would emit \d+ spikes in time step 4 \(of batch element 1\)"
    with pytest.raises(ValueError, match=message) as raised:
        module(strong)
    assert "max_spikes_per_dt=1" in str(raised.value)
    for name, value in module.state().items():
        np.testing.assert_array_equal(value, before[name])


def test_one_spike_at_a_time_is_a_choice() -> None:
    strong = np.zeros((10, 1))
    strong[0] = 3.0
    module, reference = LIFNest(1, max_spikes_per_dt=1), LIF(1, max_spikes_per_dt=1)
    output = module(strong)[0]
    np.testing.assert_array_equal(output, reference(strong)[0])
    assert output.sum() == 10


def test_a_membrane_far_from_its_threshold_is_followed() -> None:
    strong = np.full((50, 2), 100.0)
    arguments = {"max_spikes_per_dt": 1, "has_rec": True, "w_rec": np.full((2, 2), 0.25)}
    found = LIFNest(2, **arguments)(strong, record=True)[2]
    wanted = LIF(2, **arguments)(strong, record=True)[2]
    np.testing.assert_array_equal(found["spikes"], wanted["spikes"])
    np.testing.assert_allclose(found["vmem"], wanted["vmem"], rtol=1e-9)


@pytest.mark.parametrize("recurrent", [False, True])
@pytest.mark.filterwarnings("ignore:.*milliseconds meant")
@pytest.mark.parametrize("tau", [1e-7, 1e-4, 1e2, np.inf])
def test_extreme_time_constants(tau: float, recurrent: bool) -> None:
    arguments = {"tau_mem": tau, "tau_syn": tau, "bias": 0.01, "max_spikes_per_dt": 1}
    if recurrent:
        arguments |= {"has_rec": True, "w_rec": np.array([[0.0, 0.01], [0.02, 0.0]])}
    ours, reference = LIFNest(2, **arguments), LIF(2, **arguments)
    data = events(1, 100, 2)
    np.testing.assert_array_equal(ours(data)[0], reference(data)[0])
    np.testing.assert_allclose(ours.vmem, reference.vmem, atol=1e-8)


def test_several_threads_give_the_same() -> None:
    data = events(2, 80, 6)
    arguments = {"has_rec": True, "w_rec": np.full((6, 6), -1 / 64), "max_spikes_per_dt": 1}
    outputs = [LIFNest(6, num_threads=n, **arguments)(data)[0] for n in (1, 3)]
    np.testing.assert_array_equal(*outputs)
    assert outputs[0].sum() > 0
    np.testing.assert_allclose(
        ExpSynNest(6, num_threads=3)(data)[0], ExpSyn(6)(data)[0], atol=1e-12
    )


@pytest.mark.parametrize(("cls", "reference"), [(LIFNest, LIF), (ExpSynNest, ExpSyn)])
def test_noise_is_that_of_numpy(cls: type, reference: type) -> None:
    outputs = []
    arguments = {"max_spikes_per_dt": 1} if cls is LIFNest else {}
    for kind in (cls, reference):
        np.random.seed(0)
        outputs.append(kind(3, noise_std=5.0, **arguments)(np.zeros((2, 50, 3)))[0])
    np.testing.assert_allclose(*outputs, atol=1e-12)
    assert outputs[0].any()


@pytest.mark.parametrize("cls", [LIFNest, ExpSynNest])
def test_no_time_is_no_problem(cls: type) -> None:
    assert cls(3)(np.zeros((2, 0, 3)))[0].shape == (2, 0, 3)


@pytest.mark.parametrize("cls", [LIFNest, ExpSynNest])
def test_a_copy_goes_on_where_the_original_was(cls: type) -> None:
    module = cls(3)
    module(events(20, 3))
    wanted = copy.deepcopy(module)(events(20, 3))[0]
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(module))(events(20, 3))[0], wanted)
    assert wanted.any()


@pytest.mark.parametrize("cls", [LIFNest, ExpSynNest])
@pytest.mark.parametrize("threads", [0, 1.5])
def test_a_wrong_number_of_threads_is_refused(cls: type, threads: float) -> None:
    with pytest.raises(
        ValueError, match=f"{cls.__name__}: num_threads must be a whole number >= 1"
    ):
        cls(2, num_threads=threads)


def test_the_propagator_is_the_integral_of_the_current() -> None:
    tau_mem, tau_syn = np.array([20.0, 5.0, 10.0, 10.0]), np.array([5.0, 20.0, 10.0, 10.0 + 1e-9])
    time = (np.arange(200_000) + 0.5) / 200_000
    current = np.exp(-time[:, np.newaxis] / tau_syn)
    wanted = (current * np.exp(-(1 - time[:, np.newaxis]) / tau_mem)).mean(axis=0)
    np.testing.assert_allclose(propagator(tau_mem, tau_syn, 1.0), wanted, rtol=1e-9)


@pytest.mark.parametrize(
    "parameters",
    [
        {"threshold": [1.0, 2.0]},
        {"tau_mem": [20e-3, 30e-3]},
        {"tau_syn": [[10e-3], [20e-3]]},
        {"threshold": [1.0, 2.0], "tau_syn": [[10e-3], [20e-3]]},
        {"threshold": [0.5, 1.0], "has_rec": True, "w_rec": np.diag([0.25, 0.5])},
    ],
)
def test_any_of_the_parameters_may_differ_between_neurons(parameters):
    data = np.full((2, 30, 2), 0.25)
    wanted, _, _ = LIF(2, max_spikes_per_dt=1, **parameters)(data)
    output, _, _ = LIFNest(2, max_spikes_per_dt=1, **parameters)(data)
    np.testing.assert_array_equal(output, wanted)
    assert wanted.any()


@pytest.mark.parametrize("bias", [0.0, 2.0**-12])
def test_a_long_ramp_without_leak_reaches_the_threshold_in_time(bias):
    ramp = np.zeros((1, 2500, 1))
    ramp[0, 0] = 2.0**-10 - bias
    parameters = {"tau_mem": np.inf, "tau_syn": np.inf, "max_spikes_per_dt": 1, "bias": bias}
    wanted, _, _ = LIF(1, **parameters)(ramp)
    output, _, _ = LIFNest(1, **parameters)(ramp)
    np.testing.assert_array_equal(np.nonzero(output[0, :, 0])[0], [1023, 2047])
    np.testing.assert_array_equal(output, wanted)


@pytest.mark.parametrize("tau", [np.inf, [np.inf, 0.01]])
def test_a_synapse_without_leak_is_a_sum(tau):
    data = np.random.default_rng(3).random((2, 50, 2))
    output, _, _ = ExpSynNest(2, tau=tau)(data)
    np.testing.assert_allclose(output, ExpSyn(2, tau=tau)(data)[0], rtol=1e-13)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_input_that_is_not_finite_is_refused(value):
    layer = LIFNest(2)
    data = np.full((1, 5, 2), 0.1)
    layer(data)
    before = layer.vmem
    data[0, 2, 1] = value
    with pytest.raises(ValueError, match="LIFNest: the input and the state must be finite"):
        layer(data)
    assert layer.vmem is before


@pytest.mark.parametrize(("short", "spikes"), [(0.0, 1), (3e-11, 1), (3e-10, 0)])
def test_a_membrane_within_a_part_in_10_to_the_10_of_its_threshold_has_reached_it(short, spikes):
    """NEST adds currents in an order of its own, so that ten times 0.1 must not tell."""
    layer = LIFNest((10, 1), tau_mem=np.inf, tau_syn=np.inf)
    for n_batch in (1, 2):
        layer.reset_state()
        output, _, _ = layer(np.full((n_batch, 1, 10), 0.1 * (1 - short)))
        assert output.ravel().tolist() == [spikes] * n_batch
