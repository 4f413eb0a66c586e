"""The reference exponential synapse: known answers, equation, noise, state, errors."""

from __future__ import annotations

import copy
import inspect
import pickle
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.golden import inputs

from rockpool.nn.modules.native.exp_syn import ExpSyn

few = settings(max_examples=25, deadline=None)


def convolution(data, tau, dt):
    """The same by its definition: the sum over all earlier input of a decaying kernel."""
    steps = np.arange(data.shape[1])
    lag = (np.subtract.outer(steps, steps) + 1)[..., np.newaxis]
    tau = np.broadcast_to(tau, data.shape[2:])
    kernel = np.where(lag > 0, np.exp(-np.maximum(lag, 0) * dt / tau), 0.0)
    return np.einsum("tsn,bsn->btn", kernel, data)


def test_known_answer():
    output, state, record = ExpSyn(2, tau=[0.01, 0.02])(inputs(1, 5, 2))
    # fmt: off
    expected = [0., 0.432377, 0.2467738, 1.103093, 0.7168379, 1.0492945, 1.3889433, 1.257546,
                1.3390258, 1.7150672]
    # fmt: on
    np.testing.assert_allclose(output.ravel(), expected, atol=1e-7)
    np.testing.assert_allclose(state["isyn"], expected[-2:], atol=1e-7)
    assert record == {}


def test_noise_of_a_seeded_generator():
    np.random.seed(0)
    output, state, _ = ExpSyn(2, noise_std=1.0)(np.zeros((1, 3, 2)))
    expected = [0.055784, 0.012654, 0.03095, 0.070863, 0.059057, -0.030904]
    np.testing.assert_allclose(output.ravel(), expected, atol=1e-6)
    np.testing.assert_array_equal(state["isyn"], output[0, -1])


def test_a_pulse_is_attenuated_in_its_own_step():
    data = np.array([1.0, 0.0, 0.0])
    output, _, _ = ExpSyn(1, tau=10e-3)(data)
    np.testing.assert_allclose(output.ravel(), np.exp([-0.1, -0.2, -0.3]))


@few
@given(
    st.integers(1, 3),
    st.integers(1, 30),
    st.integers(1, 4),
    st.sampled_from([1e-3, 5e-3]),
    st.booleans(),
)
def test_it_is_a_convolution(n_batch, n_steps, n, dt, scalar):
    rng = np.random.default_rng(n_steps)
    tau = 7e-3 if scalar else rng.uniform(2e-3, 50e-3, n)
    data = rng.normal(size=(n_batch, n_steps, n))
    output, _, _ = ExpSyn(n, tau=tau, dt=dt)(data)
    np.testing.assert_allclose(output, convolution(data, tau, dt), rtol=1e-9, atol=1e-12)


@few
@given(st.integers(1, 3), st.lists(st.integers(0, 5), min_size=2, max_size=4))
def test_chunks_with_kept_batch_state_are_one_evolution(n_batch, chunks):
    data = inputs(n_batch, sum(chunks), 3)
    whole, whole_state, _ = ExpSyn(3).keep_batch_state()(data)
    module = ExpSyn(3).keep_batch_state()
    edges = np.cumsum([0, *chunks])
    parts = [module(data[:, a:b])[0] for a, b in pairwise(edges)]
    np.testing.assert_array_equal(np.concatenate(parts, axis=1), whole)
    np.testing.assert_array_equal(module.isyn, whole_state["isyn"])
    assert module.isyn.shape == (n_batch, 3)


def test_step_by_step_is_one_evolution():
    data = inputs(1, 9, 3)
    module = ExpSyn(3)
    parts = [module(data[:, t : t + 1])[0] for t in range(9)]
    np.testing.assert_array_equal(np.concatenate(parts, axis=1), ExpSyn(3)(data)[0])


def test_state_of_batch_element_0_goes_on():
    module = ExpSyn(3)
    output, state, _ = module(inputs(4, 6, 3))
    np.testing.assert_array_equal(state["isyn"], output[0, -1])
    assert state["isyn"].shape == (3,)


