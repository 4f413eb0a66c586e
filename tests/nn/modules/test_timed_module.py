"""Timed modules: the clock, step counts, input and output, modules inside modules."""

import copy
import inspect
import itertools
import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.timed import Echo, Pair, clocked, counts, events

from rockpool.nn.modules import LIF, Module, Rate, TimedModule, TimedModuleWrapper
from rockpool.nn.modules.timed_module import leaves, tree_map
from rockpool.timeseries import TSContinuous, TSEvent

# -- the clock -------------------------------------------------------------------------------


def test_the_clock_moves_on_by_the_steps_of_each_call():
    module = Echo()
    assert module.t == 0.0
    module(num_timesteps=3)
    module(duration=0.002)
    assert module.steps == [3, 2]
    assert module.t == 0.005


@pytest.mark.parametrize(("dt", "time", "steps"), [(0.1, 0.3, 3), (1e-3, 0.0035, 3), (0.1, 0, 0)])
def test_a_time_that_is_set_is_rounded_down_to_a_whole_step(dt, time, steps):
    module = Echo(dt=dt)
    module.t = time
    assert module.t == steps * dt


def test_the_clock_is_exact_after_many_steps():
    module = Echo(dt=0.1)
    for _ in range(300):
        module(num_timesteps=1)
    assert module.t == 300 * 0.1


def test_a_call_that_fails_leaves_the_clock_alone():
    module = Echo()
    module(num_timesteps=2)
    with pytest.raises(ValueError, match="does not cover"):
        module(clocked(3), num_timesteps=5)
    assert module.t == 0.002
    module(clocked(4))
    assert module.t == 0.004


def test_a_derived_evolve_that_calls_its_base_moves_the_clock_once():
    class Louder(Echo):
        def evolve(self, *args, **kwargs):
            output, state, record = super().evolve(*args, **kwargs)
            return TSContinuous.from_clocked(2 * output.samples, self.dt), state, record

    module = Louder()
    output, _, _ = module(clocked(4))
    assert module.t == 0.004
    np.testing.assert_array_equal(output.samples, 2 * clocked(4).samples)


def test_reset_time_reaches_all_modules_inside():
    class Plain(Module):
        def __init__(self):
            super().__init__((2,))
            self.inner = Echo()

        def evolve(self, input_data, record=False):
            return input_data, {}, {}

    pair = Pair(1e-3, Echo(), TimedModuleWrapper(Plain(), dt=1e-3))
    pair.first.t = pair.second.t = pair.second.module.inner.t = pair.t = 0.5
    assert pair.reset_time() is pair
    assert [m.t for m in (pair, pair.first, pair.second, pair.second.module.inner)] == [0.0] * 4


def test_reset_all_resets_states_and_clocks():
    module = Echo()
    module(clocked(3))
    assert module.reset_all() is module
    assert module.t == 0.0
    np.testing.assert_array_equal(module.sum, [0, 0])


# -- how many steps --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "steps"),
    [
        ({"num_timesteps": 3}, 3),
        ({"num_timesteps": np.int64(3)}, 3),
        ({"num_timesteps": np.uint8(0)}, 0),
        ({"duration": 0.3}, 3),
        ({"duration": np.float32(0.7)}, 7),
        ({"duration": 0.29999999}, 3),
        ({"duration": np.float32(7000.1)}, 70001),
        ({"duration": 0}, 0),
        ({"ts_input": clocked(7, dt=0.1)}, 7),
        ({"ts_input": clocked(7, dt=0.1, periodic=True)}, 7),
        ({"ts_input": clocked(7, dt=0.1), "duration": 0.2}, 2),
        ({"ts_input": clocked(7, dt=0.1), "duration": 0.2, "num_timesteps": 4}, 4),
        ({"ts_input": clocked(7, dt=0.25)}, 17),
    ],
)
def test_the_number_of_steps_follows_from_what_is_given(arguments, steps):
    module = Echo(dt=0.1)
    output, _, _ = module(**arguments)
    assert module.steps == [steps]
    assert len(output) == steps
    assert module.t == pytest.approx(0.1 * steps)


