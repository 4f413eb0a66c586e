"""Small timed modules, and time series to feed them."""

import numpy as np

from rockpool.nn.modules import TimedModule
from rockpool.parameters import State
from rockpool.timeseries import TSContinuous, TSEvent


class Echo(TimedModule):
    """Returns its input, and keeps the number of steps that it was called with."""

    def __init__(self, dt=1e-3, shape=(2,), **kwargs):
        super().__init__(dt, shape=shape, **kwargs)
        self.sum = State(np.zeros(shape[0]))
        self.steps = []

    def evolve(
        self,
        ts_input=None,
        duration=None,
        num_timesteps=None,
        kwargs_timeseries=None,
        record=False,
    ):
        times, raster, steps = self._prepare_input(ts_input, duration, num_timesteps)
        assert len(times) == len(raster) == steps == num_timesteps
        self.steps.append(steps)
        self.sum = self.sum + raster.sum(0)
        return self._gen_timeseries(raster, **(kwargs_timeseries or {})), self.state(), {}


class Pair(TimedModule):
    """Two modules that get the same input."""

    def __init__(self, dt, first, second):
        super().__init__(dt, shape=(2,))
        self.first = first
        self.second = second

    def evolve(self, ts_input=None, duration=None, num_timesteps=None, *args, **kwargs):
        output, first, _ = self.first(ts_input, duration, num_timesteps)
        _, second, _ = self.second(ts_input, duration, num_timesteps)
        return output, {"first": first, "second": second}, {}


def clocked(length, channels=2, dt=1e-3, **kwargs):
    """1, 2, 3, ... row by row."""
    samples = np.arange(1.0, length * channels + 1).reshape(length, channels)
    return TSContinuous.from_clocked(samples, dt, **kwargs)


def counts(length, channels=2, rate=0.7, seed=1):
    """A raster of random numbers of events."""
    return np.random.default_rng(seed).poisson(rate, (length, channels))


def events(length, channels=2, dt=1e-3, rate=0.7, seed=1):
    """The same, as a time series."""
    return TSEvent.from_raster(counts(length, channels, rate, seed), dt)
