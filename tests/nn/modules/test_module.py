"""`Module`: construction, registration, collections, change, calls and views."""

from __future__ import annotations

import copy
import functools
import inspect
import itertools
import pickle
import sys
from collections import OrderedDict
from types import ModuleType

import jax.numpy as jnp
import numpy as np
import pytest
import torch

from rockpool.nn import modules
from rockpool.nn.modules import LIF, Module
from rockpool.nn.modules.module import ModuleBase, PostInitMetaMixin
from rockpool.parameters import Constant, Parameter, ParameterBase, SimulationParameter, State


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


class TestConstruction:
    @pytest.mark.parametrize(
        "shape, expected",
        [
            (None, (None,)),
            (3, (3,)),
            ((2, 3), (2, 3)),
            ([2, 3], (2, 3)),
            (np.array([2, 3]), (2, 3)),
            (np.int64(4), (4,)),
            (range(2), (0, 1)),
        ],
    )
    def test_any_shape_becomes_a_tuple(self, shape, expected):
        module = Plain(shape)

        assert module.shape == expected
        assert module.size_in == expected[0] and module.size_out == expected[-1]
        assert all(type(size) in (int, type(None)) for size in module.shape)

    def test_default(self):
        module = Plain()

        assert module.shape == (None,)
        assert module.spiking_input is False and module.spiking_output is False

    def test_spiking_flags_can_only_be_read(self):
        module = Plain(2, spiking_input=True, spiking_output=True)

        assert module.spiking_input and module.spiking_output
        with pytest.raises(AttributeError):
            module.spiking_input = False

    def test_size_is_deprecated(self):
        with pytest.warns(DeprecationWarning, match="size_out"):
            assert Plain((2, 5)).size == 5

    @pytest.mark.parametrize(
        "make, word",
        [
            (lambda: Plain(2, unknown=3), "Plain.*unknown=3"),
            (lambda: Plain(2, False, False, "extra"), "Plain.*'extra'"),
            (lambda: Gain(2, colour="red"), "Gain.*colour='red'"),
        ],
    )
    def test_unknown_arguments(self, make, word):
        with pytest.raises(TypeError, match=word):
            make()

    def test_without_evolve_there_is_no_instance(self):
        class Nothing(Module):
            pass

        for cls in (Module, Nothing):
            with pytest.raises(TypeError, match="evolve"):
                cls()

    def test_constructors_cooperate(self):
        class Other:
            def __init__(self, colour, **kwargs):
                super().__init__(**kwargs)
                self.colour = colour

        class Both(Plain, Other):
            pass

        both = Both(3, colour="red")

        assert both.shape == (3,) and both.colour == "red"

    def test_a_torch_module_may_stand_behind(self):
        class Both(Plain, torch.nn.Module):
            pass

        both = Both(shape=2)
        both.layer = torch.nn.Linear(2, 2)
        both.tau = Parameter(np.ones(2))

        assert len(list(torch.nn.Module.parameters(both))) == 2
        assert list(both.parameters()) == ["tau"]

    def test_post_init_runs_once_after_the_whole_constructor(self):
        calls = []

        class Late(Gain):
            def __init__(self, shape):
                super().__init__(shape)
                self.ready = True

            def __post_init__(self):
                calls.append(self.ready)
                self.extra = Parameter(1.0)
                self.extra = Parameter(2.0)

        module = Late(2)

        assert calls == [True]
        assert module.parameters()["extra"] == 2.0

    def test_module_and_base(self):
        assert issubclass(Module, ModuleBase)
        assert type(Module) is PostInitMetaMixin


