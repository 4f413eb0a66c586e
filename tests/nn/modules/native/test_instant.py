"""Any function as a module."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from support.golden import inputs

from rockpool.nn.modules.module import Module
from rockpool.nn.modules.native import instant
from rockpool.nn.modules.native.instant import Instant, InstantMixin


def test_function_is_applied():
    output, state, record = Instant(2, np.tanh)(inputs(3, 4, 2))
    np.testing.assert_array_equal(output, np.tanh(inputs(3, 4, 2)))
    assert (state, record) == ({}, {})


def test_identity_by_default():
    np.testing.assert_array_equal(Instant(2)(inputs(3, 4, 2))[0], inputs(3, 4, 2))


@pytest.mark.parametrize("shape", [(4,), (4, 2), (1, 4, 2), (4, 1)])
def test_output_is_batched(shape):
    assert Instant(2)(np.ones(shape))[0].shape == (1, 4, 2)


def test_a_function_may_change_the_number_of_channels():
    module = Instant((2, 1), lambda x: x.sum(axis=-1, keepdims=True))
    assert (module.size_in, module.size_out) == (2, 1)
    assert module(inputs(3, 4, 2))[0].shape == (3, 4, 1)


def test_registry():
    module = Instant(3, np.tanh)
    assert module.simulation_parameters() == {"function": np.tanh}
    assert module.parameters() == {} and module.state() == {} and module.shape == (3,)


def test_pickle():
    assert pickle.loads(pickle.dumps(Instant(2))).function is Instant(2).function


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({}, ValueError, "Instant: shape must be given"),
        ({"shape": None}, ValueError, "Instant: shape must be given"),
        ({"shape": 2, "function": 3}, ValueError, "Instant: function must be callable, got 3"),
        ({"shape": 0}, ValueError, "Instant: each entry of shape must be >= 1"),
        ({"shape": "ab"}, TypeError, "Instant: shape must be an int or a tuple of ints"),
    ],
)
def test_wrong_arguments(arguments, error, message):
    with pytest.raises(error, match=message):
        Instant(**arguments)


def test_wrong_input():
    with pytest.raises(ValueError, match="Instant: the input must have 2 channels"):
        Instant(2)(np.ones((4, 3)))


@pytest.mark.parametrize("name", ["InstantTorch", "InstantJax"])
def test_classes_of_other_backends_can_be_imported_from_here(name):
    cls = getattr(instant, name)
    assert cls.__name__ == name and issubclass(cls, Module)


def test_mixin_with_another_kind_of_module():
    class Plain(InstantMixin, Module):
        def _auto_batch(self, data, *args):
            return data, ()

    assert Plain(2, np.tanh)(np.zeros((4, 2)))[0].shape == (4, 2)


def test_a_name_that_is_not_there():
    with pytest.raises(AttributeError, match="InstantMagic"):
        instant.InstantMagic  # noqa: B018
