"""The reference LIF module: known answers, equations, state, records, errors."""

from __future__ import annotations

import copy
import inspect
import pickle

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from support.golden import (
    LIF_CONSTANTS,
    LIF_IREC,
    LIF_ISYN,
    LIF_SPIKES,
    LIF_VMEM,
    inputs,
    weights,
)

from rockpool.nn import modules
from rockpool.nn.modules.native.lif import LIF, sigmoid, spike_subtract_threshold
from rockpool.parameters import Constant

few = settings(max_examples=25, deadline=None)


def layer(shape=(4, 2), **arguments):
    """A layer of the known constants."""
    return LIF(shape, **{**LIF_CONSTANTS, **arguments})


def recurrent_layer(**arguments):
    return layer(has_rec=True, w_rec=weights(2, 4), **arguments)


@st.composite
def any_layer(draw):
    """Draw a function that makes equal layers, and the number of their inputs."""
    n_out = draw(st.integers(1, 4))
    n_syn = draw(st.integers(1, 3))
    rng = np.random.default_rng(draw(st.integers(0, 2**31)))
    arguments = {
        "tau_mem": rng.uniform(2e-3, 50e-3, n_out),
        "tau_syn": rng.uniform(2e-3, 50e-3, (n_out, n_syn)),
        "bias": rng.normal(0, 0.1, n_out),
        "threshold": rng.uniform(0.3, 2.0, n_out),
        "max_spikes_per_dt": draw(st.sampled_from([1, 3, 2**16])),
    }
    if draw(st.booleans()):
        arguments |= {"has_rec": True, "w_rec": rng.normal(0, 0.2, (n_out, n_out * n_syn))}
    n_in = n_out * n_syn
    return lambda: LIF((n_in, n_out), **arguments), n_in


def random_input(n_batch, n_steps, n_in):
    return np.random.default_rng(n_batch + n_steps).normal(0.3, 1.0, (n_batch, n_steps, n_in))


def assert_equal_trees(first, second):
    assert first.keys() == second.keys()
    for name in first:
        np.testing.assert_allclose(first[name], second[name], rtol=1e-9, atol=1e-12)


class TestKnownAnswers:
    def test_recurrent_layer_with_two_synapses(self):
        output, state, record = recurrent_layer()(inputs(2, 6, 4, 1.5), record=True)

        assert output.reshape(2, -1).tolist() == LIF_SPIKES
        np.testing.assert_allclose(record["vmem"][0].ravel(), LIF_VMEM, atol=1e-7)
        np.testing.assert_allclose(record["isyn"][0].ravel(), LIF_ISYN, atol=1e-7)
        np.testing.assert_allclose(record["irec"][0].ravel(), LIF_IREC, atol=1e-7)
        np.testing.assert_allclose(state["vmem"], LIF_VMEM[-2:], atol=1e-7)
        np.testing.assert_allclose(state["isyn"].ravel(), LIF_ISYN[-4:], atol=1e-7)
        assert state["spikes"].tolist() == [6, 11]

    def test_second_call_goes_on_from_the_state(self):
        module = recurrent_layer()
        module(inputs(2, 6, 4, 1.5))
        output, state, _ = module(inputs(2, 6, 4, 1.5)[:1])
        assert output.ravel().tolist() == [6, 13, 8, 15, 8, 18, 11, 20, 11, 21, 13, 24]
        np.testing.assert_allclose(state["vmem"], [0.8645473, 0.6730488], atol=1e-7)

    def test_noise_of_a_seeded_generator(self):
        np.random.seed(0)
        _, _, record = LIF(2, noise_std=1.0)(np.zeros((1, 3, 2)), record=True)
        expected = [0.055784, 0.012654, 0.084014, 0.0829, 0.138974, 0.047953]
        np.testing.assert_allclose(record["vmem"].ravel(), expected, atol=1e-6)

    def test_bias_alone(self):
        bias, tau = 0.3, 20e-3
        _, _, record = LIF(1, bias=bias, tau_mem=tau)(np.zeros((1, 2, 1)), record=True)
        assert record["vmem"][0, 0, 0] == bias
        assert record["vmem"][0, 1, 0] == bias * np.exp(-1e-3 / tau) + bias

    def test_spikes_are_limited_and_the_rest_stays(self):
        output, state, _ = LIF(1, bias=7.25, max_spikes_per_dt=3)(np.zeros((1, 1, 1)))
        assert output.item() == 3
        assert state["vmem"] == pytest.approx(4.25)

    def test_without_leak(self):
        module = LIF(1, tau_mem=np.inf, tau_syn=1e-9, bias=0.25)
        output, _, _ = module(np.zeros((1, 8, 1)))
        assert output.ravel().tolist() == [0, 0, 0, 1, 0, 0, 0, 1]