class TestSignature:
    def test_shows_the_constructor(self):
        signature = inspect.signature(Gain)

        assert list(signature.parameters) == ["shape", "gain", "bias", "args", "kwargs"]
        assert signature.parameters["gain"].default is None

    def test_of_the_base_class(self):
        names = ["shape", "spiking_input", "spiking_output", "args", "kwargs"]
        assert list(inspect.signature(Module).parameters) == names

    def test_can_be_stated(self):
        class Stated(Plain):
            __signature__ = inspect.Signature()

        class SetLater(Plain):
            pass

        SetLater.__signature__ = inspect.signature(len)

        assert not inspect.signature(Stated).parameters
        assert inspect.signature(SetLater) == inspect.signature(len)
        assert next(iter(inspect.signature(Plain).parameters)) == "shape"

    def test_help_shows_it(self):
        import pydoc

        assert "Gain(shape, gain=None, bias=None, *args, **kwargs)" in pydoc.render_doc(Gain)


class TestNames:
    def test_a_module_is_named_after_its_attribute_in_quotes(self):
        pair = Pair()

        assert pair.name == "" and pair.full_name == "Pair "
        assert pair.first.name == "'first'" and pair.first.full_name == "Gain 'first'"
        assert pair.first.class_name == "Gain"

    def test_repr(self):
        outer = Plain()
        outer.a = Plain()
        outer.a.pair = Pair(1)
        outer.a.lin = Plain((3, 2))

        assert repr(Plain((2, 2))) == "Plain  with shape (2, 2)"
        assert repr(outer) == "\n".join(
            [
                "Plain  with shape (None,) {",
                "    Plain 'a' with shape (None,) {",
                "        Pair 'pair' with shape (1,) {",
                "            Gain 'first' with shape (1,)",
                "            Gain 'second' with shape (1,)",
                "        }",
                "        Plain 'lin' with shape (3, 2)",
                "    }",
                "}",
            ]
        )


