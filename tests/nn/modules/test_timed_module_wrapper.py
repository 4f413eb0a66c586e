"""Modules of every back-end, wrapped to take and give time series."""

import numpy as np
import pytest
import torch
from support.timed import Echo, Pair, clocked, counts

from rockpool import convert, save
from rockpool.nn.combinators import FFwdStack, Residual, Sequential, Wired
from rockpool.nn.modules import (
    LIF,
    ExpSyn,
    ExpSynJax,
    LIFJax,
    Linear,
    Module,
    Rate,
    TimedModuleWrapper,
)
from rockpool.nn.modules.timed_module import leaves
from rockpool.nn.modules.torch.linear_torch import LinearTorch
from rockpool.nn.modules.torch.rate_torch import RateTorch
from rockpool.nn.modules.torch.torch_module import TorchModule
from rockpool.parameters import Parameter, State
from rockpool.timeseries import TSContinuous, TSEvent


class Counting(Module):
    """A module without a time step: a running sum, and twice that as a second output."""

    def __init__(self, shape=(2, 2)):
        super().__init__(shape)
        self.gain = Parameter(np.ones(2), family="weights")
        self.total = State(np.zeros(2))

    def evolve(self, input_data, record=False):
        data, (total,) = self._auto_batch(input_data, (self.total,))
        totals = np.cumsum(data * self.gain, axis=1) + total[:, None]
        self.total = totals[0, -1] if totals.shape[1] else self.total
        return (totals, 2 * totals), self.state(), {"totals": totals}


class Functional(Counting):
    """The same, but it changes in copies only, as modules of jax do."""

    def _update_target(self):
        return self._shallow_copy()

    def evolve(self, input_data, record=False):
        data, (total,) = self._auto_batch(input_data, (self.total,))
        totals = np.cumsum(data * self.gain, axis=1) + total[:, None]
        return (totals, 2 * totals), {"total": totals[0, -1]}, {"totals": totals}


# -- wrapped modules -------------------------------------------------------------------------


def test_a_wrapped_module_gives_what_the_module_gives():
    raster = counts(50, 3)
    make = lambda: LIF((3, 3), tau_syn=0.005, tau_mem=0.01, spiking_input=True)  # noqa: E731
    expected, _, _ = make()(raster)
    output, _, _ = TimedModuleWrapper(make())(TSEvent.from_raster(raster, 1e-3))
    assert expected.sum() > 0
    np.testing.assert_array_equal(output.raster(1e-3, add_events=True), expected[0])


def test_a_wrapped_module_is_shown_and_held_as_a_submodule():
    module = LIF(2)
    timed = module.timed()
    assert timed.module is module
    assert repr(timed) == (
        "TimedModuleWrapper  with shape (2, 2) {\n"
        "    LIF '_module' with shape (2, 2)\n"
        "} with LIF '_module' as module"
    )
    assert set(timed.parameters()) == {"_module"}
    assert set(timed.parameters()["_module"]) == {"tau_mem", "tau_syn", "bias", "threshold"}


def test_the_default_of_add_events_differs_between_timed_and_the_wrapper():
    assert LIF(2).timed().add_events is False
    assert LIF(2).timed(add_events=True).add_events is True
    assert TimedModuleWrapper(LIF(2)).add_events is True


def test_only_modules_can_be_wrapped():
    with pytest.raises(TypeError, match="module must be a Module, got int"):
        TimedModuleWrapper(3)
    with pytest.raises(TypeError, match="module must be a Module, got Echo"):
        TimedModuleWrapper(Echo())


def test_the_time_step_is_that_of_the_module():
    assert LIF(2, dt=7e-3).timed().dt == 7e-3
    with pytest.warns(UserWarning, match=r"dt = 0.002 is ignored, as the module has dt = 0.001"):
        assert LIF(2, dt=1e-3).timed(dt=2e-3).dt == 1e-3


