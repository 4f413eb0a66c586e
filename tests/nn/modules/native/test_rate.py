"""The reference rate neuron: known answers, activation functions, state, records, errors."""

from __future__ import annotations

import inspect
import pickle
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.golden import inputs, weights

from rockpool.nn.modules.native.rate import H_ReLU, H_sigmoid, H_tanh, Rate

# answer of `recurrent_layer(activation_func="tanh")` to inputs(1, 5, 2)
# fmt: off
OUTPUT = [-0.0046384, 0.0010201, 0.0138052, 0.017335, 0.0443034, 0.0189007, 0.0861196,
          0.0259777, 0.0886866, 0.0385043]
X = [0.0053615, 0.0110201, 0.0238061, 0.0273367, 0.0543324, 0.0289029, 0.0963335, 0.0359835,
     0.0989202, 0.0485233]
REC = [0.0072305, -0.0035383, 0.0015258, -0.0004225, -0.0111226, 0.0056452, -0.0238277,
       0.0102052, -0.0428406, 0.0175194]
# fmt: on

few = settings(max_examples=25, deadline=None)
names = st.sampled_from(["relu", "tanh", "sigmoid"])


def recurrent_layer(**arguments):
    constants = {"w_rec": weights(2, 2, 1.0), "tau": [0.02, 0.05], "bias": 0.1, "threshold": 0.01}
    return Rate(2, has_rec=True, **{**constants, **arguments})


class TestKnownAnswers:
    def test_recurrent_tanh(self):
        module = recurrent_layer(activation_func="tanh")
        output, state, record = module(inputs(1, 5, 2), record=True)
        np.testing.assert_allclose(output.ravel(), OUTPUT, atol=1e-7)
        np.testing.assert_allclose(record["x"].ravel(), X, atol=1e-7)
        np.testing.assert_allclose(record["rec_input"].ravel(), REC, atol=1e-7)
        np.testing.assert_allclose(state["x"], X[-2:], atol=1e-7)

    def test_noise_of_a_seeded_generator(self):
        np.random.seed(0)
        _, _, record = Rate(2, noise_std=1.0)(np.zeros((1, 3, 2)), record=True)
        expected = [0.002789, 0.000633, 0.004197, 0.004144, 0.00694, 0.002392]
        np.testing.assert_allclose(record["x"].ravel(), expected, atol=1e-6)

    @pytest.mark.parametrize(
        ("tau", "expected"), [(5e-3, [0.2, 0.36, 0.488]), (2e-3, [0.5, 0.75, 0.875])]
    )
    def test_short_time_constants_are_taken_as_they_are(self, tau, expected):
        output, _, _ = Rate(1, tau=tau)(np.ones((1, 3, 1)))
        np.testing.assert_allclose(output.ravel(), expected, rtol=1e-12)

    def test_a_time_constant_of_one_step_follows_its_input(self):
        data = inputs(1, 5, 2)
        output, _, _ = Rate(2, tau=1e-3)(data)
        np.testing.assert_allclose(output, np.maximum(data, 0), atol=1e-15)

    @pytest.mark.parametrize("tau", [0.9e-3, [5e-3, 0.5e-3]])
    def test_a_time_constant_below_one_step_is_refused(self, tau):
        with pytest.raises(ValueError, match=r"Rate: tau must be >= dt = 0\.001 s, got 0\.000"):
            Rate(2, tau=tau)

    def test_a_constant_input_is_approached(self):
        output, _, _ = Rate(1, tau=20e-3)(np.full((1, 500, 1), 0.7))
        assert output[0, -1, 0] == pytest.approx(0.7)
        assert output[0, 19, 0] == pytest.approx(0.7 * (1 - 0.95**20))


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (H_ReLU, [0.0, 0.0, 1.5]),
        (H_tanh, np.tanh([-1.5, 0.0, 1.5])),
        (H_sigmoid, (np.tanh([-1.5, 0.0, 1.5]) + 1) / 2),
    ],
)
def test_activation_functions(function, expected):
    np.testing.assert_allclose(function(np.array([-1.0, 0.5, 2.0]), 0.5), expected)