@pytest.mark.parametrize(
    ("x", "threshold", "spikes"),
    [
        ([-3.0, 0.0, 0.99, 1.0, 2.5], 1.0, [0, 0, 0, 1, 2]),
        ([1.0, 2.0], [0.25, 3.0], [4, 0]),
        ([7.0], 1.0, [5]),
    ],
)
def test_spike_subtract_threshold(x, threshold, spikes):
    assert spike_subtract_threshold(x, threshold, max_spikes_per_dt=5).tolist() == spikes


def test_sigmoid():
    np.testing.assert_allclose(sigmoid([0.0, 1.0], 1.0), [0.5, np.tanh(1.0) / 2 + 0.5])


class TestRegistry:
    @staticmethod
    def table(module):
        attributes, modules = module._get_attribute_registry()
        assert modules == {}
        return [
            (name, kind, family, shape) for name, (_, kind, family, _, shape) in attributes.items()
        ]

    def test_recurrent(self):
        assert self.table(LIF((4, 2), has_rec=True)) == [
            ("_has_rec", "SimulationParameter", None, ()),
            ("w_rec", "Parameter", "weights", (2, 4)),
            ("tau_mem", "Parameter", "taus", (2,)),
            ("tau_syn", "Parameter", "taus", (2, 2)),
            ("bias", "Parameter", "bias", (2,)),
            ("threshold", "Parameter", "threshold", (2,)),
            ("dt", "SimulationParameter", None, ()),
            ("noise_std", "SimulationParameter", None, ()),
            ("spikes", "State", None, (2,)),
            ("isyn", "State", None, (2, 2)),
            ("vmem", "State", None, (2,)),
            ("max_spikes_per_dt", "SimulationParameter", None, ()),
        ]

    def test_not_recurrent(self):
        table = self.table(LIF(2))
        assert table[1] == ("w_rec", "SimulationParameter", None, (2, 2))
        assert ("tau_syn", "Parameter", "taus", (2, 1)) in table
        assert ("isyn", "State", None, (2, 1)) in table

    def test_scalars_stay_scalars(self):
        module = LIF((4, 2), tau_mem=0.01, tau_syn=0.02, bias=0.1, threshold=0.5)
        parameters = module.parameters()
        assert {name: np.shape(value) for name, value in parameters.items()} == {
            "tau_mem": (),
            "tau_syn": (),
            "bias": (),
            "threshold": (),
        }
        assert {name: float(value) for name, value in parameters.items()} == {
            "tau_mem": 0.01,
            "tau_syn": 0.02,
            "bias": 0.1,
            "threshold": 0.5,
        }

    def test_defaults(self):
        module = LIF((4, 2))
        assert module.shape == (4, 2) and module.n_synapses == 2
        assert not module.spiking_input and module.spiking_output
        assert np.all(module.tau_mem == 20e-3) and np.all(module.tau_syn == 20e-3)
        assert np.all(module.bias == 0) and np.all(module.threshold == 1)
        assert (module.dt, module.noise_std, module.max_spikes_per_dt) == (1e-3, 0.0, 65536.0)
        assert all(np.all(value == 0) for value in module.state().values())

    def test_all_values_are_float64(self):
        module = LIF((4, 2), tau_syn=[[1, 2], [3, 4]], bias=[1, 2], has_rec=True)
        assert all(value.dtype == np.float64 for value in module.parameters().values())

    @pytest.mark.parametrize(
        ("given", "shape"),
        [
            (0.01, ()),
            ([0.01, 0.02, 0.03, 0.04], (2, 2)),
            ([0.01, 0.02], (1, 2)),
            ([[0.01, 0.02]], (1, 2)),
            ([[0.01, 0.02], [0.03, 0.04]], (2, 2)),
        ],
    )
    def test_shapes_of_tau_syn(self, given, shape):
        module = LIF((4, 2), tau_syn=given)
        assert module.tau_syn.shape == shape
        assert module(np.ones((1, 3, 4)))[0].shape == (1, 3, 2)

    def test_constants_are_not_parameters(self):
        module = LIF(
            2,
            tau_mem=Constant(0.01),
            tau_syn=Constant(0.02),
            bias=Constant(0.0),
            threshold=Constant([1.0, 2.0]),
        )
        assert module.parameters() == {}
        assert {"tau_mem", "tau_syn", "bias", "threshold"} <= module.simulation_parameters().keys()

    def test_values_are_copies_of_the_arguments(self):
        tau = np.array([0.01, 0.02])
        module = LIF(2, tau_mem=tau)
        tau[:] = 1.0
        assert module.tau_mem.tolist() == [0.01, 0.02]

    def test_reset_parameters(self):
        module = layer()
        module.tau_mem = np.array([1.0, 1.0])
        module.reset_parameters()
        assert module.tau_mem.tolist() == [0.01, 0.03]

    def test_signature_is_that_of_the_constructor(self):
        parameters = inspect.signature(LIF).parameters
        defaults = {name: p.default for name, p in parameters.items() if p.default is not p.empty}
        assert next(iter(parameters)) == "shape"
        assert defaults.pop("weight_init_func").__name__ == "kaiming"
        assert defaults.pop("dtype") is np.float64
        assert defaults == {
            "tau_mem": None,
            "tau_syn": None,
            "bias": None,
            "w_rec": None,
            "has_rec": False,
            "threshold": None,
            "noise_std": 0.0,
            "max_spikes_per_dt": 2**16,
            "dt": 1e-3,
            "spiking_input": False,
            "spiking_output": True,
        }


