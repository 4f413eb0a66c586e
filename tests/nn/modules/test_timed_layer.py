"""Layers that keep their own time, as timed modules."""

import copy
import inspect

import numpy as np
import pytest

from rockpool.nn.modules import LIF, TimedModule, astimedmodule
from rockpool.nn.modules.timed_module import LayerToTimedModule
from rockpool.timeseries import TSContinuous, TSEvent


class Leak:
    """A leaky sum: a layer in the manner of version 1, with a clock of its own."""

    def __init__(self, weights, tau=0.02, dt=1e-3):
        self.weights = np.asarray(weights, dtype=float)
        self.size_in, self.size_out = self.weights.shape
        self.tau = tau
        self.dt = dt
        self.t = 0.0
        self.reset_state()

    def evolve(self, ts_input=None, duration=None, num_timesteps=None):
        output = np.zeros((num_timesteps, self.size_out))
        for step in range(num_timesteps):
            data = 0.0 if ts_input is None else ts_input(self.t + step * self.dt)[0] @ self.weights
            self.activity = self.activity * np.exp(-self.dt / self.tau) + data
            output[step] = self.activity
        series = TSContinuous.from_clocked(output, self.dt, t_start=self.t)
        self.t += num_timesteps * self.dt
        return series

    def reset_state(self):
        self.activity = np.zeros(self.size_out)

    def reset_time(self):
        self.t = 0.0


class Doubler:
    """Each event twice; the least that a layer may have."""

    size_in = size_out = 2
    dt = 1e-3
    input_type = output_type = TSEvent

    def evolve(self, ts_input=None, duration=None, num_timesteps=None):
        raster = ts_input.raster(self.dt, t_start=0.0, num_timesteps=num_timesteps, add_events=True)
        return TSEvent.from_raster(2 * raster, self.dt)

    def reset_state(self):
        pass


class Odd:
    """Not quite a layer."""

    size_in = size_out = 1

    def evolve(self):
        pass


WEIGHTS = np.array([[1.0, 0.0, 2.0], [0.5, 1.0, 0.0]])
INPUT = TSContinuous.from_clocked(np.random.default_rng(0).normal(size=(20, 2)), 1e-3)


def leak_module(**kwargs):
    layer = Leak(WEIGHTS)
    return LayerToTimedModule(layer, ["weights"], ["activity"], ["tau", "dt"], **kwargs)


def test_a_layer_evolves_as_before():
    expected = Leak(WEIGHTS).evolve(INPUT, num_timesteps=20)
    module = leak_module()
    output, state, record = module(INPUT)
    np.testing.assert_array_equal(output.samples, expected.samples)
    np.testing.assert_array_equal(state["activity"], expected.samples[-1])
    assert record == {}
    assert module.t == 0.02


def test_a_layer_goes_on_where_it_was():
    whole, _, _ = leak_module()(INPUT)
    module = leak_module()
    first, _, _ = module(INPUT, duration=0.007)
    second, _, _ = module(INPUT)
    assert second.t_start == pytest.approx(0.007)
    np.testing.assert_allclose(np.concatenate([first.samples, second.samples]), whole.samples)


def test_attributes_of_the_layer_are_registered_as_asked():
    module = leak_module()
    assert isinstance(module, TimedModule)
    assert module.shape == (2, 3)
    assert set(module.parameters()) == {"weights"}
    assert set(module.state()) == {"activity"}
    assert module.simulation_parameters() == {"dt": 1e-3, "tau": 0.02}


def test_attributes_are_those_of_the_layer():
    module = leak_module()
    module.weights = 2 * WEIGHTS
    np.testing.assert_array_equal(module.layer.weights, 2 * WEIGHTS)
    module.layer.weights = 3 * WEIGHTS
    np.testing.assert_array_equal(module.weights, 3 * WEIGHTS)
    np.testing.assert_array_equal(module.parameters()["weights"], 3 * WEIGHTS)
    module.set_attributes({"activity": np.ones(3), "tau": 0.05})
    np.testing.assert_array_equal(module.layer.activity, np.ones(3))
    assert module.layer.tau == 0.05
    module.dt = 2e-3
    assert module.dt == module.layer.dt == 2e-3


def test_an_attribute_must_keep_its_shape():
    module = leak_module()
    with pytest.raises(ValueError, match=r"weights must have the shape \(2, 3\), got \(3, 2\)"):
        module.weights = WEIGHTS.T
    np.testing.assert_array_equal(module.layer.weights, WEIGHTS)