class TestRegistration:
    def test_reading_an_attribute_gives_the_bare_value(self):
        values = np.arange(2.0)
        module = Gain(2, values)

        assert module.gain is values

    def test_the_registry(self):
        pair = Pair()
        attributes, modules = pair._get_attribute_registry()
        value, kind, family, init_func, shape = attributes["scale"]

        assert (value, kind, family, shape) == (2.0, "Parameter", "scales", ())
        assert init_func(()) == 2.0
        assert modules == {"first": [pair.first, "Gain"], "second": [pair.second, "Gain"]}

    def test_the_registry_follows_the_values(self):
        module = Gain(2)
        module.gain = np.array([4.0, 5.0])

        assert module._get_attribute_registry()[0]["gain"][0] is module.gain

    def test_what_is_registered(self):
        module = Gain(2)

        assert module._has_registered_attribute("gain")
        assert not module._has_registered_attribute("shape")

    @pytest.mark.parametrize("value", [Parameter(1.0), Plain()])
    def test_assignment_before_the_base_constructor(self, value):
        class Hasty(Plain):
            def __init__(self):
                self.plain = "ordinary attributes are fine"
                self.early = value
                super().__init__()

        with pytest.raises(NotImplementedError, match=r"Hasty.*super\(\)\.__init__.*'early'"):
            Hasty()

    def test_a_parameter_may_be_replaced_during_construction(self):
        class Twice(Gain):
            def __init__(self):
                super().__init__(2)
                self.gain = State(np.zeros(3))
                self.bias = Plain()

        module = Twice()

        assert list(module.state()) == ["gain", "total", "bias"]
        assert list(module.parameters()) == ["bias"]

    @pytest.mark.parametrize("name", ["gain", "note", "child", "evolve"])
    def test_a_parameter_cannot_take_an_existing_name_later(self, name):
        module = Gain(2)
        module.note = 1
        module.child = Plain()

        with pytest.raises(ValueError, match=f"Gain: '{name}' exists already.*Parameter"):
            setattr(module, name, Parameter(np.ones(2)))
        assert "gain" in module.parameters() and "child" in module.modules()

    def test_a_new_parameter_can_be_added_later(self):
        module = Plain()
        module.tau = Parameter(1.0, "taus")

        assert module.parameters("taus") == {"tau": 1.0}

    def test_values_must_have_the_registered_shape(self):
        pair = Pair()

        with pytest.raises(ValueError, match=r"Gain 'first': gain must have the shape \(2,\), got"):
            pair.first.gain = np.ones(3)
        np.testing.assert_array_equal(pair.first.gain, np.ones(2))

    def test_types_are_free_and_none_is_accepted(self):
        module = Gain(2)

        module.gain = [1, 2]
        assert module.parameters()["gain"] == [1, 2]
        module.gain = None
        module.gain = np.ones(2, dtype=bool)

    @pytest.mark.parametrize(
        "values",
        [
            torch.tensor([3.0, 4.0], requires_grad=True),
            torch.tensor([3.0, 4.0], dtype=torch.bfloat16),
            jnp.array([3.0, 4.0]),
        ],
        ids=["torch", "bfloat16", "jax"],
    )
    def test_arrays_of_another_back_end_become_numpy_arrays(self, values):
        module = Gain(2)

        module.set_attributes({"gain": values, "dt": values[0] * 1e-3})

        assert type(module.gain) is np.ndarray and module.gain.dtype == np.float64
        np.testing.assert_array_equal(module.gain, [3, 4])
        assert isinstance(module.dt, float) and module.dt == pytest.approx(3e-3, rel=1e-2)

    def test_an_array_may_replace_what_is_no_number(self):
        module = Plain()
        module.held = SimulationParameter("text")
        module.held = value = torch.tensor(1.0)

        assert module.held is value

    def test_other_names_are_ordinary_attributes(self):
        module = Gain(2)

        module.vmem = np.ones(7)

        assert "vmem" not in module.state()

    def test_submodules_keep_their_position(self):
        pair = Pair()

        pair.first = replacement = Plain(2)

        assert list(pair.modules()) == ["first", "second"]
        assert pair.modules()["first"] is replacement and replacement.name == "'first'"

    def test_replacing_a_submodule_by_a_value(self):
        pair = Pair()

        pair.first = None

        assert list(pair.modules()) == ["second"]

    def test_deleting(self):
        pair = Pair()

        del pair.scale
        del pair.first

        assert pair.parameters() == {"second": {"bias": pytest.approx(np.zeros(2))}}
        assert not hasattr(pair, "scale") and not hasattr(pair, "first")
        with pytest.raises(AttributeError):
            del pair.first

    def test_forced_values_bring_their_shape(self):
        pair = Pair()

        pair._force_attributes({"scale": np.ones(5), "first": {"gain": np.ones((4, 2))}})

        pair.scale = np.zeros(5)
        pair.first.gain = np.zeros((4, 2))
        with pytest.raises(ValueError):
            pair.scale = 1.0

    def test_a_class_derived_from_a_kind_is_of_that_kind(self):
        class Weight(Parameter):
            pass

        module = Plain()
        module.weight = Weight(1.0)
        module.other = ParameterBase(1.0)

        assert module.parameters() == {"weight": 1.0}
        assert module._has_registered_attribute("other")


class TestCollections:
    def test_own_attributes_first_then_each_submodule(self):
        tree = Pair().parameters()

        assert list(tree) == ["scale", "first", "second"]
        assert list(tree["first"]) == ["gain", "bias"]

    def test_constants_are_simulation_parameters(self):
        pair = Pair()

        assert list(pair.parameters()["second"]) == ["bias"]
        assert pair.simulation_parameters() == {
            "first": {"dt": 1e-3},
            "second": {"gain": 3.0, "dt": 1e-3},
        }

    def test_a_module_of_constants_has_no_parameters(self):
        assert Gain(2, Constant(1.0), Constant(0.0)).parameters() == {}

    def test_without_family_every_submodule_is_there(self):
        outer = Plain()
        outer.empty = Plain()

        assert outer.parameters() == outer.parameters([]) == {"empty": {}}
        assert outer.parameters("weights") == {}

    @pytest.mark.parametrize(
        "family, expected",
        [
            ("scales", ["scale"]),
            ("".join(["sca", "les"]), ["scale"]),
            (["scales", "weights"], ["scale", "first"]),
            (("weights",), ["first"]),
            ("bias", ["first", "second"]),
            ("biases", ["first", "second"]),
            ("nothing", []),
        ],
    )
    def test_family(self, family, expected):
        assert list(Pair().parameters(family)) == expected

    @pytest.mark.parametrize("registered", ["threshold", "thresholds"])
    @pytest.mark.parametrize("asked", ["threshold", "thresholds", ("thresholds", "taus")])
    def test_two_spellings_of_a_family(self, registered, asked):
        module = Plain()
        module.threshold = Parameter(1.0, registered)

        assert module.parameters(asked) == {"threshold": 1.0}
        assert module._get_attribute_registry()[0]["threshold"][2] == registered

    def test_attributes_named(self):
        pair = Pair()
        second = {"gain": 3.0, "dt": 1e-3}

        assert pair.attributes_named(["gain", "dt"])["second"] == second
        assert pair.attributes_named("scale") == {"scale": 2.0}
        assert pair.attributes_named(("total",)).keys() == {"first", "second"}
        assert pair.attributes_named("nothing") == {}

    def test_modules_are_the_direct_children(self):
        outer = Plain()
        outer.pair = pair = Pair()

        assert outer.modules() == OrderedDict(pair=pair)
        assert isinstance(outer.modules(), OrderedDict)