class TestAbsentWeights:
    """The zero weights of a layer without recurrence are visible, and cost nothing."""

    @staticmethod
    def assert_free(module):
        assert module.w_rec.shape == (2000, 2000)
        assert not module.w_rec.any()
        assert module.w_rec.strides == (0, 0)
        assert module.simulation_parameters()["w_rec"] is module.w_rec

    def test_zero_without_memory(self):
        self.assert_free(LIF(2000))

    @pytest.mark.parametrize("copied", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))])
    def test_in_a_copy(self, copied):
        self.assert_free(copied(LIF(2000)))

    def test_pickle_is_small(self):
        assert len(pickle.dumps(LIF(2000))) < 1_000_000

    def test_they_cannot_be_written_to(self):
        with pytest.raises(ValueError, match="read-only"):
            LIF(2).w_rec[0, 0] = 1.0

    def test_weights_that_are_set_later_do_not_make_it_recurrent(self):
        module = LIF(2)
        before, _, _ = module(inputs(1, 20, 2, 3.0))
        module.reset_state()
        with pytest.raises(ValueError, match="w_rec was given, but the layer is not recurrent"):
            module.w_rec = np.ones((2, 2))
        module.w_rec = np.zeros((2, 2))
        after, _, _ = module(inputs(1, 20, 2, 3.0))
        assert before.sum() > 0
        np.testing.assert_array_equal(before, after)


class TestRecords:
    def test_only_on_request(self):
        assert layer()(inputs(1, 3, 4))[2] == {}

    def test_names_and_shapes(self):
        output, _, record = layer()(inputs(3, 5, 4), record=True)
        assert {name: values.shape for name, values in record.items()} == {
            "irec": (3, 5, 2, 2),
            "spikes": (3, 5, 2),
            "isyn": (3, 5, 2, 2),
            "vmem": (3, 5, 2),
        }
        assert record["spikes"] is output
        assert not record["irec"].any()

    def test_recording_does_not_change_the_answer(self):
        data = inputs(2, 30, 4, 1.5)
        with_record = recurrent_layer()(data, record=True)
        without = recurrent_layer()(data)
        np.testing.assert_array_equal(with_record[0], without[0])
        assert_equal_trees(with_record[1], without[1])

    @pytest.mark.parametrize("n_steps", [1, 6])
    def test_as_time_series(self, n_steps):
        module = recurrent_layer()
        _, _, record = module(inputs(2, n_steps, 4, 1.5), record=True)
        wrapped = module._wrap_recorded_state(record, 0.5)
        assert {name: series.name for name, series in wrapped.items()} == {
            "vmem": "$V_{mem}$",
            "isyn": "$I_{syn}$",
            "irec": "$I_{rec}$",
            "spikes": "Spikes",
        }
        assert all(series.t_start == 0.5 for series in wrapped.values())
        np.testing.assert_array_equal(wrapped["vmem"].samples, record["vmem"][0])
        assert wrapped["isyn"].samples.shape == (n_steps, 4)
        np.testing.assert_array_equal(wrapped["isyn"].samples[:, 2], record["isyn"][0, :, 1, 0])
        assert wrapped["spikes"].num_channels == 2
        raster = wrapped["spikes"].raster(module.dt, num_timesteps=n_steps, add_events=True)
        np.testing.assert_array_equal(raster, record["spikes"][0])


