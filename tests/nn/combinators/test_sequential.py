"""`Sequential`: modules one after the other."""

from __future__ import annotations

import copy
import inspect
import pickle
from collections import OrderedDict
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from rockpool.nn.combinators import (
    FFwdStack,
    ModSequential,
    Residual,
    Sequential,
    SequentialMixin,
)
from rockpool.nn.modules import LIF, ExpSyn, LIFJax, LIFTorch, Linear, Module, Rate
from rockpool.parameters import SimulationParameter, State


class Shapeless(Module):
    """Hands its input on, of any size."""

    def evolve(self, input_data, record=False):
        return input_data, {}, {}


def network() -> ModSequential:
    return Sequential(Linear((2, 4)), LIF((4, 2)), Linear((2, 3)))


def names(container) -> list[str]:
    return [module.name.strip("'") for module in container]


class TestConstruction:
    def test_names_are_position_and_class(self):
        net = network()

        assert isinstance(net, ModSequential)
        assert names(net) == ["0_Linear", "1_LIF", "2_Linear"]
        assert list(net.modules()) == names(net)

    def test_shape_and_spiking_flags_follow_from_the_ends(self):
        net = Sequential(LIF((4, 2), spiking_input=True), Linear((2, 3)))

        assert net.shape == (4, 3)
        assert net.spiking_input is True and net.spiking_output is False

    @pytest.mark.parametrize("kind", [OrderedDict, dict])
    def test_keys_of_a_dict_are_names(self, kind):
        net = Sequential(kind(encoder=Linear((2, 3)), spikes=LIF(3)), Linear((3, 1)))

        assert names(net) == ["encoder", "spikes", "1_Linear"]
        assert net.encoder is net[0]

    def test_empty(self):
        net = Sequential()

        assert isinstance(net, ModSequential)
        assert net.shape == (0, 0) and len(net) == 0 and net

    def test_unknown_sizes_fit_everything(self):
        assert Sequential(LIF(2), Shapeless(), Linear((3, 1))).shape == (2, 1)
        assert Sequential(Shapeless()).shape == (None, None)

    @pytest.mark.parametrize(
        "arguments, keywords, error, words",
        [
            ([LIF(2)], {"shape": (2, 2)}, ValueError, "shape follows from the modules"),
            ([LIF(2)], {"spiking_input": True}, ValueError, "spiking_input"),
            ([LIF(2)], {"spiking_output": True}, ValueError, "spiking_output"),
            ([Linear((2, 3)), LIF(2)], {}, ValueError, "'0_Linear' has 3 .*'1_LIF' has 2"),
            ([{"a": LIF(2)}, {"a": LIF(2)}], {}, ValueError, "'a' already"),
            ([{"evolve": LIF(2)}], {}, ValueError, "'evolve' is taken"),
            ([{1: LIF(2)}], {}, TypeError, "str, got 1"),
            ([{"a": 3}], {}, TypeError, "'a' must be a module, got 3"),
            ([LIF(2), 3], {}, TypeError, "must be modules.*got 3"),
            ([[LIF(2)]], {}, TypeError, "must be modules.*got \\[LIF"),
            ([LIF(2)], {"colour": 1}, TypeError, "colour=1"),
        ],
    )
    def test_bad_arguments(self, arguments, keywords, error, words):
        with pytest.raises(error, match=f"ModSequential: .*{words}"):
            Sequential(*arguments, **keywords)

    def test_signatures(self):
        for made in (Sequential, ModSequential):
            assert list(inspect.signature(made).parameters) == ["modules", "kwargs"]

    def test_classes(self):
        assert issubclass(ModSequential, SequentialMixin) and issubclass(ModSequential, Module)

    def test_repr(self):
        net = Sequential(Linear((2, 3)), LIF(3))

        assert repr(net) == (
            "ModSequential  with shape (2, 3) {\n"
            "    Linear '0_Linear' with shape (2, 3)\n"
            "    LIF '1_LIF' with shape (3, 3)\n"
            "}"
        )