def test_a_time_step_that_is_not_that_of_the_modules_inside_is_warned_of():
    network = Sequential(Linear((2, 2)), LIF(2, dt=1e-3))
    said = r"dt = 0.002 is not that of the modules inside \(0.001 s\)"
    with pytest.warns(UserWarning, match=said):
        assert network.timed(dt=2e-3).dt == 2e-3
    assert Sequential(Linear((2, 2)), LIF(2, dt=1e-3)).timed(dt=1e-3).dt == 1e-3


def test_a_module_without_time_step_gets_the_one_given():
    timed = Linear((2, 2)).timed(dt=5e-3)
    assert timed.dt == 5e-3
    assert timed.module.simulation_parameters() == {"dt": 5e-3}


def test_a_module_without_time_step_needs_one():
    with pytest.raises(KeyError, match="dt must be given, as Linear has none"):
        Linear((2, 2)).timed()
    with pytest.raises(ValueError, match="dt must be > 0 s"):
        Linear((2, 2)).timed(dt=-1.0)


def test_a_container_has_the_time_step_that_all_in_it_have():
    assert Sequential(LIF(2, dt=2e-3), Linear((2, 2)), Rate(2, dt=2e-3)).timed().dt == 2e-3


class Two(Module):
    """Two modules, whose time steps are its own affair."""

    def __init__(self, first, second):
        super().__init__((first.size_in, second.size_out))
        self.first, self.second = first, second

    def evolve(self, input_data, record=False):
        return self.second(self.first(input_data)[0])


def test_a_container_of_different_time_steps_is_questioned():
    chain = Two(LIF(2, dt=1e-3), Rate(2, dt=2e-3))
    with (
        pytest.warns(UserWarning, match=r"different time steps \(0.001, 0.002 s\)"),
        pytest.raises(KeyError, match="its submodules have different ones"),
    ):
        chain.timed()
    with pytest.warns(UserWarning, match="different time steps"):
        assert chain.timed(dt=1e-3).dt == 2e-3


def test_one_of_several_outputs_is_chosen():
    first, _, _ = TimedModuleWrapper(Counting(), dt=1e-3)(clocked(4))
    second, _, _ = TimedModuleWrapper(Counting(), output_num=1, dt=1e-3)(clocked(4))
    np.testing.assert_array_equal(second.samples, 2 * first.samples)


def test_records_become_time_series_where_the_module_knows_how():
    timed = LIF(2).timed()
    timed(num_timesteps=3)
    _, _, record = timed(num_timesteps=3, record=True)
    assert isinstance(record["vmem"], TSContinuous)
    assert isinstance(record["spikes"], TSEvent)
    assert record["vmem"].t_start == pytest.approx(0.003)
    assert record["vmem"].samples.shape == (3, 2)
    _, _, record = Rate(2).timed()(num_timesteps=3, record=True)
    assert record["x"].shape == (1, 3, 2)


def test_records_of_a_container_become_time_series():
    timed = Sequential(Linear((2, 3)), LIF(3)).timed()
    output, _, record = timed(clocked(20), record=True)
    assert isinstance(record["0_Linear_output"], TSContinuous)
    assert isinstance(record["1_LIF"]["isyn"], TSContinuous)
    np.testing.assert_array_equal(record["1_LIF_output"].times, output.times)


# The same module with its state in place, and in copies
running_sums = pytest.mark.parametrize("kind", [Counting, Functional])


@running_sums
def test_the_state_carries_over_from_call_to_call(kind):
    series = clocked(10)
    whole, _, _ = TimedModuleWrapper(kind(), dt=1e-3)(series)
    timed = TimedModuleWrapper(kind(), dt=1e-3)
    first, _, _ = timed(series, num_timesteps=4)
    second, _, _ = timed(series)
    pieces = np.concatenate([first.samples, second.samples])
    np.testing.assert_array_equal(pieces, whole.samples)
    np.testing.assert_array_equal(timed.module.total, whole.samples[-1])


