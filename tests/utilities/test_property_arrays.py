"""Arrays that write item assignments through to where they came from."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest
import torch

from rockpool.utilities.property_arrays import (
    ImmutableArray,
    RefArray,
    RefProperty,
    SetterArray,
)


class Owner:
    values = np.zeros(3)


class TestSetterArray:
    def test_an_item_assignment_sets_the_attribute(self):
        owner = Owner()
        array = SetterArray([1, 2, 3], owner, "values")

        array[0] = 9

        np.testing.assert_array_equal(owner.values, [9, 2, 3])
        assert type(owner.values) is np.ndarray and array.dtype == float

    @pytest.mark.parametrize(
        "change",
        [
            lambda array: array.__setitem__(slice(1, None), 7),
            lambda array: array[1:].__setitem__(slice(None), 7),
            lambda array: array[1:][0:].fill(7) or array[1:].__setitem__(0, 7),
            lambda array: np.add(array, [0, 5, 4], out=array),
        ],
        ids=["slice", "item of a slice", "slice of a slice", "in place"],
    )
    def test_every_change_of_items_reaches_the_owner(self, change):
        owner = Owner()
        array = SetterArray([1, 2, 3], owner, "values")

        change(array)

        np.testing.assert_array_equal(owner.values, [1, 7, 7])

    def test_a_custom_setter_is_called_instead(self):
        owner, calls = Owner(), []
        array = SetterArray([1, 2], owner, "values", int, lambda *call: calls.append(call))

        array[1] = 4

        ((items, called_owner, name),) = calls
        np.testing.assert_array_equal(items, [1, 4])
        assert called_owner is owner and name == "values"
        np.testing.assert_array_equal(owner.values, np.zeros(3))

    @pytest.mark.parametrize(
        "derive",
        [
            lambda array: array + 1,
            lambda array: array[[0, 1]],
            lambda array: array[array > 1],
            lambda array: array.copy(),
            lambda array: np.exp(array),
        ],
    )
    def test_new_arrays_are_ordinary(self, derive):
        owner = Owner()
        derived = derive(SetterArray([1, 2, 3], owner, "values"))

        derived[0] = 100

        assert type(derived) is np.ndarray
        np.testing.assert_array_equal(owner.values, np.zeros(3))


class TestImmutableArray:
    @pytest.mark.parametrize(
        "arguments, words",
        [
            ({}, "ImmutableArray: items"),
            ({"name": "alpha"}, "alpha: items"),
            ({"custom_error": "no such thing"}, "^no such thing$"),
        ],
    )
    def test_items_cannot_be_assigned(self, arguments, words):
        array = ImmutableArray([1, 2], **arguments)

        with pytest.raises(AttributeError, match=words):
            array[0] = 5
        with pytest.raises(AttributeError, match=words):
            array[1:][0] = 5
        np.testing.assert_array_equal(array, [1, 2])

    def test_a_copy_can_be_changed(self):
        copied = ImmutableArray([1, 2]).copy()

        copied[0] = 5

        assert type(copied) is np.ndarray

    def test_adding_in_place_makes_a_new_array(self):
        array = ImmutableArray([1, 2])
        total = array
        total += 1

        np.testing.assert_array_equal(total, [2, 3])
        np.testing.assert_array_equal(array, [1, 2])


class TestRefArray:
    @pytest.mark.parametrize(
        "reference",
        [np.array([1.0, 2.0]), [1.0, 2.0], torch.tensor([1.0, 2.0])],
        ids=["array", "list", "tensor"],
    )
    def test_an_item_assignment_changes_the_reference(self, reference):
        array = RefArray(reference)

        array[0] = 9

        assert list(reference) == [9, 2]
        np.testing.assert_array_equal(array, [9, 2])

    def test_nested_lists_and_an_explicit_reference(self):
        reference = [[0, 0], [0, 0]]

        RefArray(np.arange(4).reshape(2, 2), reference)[1, 1] = 7

        assert reference == [[0, 1], [2, 7]]

    def test_a_parameter_of_torch_keeps_its_gradient_tracking(self):
        parameter = torch.nn.Parameter(torch.zeros(2))

        RefArray(parameter)[1] = 3.0

        assert parameter.requires_grad and parameter[1] == 3

    @pytest.mark.parametrize("reference", [[1, 2], np.ones((3, 1)), torch.ones(2)])
    def test_shapes_must_match(self, reference):
        with pytest.raises(TypeError, match="same shape"):
            RefArray(np.ones(3), reference)

    def test_a_property_hands_out_references(self):
        class Holder:
            def __init__(self):
                self._values = [1.0, 2.0]

            @RefProperty
            def values(self):
                return self._values

            @values.setter
            def values(self, new):
                self._values = new

        holder = Holder()
        holder.values[0] = 9
        assert holder._values == [9.0, 2.0]

        holder.values = [3.0]
        np.testing.assert_array_equal(holder.values, [3.0])
        holder.values = None
        assert holder.values is None
        assert isinstance(Holder.values, RefProperty)


@pytest.mark.parametrize(
    "array",
    [SetterArray([1, 2], Owner(), "values"), ImmutableArray([1, 2]), RefArray([1, 2])],
    ids=lambda array: type(array).__name__,
)
def test_pickled_and_deep_copied_arrays_are_without_ties(array):
    for twin in (pickle.loads(pickle.dumps(array)), copy.deepcopy(array)):
        twin[0] = 8
        assert list(twin) == [8, 2]
    assert list(array) == [1, 2]