class TestAccess:
    def test_by_number_and_name(self):
        net = network()

        assert net[0] is net["0_Linear"] is getattr(net, "0_Linear")
        assert net[-1] is net[2] is net[np.int64(2)]
        assert list(net) == [net[0], net[1], net[2]]
        assert net[1] in net and len(net) == 3

    @pytest.mark.parametrize("index", [3, -4])
    def test_no_such_number(self, index):
        with pytest.raises(IndexError, match=f"no module {index}, there are 3"):
            network()[index]

    def test_no_such_name(self):
        with pytest.raises(KeyError, match="no module 'evolve'"):
            network()["evolve"]

    def test_no_such_kind_of_index(self):
        with pytest.raises(TypeError):
            network()[1.0]

    def test_a_slice_is_a_sequential_of_the_same_modules(self):
        net = network()

        part = net[1:]

        assert isinstance(part, ModSequential) and part.shape == (4, 3)
        assert list(part) == [net[1], net[2]]
        assert names(part) == ["1_LIF", "2_Linear"]
        assert names(net) == ["0_Linear", "1_LIF", "2_Linear"]
        assert len(net[5:]) == 0

    def test_append(self):
        net = network()

        assert net.append(LIF((3, 1), spiking_output=True)) is None
        net.append(Linear((1, 5)), "readout")

        assert names(net)[3:] == ["3_LIF", "readout"]
        assert net.shape == (2, 5) and net.spiking_output is False
        assert net(np.ones((1, 3, 2)))[0].shape == (1, 3, 5)

    def test_append_to_an_empty_one(self):
        net = Sequential()
        net.append(LIF((4, 2)))

        assert net.shape == (4, 2) and net.spiking_output is True

    @pytest.mark.parametrize(
        "module, name, error, words",
        [
            (LIF(2), None, ValueError, "'2_Linear' has 3 .*'3_LIF' has 2"),
            (LIF(3), "1_LIF", ValueError, "'1_LIF' already"),
            (LIF(3), "state", ValueError, "'state' is taken"),
            (LIF(3), "dt", ValueError, "attribute 'dt' already"),
            (3, None, TypeError, "got 3"),
        ],
    )
    def test_what_cannot_be_appended(self, module, name, error, words):
        net = network()
        net.dt = SimulationParameter(1e-3)

        with pytest.raises(error, match=words):
            net.append(module, name)
        assert len(net) == 3 and net.shape == (2, 3)

    def test_deleting_the_last_module(self):
        net = network()

        delattr(net, "2_Linear")

        assert names(net) == ["0_Linear", "1_LIF"] and net.shape == (2, 2)


class TestEvolution:
    def test_each_module_gets_the_output_of_the_one_before(self):
        net = network()
        data = np.random.default_rng(0).random((2, 10, 2)) * 5
        twin = copy.deepcopy(net)

        output, state, record = net(data, record=True)

        hidden, _, _ = twin[0](data)
        spikes, lif_state, lif_record = twin[1](hidden, record=True)
        expected, _, _ = twin[2](spikes)
        np.testing.assert_array_equal(output, expected)
        np.testing.assert_array_equal(record["1_LIF_output"], spikes)
        np.testing.assert_array_equal(record["1_LIF"]["vmem"], lif_record["vmem"])
        np.testing.assert_array_equal(state["1_LIF"]["vmem"], lif_state["vmem"])

    def test_state_and_record_are_by_name(self):
        net = network()

        _, state, record = net(np.ones((1, 3, 2)), record=True)

        assert list(state) == names(net) and state.keys() == net.state().keys()
        assert list(record) == [f"{n}{end}" for n in names(net) for end in ("", "_output")]

    def test_outputs_are_there_without_a_record(self):
        _, _, record = network()(np.ones((1, 3, 2)))

        assert record["1_LIF"] == {}
        assert record["1_LIF_output"].shape == (1, 3, 2)

    def test_an_empty_one_hands_its_input_on(self):
        data = np.ones((1, 3, 2))

        output, state, record = Sequential()(data)

        assert output is data and state == record == {}

    def test_nested(self):
        inner = Sequential(LIF(2), Linear((2, 2)))
        outer = Sequential(Linear((1, 2)), inner)

        _, state, record = outer(np.ones((1, 3, 1)))

        assert list(state["1_ModSequential"]) == ["0_LIF", "1_Linear"]
        assert "0_LIF_output" in record["1_ModSequential"]

    def test_a_batch_can_be_streamed_in_chunks(self):
        data = np.random.default_rng(1).random((3, 12, 2)) * 4
        net = network().keep_batch_state()
        whole = copy.deepcopy(net)(data)[0]

        chunks = [net(data[:, start : start + 4])[0] for start in (0, 4, 8)]

        np.testing.assert_allclose(np.concatenate(chunks, axis=1), whole, rtol=1e-12)

    @settings(deadline=None, max_examples=15)
    @given(sizes=st.lists(st.integers(1, 4), min_size=2, max_size=5), steps=st.integers(1, 5))
    def test_any_chain_of_layers_is_the_product_of_its_weights(self, sizes, steps):
        layers = [Linear(pair) for pair in pairwise(sizes)]
        data = np.random.default_rng(2).random((2, steps, sizes[0]))

        output = Sequential(*layers)(data)[0]

        expected = data
        for layer in layers:
            expected = expected @ layer.weight
        np.testing.assert_allclose(output, expected, atol=1e-12)