class TestChange:
    def test_set_attributes_recurses_and_returns_the_module(self):
        pair = Pair()

        returned = pair.set_attributes(
            {"scale": 5.0, "first": {"gain": np.array([7.0, 8.0]), "total": np.ones(2)}}
        )

        assert returned is pair
        assert pair.scale == 5.0
        np.testing.assert_array_equal(pair.first.gain, [7, 8])
        np.testing.assert_array_equal(pair.first.total, [1, 1])

    def test_unknown_names_are_refused_with_those_that_are_known(self):
        pair = Pair()
        tree = {"scale": 5.0, "first": {"gian": 2}, "third": {"gain": 3}}

        with pytest.raises(
            ValueError, match=r"there is no first\.gian, the names are gain"
        ) as caught:
            pair.set_attributes(tree)

        assert "there is no third, the names are scale, first, second" in str(caught.value)
        assert "rockpool.convert moves a network" in str(caught.value)
        assert pair.scale == 2.0

    def test_unknown_names_are_ignored_when_asked_with_one_warning(self):
        pair = Pair()
        tree = {"scale": 5.0, "first": {"gian": 2}, "third": {"gain": 3}}

        with pytest.warns(UserWarning, match=r"no first\.gian.*no third.*Ignored") as caught:
            pair.set_attributes(tree, strict=False)

        assert len(caught) == 1 and pair.scale == 5.0
        assert not hasattr(pair, "third")

    def test_nothing_is_changed_if_one_value_does_not_fit(self):
        pair = Pair()

        with pytest.raises(ValueError, match="Gain 'second': bias"):
            pair.set_attributes({"scale": 5.0, "second": {"bias": np.ones(3)}})

        assert pair.scale == 2.0

    @pytest.mark.parametrize("tree", [3, {"first": np.ones(2)}], ids=["all", "branch"])
    def test_what_is_not_a_dict(self, tree):
        with pytest.raises(TypeError, match="must be a dict of values by name, got"):
            Pair().set_attributes(tree)

    def test_reset_state(self):
        pair = Pair()
        pair(np.ones((1, 3, 2)))

        assert pair.reset_state() is pair

        np.testing.assert_array_equal(pair.first.total, [0, 0])
        np.testing.assert_array_equal(pair.second.total, [0, 0])

    def test_reset_parameters_leaves_the_rest(self):
        pair = Pair()
        pair(np.ones((1, 3, 2)))
        pair.set_attributes({"scale": 7.0, "second": {"gain": 9.0, "bias": np.ones(2)}})

        assert pair.reset_parameters() is pair

        assert pair.scale == 2.0
        np.testing.assert_array_equal(pair.second.bias, [0, 0])
        assert pair.second.gain == 9.0
        assert pair.first.total.any()

    def test_random_parameters_are_drawn_anew(self):
        module = Plain()
        module.weight = Parameter(shape=(5, 5), init_func=lambda shape: np.random.rand(*shape))
        before = module.weight

        module.reset_parameters()

        assert not np.array_equal(module.weight, before)

    def test_an_edited_reset_value_does_not_spoil_later_resets(self):
        module = Gain(2, np.array([1.0, 2.0]))

        for _ in range(2):
            module.reset_parameters()
            np.testing.assert_array_equal(module.gain, [1, 2])
            module.gain[:] = 100

    def test_a_childs_own_reset_is_used(self):
        class Counting(Plain):
            resets = 0

            def reset_state(self):
                self.resets += 1
                return super().reset_state()

        outer = Plain()
        outer.child = Counting()

        outer.reset_state()

        assert outer.child.resets == 1

    def test_reset_of_one_attribute(self):
        module = Gain(2)
        module.gain = np.zeros(2)

        module._reset_attribute("gain")

        np.testing.assert_array_equal(module.gain, [1, 1])
        with pytest.raises(KeyError, match="Gain: 'nothing'"):
            module._reset_attribute("nothing")

    def test_a_functional_back_end_changes_copies_along_the_path(self):
        class Frozen(Gain):
            def _update_target(self):
                return self._shallow_copy()

        class FrozenPair(Pair):
            _update_target = Frozen._update_target

            def __init__(self):
                super().__init__()
                self.first, self.second = Frozen(2), Frozen(2)

        pair = FrozenPair()

        changed = pair.set_attributes({"first": {"gain": np.zeros(2)}})

        assert changed is not pair and changed.first is not pair.first
        assert changed.second is pair.second
        assert changed.first.name == "'first'"
        np.testing.assert_array_equal(pair.first.gain, [1, 1])
        np.testing.assert_array_equal(changed.first.gain, [0, 0])
        np.testing.assert_array_equal(changed.reset_parameters().first.gain, [1, 1])
        np.testing.assert_array_equal(changed.first.gain, [0, 0])
        assert pair.keep_batch_state().first.keeps_batch_state
        assert not pair.first.keeps_batch_state