@running_sums
def test_reset_state_goes_back_to_the_beginning_and_returns_the_wrapper(kind):
    timed = TimedModuleWrapper(kind(), dt=1e-3)
    first, _, _ = timed(clocked(4))
    assert timed.reset_state() is timed
    assert timed.t == 0.004
    again, _, _ = timed.reset_all()(clocked(4))
    np.testing.assert_array_equal(again.samples, first.samples)


@running_sums
def test_the_state_that_a_call_returns_can_be_set_again(kind):
    timed = TimedModuleWrapper(kind(), dt=1e-3)
    _, state, _ = timed(clocked(4))
    assert set(state) == set(timed.state()) == {"_module"}
    timed.reset_state()
    assert timed.set_attributes(state) is timed
    np.testing.assert_array_equal(timed.module.total, clocked(4).samples.sum(0))


@running_sums
@pytest.mark.parametrize("nested", [True, False])
def test_attributes_are_set_under_the_submodule_or_flat(kind, nested):
    timed = TimedModuleWrapper(kind(), dt=1e-3)
    values = {"total": np.array([5.0, 6.0]), "gain": np.array([2.0, 2.0])}
    timed.set_attributes({"_module": values} if nested else values)
    np.testing.assert_array_equal(timed.module.total, [5, 6])
    np.testing.assert_array_equal(timed.module.gain, [2, 2])


def test_nested_and_flat_attributes_may_be_mixed():
    timed = TimedModuleWrapper(Counting(), dt=1e-3)
    timed.set_attributes(
        {"total": np.array([1.0, 1.0]), "_module": {"gain": np.array([3.0, 3.0])}, "dt": 2e-3}
    )
    np.testing.assert_array_equal(timed.module.total, [1, 1])
    np.testing.assert_array_equal(timed.module.gain, [3, 3])
    assert timed.dt == timed.module.dt == 2e-3


@pytest.mark.parametrize("wrap", [lambda v: v, lambda v: {"_module": v}])
def test_attributes_of_a_wrong_shape_change_nothing(wrap):
    pair = Pair(1e-3, Echo(), TimedModuleWrapper(Counting(), dt=1e-3))
    new = {"total": np.ones(2), "gain": np.ones(3)}
    with pytest.raises(ValueError, match=r"gain must have the shape \(2,\), got \(3,\)"):
        pair.set_attributes({"first": {"sum": np.ones(2)}, "second": wrap(new)})
    np.testing.assert_array_equal(pair.first.sum, [0, 0])
    np.testing.assert_array_equal(pair.second.module.total, [0, 0])


def test_wrapped_modules_can_be_nested():
    pair = Pair(1e-3, LIF(2, dt=2e-3).timed(), Rate(2, dt=3e-3).timed())
    assert pair.dt == 6e-3
    output, state, _ = pair(clocked(12))
    assert output.t_stop == pytest.approx(0.012)
    pair.reset_state()
    pair.set_attributes(state)
    np.testing.assert_array_equal(pair.second.module.x, state["second"]["_module"]["x"])


# -- torch -----------------------------------------------------------------------------------


def test_a_torch_module_that_wants_a_batch_evolves_over_time_series():
    from rockpool.nn.modules import UpDownTorch

    series = TSContinuous.from_clocked(np.random.default_rng(0).normal(size=(5, 2)), 1e-3)
    layer = UpDownTorch(2, thr_up=0.3, thr_down=0.3)
    events = layer.timed(dt=1e-3)(series)[0]
    expected = layer(torch.tensor(series.samples[None], dtype=torch.float32))[0][0]
    raster = events.raster(1e-3, add_events=True)
    np.testing.assert_array_equal(raster, expected.detach().numpy())


def test_a_torch_module_evolves_over_time_series():
    series = clocked(20)
    expected, _, _ = RateTorch(2)(torch.as_tensor(series.samples[None], dtype=torch.float32))
    timed = RateTorch(2).timed()
    output, state, record = timed(series, record=True)
    assert expected.abs().sum() > 0
    np.testing.assert_array_equal(output.samples, expected[0].detach().numpy())
    assert set(state["_module"]) == set(timed.module.state())
    assert all(isinstance(values, np.ndarray) for _, values in leaves(record))
    assert record["x"].shape == (1, 20, 2)