def test_input_that_does_not_repeat_is_read_to_its_end():
    module = Echo()
    series = clocked(10)
    module(series, num_timesteps=4)
    output, _, _ = module(series)
    assert module.steps == [4, 6]
    np.testing.assert_array_equal(output.samples, series.samples[4:])


@pytest.mark.parametrize("series", [clocked(10), TSContinuous([0.0, 0.01], [[1, 2], [3, 4]])])
def test_reading_past_the_end_says_so(series):
    module = Echo()
    module(series)
    with pytest.raises(
        ValueError, match=r"Echo: the input ends at 0\.01 s, and it is 0\.01 s alre"
    ):
        module(series)
    with pytest.raises(
        ValueError, match=r"values from 0 to 0\.01 s, which does not cover the 3 st"
    ):
        module(series, num_timesteps=3)
    assert module.t == 0.01


def test_events_beyond_the_end_are_none():
    module = Echo(spiking_input=True)
    output, _, _ = module(events(10), num_timesteps=15)
    assert not output.samples[10:].any()
    with pytest.raises(ValueError, match="the input ends at"):
        module(events(10))


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ({}, TypeError, "needs one of ts_input, duration, num_timesteps"),
        ({"num_timesteps": 2.0}, TypeError, "num_timesteps must be an integer, got 2.0"),
        ({"num_timesteps": "2"}, TypeError, "num_timesteps must be an integer, got '2'"),
        ({"num_timesteps": -1}, ValueError, "num_timesteps must be >= 0, got -1"),
        ({"duration": -1.0}, ValueError, "duration must be >= 0 s, got -1.0"),
        ({"duration": np.inf}, ValueError, "duration must be >= 0 s, got inf"),
        ({"duration": 0.0025}, ValueError, "whole number of time steps of 0.001 s, got 0.0025 s"),
        ({"duration": 0.0049}, ValueError, "duration must be a whole number of time steps"),
        ({"ts_input": 3}, TypeError, "ts_input must be a TSContinuous, got int"),
        ({"ts_input": np.ones((3, 2))}, TypeError, "must be a TSContinuous, got ndarray"),
        ({"ts_input": TSEvent(t_stop=1)}, TypeError, "must be a TSContinuous, got TSEvent"),
        ({"ts_input": 3, "num_timesteps": 2}, TypeError, "must be a TSContinuous, got int"),
        ({"ts_input": clocked(5, 3)}, ValueError, "takes 2 input channels .* input has 3"),
    ],
)
def test_bad_arguments_of_evolve_are_named(arguments, error, words):
    module = Echo()
    with pytest.raises(error, match=f"Echo: .*{words}"):
        module(**arguments)
    assert module.t == 0.0


# -- input and output ------------------------------------------------------------------------


def test_one_channel_of_samples_goes_to_all_inputs():
    output, _, _ = Rate(2).timed()(clocked(3, channels=1))
    np.testing.assert_array_equal(output.samples[:, 0], output.samples[:, 1])
    assert output.samples[-1, 0] > 0


def test_events_are_counted_in_the_steps_of_the_clock():
    raster = counts(10)
    output, _, _ = Echo(spiking_input=True)(TSEvent.from_raster(raster, 1e-3))
    np.testing.assert_array_equal(output.samples, raster)


def test_events_need_not_be_counted():
    raster = counts(10)
    module = Echo(spiking_input=True, add_events=False)
    with pytest.warns(UserWarning, match="several events"):
        output, _, _ = module(TSEvent.from_raster(raster, 1e-3))
    np.testing.assert_array_equal(output.samples, raster > 0)


def test_events_in_channels_that_the_module_has_not_are_an_error():
    silent = TSEvent([0.001], [1], t_start=0, t_stop=0.01, num_channels=5)
    assert Echo(spiking_input=True)(silent)[0].samples.sum() == 1
    with pytest.raises(ValueError, match=r"takes 2 input channels, .* events in channel 4"):
        Echo(spiking_input=True)(TSEvent([0.001], [4], t_stop=0.01))