class TestCall:
    def test_a_call_evolves(self):
        output, state, record = Gain(2, 3.0)(np.ones((1, 4, 2)), record=True)

        np.testing.assert_array_equal(output, np.full((1, 4, 2), 3.0))
        np.testing.assert_array_equal(state["total"], [12, 12])
        assert list(record) == ["output"]

    def test_the_result_of_a_call_can_be_the_input(self):
        pair = Pair()
        first = pair.first(np.ones((1, 4, 2)))
        states, records = first[1], first[2]

        output, new_states, new_records = pair.second(first, record=True)

        np.testing.assert_array_equal(output, np.full((1, 4, 2), 3.0))
        assert new_states is states and new_records is records
        assert list(states) == ["total", "'second'"]
        assert list(records) == ["'second'"] and list(records["'second'"]) == ["output"]

    def test_a_tuple_of_data_is_data(self):
        output, _, _ = Gain(1)((1.0, 2.0, 3.0))

        np.testing.assert_array_equal(output, [[[1], [2], [3]]])

    def test_state_goes_on_in_the_next_call(self):
        module = Gain(1)

        module(np.ones(3))
        module(np.ones(4))

        np.testing.assert_array_equal(module.total, [7])


class TestAutoBatch:
    @pytest.mark.parametrize(
        "shape, size, expected",
        [
            ((5,), 1, (1, 5, 1)),
            ((5,), 3, (1, 5, 3)),
            ((5, 3), 3, (1, 5, 3)),
            ((5, 1), 3, (1, 5, 3)),
            ((2, 5, 3), 3, (2, 5, 3)),
            ((2, 5, 1), 3, (2, 5, 3)),
            ((2, 5, 4), None, (2, 5, 4)),
        ],
    )
    def test_input_becomes_three_dimensional(self, shape, size, expected):
        given = np.random.rand(*shape).astype("float32")

        data, states = Plain(size)._auto_batch(given)

        assert data.dtype == np.float64 and states == ()
        target = given[None, :, None] if given.ndim == 1 else given
        np.testing.assert_array_equal(data, np.broadcast_to(target, expected))
        data[:] = 0
        assert given.any()

    @pytest.mark.parametrize(
        "data, words",
        [
            (1.0, "scalar"),
            (np.ones((5, 2)), r"3 channels.*got 2 in the shape \(5, 2\)"),
            (np.ones((4, 5, 2)), "3 channels"),
            (np.ones((1, 4, 5, 3)), "got 4 dimensions"),
        ],
    )
    def test_bad_input(self, data, words):
        with pytest.raises(ValueError, match=f"Plain: .*{words}"):
            Plain(3)._auto_batch(data)

    def test_states_are_repeated_over_the_batch(self):
        own, shared, scalar = np.arange(2), np.array([[1.0, 2.0]]), 5.0

        _, states = Plain(2)._auto_batch(
            np.ones((3, 4, 2)), (own, shared, scalar), (None, (4, 2), (2,))
        )

        np.testing.assert_array_equal(states[0], [[0, 1]] * 3)
        np.testing.assert_array_equal(states[1], np.broadcast_to([1.0, 2.0], (3, 4, 2)))
        np.testing.assert_array_equal(states[2], np.full((3, 2), 5.0))
        assert states[0].dtype == np.float64

    def test_states_without_target_shapes_keep_their_own(self):
        _, (state,) = Plain(2)._auto_batch(np.ones((3, 4, 2)), (np.ones((2, 5)),))

        assert state.shape == (3, 2, 5)