def test_a_torch_module_without_time_step_gets_the_one_given():
    module = LinearTorch((2, 3), weight=torch.tensor([[1.0, 0.0, 2.0], [0.0, 1.0, 0.0]]))
    timed = TimedModuleWrapper(module, dt=1e-3)
    output, _, _ = timed(TSContinuous.from_clocked(counts(10), 1e-3))
    np.testing.assert_array_equal(output.samples, counts(10) @ [[1, 0, 2], [0, 1, 0]])


def test_a_torch_module_goes_on_where_it_was():
    series = clocked(60)
    whole, _, _ = RateTorch(2).timed()(series)
    timed = RateTorch(2).timed()
    pieces = [timed(series, num_timesteps=n)[0].samples for n in (7, 30, 23)]
    np.testing.assert_allclose(np.concatenate(pieces), whole.samples, rtol=1e-6)
    assert timed.reset_state() is timed
    np.testing.assert_array_equal(timed.module.x, np.zeros(2))


def test_a_torch_module_keeps_no_graph_of_the_past():
    timed = RateTorch(2).timed()
    timed(clocked(5))
    assert timed.module.x.requires_grad is False


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("spiking", [False, True])
def test_a_torch_module_gets_its_own_floating_type(dtype, spiking):
    class Scale(TorchModule):
        def __init__(self):
            super().__init__(shape=(2, 2), spiking_input=spiking)
            self.scale = Parameter(torch.tensor(2.0))

        def forward(self, data):
            assert data.dtype == self.scale.dtype == dtype
            return data * self.scale

    series = TSEvent.from_raster(counts(5), 1e-3) if spiking else clocked(5)
    output, _, _ = TimedModuleWrapper(Scale().to(dtype), dt=1e-3)(series)
    np.testing.assert_array_equal(
        output.samples, 2 * (counts(5) if spiking else clocked(5).samples)
    )


def test_a_torch_module_without_numbers_gets_single_precision():
    class Same(TorchModule):
        def forward(self, data):
            assert data.dtype == torch.float32
            assert not torch.is_grad_enabled()
            return data

    output, _, _ = Same(shape=(2, 2)).timed(dt=1e-3)(clocked(3))
    np.testing.assert_array_equal(output.samples, clocked(3).samples)


@pytest.mark.parametrize(
    ("kind", "way"),
    [
        (ExpSyn, "wrapper"),
        (ExpSyn, "set_attributes"),
        (ExpSyn, "module"),
        (ExpSynJax, "wrapper"),
        (ExpSynJax, "set_attributes"),
    ],
)
def test_a_time_step_that_is_set_is_that_of_all_inside(kind, way):
    wrapped = Sequential(kind(3, spiking_input=False)).timed()
    if way == "wrapper":
        wrapped.dt = 2e-3
    elif way == "set_attributes":
        wrapped.set_attributes({"dt": 2e-3})
    else:
        wrapped.module.dt = 2e-3
    samples = np.random.default_rng(0).random((40, 3))
    output, _, _ = wrapped(TSContinuous.from_clocked(samples, 1e-3))
    wanted = ExpSyn(3, dt=2e-3)(samples[::2])[0][0]
    np.testing.assert_allclose(output.samples, wanted, rtol=1e-6)
    assert wrapped.dt == wrapped.module[0].dt == 2e-3 and wrapped.t == 0.04


def test_the_clock_stays_where_it_is_when_the_time_step_changes():
    wrapped = ExpSyn(3).timed()
    wrapped(num_timesteps=10)
    wrapped.dt = 2e-3
    assert wrapped.t == pytest.approx(0.01)


@pytest.mark.parametrize("time", [np.nan, np.inf])
def test_a_clock_that_is_set_to_no_time(time):
    wrapped = ExpSyn(3).timed()
    with pytest.raises(ValueError, match=f"t must be a finite number of seconds, got {time}"):
        wrapped.t = time
    assert wrapped.t == 0