def test_new_time_constants_count_in_the_next_call():
    module = ExpSyn(2)
    module.tau = np.array([5e-3, 50e-3])
    np.testing.assert_array_equal(
        module(inputs(1, 6, 2))[0], ExpSyn(2, tau=[5e-3, 50e-3])(inputs(1, 6, 2))[0]
    )


def test_input_and_earlier_output_are_left_alone():
    module, data = ExpSyn(2), inputs(1, 6, 2)
    kept = data.copy()
    output, state, _ = module(data)
    results = copy.deepcopy((output, state))
    module(data)
    np.testing.assert_array_equal(data, kept)
    np.testing.assert_array_equal(output, results[0])
    np.testing.assert_array_equal(state["isyn"], results[1]["isyn"])


def test_nothing_is_drawn_without_noise():
    np.random.seed(1)
    before = np.random.get_state()
    ExpSyn(3)(np.ones((2, 5, 3)))
    after = np.random.get_state()
    np.testing.assert_array_equal(before[1], after[1])
    assert before[2] == after[2]


def test_no_time_steps():
    output, state, _ = ExpSyn(2, noise_std=1.0)(np.zeros((1, 0, 2)))
    assert output.shape == (1, 0, 2) and not state["isyn"].any()


def test_registry():
    module = ExpSyn(3)
    attributes, _ = module._get_attribute_registry()
    table = [(n, kind, family, shape) for n, (_, kind, family, _, shape) in attributes.items()]
    assert table == [
        ("dt", "SimulationParameter", None, ()),
        ("max_window_length", "SimulationParameter", None, ()),
        ("noise_std", "SimulationParameter", None, ()),
        ("tau", "Parameter", "taus", (3,)),
        ("isyn", "State", None, (3,)),
    ]
    assert module.shape == (3,) and module.spiking_input and not module.spiking_output
    assert np.all(module.tau == 10e-3) and module.dt == 1e-3 and module.max_window_length == 1e6
    assert module.noise_std == 0 and module.noise_std.dtype == np.float64


def test_signature():
    parameters = inspect.signature(ExpSyn).parameters
    assert {n: p.default for n, p in parameters.items() if p.default is not p.empty} == {
        "tau": None,
        "noise_std": 0.0,
        "dt": 1e-3,
        "max_window_length": 1e6,
        "spiking_input": True,
        "spiking_output": False,
        "dtype": np.float64,
    }


def test_pickle():
    module = ExpSyn(2, tau=[0.01, 0.02])
    module(inputs(1, 5, 2))
    again = pickle.loads(pickle.dumps(module))
    np.testing.assert_array_equal(again(inputs(1, 5, 2))[0], module(inputs(1, 5, 2))[0])


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"shape": (3, 3)}, ValueError, r"ExpSyn: shape must be N or \(N,\), got \(3, 3\)"),
        ({"tau": -1e-3}, ValueError, "ExpSyn: tau must be > 0 s, got -0.001"),
        ({"tau": [1.0, 2.0]}, ValueError, r"ExpSyn: tau must have shape \(3,\) or \(\)"),
        ({"dt": 0}, ValueError, "ExpSyn: dt must be > 0 s, got 0"),
        ({"noise_std": -1}, ValueError, "ExpSyn: noise_std must be >= 0, got -1"),
        ({"max_window_length": 0}, ValueError, "ExpSyn: max_window_length must be a whole number"),
        ({"shape": "three"}, TypeError, "ExpSyn: shape must be an int or a tuple of ints"),
    ],
)
def test_wrong_arguments(arguments, error, message):
    with pytest.raises(error, match=message):
        ExpSyn(**{"shape": 3, **arguments})


@pytest.mark.parametrize("shape", [(1, 5, 2), (1, 1, 5, 3), ()])
def test_wrong_input(shape):
    with pytest.raises(ValueError, match="ExpSyn: the input must have"):
        ExpSyn(3)(np.zeros(shape))