class TestRecordsAsTimeSeries:
    def test_of_modules_and_outputs(self):
        net = network()
        _, _, record = net(np.ones((2, 5, 2)) * 3, record=True)

        wrapped = net._wrap_recorded_state(record, 0.5)

        assert type(wrapped["1_LIF"]["vmem"]).__name__ == "TSContinuous"
        spikes, readout = wrapped["1_LIF_output"], wrapped["2_Linear_output"]
        assert type(spikes).__name__ == "TSEvent" and type(readout).__name__ == "TSContinuous"
        assert spikes.num_channels == 2 and readout.num_channels == 3
        assert spikes.t_start == readout.t_start == 0.5
        assert spikes.t_stop == pytest.approx(0.505) and spikes.name == "1_LIF_output"
        assert len(spikes.times) == record["1_LIF_output"][0].sum()
        np.testing.assert_array_equal(readout.samples, record["2_Linear_output"][0])

    def test_of_a_call_without_record(self):
        net = network()
        record = net(np.ones((1, 5, 2)))[2]

        wrapped = net._wrap_recorded_state(record, 0.0)

        assert wrapped["1_LIF"] == {}
        assert wrapped["1_LIF_output"].num_channels == 2

    def test_without_any_time_step(self):
        net = Sequential(Linear((2, 3)))
        record = net(np.ones((1, 5, 2)))[2]

        with pytest.raises(ValueError, match="time step `dt`"):
            net._wrap_recorded_state(record, 0.0)

        net.dt = 2e-3
        wrapped = net._wrap_recorded_state(record, 0.0)
        assert wrapped["0_Linear_output"].t_stop == pytest.approx(0.01)


@pytest.mark.parametrize(
    "duplicate",
    [copy.deepcopy, lambda net: pickle.loads(pickle.dumps(net))],
    ids=["deepcopy", "pickle"],
)
def test_copies_give_the_same_answer(duplicate):
    net = network()
    data = np.random.default_rng(3).random((1, 6, 2)) * 4

    twin = duplicate(net)
    twin.append(Linear((3, 1)))

    assert len(net) == 3
    np.testing.assert_array_equal(twin[:3](data)[0], net(data)[0])


def test_parameters_by_family():
    net = Sequential(Linear((2, 2)), Rate(2))

    assert list(net.parameters("taus")) == ["1_Rate"]
    assert list(net.parameters(["weights"])) == ["0_Linear"]


class Failing(Module):
    """Fails in its second call."""

    calls = 0

    def evolve(self, input_data, record=False):
        self.calls += 1
        if self.calls == 2:
            raise KeyboardInterrupt
        return input_data, {}, {}


class InPlace(Module):
    """Writes into its state."""

    def __init__(self):
        super().__init__(2)
        self.sum = State(shape=(2,), init_func=np.zeros)

    def evolve(self, input_data, record=False):
        self.sum += input_data.sum(axis=(0, 1))
        return input_data, self.state(), {}


