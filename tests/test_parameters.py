"""`Parameter`, `State`, `SimulationParameter` and `Constant`: what is accepted, kept and reset."""

from __future__ import annotations

import copy
import functools
import pickle

import jax.numpy as jnp
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from rockpool.parameters import (
    Constant,
    Parameter,
    ParameterBase,
    RP_Constant,
    SimulationParameter,
    State,
)

KINDS = [Parameter, State, SimulationParameter, ParameterBase]


@pytest.mark.parametrize("kind", KINDS)
def test_data_alone_are_kept_and_give_the_shape(kind):
    data = np.arange(6.0).reshape(2, 3)

    parameter = kind(data, "weights")

    assert parameter.data is data
    assert parameter.shape == (2, 3)
    assert parameter.family == "weights"


@pytest.mark.parametrize("kind", KINDS)
def test_without_data_the_first_shape_is_initialised(kind):
    parameter = kind(shape=[(2, 3), ()], init_func=np.ones)

    np.testing.assert_array_equal(parameter.data, np.ones((2, 3)))
    assert parameter.shape == (2, 3)


@pytest.mark.parametrize(
    "data, shape, expected",
    [
        (3, (1,), [3]),
        ([3], (), 3),
        (np.arange(6), [(3, 2), 6], np.arange(6)),
        (np.arange(6), (3, 2), [[0, 1], [2, 3], [4, 5]]),
        (np.arange(6), [(5,), (2, 3), (3, 2)], [[0, 1, 2], [3, 4, 5]]),
        ([[1, 2]], 2, [1, 2]),
    ],
)
def test_data_of_the_right_size_take_a_permitted_shape(data, shape, expected):
    parameter = Parameter(data, shape=shape)

    np.testing.assert_array_equal(parameter.data, expected)
    assert parameter.shape == np.shape(expected)


@pytest.mark.parametrize("data", [[1, 2], (1, 2), np.array([1.0, 2.0], "float32")])
def test_data_of_a_permitted_shape_keep_their_type(data):
    assert Parameter(data, shape=[(), 2]).data is data


def test_the_list_of_shapes_is_left_as_it_is():
    shapes = [2, (3, 1)]

    Parameter(np.ones(3), shape=shapes)

    assert shapes == [2, (3, 1)]


@pytest.mark.parametrize(
    "arguments, error, words",
    [
        ({}, ValueError, "one of `data` and `shape`"),
        ({"shape": (2,)}, ValueError, "init_func"),
        ({"shape": (2,), "init_func": 3}, ValueError, "init_func must be a function.*got 3"),
        ({"data": 1.0, "init_func": "f"}, ValueError, "init_func"),
        ({"data": np.ones(3), "shape": [(2,), ()]}, ValueError, r"\(2,\) or \(\), got \(3,\)"),
        ({"data": np.ones(2), "shape": (2, 1), "permit_reshape": False}, ValueError, r"\(2, 1\)"),
        ({"shape": (-1,), "init_func": np.ones}, ValueError, "negative"),
        ({"shape": [], "init_func": np.ones}, ValueError, "empty"),
        ({"shape": 2.5, "init_func": np.ones}, TypeError, r"2\.5 \(float\)"),
        ({"shape": True, "init_func": np.ones}, TypeError, "bool"),
        ({"shape": np.int64(2), "init_func": np.ones}, TypeError, "int64"),
        ({"shape": (2, 2.0), "init_func": np.ones}, TypeError, r"2\.0 \(float\)"),
        ({"shape": (2, np.int64(2)), "init_func": np.ones}, TypeError, "int64"),
        ({"shape": [(2,), "ab"], "init_func": np.ones}, TypeError, "'ab'"),
    ],
)
def test_bad_arguments_are_named(arguments, error, words):
    with pytest.raises(error, match=f"Parameter.*{words}"):
        Parameter(**arguments)


def test_an_error_names_the_family():
    with pytest.raises(ValueError, match="State of family 'taus'"):
        State(np.ones(3), "taus", shape=2)


def test_the_conversion_applies_to_first_and_reset_values():
    as_single = functools.partial(np.asarray, dtype="float32")

    made = Parameter(shape=(2,), init_func=np.ones, cast_fn=as_single)
    given = Parameter([1.0, 2.0], cast_fn=as_single)

    for parameter in (made, given):
        assert parameter.data.dtype == np.float32
        assert parameter.init_func(parameter.shape).dtype == np.float32


def test_no_conversion():
    assert Parameter(2, cast_fn=None).data == 2


def test_a_reset_gives_a_fresh_copy_each_time():
    data = np.zeros(2)
    parameter = Parameter(data)

    data[0] = 5
    first = parameter.init_func((2,))
    first[1] = 7

    np.testing.assert_array_equal(parameter.init_func((2,)), np.zeros(2))


def test_a_given_init_func_is_kept_for_resets():
    assert Parameter(shape=(2,), init_func=np.ones).init_func is np.ones


def test_functions_are_settings_that_are_not_copied():
    class Owner:
        def method(self):
            return self

    method = Owner().method

    assert SimulationParameter(method).init_func(()) is method


def test_a_tensor_inside_a_graph_can_be_a_parameter():
    weight = torch.ones(4, requires_grad=True) * 2

    parameter = Parameter(weight, shape=(2, 2))

    assert parameter.data.shape == (2, 2) and parameter.data.grad_fn is not None
    assert not parameter.init_func((2, 2)).requires_grad