class TestBatchState:
    DATA = np.random.default_rng(0).random((3, 8, 2))

    def test_by_default_all_go_on_from_element_zero(self):
        module = Gain(2)

        module(self.DATA)

        np.testing.assert_array_equal(module.total, self.DATA[0].sum(0))
        assert not module.keeps_batch_state

    def test_chunks_of_a_batch_give_what_one_call_gives(self):
        whole, chunked = Gain(2), Gain(2)
        whole.keep_batch_state()
        assert chunked.keep_batch_state(True) is chunked

        whole(self.DATA)
        for start in (0, 3, 5):
            end = {0: 3, 3: 5, 5: 8}[start]
            _, state, _ = chunked(self.DATA[:, start:end])

        assert state["total"].shape == (3, 2)
        np.testing.assert_allclose(chunked.total, whole.total, rtol=1e-12)
        np.testing.assert_allclose(chunked.total, self.DATA.sum(1), rtol=1e-12)

    def test_reset_goes_back_to_the_shape_without_batch(self):
        module = Gain(2).keep_batch_state()
        module(self.DATA)

        module.reset_state()

        assert module.total.shape == (2,)
        module(self.DATA[:2])
        assert module.total.shape == (2, 2)

    def test_another_batch_size_is_an_error_and_changes_nothing(self):
        pair = Pair()
        pair.keep_batch_state()
        pair(self.DATA)
        before = pair.first.total

        with pytest.raises(ValueError, match=r"Gain 'first'.*batch of 3.*batch of 1.*reset_state"):
            pair(self.DATA[:1])

        assert pair.first.total is before

    def test_a_kept_batch_of_one_is_not_spread(self):
        module = Gain(2).keep_batch_state()
        module(self.DATA[:1])

        with pytest.raises(ValueError, match="batch of 1"):
            module(self.DATA)

    def test_the_setting_reaches_all_modules_inside(self):
        outer = Plain()
        outer.pair = Pair()

        outer.keep_batch_state()
        outer.late = Pair()

        for pair in (outer.pair, outer.late):
            assert pair.first.keeps_batch_state and pair.second.keeps_batch_state

    def test_switching_off_keeps_element_zero(self):
        pair = Pair()
        pair.keep_batch_state()
        pair(self.DATA)

        pair.keep_batch_state(False)

        np.testing.assert_array_equal(pair.first.total, self.DATA[0].sum(0))
        pair(self.DATA[:2])

    def test_the_state_can_be_taken_out_and_put_back(self):
        module, twin = Gain(2).keep_batch_state(), Gain(2).keep_batch_state()
        _, state, _ = module(self.DATA)

        twin.set_attributes(state)

        np.testing.assert_array_equal(twin.total, module.total)

    @pytest.mark.parametrize(
        "keep, value, allowed",
        [
            (False, np.ones((3, 2)), r"\(2,\), got"),
            (True, np.ones((3, 4)), r"\(2,\) or \(B, 2\), got"),
            (True, np.ones((5, 3, 2)), r"\(2,\) or \(B, 2\), got"),
            (True, 1.0, r"\(2,\) or \(B, 2\), got"),
        ],
    )
    def test_other_shapes_are_errors(self, keep, value, allowed):
        module = Gain(2).keep_batch_state(keep)

        with pytest.raises(ValueError, match=f"total must have the shape {allowed}"):
            module.total = value

    def test_parameters_have_no_batch(self):
        with pytest.raises(ValueError, match=r"gain must have the shape \(2,\), got"):
            Gain(2).keep_batch_state().gain = np.ones((3, 2))

    @pytest.mark.parametrize("targets", [None, ((2,),)])
    def test_auto_batch_takes_kept_states_as_they_are(self, targets):
        module = Gain(2).keep_batch_state()
        module(self.DATA)

        _, (total,) = module._auto_batch(self.DATA, (module.total,), targets)

        np.testing.assert_array_equal(total, module.total)
        with pytest.raises(ValueError, match="batch of 3"):
            module._auto_batch(self.DATA[:2], (module.total,), targets)

    def test_what_evolve_starts_from_can_be_edited(self):
        module = Gain(2).keep_batch_state()
        _, state, _ = module(self.DATA)
        before = state["total"].copy()

        module._batched_state("total", 3)[:] = 0

        np.testing.assert_array_equal(state["total"], before)