class WritingLIF(LIF):
    """Writes into a state of neurons that otherwise never does so."""

    def evolve(self, input_data, record=False):
        self.vmem += 0.125
        return super().evolve(input_data, record)


class Row(Module):
    """A module of a user, with modules in it."""

    def __init__(self, *modules):
        super().__init__(2)
        for number, module in enumerate(modules):
            setattr(self, f"m{number}", module)

    def evolve(self, input_data, record=False):
        for module in self.modules().values():
            if isinstance(module, LIF):
                module.isyn += 0.125
            input_data, _, _ = module(input_data)
        return input_data, self.state(), {}


@pytest.mark.parametrize("combine", [Sequential, Residual, FFwdStack, Row])
def test_an_error_in_a_later_module_leaves_all_as_they_were(combine):
    net = combine(LIF(2), WritingLIF(2), Sequential(ExpSyn(2), InPlace()), Failing(2))
    data = np.ones((1, 4, 2))
    net(data)
    before = copy.deepcopy(net.state())

    with pytest.raises(KeyboardInterrupt):
        net(data)

    assert str(net.state()) == str(before)


def test_one_module_at_two_places_is_an_error_that_names_both():
    layer = LIF(2)
    for make in (Sequential, Residual, FFwdStack):
        with pytest.raises(ValueError, match="LIF stands at two places, '0_LIF' and 'again'"):
            make(layer, {"again": layer})
    with pytest.raises(ValueError, match=r"'0_LIF' and '1_Row.m0'"):
        Sequential(layer, Row(layer))
    net = Sequential(Sequential(layer), LIF(2))
    with pytest.raises(ValueError, match=r"'0_ModSequential.0_LIF' and '2_LIF'"):
        net.append(layer)
    assert len(net) == 2


@pytest.mark.parametrize("layer", [LIFJax(2), LIFTorch(2), torch.nn.Linear(2, 2)])
def test_so_it_is_on_each_back_end(layer):
    with pytest.raises(ValueError, match="stands at two places, 'a' and 'b'"):
        Sequential({"a": layer, "b": layer})


def test_a_module_that_holds_nothing_may_stand_at_several_places():
    relu = torch.nn.ReLU()
    assert len(Sequential(relu, LIFTorch(2), relu)) == 3


def test_modules_in_a_row_have_one_time_step():
    for make in (Sequential, Residual, FFwdStack):
        with pytest.raises(ValueError, match=r"'0_LIF' has 0.001 s and '1_Rate' has 0.002 s"):
            make(LIF(2), Rate(2, dt=2e-3))
    with pytest.raises(ValueError, match=r"'0_LIF' has 0.001 s and '1_ModSequential.0_LIF' has"):
        Sequential(LIF(2), Sequential(LIF(2, dt=2e-3)))
    net = Sequential(LIF(2), Linear((2, 2)), LIF(2, dt=float(np.float32(1e-3))))
    net[2].dt = 2e-3
    with pytest.raises(ValueError, match=r"'2_LIF' has 0.002 s"):
        net(np.ones((1, 3, 2)))
    net[0].dt = 2e-3
    net(np.ones((1, 3, 2)))


class Forgetful(Module):
    """Returns what it was made with."""

    def __init__(self, returned: Any) -> None:
        super().__init__((3, 3))
        self.__dict__["returned"] = returned

    def evolve(self, input_data: Any, record: bool = False) -> Any:
        return self.returned


@pytest.mark.parametrize(
    ("returned", "kind"),
    [
        (np.ones((3, 5, 3)), "ndarray"),
        (None, "NoneType"),
        ((1, {}), "tuple of 2"),
        ([1, {}, {}, {}], "list of 4"),
    ],
)
def test_a_member_that_returns_no_triple_is_named(returned: Any, kind: str) -> None:
    network = Sequential(Forgetful(returned), LIF(3))
    with pytest.raises(TypeError, match=rf"'0_Forgetful', a Forgetful, must return .* got {kind}$"):
        network(np.ones((3, 5, 3)))