class TestRandomness:
    def test_nothing_is_drawn_without_noise(self):
        np.random.seed(1)
        before = np.random.get_state()[1:3]
        module = LIF(3)
        module(np.ones((2, 5, 3)))
        after = np.random.get_state()[1:3]
        np.testing.assert_array_equal(before[0], after[0])
        assert before[1] == after[1]

    def test_noise_has_the_stated_spread(self):
        np.random.seed(2)
        module = LIF(50, noise_std=2.0, tau_mem=1e-9, threshold=1e6, dt=4e-3)
        _, _, record = module(np.zeros((4, 100, 50)), record=True)
        assert record["vmem"].std() == pytest.approx(2.0 * np.sqrt(4e-3), rel=0.03)
        assert record["vmem"].mean() == pytest.approx(0.0, abs=0.005)

    def test_bias_is_added_to_noise(self):
        def mean_of(bias):
            np.random.seed(3)
            module = LIF(50, noise_std=0.1, tau_mem=1e-9, threshold=1e6, bias=bias)
            return module(np.zeros((4, 10, 50)), record=True)[2]["vmem"].mean()

        assert mean_of(0.5) - mean_of(0.0) == pytest.approx(0.5)


class TestEquivalences:
    @few
    @given(any_layer(), st.integers(1, 4), st.integers(1, 12))
    def test_a_batch_is_a_loop_over_its_elements(self, made, n_batch, n_steps):
        make, n_in = made
        data = random_input(n_batch, n_steps, n_in)
        output, _, record = make()(data, record=True)
        assert output.shape == (n_batch, n_steps, make().size_out)
        for b in range(n_batch):
            one, _, one_record = make()(data[b : b + 1], record=True)
            np.testing.assert_array_equal(output[b], one[0])
            assert_equal_trees(
                {name: values[b] for name, values in record.items()},
                {name: values[0] for name, values in one_record.items()},
            )

    @few
    @given(any_layer(), st.integers(1, 3), st.lists(st.integers(0, 6), min_size=2, max_size=4))
    def test_chunks_with_kept_batch_state_are_one_evolution(self, made, n_batch, chunks):
        make, n_in = made
        data = random_input(n_batch, sum(chunks), n_in)
        whole, whole_state, _ = make().keep_batch_state()(data)
        module = make().keep_batch_state()
        parts, start = [], 0
        for length in chunks:
            output, state, _ = module(data[:, start : start + length])
            parts.append(output)
            start += length
        np.testing.assert_array_equal(np.concatenate(parts, axis=1), whole)
        assert_equal_trees(state, whole_state)
        assert state["isyn"].shape == (n_batch, module.size_out, module.n_synapses)

    @few
    @given(any_layer(), st.integers(1, 10))
    def test_step_by_step_is_one_evolution(self, made, n_steps):
        make, n_in = made
        data = random_input(1, n_steps, n_in)
        whole, whole_state, _ = make()(data)
        module = make()
        parts = [module(data[:, t : t + 1])[0] for t in range(n_steps)]
        np.testing.assert_array_equal(np.concatenate(parts, axis=1), whole)
        assert_equal_trees(module.state(), whole_state)

    def test_without_kept_batch_state_element_0_goes_on(self):
        module = recurrent_layer()
        data = inputs(2, 6, 4, 1.5)
        _, state, _ = module(data)
        alone = recurrent_layer()
        alone(data[:1])
        assert_equal_trees(state, alone.state())
        assert state["vmem"].shape == (2,)

    @pytest.mark.parametrize("shape", [(7,), (7, 4), (1, 7, 4), (7, 1)])
    def test_ranks_of_input(self, shape):
        data = inputs(1, 7, 4, 1.5)
        given = {1: data[0, :, 0], 2: data[0], 3: data}[len(shape)][..., : shape[-1]]
        expected = data if shape[-1] == 4 else np.repeat(data[:, :, :1], 4, axis=2)
        output, _, _ = layer()(given)
        np.testing.assert_array_equal(output, layer()(expected)[0])

    def test_a_synapse_belongs_to_its_neuron(self):
        data = np.zeros((1, 1, 6))
        data[0, 0, 4] = 10.0  # synapse 1 of neuron 1, of three per neuron
        _, _, record = LIF((6, 2))(data, record=True)
        assert np.argwhere(record["isyn"][0, 0]).tolist() == [[1, 1]]
        assert np.argwhere(record["vmem"][0, 0]).tolist() == [[1]]

    def test_recurrent_weights_reach_their_synapse(self):
        w_rec = np.zeros((2, 6))
        w_rec[0, 4] = 1.0  # from neuron 0 to synapse 1 of neuron 1
        data = np.zeros((1, 2, 6))
        data[0, 0, 0] = 5.0
        _, _, record = LIF((6, 2), has_rec=True, w_rec=w_rec)(data, record=True)
        assert record["spikes"][0, 0, 0] > 0
        assert np.argwhere(record["irec"][0, 1]).tolist() == [[1, 1]]

    def test_input_is_left_alone(self):
        data = inputs(2, 6, 4, 1.5)
        kept = data.copy()
        recurrent_layer()(data, record=True)
        np.testing.assert_array_equal(data, kept)

    def test_a_returned_state_does_not_change_later(self):
        module = recurrent_layer()
        _, state, _ = module(inputs(1, 6, 4, 1.5))
        kept = copy.deepcopy(state)
        module(inputs(1, 6, 4, 1.5))
        assert_equal_trees(state, kept)

    def test_no_time_steps(self):
        output, state, _ = layer()(np.zeros((2, 0, 4)))
        assert output.shape == (2, 0, 2)
        assert all(np.all(value == 0) for value in state.values())

    def test_reset_state(self):
        module = recurrent_layer()
        first, _, _ = module(inputs(1, 6, 4, 1.5))
        assert module.reset_state() is module
        np.testing.assert_array_equal(module(inputs(1, 6, 4, 1.5))[0], first)