def test_jax_arrays_stay_jax_arrays_when_they_are_reshaped():
    parameter = Parameter(jnp.arange(4.0), shape=(2, 2))

    assert isinstance(parameter.data, jnp.ndarray)
    assert parameter.data.shape == (2, 2)


@pytest.mark.parametrize(
    "parameter",
    [
        Parameter(np.arange(3.0), "taus"),
        State(shape=(2,), init_func=np.zeros, cast_fn=np.asarray),
        SimulationParameter(Constant(1e-3)),
    ],
)
def test_parameters_can_be_pickled_and_copied(parameter):
    for twin in (pickle.loads(pickle.dumps(parameter)), copy.deepcopy(parameter)):
        assert type(twin) is type(parameter)
        np.testing.assert_array_equal(twin.data, parameter.data)
        np.testing.assert_array_equal(twin.init_func(twin.shape), parameter.data)


def test_flatten_and_unflatten():
    parameter = Parameter(np.ones(2), "taus")

    children, aux = parameter._tree_flatten()
    twin = Parameter._tree_unflatten(aux, children)

    assert children == (
        parameter.data,
        "taus",
        parameter.init_func,
        (2,),
        parameter.cast_fn,
    )
    assert type(twin) is Parameter and twin.data is parameter.data and twin.family == "taus"


def test_repr_shows_what_is_kept():
    text = repr(Parameter(3.0, "taus"))
    assert text == "Parameter(data=3.0, family='taus', init_func=ResetTo(3.0), shape=())"


CONSTANTS = [
    3,
    2.5,
    "text",
    [1, 2],
    (1.0, 2.0),
    {"a": 1},
    np.array(3),
    np.arange(4.0).reshape(2, 2),
    np.float64(2.0),
    np.float32(2.0),
    torch.tensor(4),
    torch.ones(2),
    torch.nn.Parameter(torch.ones(2)),
]


@pytest.mark.parametrize("value", CONSTANTS, ids=lambda value: type(value).__name__)
class TestConstant:
    def test_is_marked_and_of_the_same_type(self, value):
        constant = Constant(value)

        assert isinstance(constant, RP_Constant)
        assert isinstance(constant, type(value))
        assert type(constant).__name__ == type(value).__name__
        assert np.array_equal(
            np.asarray(torch.as_tensor(constant).detach())
            if isinstance(value, torch.Tensor)
            else constant,
            value.detach() if isinstance(value, torch.Tensor) else value,
        )

    def test_leaves_its_argument_alone(self, value):
        Constant(value)

        assert not isinstance(value, RP_Constant)

    def test_of_a_constant_is_a_constant(self, value):
        assert isinstance(Constant(Constant(value)), type(value))

    @pytest.mark.parametrize("kind", [Parameter, State, SimulationParameter])
    def test_makes_a_simulation_parameter_of_a_plain_value(self, value, kind):
        parameter = kind(Constant(value))

        assert isinstance(parameter, SimulationParameter)
        assert not isinstance(parameter.data, RP_Constant)
        assert not getattr(parameter.data, "requires_grad", False)
        expected = torch.Tensor if isinstance(value, torch.Tensor) else type(value)
        assert type(parameter.data) is expected

    def test_can_be_pickled_and_copied(self, value):
        constant = Constant(value)

        for twin in (pickle.loads(pickle.dumps(constant)), copy.deepcopy(constant)):
            assert isinstance(twin, RP_Constant)
            assert isinstance(twin, torch.Tensor if torch.is_tensor(value) else type(value))


@pytest.mark.parametrize("value", [None, True, np.True_, np.sin, len, print], ids=repr)
def test_what_cannot_be_constant(value):
    with pytest.raises(TypeError, match="cannot be a constant"):
        Constant(value)


def test_a_constant_jax_array_is_a_numpy_array():
    constant = Constant(jnp.ones(2))

    assert isinstance(constant, np.ndarray) and isinstance(constant, RP_Constant)


def test_arithmetic_with_a_constant_tensor_gives_an_ordinary_one():
    total = Constant(torch.ones(2)) + torch.ones(2)

    assert type(total) is torch.Tensor


def test_a_constant_can_be_reshaped():
    parameter = Parameter(Constant([1, 2]), shape=[(2, 1)])

    assert isinstance(parameter, SimulationParameter)
    np.testing.assert_array_equal(parameter.data, [[1], [2]])


def test_nothing_but_numpy_is_imported(full_python):
    loaded = full_python.python(
        "import sys, rockpool.parameters, rockpool.nn.modules.module;"
        "print([name for name in ('torch', 'jax', 'scipy', 'numba') if name in sys.modules])"
    )
    assert loaded == "[]"


shapes = st.lists(st.integers(0, 3), max_size=3).map(tuple)


@settings(deadline=None, max_examples=50)
@given(data_shape=shapes, permitted=st.lists(shapes, min_size=1, max_size=3))
def test_the_stored_shape_is_permitted_and_all_elements_are_there(data_shape, permitted):
    data = np.arange(np.prod(data_shape, dtype=int)).reshape(data_shape)
    fits = any(np.prod(shape) == data.size for shape in permitted)

    if not fits:
        with pytest.raises(ValueError):
            Parameter(data, shape=permitted)
        return
    parameter = Parameter(data, shape=permitted)

    assert parameter.shape == np.shape(parameter.data) and parameter.shape in permitted
    np.testing.assert_array_equal(np.ravel(parameter.data), np.ravel(data))
