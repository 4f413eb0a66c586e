"""How a module is made, called, copied and shown."""

from __future__ import annotations

import copy
import functools
import inspect
import pickle
import sys
from types import ModuleType

import numpy as np
import pytest
import torch
from support.user_modules import Gain, Pair, Plain

from rockpool.nn import modules
from rockpool.nn.modules import LIF, Module
from rockpool.nn.modules.module import ModuleBase, PostInitMetaMixin
from rockpool.parameters import Constant, Parameter


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