class TestErrors:
    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            ({"tau_mem": -0.02}, "LIF: tau_mem must be > 0 s, got -0.02"),
            ({"tau_mem": 0}, "LIF: tau_mem must be > 0 s, got 0"),
            ({"tau_mem": [0.01, np.nan]}, "LIF: tau_mem must be > 0 s, got nan"),
            ({"tau_mem": [0.01] * 3}, r"LIF: tau_mem must have shape \(2,\) or \(\), got \(3,\)"),
            ({"tau_syn": [[0.01, -1.0]]}, "LIF: tau_syn must be > 0 s, got -1"),
            ({"tau_syn": [0.01] * 3}, r"LIF: tau_syn must have shape \(2, 2\), \(1, 2\) or \(\)"),
            ({"bias": np.inf}, "LIF: bias must be finite, got inf"),
            ({"bias": [[1], [1, 2]]}, "LIF: bias has rows of unequal length"),
            ({"threshold": 0.0}, "LIF: threshold must be > 0, got 0"),
            ({"threshold": np.inf}, "LIF: threshold must be finite, got inf"),
            ({"w_rec": np.ones((2, 4))}, "LIF: w_rec was given, but has_rec is False"),
            (
                {"w_rec": np.ones((4, 4)), "has_rec": True},
                r"LIF: w_rec must have shape \(2, 4\), got \(4, 4\)",
            ),
            (
                {"w_rec": np.full((2, 4), np.nan), "has_rec": True},
                "LIF: w_rec must be finite, got nan",
            ),
            ({"noise_std": -1.0}, "LIF: noise_std must be >= 0, got -1"),
            ({"noise_std": [1.0, 1.0]}, "LIF: noise_std must be a single number"),
            ({"max_spikes_per_dt": 0}, "LIF: max_spikes_per_dt must be a whole number >= 1, got 0"),
            ({"max_spikes_per_dt": 1.5}, "LIF: max_spikes_per_dt must be a whole number >= 1"),
            ({"dt": 0.0}, "LIF: dt must be > 0 s, got 0"),
            ({"dt": -1e-3}, "LIF: dt must be > 0 s, got -0.001"),
            ({"shape": (5, 2)}, "LIF: Nin must be a multiple of Nout .* Nin = 5, Nout = 2"),
            ({"shape": (2, 4)}, "LIF: Nin must be a multiple of Nout .* Nin = 2, Nout = 4"),
            ({"shape": (1, 2, 3)}, r"LIF: shape must be N or \(Nin, Nout\), got \(1, 2, 3\)"),
            ({"shape": 0}, "LIF: each entry of shape must be >= 1, got 0"),
        ],
    )
    def test_wrong_values(self, arguments, message):
        with pytest.raises(ValueError, match=message):
            LIF(**{"shape": (4, 2), **arguments})

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            ({"bias": "0.1"}, "LIF: bias must be a number or an array of numbers, got '0.1'"),
            ({"dt": None}, "LIF: dt must be a number of seconds > 0, got None"),
            ({"dt": True}, "LIF: dt must be a number of seconds > 0, got True"),
            ({"dt": np.True_}, "LIF: dt must be a number of seconds > 0, got True"),
            ({"dt": np.array(True)}, "LIF: dt must be a number of seconds > 0, got True"),
            ({"shape": 2.0}, "LIF: shape must be an int or a tuple of ints, got 2.0"),
            ({"tau_memm": 0.02}, "tau_memm"),
        ],
    )
    def test_wrong_types(self, arguments, message):
        with pytest.raises(TypeError, match=message):
            LIF(**{"shape": (4, 2), **arguments})

    def test_the_class_of_the_user_is_named(self):
        class MyNeurons(LIF):
            pass

        with pytest.raises(ValueError, match="MyNeurons: tau_mem"):
            MyNeurons(2, tau_mem=-1.0)

    @pytest.mark.parametrize("shape", [(1, 5, 3), (5, 2), (1, 1, 5, 4), ()])
    def test_wrong_input(self, shape):
        module = layer()
        before = copy.deepcopy(module.state())
        with pytest.raises(ValueError, match="LIF: the input must have"):
            module(np.zeros(shape))
        assert_equal_trees(module.state(), before)

    def test_another_batch_size_than_that_of_the_kept_state(self):
        module = layer().keep_batch_state()
        module(inputs(2, 3, 4))
        with pytest.raises(ValueError, match="batch of 2"):
            module(inputs(3, 3, 4))