class TestCopies:
    @pytest.mark.parametrize(
        "duplicate",
        [copy.deepcopy, lambda module: pickle.loads(pickle.dumps(module))],
        ids=["deepcopy", "pickle"],
    )
    def test_are_whole_and_independent(self, duplicate):
        pair = Pair()
        pair.keep_batch_state()
        pair(np.ones((2, 3, 2)))

        twin = duplicate(pair)

        assert repr(twin) == repr(pair)
        np.testing.assert_array_equal(twin.first.total, pair.first.total)
        assert twin.first.keeps_batch_state
        twin.first.gain[:] = 9
        twin.reset_state()
        assert (pair.first.gain == 1).all() and pair.first.total.shape == (2, 2)
        with pytest.raises(ValueError, match="exists already"):
            twin.scale = Parameter(1.0)

    def test_conversions_in_the_registry_are_picklable(self):
        module = Plain()
        module.tau = Parameter(
            shape=(2,), init_func=np.ones, cast_fn=functools.partial(np.asarray, dtype="float32")
        )

        twin = pickle.loads(pickle.dumps(module))

        assert twin.reset_parameters().tau.dtype == np.float32

    def test_modules_are_hashable_by_identity(self):
        first, second = Gain(2), Gain(2)

        assert first != second and len({first, second, first}) == 2


class TestOtherViews:
    def test_no_graph_by_default(self):
        with pytest.raises(NotImplementedError, match="Gain"):
            Gain(2).as_graph()

    def test_records_are_not_wrapped_by_default(self):
        record = {"a": np.ones(3)}

        assert Plain()._wrap_recorded_state(record, 0.0) is record

    def test_timed(self):
        module = Gain(2)
        timed = module.timed()

        assert timed.module is module and timed.shape == (2, 2)
        assert timed.add_events is False


