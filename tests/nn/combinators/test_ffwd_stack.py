"""`FFwdStack`: modules with dense weights from each to the next."""

from __future__ import annotations

import copy
import inspect
import pickle

import numpy as np
import pytest

from rockpool.graph import LinearWeights, bag_graph
from rockpool.nn.combinators import FFwdStack, ModFFwdStack
from rockpool.nn.modules import LIF, Module, Rate
from tests.support.golden import inputs, weights


class Shapeless(Module):
    def evolve(self, input_data, record=False):
        return input_data, {}, {}


def ones_stack():
    return FFwdStack(Rate(2), LIF((4, 2)), Rate(3), weight_init_func=np.ones)


def test_golden_value():
    stack = FFwdStack(
        Rate(2, tau=0.02),
        Rate(3, tau=0.02),
        weight_init_func=lambda shape: weights(*shape, 1),
    )

    output, _, _ = stack(inputs(1, 4, 2))

    expected = [0.000245, 0, 0.000332, 0.000584, 0, 0.000942, 0.000343, 0, 0.00105, 0, 0, 0.000683]
    np.testing.assert_allclose(output.ravel(), expected, atol=1e-6)


def test_weights_are_parameters_between_the_modules():
    stack = ones_stack()

    assert list(stack.parameters("weights")) == ["0_1_weight", "1_2_weight"]
    assert stack.parameters()["0_1_weight"].shape == (2, 4)
    assert stack.parameters()["1_2_weight"].shape == (2, 3)
    assert list(stack.modules()) == ["0_Rate", "1_LIF", "2_Rate"]
    assert stack.shape == (2, 3) and len(stack) == 3 and stack[1] is stack["1_LIF"]
    assert stack.spiking_input is False and stack.spiking_output is False


def test_weights_are_zero_by_default():
    stack = FFwdStack(Rate(2), Rate(3))

    assert isinstance(stack, ModFFwdStack)
    np.testing.assert_array_equal(stack.parameters()["0_1_weight"], np.zeros((2, 3)))


def test_evolution_and_record():
    stack = ones_stack()
    twin = copy.deepcopy(stack)
    data = np.random.default_rng(0).random((2, 6, 2)) * 100

    output, state, record = stack(data, record=True)

    hidden, _, _ = twin[0](data)
    spikes, _, _ = twin[1](hidden @ np.ones((2, 4)))
    expected, _, _ = twin[2](spikes @ np.ones((2, 3)))
    assert spikes.any()
    np.testing.assert_array_equal(output, expected)
    assert list(state) == ["0_Rate", "1_LIF", "2_Rate"]
    assert list(record) == ["0_Rate", "0_Rate_output", "1_LIF", "1_LIF_output", "2_Rate"]
    np.testing.assert_array_equal(record["1_LIF_output"], spikes)


def test_records_as_time_series():
    stack = ones_stack()
    _, _, record = stack(np.ones((1, 6, 2)), record=True)

    wrapped = stack._wrap_recorded_state(record, 0.0)

    assert wrapped["0_Rate_output"].num_channels == 2
    assert type(wrapped["1_LIF_output"]).__name__ == "TSEvent"


def test_graph():
    stack = ones_stack()

    nodes, modules = bag_graph(stack.as_graph())

    assert len(modules) == 5 and len(nodes) == 2 + 2 + 4 + 2 + 3 + 3
    weights_between = [m for m in modules if isinstance(m, LinearWeights)]
    assert [m.weights.shape for m in weights_between] == [(2, 4), (2, 3)]


@pytest.mark.parametrize(
    "arguments, keywords, words",
    [
        ([Rate(2)], {}, "at least two modules, got 1"),
        ([], {}, "at least two modules, got 0"),
        ([Rate(2), Rate(2)], {"shape": 2}, "shape follows"),
        ([Rate(2), Rate(2)], {"spiking_output": True}, "spiking_output"),
        ([Rate(2), Shapeless()], {}, "size of '1_Shapeless' is not known"),
    ],
)
def test_bad_arguments(arguments, keywords, words):
    with pytest.raises(ValueError, match=f"ModFFwdStack: .*{words}"):
        FFwdStack(*arguments, **keywords)


def test_the_class_itself_needs_an_init_function():
    with pytest.raises(ValueError, match="weight_init_func must be given"):
        ModFFwdStack(Rate(2), Rate(2))


def test_signatures():
    for made in (FFwdStack, ModFFwdStack):
        names = ["modules", "weight_init_func", "kwargs"]
        assert list(inspect.signature(made).parameters) == names


def test_reset_and_pickle():
    stack = pickle.loads(pickle.dumps(ones_stack()))
    setattr(stack, "0_1_weight", np.zeros((2, 4)))

    stack.reset_parameters()

    np.testing.assert_array_equal(stack.parameters()["0_1_weight"], np.ones((2, 4)))