@pytest.mark.parametrize("spiking", [False, True])
def test_the_output_begins_where_the_clock_stood(spiking):
    module = Echo(spiking_input=spiking, spiking_output=spiking)
    series = events(10) if spiking else clocked(10)
    module(series, num_timesteps=4)
    output, _, _ = module(series, num_timesteps=3)
    assert type(output) is module.output_type is module.input_type
    assert (output.t_start, output.t_stop) == pytest.approx((0.004, 0.007))
    assert output.num_channels == 2


@pytest.mark.parametrize(("spiking", "kind"), [(True, "events"), (False, "samples")])
def test_the_output_is_named(spiking, kind):
    module = Echo(spiking_output=spiking)
    assert module(num_timesteps=1)[0].name == f"Output {kind}"
    assert module(num_timesteps=1, kwargs_timeseries={"name": "mine"})[0].name == "mine"
    pair = Pair(1e-3, module, Echo())
    assert pair(num_timesteps=1)[0].name == f"Output {kind} ''first''"


def test_of_a_batch_the_first_element_is_the_output():
    output = Echo()._gen_timeseries(np.stack([np.ones((3, 2)), np.zeros((3, 2))]))
    np.testing.assert_array_equal(output.samples, np.ones((3, 2)))


@given(cuts=st.lists(st.integers(0, 60), max_size=4).map(sorted), dt=st.sampled_from([1e-3, 1 / 3]))
@settings(deadline=None, max_examples=25)
def test_a_stream_in_pieces_gives_what_the_whole_gives(cuts, dt):
    inputs = {
        False: TSContinuous.from_clocked(np.random.default_rng(0).normal(size=(60, 2)), dt),
        True: TSEvent.from_raster(counts(60), dt, spikes_at_bin_start=True),
    }
    for spiking, series in inputs.items():
        whole, _, _ = Echo(dt, spiking_input=spiking)(series)
        module = Echo(dt, spiking_input=spiking)
        pieces = [
            module(series, num_timesteps=b - a)[0].samples
            for a, b in itertools.pairwise([0, *cuts, 60])
        ]
        np.testing.assert_array_equal(np.concatenate(pieces), whole.samples)


# -- the class -------------------------------------------------------------------------------


def test_a_class_without_evolve_cannot_be_built():
    class Idle(TimedModule):
        pass

    with pytest.raises(TypeError, match="evolve"):
        Idle(dt=1e-3)


def test_the_constructors_show_their_arguments():
    assert list(inspect.signature(TimedModule).parameters)[:4] == [
        "dt",
        "spiking_input",
        "spiking_output",
        "add_events",
    ]
    assert list(inspect.signature(TimedModuleWrapper).parameters)[:4] == [
        "module",
        "output_num",
        "dt",
        "add_events",
    ]
    assert "kwargs_timeseries" in inspect.signature(Echo.evolve).parameters


def test_dt_is_a_simulation_parameter():
    assert Echo(dt=2e-3).simulation_parameters("dt") == {"dt": 2e-3}
    assert repr(Echo()) == "Echo  with shape (2,)"


@pytest.mark.parametrize(
    ("dt", "error"), [(0, ValueError), (-1, ValueError), (None, TypeError), ("a", TypeError)]
)
def test_dt_must_be_a_positive_number(dt, error):
    with pytest.raises(error, match="Echo: dt must be"):
        Echo(dt=dt)


@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))])
def test_a_copy_has_a_clock_of_its_own(duplicate):
    module = LIF(2).timed()
    module(num_timesteps=3)
    other = duplicate(module)
    other(num_timesteps=2)
    assert (module.t, other.t) == (0.003, 0.005)


# -- nested modules --------------------------------------------------------------------------


def test_the_time_step_becomes_the_least_common_multiple():
    pair = Pair(1e-3, Echo(2e-3), Echo(3e-3))
    assert pair.simulation_parameters() == {
        "dt": 6e-3,
        "first": {"dt": 2e-3},
        "second": {"dt": 3e-3},
    }