class TestGraph:
    def test_neurons_carry_the_constants(self):
        module = layer()
        graph = module.as_graph()
        (neurons,) = {sink for node in graph.input_nodes for sink in node.sink_modules}
        assert len(graph.input_nodes) == 4 and len(graph.output_nodes) == 2
        assert type(neurons).__name__ == "LIFNeuronWithSynsRealValue"
        assert neurons.computational_module is module
        for name in ("tau_mem", "tau_syn", "threshold", "bias"):
            np.testing.assert_array_equal(getattr(neurons, name), getattr(module, name))
        assert neurons.dt == module.dt

    def test_recurrent_weights_lead_from_outputs_to_inputs(self):
        graph = recurrent_layer().as_graph()
        (recurrent,) = {sink for node in graph.output_nodes for sink in node.sink_modules}
        assert type(recurrent).__name__ == "LinearWeights"
        np.testing.assert_array_equal(recurrent.weights, weights(2, 4))
        assert list(recurrent.input_nodes) == list(graph.output_nodes)
        assert list(recurrent.output_nodes) == list(graph.input_nodes)


@pytest.mark.parametrize("name", ["LIF", "LIFNumba", "LIFBrian"])
@pytest.mark.parametrize("n_batch", [1, 2])
def test_synapses_are_added_up_in_their_order(name, n_batch):
    layer = getattr(modules, name)((10, 1), tau_mem=np.inf, tau_syn=np.inf)
    output, state, _ = layer(np.full((n_batch, 1, 10), 0.1))
    assert sum([0.1] * 10) < 1.0 and not output.any()
    np.testing.assert_array_equal(state["vmem"], sum([0.1] * 10))


@pytest.mark.parametrize("name", ["LIFTorch", "LIFJax"])
@pytest.mark.parametrize("kernels", ["0", "1"])
@pytest.mark.parametrize("n_synapses", [5, 9, 20])
def test_so_they_are_in_single_precision(name, kernels, n_synapses, monkeypatch):
    monkeypatch.setenv("ROCKPOOL_KERNELS", kernels)
    data = np.random.default_rng(n_synapses).random((2, 1, 3 * n_synapses), dtype=np.float32)
    layer = getattr(modules, name)(
        (3 * n_synapses, 3), tau_mem=np.inf, tau_syn=np.inf, threshold=1e3
    )
    state = layer.keep_batch_state()(torch.tensor(data) if name == "LIFTorch" else data)[1]
    vmem = np.float32(0.0)
    for synapse in np.moveaxis(data[:, 0].reshape(2, 3, n_synapses), -1, 0):
        vmem = vmem + synapse
    np.testing.assert_array_equal(np.asarray(state["vmem"]), vmem)
