"""What a module registers, collects and lets be changed."""

from __future__ import annotations

from collections import OrderedDict
from functools import partial

import jax.numpy as jnp
import numpy as np
import pytest
import torch
from support.user_modules import Gain, Pair, Plain

from rockpool.nn.combinators import Sequential
from rockpool.nn.modules import (
    LIF,
    ExpSynNumba,
    LIFJax,
    LIFNest,
    LIFNumba,
    LIFTorch,
    Linear,
    RateBrian,
)
from rockpool.parameters import Constant, Parameter, ParameterBase, SimulationParameter, State


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

    @pytest.mark.parametrize("kind", [LIF, LIFTorch, LIFJax])
    def test_no_module_is_a_part_of_itself(self, kind):
        layer = kind(2)
        net = Sequential(Sequential(layer))
        before = repr(net)
        names = type(net).__name__

        with pytest.raises(ValueError, match=f"^{names}: me must not be the module itself$"):
            net.me = net
        with pytest.raises(
            ValueError, match=f"^{kind.__name__} '0_{kind.__name__}': net must not be {names}, "
        ):
            layer.net = net
        if kind is LIFTorch:
            with pytest.raises(ValueError, match="net must not be Sequential, which contains it"):
                layer.net = torch.nn.Sequential(net)
            with pytest.raises(ValueError, match=f"net must not be {names}, which contains it"):
                layer.add_module("net", net)
        assert repr(net) == before
        assert len(net.parameters()) == 1

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


NUMBERS = [[2, 3], (2, 3), np.array([2, 3]), np.array([2, 3], np.uint8), np.array([2, 3], object)]
OF_NUMPY = [
    (LIF, {"bias", "vmem"}),
    (partial(LIF, dtype="float32"), {"bias", "vmem"}),
    (LIFNumba, {"threshold"}),
    (ExpSynNumba, {"tau"}),
    (RateBrian, {"bias"}),
    (LIFNest, {"bias"}),
]


class TestNumbersThatAreNoFloats:
    @pytest.mark.parametrize("numbers", NUMBERS, ids=lambda numbers: repr(numbers))
    @pytest.mark.parametrize(("kind", "names"), OF_NUMPY)
    def test_an_array_of_floats_stays_one(self, kind, names, numbers):
        module = kind(2, **{"tau": np.ones(2)} if "tau" in names else {})
        dtype = module._dtype
        for name in names:
            for assign in (setattr, lambda m, n, v: m.set_attributes({n: v})):
                assign(module, name, numbers)
                value = getattr(module, name)
                assert value.dtype == dtype and value.tolist() == [2, 3]
                value[0] = 0.75
                assert getattr(module, name)[0] == 0.75
        assert numbers[0] == 2

    def test_bools_and_single_numbers(self):
        weights, neurons = Linear((2, 2)), LIF(2, tau_mem=0.1)
        weights.weight, neurons.tau_mem = np.eye(2, dtype=bool), 1

        weights.weight[0, 1] = 0.5
        assert weights.weight.tolist() == [[1, 0.5], [0, 1]]
        assert neurons.tau_mem.dtype == np.float64 and neurons.tau_mem == 1

    def test_floats_stay_what_they_are(self):
        module, values = LIF(2), np.ones(2, np.float32)
        module.bias = values
        assert module.bias is values

    def test_objects_that_are_no_numbers(self):
        module = LIF(2)
        with pytest.raises(TypeError, match="LIF: bias must be a number or an array of numbers"):
            module.bias = np.array([1, "a"], object)
        assert module.bias.tolist() == [0, 0]