@pytest.mark.parametrize("outside", [False, True])
def test_steps_of_the_outer_module_are_as_many_of_the_inner_as_take_that_time(outside):
    class Nested(TimedModule):
        def __init__(self):
            super().__init__(1e-3, shape=(2,))
            self.inner = inner if outside else Pair(1e-3, Echo(2e-3), Echo(3e-3))
            self.other = Echo(4e-3)

        def evolve(self, ts_input=None, duration=None, num_timesteps=None, *args, **kwargs):
            self.other(ts_input, duration, num_timesteps)
            return self.inner(ts_input, duration, num_timesteps)

    inner = Pair(1e-3, Echo(2e-3), Echo(3e-3))
    net = Nested()
    assert (net.dt, net.inner.dt) == (12e-3, 6e-3)
    net(num_timesteps=2)
    net(duration=12e-3)
    assert net.other.steps == [6, 3]
    assert net.inner.first.steps == [12, 6]
    assert net.inner.second.steps == [8, 4]
    clocks = [m.t for m in (net, net.other, net.inner, net.inner.first, net.inner.second)]
    assert clocks == pytest.approx([36e-3] * 5)


def test_a_nested_module_reads_each_input_sample_at_its_own_pace():
    pair = Pair(1e-3, Echo(2e-3), Echo(3e-3))
    series = clocked(24)
    output, _, _ = pair(series)
    np.testing.assert_array_equal(output.samples, series.samples[::2])
    np.testing.assert_array_equal(pair.second.sum, series.samples[::3].sum(0))


def test_one_time_step_for_all_may_be_any():
    assert Pair(1 / 44100, Echo(1 / 44100), LIF(2, dt=1 / 44100).timed()).dt == 1 / 44100


def test_time_steps_without_a_common_multiple_are_an_error():
    with pytest.raises(ValueError, match="Pair: time steps that differ must be multiples of 1e-07"):
        Pair(1e-3, Echo(1e-3), Echo(1.00005e-3))
    with pytest.raises(ValueError, match="more than 100 times"):
        Pair(1e-3, Echo(101e-3), Echo(103e-3))


def test_a_constructor_that_failed_has_no_consequences():
    class Broken(TimedModule):
        def __init__(self):
            super().__init__(1e-3, shape=(2,))
            self.inner = Echo(2e-3)
            raise RuntimeError("broken")

        def evolve(self, *args, **kwargs):
            return None

    with pytest.raises(RuntimeError, match="broken"):
        Broken()
    assert Pair(1e-3, Echo(2e-3), Echo(3e-3)).dt == 6e-3


# -- helpers ---------------------------------------------------------------------------------


def test_leaves_go_through_nested_dicts_only():
    tree = {"a": 1, "b": {"c": [2, 3], "d": {}}, "e": {"a": 4}}
    assert list(leaves(tree)) == [("a", 1), ("c", [2, 3]), ("a", 4)]


def test_tree_map_keeps_dicts_lists_and_tuples():
    tree = {"a": 1, "b": [1, (2, 3)], "c": {}}
    assert tree_map(lambda x: x + 1, tree) == {"a": 2, "b": [2, (3, 4)], "c": {}}
    assert tree_map(str, 1) == "1"


def test_an_error_in_a_later_module_leaves_states_and_clocks_as_they_were():
    class Failing(Echo):
        def evolve(self, ts_input=None, duration=None, num_timesteps=None, *args, **kwargs):
            if self.t:
                raise ValueError("failed")
            return super().evolve(ts_input, duration, num_timesteps)

    class Outer(TimedModule):
        def __init__(self):
            super().__init__(1e-3, shape=(2, 2))
            self.first, self.second = LIF(2).timed(), Failing()

        def evolve(self, ts_input=None, duration=None, num_timesteps=None, *args, **kwargs):
            self.first(num_timesteps=num_timesteps)
            return self.second(num_timesteps=num_timesteps)

    module = Outer()
    module.first.module.bias = np.full(2, 0.25)
    module(duration=3e-3)
    before = str(module.state())

    with pytest.raises(ValueError, match="failed"):
        module(duration=3e-3)

    assert (module.t, module.first.t, module.second.t) == (3e-3, 3e-3, 3e-3)
    assert str(module.state()) == before
