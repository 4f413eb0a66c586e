"""Modules as a user writes them."""

from __future__ import annotations

import numpy as np

from rockpool.nn.modules import Module
from rockpool.parameters import Constant, Parameter, SimulationParameter, State


class Gain(Module):
    """Multiplies its input, and sums up its output as a state."""

    def __init__(self, shape, gain=None, bias=None, *args, **kwargs):
        super().__init__(shape, *args, **kwargs)
        self.gain = Parameter(gain, "weights", np.ones, [(self.size_out,), ()])
        self.bias = Parameter(bias, "bias", np.zeros, [(self.size_out,), ()])
        self.total = State(shape=(self.size_out,), init_func=np.zeros, family="sums")
        self.dt = SimulationParameter(1e-3)

    def evolve(self, input_data, record=False):
        data, _ = self._auto_batch(input_data)
        output = data * self.gain + self.bias
        total = self._batched_state("total", len(data)) + output.sum(axis=1)
        self.total = self._state_to_keep(total)
        return output, self.state(), {"output": output} if record else {}


class Pair(Module):
    """Two gains, one after the other."""

    def __init__(self, size=2):
        super().__init__(size)
        self.scale = Parameter(2.0, "scales")
        self.first = Gain(size)
        self.second = Gain(size, gain=Constant(3.0))

    def evolve(self, input_data, record=False):
        data, first_state, first_record = self.first(input_data, record=record)
        data, second_state, second_record = self.second(data, record=record)
        states = {"first": first_state, "second": second_state}
        return self.scale * data, states, {"first": first_record, "second": second_record}


class Plain(Module):
    """Hands its input on."""

    def evolve(self, input_data, record=False):
        return input_data, {}, {}