def test_resets_reach_the_layer():
    module = leak_module()
    first, _, _ = module(INPUT)
    assert module.reset_state() is module
    np.testing.assert_array_equal(module.activity, np.zeros(3))
    assert module.reset_time() is module
    assert (module.t, module.layer.t) == (0.0, 0.0)
    again, _, _ = module(INPUT)
    np.testing.assert_array_equal(again.samples, first.samples)


def test_parameters_are_reset_to_those_at_the_start():
    module = leak_module()
    module.weights = np.zeros((2, 3))
    module.reset_parameters()
    np.testing.assert_array_equal(module.layer.weights, WEIGHTS)


def test_a_copy_has_a_layer_of_its_own():
    module = leak_module()
    other = copy.deepcopy(module)
    other(INPUT)
    assert (module.layer.t, other.layer.t) == (0.0, pytest.approx(0.02))


def test_a_layer_of_events_is_a_spiking_module():
    module = LayerToTimedModule(Doubler())
    assert (module.spiking_input, module.spiking_output) == (True, True)
    output, _, _ = module(TSEvent([0.0015], [1], t_start=0, t_stop=0.01), num_timesteps=4)
    assert output.raster(1e-3, add_events=True)[:, 1].tolist() == [0, 2, 0, 0]
    assert module.reset_all().t == 0.0
    with pytest.raises(TypeError, match="must be a TSEvent, got TSContinuous"):
        module(INPUT)


def test_the_output_can_be_named():
    output, _, _ = leak_module()(INPUT, kwargs_timeseries={"name": "leaky"})
    assert output.name == "leaky"


def test_an_unknown_attribute_is_an_attribute_error():
    with pytest.raises(AttributeError, match="'LayerToTimedModule' object has no attribute 'x'"):
        leak_module().x  # noqa: B018


@pytest.mark.parametrize(
    ("layer", "words"),
    [
        (3, r"got int: it has no size_in, size_out, dt, evolve\(\), reset_state\(\)"),
        (Odd(), r"got Odd: it has no dt, reset_state\(\)"),
        (LIF(2), "got LIF"),
        (Leak, "got <class .*Leak'>"),
    ],
)
def test_what_is_no_layer_is_refused(layer, words):
    with pytest.raises(TypeError, match=f"layer must be a layer object, {words}$"):
        LayerToTimedModule(layer)


def test_attributes_that_the_layer_lacks_are_named():
    with pytest.raises(ValueError, match="the layer Leak has no attribute 'bias', 'u'"):
        LayerToTimedModule(Leak(WEIGHTS), ["weights", "bias"], states=["u"])


def test_a_layer_must_return_a_time_series():
    class Silent(Doubler):
        def evolve(self, ts_input=None, duration=None, num_timesteps=None):
            return 3

    with pytest.raises(TypeError, match="must return a time series, got int"):
        LayerToTimedModule(Silent())(num_timesteps=2)


# -- astimedmodule ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "decorate",
    [
        lambda cls: astimedmodule(cls, ["weights"], ["activity"], ["tau"]),
        astimedmodule(parameters=["weights"], states=["activity"], simulation_parameters=["tau"]),
    ],
)
def test_a_class_of_layers_becomes_a_class_of_modules(decorate):
    TimedLeak = decorate(Leak)
    module = TimedLeak(WEIGHTS, tau=0.03)
    assert isinstance(module, LayerToTimedModule)
    assert module.full_name == "Leak "
    assert module.simulation_parameters() == {"dt": 1e-3, "tau": 0.03}
    output, state, _ = module(INPUT)
    np.testing.assert_array_equal(state["activity"], output.samples[-1])


def test_the_class_looks_like_the_one_it_was_made_of():
    TimedLeak = astimedmodule(Leak)
    assert (TimedLeak.__name__, TimedLeak.__doc__) == ("Leak", Leak.__doc__)
    assert TimedLeak.__module__ == Leak.__module__
    assert list(inspect.signature(TimedLeak).parameters) == ["weights", "tau", "dt"]


def test_it_is_a_decorator_with_and_without_arguments():
    @astimedmodule
    class Bare(Doubler):
        pass

    @astimedmodule(simulation_parameters=["dt"])
    class Full(Doubler):
        pass

    assert Bare().spiking_input
    assert Full().simulation_parameters() == {"dt": 1e-3}


@pytest.mark.parametrize(
    ("cls", "error", "words"),
    [
        (int, ValueError, "int is not a class of layers: it has no evolve"),
        (LIF, ValueError, "LIF is not a class of layers: it is a module already"),
        (3, TypeError, "v1_cls must be a class, got 3"),
    ],
)
def test_what_is_no_class_of_layers_is_refused(cls, error, words):
    with pytest.raises(error, match=words):
        astimedmodule(cls)
    with pytest.raises(error, match=words):
        astimedmodule(parameters=[])(cls)