@pytest.mark.parametrize(
    ("name", "function"),
    [
        ("relu", H_ReLU),
        ("R", H_ReLU),
        ("sigmoid", H_sigmoid),
        ("Sig", H_sigmoid),
        ("s", H_sigmoid),
        ("TANH", H_tanh),
        ("t", H_tanh),
    ],
)
def test_names_of_activation_functions(name, function):
    assert Rate(2, activation_func=name).act_fn is function


def test_own_activation_function():
    output, _, record = Rate(2, activation_func=lambda x, threshold: 2 * x + threshold)(
        inputs(1, 4, 2), record=True
    )
    np.testing.assert_array_equal(output, 2 * record["x"])


@few
@given(st.integers(1, 4), st.integers(1, 10), names, st.booleans())
def test_a_batch_is_a_loop_over_its_elements(n_batch, n_steps, name, recurrent):
    def make():
        return recurrent_layer(activation_func=name) if recurrent else Rate(2, activation_func=name)

    data = inputs(n_batch, n_steps, 2)
    output, _, record = make()(data, record=True)
    assert output.shape == (n_batch, n_steps, 2)
    for b in range(n_batch):
        one, _, one_record = make()(data[b : b + 1], record=True)
        np.testing.assert_allclose(output[b], one[0], rtol=1e-12)
        np.testing.assert_allclose(record["x"][b], one_record["x"][0], rtol=1e-12)


@few
@given(st.integers(1, 3), st.lists(st.integers(0, 5), min_size=2, max_size=4), names)
def test_chunks_with_kept_batch_state_are_one_evolution(n_batch, chunks, name):
    data = inputs(n_batch, sum(chunks), 2)
    whole, whole_state, _ = recurrent_layer(activation_func=name).keep_batch_state()(data)
    module = recurrent_layer(activation_func=name).keep_batch_state()
    edges = np.cumsum([0, *chunks])
    parts = [module(data[:, a:b])[0] for a, b in pairwise(edges)]
    np.testing.assert_array_equal(np.concatenate(parts, axis=1), whole)
    np.testing.assert_array_equal(module.x, whole_state["x"])


def test_step_by_step_is_one_evolution():
    data = inputs(1, 9, 2)
    module = recurrent_layer()
    parts = [module(data[:, t : t + 1])[0] for t in range(9)]
    np.testing.assert_array_equal(np.concatenate(parts, axis=1), recurrent_layer()(data)[0])


def test_records_only_on_request():
    assert Rate(2)(inputs(1, 3, 2))[2] == {}


def test_recurrent_input_of_a_layer_without_recurrence_is_zero():
    _, _, record = Rate(2)(inputs(2, 3, 2), record=True)
    assert record["rec_input"].shape == (2, 3, 2) and not record["rec_input"].any()


def test_nothing_is_drawn_without_noise():
    np.random.seed(1)
    before = np.random.get_state()
    Rate(3)(np.ones((2, 5, 3)))
    after = np.random.get_state()
    np.testing.assert_array_equal(before[1], after[1])
    assert before[2] == after[2]


def test_input_is_left_alone():
    data = inputs(1, 5, 2)
    kept = data.copy()
    recurrent_layer(noise_std=1.0)(data)
    np.testing.assert_array_equal(data, kept)