class TestInputOfOddTypes:
    @pytest.mark.parametrize("name", ["LIF", "LIFNumba", "Rate", "RateNumba", "ExpSyn", "Linear"])
    @pytest.mark.parametrize(
        ("data", "error", "got"),
        [
            (np.ma.masked_array([[1.0, 2.0]], [[False, True]]), TypeError, "a masked array"),
            (np.ones((3, 2)) * 1j, TypeError, "complex128"),
            (np.array([["2020", "2021"]], dtype="datetime64[Y]"), TypeError, "datetime64"),
            ([["1", "2"]], TypeError, "<U1 from list"),
            (None, TypeError, "object from NoneType"),
            ([[None, 1.0]], TypeError, "object from list"),
            ([[1.0, 2.0], [1.0]], ValueError, "lists of unequal length"),
            (torch.ones(3, 2, requires_grad=True), TypeError, "detach"),
        ],
    )
    def test_is_refused_by_name(self, name, data, error, got):
        module = getattr(modules, name)((2, 2) if name == "Linear" else 2)
        before = copy.deepcopy(module.state())

        with pytest.raises(error, match=f"{name}: the input must be an array of real.*{got}"):
            module(data)

        assert str(module.state()) == str(before)

    @pytest.mark.parametrize("data", [[[True, False]], [[1, 0]], jnp.ones((1, 2), jnp.bfloat16)])
    def test_numbers_of_any_kind_are_taken(self, data):
        output = modules.LIF(2)(data)[0]

        np.testing.assert_array_equal(output, modules.LIFNumba(2)(data)[0])


class TestErrors:
    @pytest.mark.parametrize("name", ["LIF", "LIFNumba", "Rate", "RateNumba", "ExpSyn"])
    def test_wherever_memory_ends_the_state_is_that_before(self, name):
        module = getattr(modules, name)(2)
        data = np.ones((1, 2, 2))
        before = str(module.state())
        getattr(modules, name)(2)(data)  # what is compiled is compiled now

        for line in itertools.count(1):
            try:
                at_line(line, lambda: module(data))
            except MemoryError:
                if str(module.state()) != before:
                    break  # stored in one step, and nothing left to do but to return
            else:
                break

        after = str(module.state())
        module.reset_state()(data)
        assert line > 10 and str(module.state()) == after


def at_line(number, call):
    """Call, and raise a MemoryError at a line of the package, by its number in order."""
    lines = itertools.count(1)

    def trace(frame, event, argument):
        if event == "line" and "rockpool" in frame.f_code.co_filename and next(lines) == number:
            raise MemoryError
        return trace

    earlier = sys.gettrace()
    sys.settrace(trace)
    try:
        call()
    finally:
        sys.settrace(earlier)


class TestShape:
    @pytest.mark.parametrize("name", ["LIF", "Rate", "ExpSyn", "LIFTorch", "LIFJax", "RateTorch"])
    @pytest.mark.parametrize(
        "shape", [b"3", "3", {3}, {3: 1}, True, (2, True), np.array(3), 2.0, (2.0,), None]
    )
    def test_what_is_no_int_is_refused_by_name(self, name, shape):
        with pytest.raises((TypeError, ValueError), match=f"{name}: shape must be"):
            getattr(modules, name)(shape)

    @pytest.mark.parametrize("shape", [0, -1, (2, -2), 10**12, ()])
    def test_what_is_no_size_is_refused_by_name(self, shape):
        with pytest.raises(ValueError, match="LIF: each entry of shape must be"):
            modules.LIF(shape)

    @pytest.mark.parametrize(("size", "error"), [(2 * 10**6, MemoryError), (2 * 10**9, ValueError)])
    def test_too_many_weights_are_refused_by_name(self, size, error):
        with pytest.raises(error, match=rf"Linear: shape \({size}, {size}\) .*needs? "):
            modules.Linear((size, size))

    @pytest.mark.parametrize("shape", ["ab", b"ab", {1}, (True,), 2.0, -1, (), np.array(3)])
    def test_a_module_of_any_kind_has_a_shape_of_ints(self, shape):
        with pytest.raises(TypeError, match="Plain: shape must be an int or a tuple of ints"):
            Plain(shape)


@pytest.mark.parametrize("name", ["jax", "torch"])
def test_another_thread_may_be_in_the_middle_of_an_import(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a package that has no names yet."""
    monkeypatch.setitem(sys.modules, name, ModuleType(name))
    layer = LIF(2, tau_mem=Constant([0.01, 0.02]))
    layer.vmem = np.ones(2)
    assert layer(np.ones((1, 3, 2)))[0].shape == (1, 3, 2)