@pytest.mark.parametrize("kind", [LIF, LIFJax])
def test_records_of_no_time_steps(kind):
    _, _, record = kind((4, 2)).timed()(num_timesteps=0, record=True)
    assert record["isyn"].num_channels == 4 and len(record["vmem"].times) == 0
    assert record["spikes"].num_channels == 2


def test_an_output_that_there_is_not():
    wrapped = TimedModuleWrapper(Counting(), output_num=2, dt=1e-3)
    with pytest.raises(ValueError, match=r"output_num must be below 2, .* got 2"):
        wrapped(clocked(4))


def test_timed_modules_do_not_stand_in_a_row():
    timed = {"a": LIF(2).timed()}
    for container in (Sequential, Residual, FFwdStack):
        with pytest.raises(TypeError, match=r"takes and gives time series.*call timed\(\) of the"):
            container({"a": LIF(2).timed(), "b": LIF(2).timed()})
    with pytest.raises(TypeError, match="'a' takes and gives time series"):
        Wired(timed, [("input", "a"), ("a", "output")])


def test_a_timed_module_of_ones_own_is_neither_converted_nor_stored(tmp_path):
    own = Echo(1e-3)
    for move in (lambda: convert(own, "numba"), lambda: save(own, tmp_path / "own.safetensors")):
        with pytest.raises(TypeError, match="timed module of your own can be neither converted"):
            move()
    assert not list(tmp_path.iterdir())


def test_the_clock_is_set_in_all_timed_modules_inside():
    class Outer(Echo):
        def __init__(self):
            super().__init__(1e-3)
            self.inner = ExpSyn(1, spiking_input=False).timed()

    outer = Outer()
    outer.t = 0.0056
    assert outer.t == outer.inner.t == pytest.approx(0.005)


@pytest.mark.parametrize("make", [lambda: Rate(3), lambda: Sequential(Rate(3))])
def test_a_time_step_that_is_refused_changes_nothing(make):
    wrapped = make().timed()
    wrapped(num_timesteps=5)
    with pytest.raises(ValueError, match="tau must be >= dt"):
        wrapped.dt = 1.0
    assert wrapped.dt == wrapped.module.dt == 1e-3 and wrapped.t == pytest.approx(5e-3)


def test_the_last_time_step_that_was_set_counts():
    wrapped = ExpSyn(3).timed()
    wrapped.module.dt = 5e-3
    wrapped.dt = 2e-3
    wrapped(num_timesteps=1)
    assert wrapped.dt == wrapped.module.dt == 2e-3


def test_the_time_step_around_timed_modules_is_a_multiple_of_theirs():
    class Outer(Echo):
        def __init__(self):
            super().__init__(1e-3)
            self.inner = ExpSyn(2, spiking_input=False).timed()

        def evolve(self, ts_input=None, duration=None, num_timesteps=None, *args, **kwargs):
            output, state, _ = self.inner(ts_input, duration, num_timesteps)
            return output, {"inner": state}, {}

    outer = Outer()
    outer.dt = 2e-3
    output, _, _ = outer(clocked(30), duration=0.02)
    assert outer.t == outer.inner.t == pytest.approx(0.02) and len(output.samples) == 20
    for names, times in (("dt", (4e-3, 2e-3)), ("dt", (3e-3, 3e-3)), ("dt", (2e-3, 1e-3))):
        outer.set_attributes({names: times[0], "inner": {names: times[1]}})
        outer.reset_time()
        outer(clocked(60), num_timesteps=5)
        assert outer.t == outer.inner.t == pytest.approx(5 * times[0])
    outer.dt = 1.5e-3
    with pytest.raises(ValueError, match=r"dt must be a multiple of 0.001 s, .* but is 0.0015 s"):
        outer(clocked(30), num_timesteps=1)


def test_the_same_time_step_is_no_news(recwarn):
    ExpSyn(3, dt=1e-3).timed(dt=1e-3)
    assert not recwarn.list