class TestRegistry:
    @staticmethod
    def table(module):
        attributes, _ = module._get_attribute_registry()
        return [(n, kind, family, shape) for n, (_, kind, family, _, shape) in attributes.items()]

    def test_recurrent(self):
        assert self.table(Rate(3, has_rec=True)) == [
            ("x", "State", None, (3,)),
            ("w_rec", "Parameter", "weights", (3, 3)),
            ("tau", "Parameter", "taus", (3,)),
            ("bias", "Parameter", "bias", (3,)),
            ("threshold", "Parameter", "thresholds", (3,)),
            ("dt", "SimulationParameter", None, ()),
            ("noise_std", "SimulationParameter", None, ()),
            ("act_fn", "SimulationParameter", None, ()),
        ]

    def test_not_recurrent(self):
        module = Rate(3)
        assert not hasattr(module, "w_rec")
        assert "w_rec" not in [name for name, *_ in self.table(module)]

    def test_defaults(self):
        module = Rate(3)
        assert module.shape == (3,)
        assert not module.spiking_input and not module.spiking_output
        assert np.all(module.tau == 20e-3) and not module.bias.any() and not module.threshold.any()
        assert (module.dt, module.noise_std, module.act_fn) == (1e-3, 0.0, H_ReLU)

    def test_signature(self):
        parameters = inspect.signature(Rate).parameters
        defaults = {n: p.default for n, p in parameters.items() if p.default is not p.empty}
        assert list(defaults) == [
            "tau",
            "bias",
            "threshold",
            "w_rec",
            "weight_init_func",
            "has_rec",
            "activation_func",
            "dt",
            "noise_std",
            "dtype",
        ]
        assert defaults["weight_init_func"].__name__ == "unit_eigs"
        assert defaults["activation_func"] is H_ReLU
        assert (defaults["dt"], defaults["noise_std"], defaults["has_rec"]) == (1e-3, 0.0, False)

    def test_pickle(self):
        module = recurrent_layer(activation_func="tanh")
        again = pickle.loads(pickle.dumps(module))
        np.testing.assert_array_equal(again(inputs(1, 5, 2))[0], module(inputs(1, 5, 2))[0])


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"shape": (2, 3)}, ValueError, r"Rate: shape must be N or \(N, N\), .*got \(2, 3\)"),
        ({"tau": 0.0}, ValueError, "Rate: tau must be > 0 s, got 0"),
        ({"tau": [1.0] * 3}, ValueError, r"Rate: tau must have shape \(2,\) or \(\), got \(3,\)"),
        ({"bias": np.nan}, ValueError, "Rate: bias must be finite, got nan"),
        ({"threshold": np.inf}, ValueError, "Rate: threshold must be finite, got inf"),
        ({"w_rec": np.ones((2, 2))}, ValueError, "Rate: w_rec was given, but has_rec is False"),
        ({"w_rec": np.ones(3), "has_rec": True}, ValueError, r"Rate: w_rec must have shape \(2, 2"),
        ({"noise_std": -0.1}, ValueError, "Rate: noise_std must be >= 0, got -0.1"),
        ({"dt": -1.0}, ValueError, "Rate: dt must be > 0 s, got -1"),
        ({"activation_func": "step"}, ValueError, "'relu', 'sigmoid', 'tanh', got 'step'"),
        ({"activation_func": 3}, ValueError, "Rate: activation_func must be callable, got 3"),
        ({"shape": None}, TypeError, "Rate: shape must be an int or a tuple of ints, got None"),
    ],
)
def test_wrong_arguments(arguments, error, message):
    with pytest.raises(error, match=message):
        Rate(**{"shape": 2, **arguments})


@pytest.mark.parametrize("shape", [(1, 5, 3), (1, 1, 5, 2), ()])
def test_wrong_input(shape):
    with pytest.raises(ValueError, match="Rate: the input must have"):
        Rate(2)(np.zeros(shape))


def test_graph():
    module = recurrent_layer()
    graph = module.as_graph()
    (neurons,) = {source for node in graph.output_nodes for source in node.source_modules}
    (recurrent,) = {sink for node in graph.output_nodes for sink in node.sink_modules}
    assert type(neurons).__name__ == "RateNeuronWithSynsRealValue"
    np.testing.assert_array_equal(neurons.tau, module.tau)
    np.testing.assert_array_equal(neurons.bias, module.bias)
    np.testing.assert_array_equal(recurrent.weights, module.w_rec)
    assert list(recurrent.output_nodes) == list(graph.input_nodes)
