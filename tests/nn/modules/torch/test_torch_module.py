"""The base class: registration, the two modes, modules of torch, what torch asks of a module."""

from __future__ import annotations

import abc
import copy
from collections import OrderedDict
from functools import partial
from typing import Any, Generic, TypeVar

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from rockpool.nn.combinators import Sequential
from rockpool.nn.modules.native import LIF
from rockpool.nn.modules.sinabs import LIFSinabs
from rockpool.nn.modules.torch import (
    LIFBitshiftTorch,
    LIFNeuronTorch,
    LIFTorch,
    LinearTorch,
    RateTorch,
    TorchModule,
    TorchModuleParameters,
    aLIFTorch,
)
from rockpool.parameters import Constant, Parameter, SimulationParameter, State

T = TypeVar("T")


class Gain(TorchModule):
    """A little module of a user's own."""

    def __init__(self, shape: int, **kwargs: Any) -> None:
        super().__init__(shape=shape, **kwargs)
        self.gain = Parameter(shape=(self.size_in,), init_func=torch.ones, family="weights")
        self.count = State(shape=(), init_func=torch.zeros)
        self.limit = SimulationParameter(torch.tensor(5.0))
        self.label = SimulationParameter("a")

    def forward(self, data: Tensor) -> Tensor:
        data, _ = self._auto_batch(data)
        self.count = self.count + 1
        if self._record:
            self._record_dict["input"] = data
        return (data * self.gain).clamp(max=self.limit)


class Parent(TorchModule):
    """Modules within modules, one of them of torch alone."""

    def __init__(self) -> None:
        super().__init__(shape=(2, 2))
        self.scale = Parameter(torch.tensor(2.0))
        self.inner = Gain(2)
        self.lin = nn.Linear(2, 2)

    def forward(self, data: Tensor) -> Tensor:
        out, _, self._record_dict["inner"] = self.inner(data, record=self._record)
        return self.lin(out) * self.scale


# -- a user's own module -------------------------------------------------------------------------


def test_a_call_gives_output_state_and_record() -> None:
    module = Gain(2)
    output, state, record = module(torch.ones(3, 4, 2))
    assert torch.equal(output, torch.ones(3, 4, 2))
    assert state == {"count": torch.tensor(1.0)} and record == {}
    _, state, record = module(torch.ones(3, 4, 2), record=True)
    assert state["count"] == 2 and record["input"].shape == (3, 4, 2)


def test_no_record_stays_behind() -> None:
    module = Parent()
    module(torch.ones(1, 4, 2), record=True)
    module.to_torch()(torch.ones(1, 4, 2))
    assert module._record_dict == {} and module.inner._record_dict == {}


def test_nothing_stays_behind_after_an_error() -> None:
    class Failing(Gain):
        def forward(self, data: Tensor) -> Tensor:
            self._record_dict["input"] = data * self.gain
            raise RuntimeError("no")

    module = Failing(2)
    with pytest.raises(RuntimeError, match="no"):
        module(torch.ones(1, 1, 2), record=True)
    assert module._record_dict == {} and module._record is False


def test_hooks_of_torch_run() -> None:
    module, seen = Gain(2), []
    module.register_forward_hook(lambda module, args, output: seen.append(output.shape))
    module(torch.ones(1, 4, 2))
    assert seen == [(1, 4, 2)]


def test_a_class_that_has_evolve_only() -> None:
    class Doubled(TorchModule):
        def evolve(self, input_data: Any, record: bool = False) -> Any:
            return input_data * 2, self.state(), {}

    module = Doubled(shape=1)
    assert module(torch.ones(1, 1, 1))[0].item() == 2
    assert module.to_torch()(torch.ones(1, 1, 1)).item() == 2


@pytest.mark.parametrize(
    ("shape", "expected"),
    [((5,), (1, 5, 3)), ((5, 3), (1, 5, 3)), ((5, 1), (1, 5, 3)), ((2, 5, 1), (2, 5, 3))],
)
def test_input_gets_three_dimensions(shape: tuple[int, ...], expected: tuple[int, ...]) -> None:
    data, (state,) = Gain(3)._auto_batch(torch.rand(shape, dtype=torch.float64), (torch.ones(3),))
    assert data.shape == expected and data.dtype == torch.float64
    assert state.shape == (expected[0], 3)


@pytest.mark.parametrize("shape", [(5, 2), (1, 1, 5, 3), (1, 5, 4)])
def test_input_of_a_wrong_shape(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="Gain: the input must have"):
        Gain(3)(torch.rand(shape))


# -- registration --------------------------------------------------------------------------------


def test_where_things_go() -> None:
    module = Gain(2)
    assert isinstance(module._parameters["gain"], nn.Parameter)
    assert list(module.state_dict()) == ["gain", "count"]
    assert list(dict(module.named_buffers())) == ["count", "limit"]
    assert module.__dict__["label"] == "a"


def test_parameters_become_single_precision() -> None:
    module = TorchModule()
    for name, value in {"a": np.ones(3), "b": [1, 2], "c": 3, "d": torch.ones(2).double()}.items():
        setattr(module, name, Parameter(value))
        assert getattr(module, name).dtype == torch.float32
        assert isinstance(getattr(module, name), nn.Parameter)


def test_a_value_that_was_given_is_copied() -> None:
    weight = torch.ones(2, 3)
    one, other = LinearTorch((2, 3), weight), LinearTorch((2, 3), weight)
    with torch.no_grad():
        one.weight.zero_()
    assert torch.equal(other.weight, torch.ones(2, 3)) and torch.equal(weight, torch.ones(2, 3))


def test_a_state_must_be_a_tensor() -> None:
    module = TorchModule()
    with pytest.raises(TypeError, match="the state x must be a torch tensor, got 3"):
        module.x = State(3)
    assert not module._has_registered_attribute("x")


def test_parameters_and_buffers_of_torch() -> None:
    module = TorchModule()
    module.w = nn.Parameter(torch.ones(2))
    module.register_parameter("v", nn.Parameter(torch.zeros(3)))
    module.register_buffer("kept", torch.ones(1))
    module.register_buffer("passing", torch.ones(1), persistent=False)
    module.register_buffer("nothing", None)
    assert list(module.parameters()) == ["w", "v"]
    assert list(module.state()) == ["kept"]
    assert list(module.simulation_parameters()) == ["passing"]
    assert list(module.state_dict()) == ["w", "v", "kept"]
    assert module.nothing is None


def test_a_tensor_assigned_to_a_parameter() -> None:
    layer = LIFTorch(2)
    layer.tau_mem = torch.tensor([0.01, 0.03], dtype=torch.float64)
    assert isinstance(layer.tau_mem, nn.Parameter) and layer.tau_mem.dtype == torch.float32
    assert list(layer.parameters("taus")) == ["tau_mem", "tau_syn"]
    assert list(layer.parameters()) == [name for name, _ in layer.named_parameters()]
    layer.tau_mem = np.array([0.01, 0.02])
    assert layer.tau_mem.tolist() == pytest.approx([0.01, 0.02])


@pytest.mark.parametrize("form", [Tensor.clone, Tensor.double, Tensor.numpy, Tensor.tolist])
def test_an_assignment_writes_into_the_parameter(form: Any) -> None:
    layer = LIFTorch(2, has_rec=True)
    parameters = dict(layer.named_parameters())
    values = {name: form(value.detach() / 2) for name, value in parameters.items()}
    for name in ("tau_mem", "w_rec"):
        setattr(layer, name, values[name])
    layer.set_attributes(values)
    for name, parameter in parameters.items():
        assert getattr(layer, name) is parameter
        np.testing.assert_array_equal(parameter.detach(), values[name])
    layer.reset_parameters()
    assert all(getattr(layer, name) is parameter for name, parameter in parameters.items())


def test_a_value_of_a_parameter_that_two_layers_share_lands_in_the_one_tensor() -> None:
    first, second = LinearTorch((2, 2)), LinearTorch((2, 2))
    second.weight = weight = first.weight
    net = Sequential(first, second)
    net.set_attributes({"0_LinearTorch": {"weight": np.full((2, 2), 0.5)}})
    assert net[0].weight is weight and net[1].weight is weight
    np.testing.assert_array_equal(weight.detach(), np.full((2, 2), 0.5))
    net.set_attributes({name: {"weight": torch.ones(2, 2)} for name in net.parameters()})
    assert net[0].weight is weight and net[1].weight is weight


def test_a_tree_of_parameters_is_written_into_those_that_are_there() -> None:
    first, second = LinearTorch((2, 2)), LinearTorch((2, 2))
    second.weight = first.weight
    net = Sequential(first, second, LIFTorch(2))
    optimizer = torch.optim.SGD(net.parameters().astorch(), lr=0.25)
    before = dict(net.named_parameters())
    start = copy.deepcopy(net.parameters())
    for parameter in before.values():
        parameter.data *= 2
    net.set_attributes(start)
    assert net[0].weight is net[1].weight
    for name, parameter in net.named_parameters():
        assert parameter is before[name]
    assert torch.equal(net[0].weight, start["0_LinearTorch"]["weight"])
    assert torch.equal(net[2].tau_mem, start["2_LIFTorch"]["tau_mem"])
    net[0].weight.grad = torch.ones(2, 2)
    optimizer.step()
    assert torch.equal(net[1].weight, start["0_LinearTorch"]["weight"] - 0.25)


@pytest.mark.parametrize(
    "form", [Tensor.detach, lambda parameter: parameter, lambda parameter: parameter.data.numpy()]
)
def test_a_tree_may_hand_layers_the_parameters_of_each_other(form: Any) -> None:
    net = Sequential(LinearTorch((1, 1), weight=[[1.0]]), LinearTorch((1, 1), weight=[[2.0]]))
    one, two = net[0].weight, net[1].weight
    net.set_attributes({"0": {"weight": form(two)}, "1": {"weight": form(one)}})
    assert net[0].weight is one and net[1].weight is two
    assert (one.item(), two.item()) == (2.0, 1.0)


def test_a_tree_may_have_the_parameters_themselves_in_the_middle_of_training() -> None:
    layer = LinearTorch((2, 2))
    output = layer(torch.ones(1, 1, 2))[0]
    layer.set_attributes(layer.parameters())
    output.sum().backward()  # nothing has been written
    assert layer.weight.grad.tolist() == [[1, 1]] * 2


def test_a_tree_keeps_what_is_not_trained_as_it_is() -> None:
    layer = LinearTorch((2, 2)).double()
    layer.weight.requires_grad_(False)
    layer.set_attributes({"weight": nn.Parameter(torch.ones(2, 2))})
    assert not layer.weight.requires_grad and layer.weight.dtype == torch.float64


def test_a_parameter_of_a_tree_comes_where_a_tensor_with_a_graph_stood() -> None:
    layer = LinearTorch((2, 2))
    parameter = layer.weight
    layer.weight = 2 * layer.weight
    layer.set_attributes({"weight": nn.Parameter(torch.ones(2, 2))})
    assert layer.weight is parameter and parameter.tolist() == [[1, 1]] * 2


@pytest.mark.parametrize(
    "form", [Tensor.clone, nn.Parameter, lambda value: value.requires_grad_() * 1]
)
@pytest.mark.parametrize(
    ("layer", "name", "value"),
    [
        (LIFTorch(2), "tau_mem", -0.01),
        (LIFTorch(2, leak_mode="decays"), "alpha", 2.0),
        (LIFBitshiftTorch(2), "tau_mem", 1e-3),
        (LinearTorch((2, 2)), "weight", np.nan),
    ],
)
def test_values_out_of_range_change_nothing(layer: Any, name: str, value: float, form: Any) -> None:
    parameter = getattr(layer, name)
    before = parameter.tolist()
    for change in (partial(setattr, layer, name), lambda new: layer.set_attributes({name: new})):
        with pytest.raises(ValueError, match=f"{name} must be"):
            change(form(torch.full_like(parameter, value)))
    assert getattr(layer, name) is parameter and parameter.tolist() == before


def test_a_parameter_may_be_set_to_a_view_of_itself() -> None:
    layer = LinearTorch((2, 2), weight=[[1.0, 2.0], [3.0, 4.0]])
    layer.weight = layer.weight.detach().t()
    assert layer.weight.tolist() == [[1, 3], [2, 4]]


def test_a_tensor_with_a_graph_takes_the_place_of_a_parameter() -> None:
    layer, z = LinearTorch((2, 3)), torch.ones(2, 3, requires_grad=True)
    parameter, names = layer.weight, list(layer.state_dict())
    layer.set_attributes({"weight": 2 * z})
    layer(torch.ones(1, 1, 2))[0].sum().backward()
    assert z.grad.tolist() == [[2, 2, 2]] * 2 and parameter.grad is None
    assert list(layer.state_dict()) == names and list(layer.parameters("weights")) == names
    layer.double().zero_grad()
    assert layer(torch.ones(1, 1, 2).double())[0].tolist() == [[[4, 4, 4]]]
    layer.weight = torch.ones(2, 3)
    assert layer.weight is parameter and parameter.tolist() == [[1, 1, 1]] * 2
    assert parameter.dtype == torch.float64


@pytest.mark.parametrize(
    "put_back", [LinearTorch.reset_parameters, lambda layer: layer.load_state_dict(LINEAR)]
)
def test_the_parameter_comes_back(put_back: Any) -> None:
    layer = LinearTorch((2, 2))
    parameter, (value, *_) = layer.weight, LINEAR.values()
    layer.weight = 2 * layer.weight
    put_back(layer)
    assert layer.weight is parameter and isinstance(value, Tensor)


LINEAR = {"weight": torch.ones(2, 2)}


def test_a_step_of_gradient_descent_that_gradients_pass_through() -> None:
    layer, x = LinearTorch((1, 1), weight=[[2.0]]), torch.ones(1, 1, 1)
    start = layer.weight
    (slope,) = torch.autograd.grad(layer(x)[0].square().sum(), start, create_graph=True)
    layer.weight = start - 0.1 * slope  # 0.8 w
    layer(x)[0].square().sum().backward()
    assert start.grad.item() == pytest.approx(2 * 1.6 * 0.8)
    layer.weight = start
    assert layer.weight is start


def test_a_parameter_of_torch_assigned_keeps_the_family() -> None:
    layer, shared = LinearTorch((2, 3)), nn.Parameter(torch.ones(2, 3))
    layer.weight = shared
    assert layer.weight is shared and layer.parameters("weights")["weight"] is shared


@pytest.mark.parametrize("value", [1, 0.75])
@pytest.mark.parametrize("name", ["learning_window", "max_spikes_per_dt"])
@pytest.mark.parametrize("cls", [LIFTorch, aLIFTorch, LIFBitshiftTorch, LIFNeuronTorch, LIFSinabs])
def test_a_setting_assigned_as_a_number_is_as_if_it_had_been_given(
    cls: type[Any], name: str, value: float
) -> None:
    value = 1 if name == "max_spikes_per_dt" else value
    layer, wanted = cls(2).double(), cls(2, **{name: value}).double()
    setattr(layer, name, value)
    x = torch.linspace(0, 3, 40, dtype=torch.float64).reshape(1, 20, 2)
    found, expected = (module(x, record=True)[0] for module in (layer, wanted))
    found.sum().backward()
    expected.sum().backward()
    assert torch.equal(found, expected)
    assert torch.equal(getattr(layer, name), getattr(wanted, name))
    assert torch.equal(layer.threshold.grad, wanted.threshold.grad)


@pytest.mark.parametrize("cls", [LIFTorch, aLIFTorch, LIFBitshiftTorch, LIFNeuronTorch, LIFSinabs])
def test_a_setting_assigned_as_a_whole_number_can_become_a_fraction(cls: type[Any]) -> None:
    layer = cls(2)
    layer.learning_window = torch.tensor(1)
    assert torch.equal(layer.learning_window, torch.tensor(1.0))
    for value in (0.5, np.float32(0.25)):
        layer.learning_window = value
        assert torch.equal(layer.learning_window, torch.tensor(float(value)))
    layer.max_spikes_per_dt = torch.tensor(3)
    layer.max_spikes_per_dt = float("inf")
    assert torch.equal(layer.max_spikes_per_dt, torch.tensor(float("inf")))


def test_an_assignment_keeps_what_is_not_trained_as_it_is() -> None:
    layer = LinearTorch((2, 3)).double()
    layer.weight.requires_grad_(False)
    layer.weight = torch.ones(2, 3)
    assert not layer.weight.requires_grad and layer.weight.dtype == torch.float64


@pytest.mark.parametrize("value", [torch.ones(3), nn.Parameter(torch.ones(3)), np.ones(3), 1.0])
def test_a_value_of_another_shape(value: Any) -> None:
    layer = LIFTorch(2)
    before = layer.tau_mem
    with pytest.raises(ValueError, match=r"LIFTorch: tau_mem must have the shape \(2,\)"):
        layer.tau_mem = value
    assert layer.tau_mem is before


def test_a_new_parameter_on_an_old_attribute() -> None:
    layer = LIFTorch(2)
    with pytest.raises(ValueError, match="'tau_mem' exists already"):
        layer.tau_mem = Parameter(torch.ones(2))


def test_constants_are_not_trained() -> None:
    layer = LIFTorch(2, threshold=Constant(1.0), bias=Constant(torch.ones(2, requires_grad=True)))
    assert list(layer.parameters()) == ["tau_mem", "tau_syn"]
    assert {"threshold", "bias"} < layer.simulation_parameters().keys()
    assert not layer.bias.requires_grad and "bias" not in layer.state_dict()
    assert type(layer.bias) is Tensor
    all_constant = LIFTorch(
        2, tau_mem=Constant(0.1), tau_syn=Constant(0.1), bias=Constant(0), threshold=Constant(1)
    )
    assert all_constant.parameters() == {}


def test_modules_of_other_kinds() -> None:
    module = TorchModule()
    with pytest.raises(ValueError, match="lif must be a torch module"):
        module.lif = LIF(2)
    assert module.modules() == {}


def test_deleting() -> None:
    module = Parent()
    del module.scale, module.inner
    assert list(module.parameters()) == ["lin"]
    assert not hasattr(module, "scale") and not hasattr(module, "inner")


def test_add_module() -> None:
    module = TorchModule()
    module.add_module("a", Gain(2))
    module.register_module("b", nn.Linear(2, 2))
    assert list(module.modules()) == ["a", "b"] and isinstance(module.b, TorchModule)
    with pytest.raises(KeyError):
        module.add_module("x.y", Gain(2))
    assert list(module.modules()) == ["a", "b"]


def test_what_torch_takes_out_is_not_registered() -> None:
    module = LIFTorch(2)
    del module._parameters["bias"]
    assert list(module.parameters()) == ["tau_mem", "tau_syn", "threshold"]
    module.reset_parameters()
    stack = nn.Sequential(nn.ReLU(), nn.Linear(2, 2), nn.Linear(2, 2))
    TorchModule.from_torch(stack)
    del stack[0]
    assert list(stack.parameters()) == list(stack.modules()) == ["0", "1"]
    layers = nn.ModuleList([LIFTorch(2)])
    TorchModule.from_torch(layers)
    layers.insert(0, nn.Linear(2, 2))
    assert [layer.name for layer in layers.modules().values()] == ["'0'", "'1'"]
    assert list(layers.parameters()["0"]) == ["weight", "bias"]


def test_reset() -> None:
    torch.manual_seed(0)
    module = Sequential(LinearTorch((2, 3)), LIFTorch(3, tau_mem=[0.01, 0.02, 0.03])).double()
    module(torch.ones(1, 5, 2))
    weight = module[0].weight.clone()
    module[1].tau_mem.data.mul_(2)
    assert module.reset_state() is module and module.reset_parameters() is module
    assert not module[1].isyn.any()
    assert module[1].tau_mem.tolist() == pytest.approx([0.01, 0.02, 0.03])
    assert not torch.equal(module[0].weight, weight)
    assert {v.dtype for v in module.state_dict().values()} == {torch.float64}
    assert isinstance(module[0].weight, nn.Parameter)


# -- trees ----------------------------------------------------------------------------------------


def test_the_tree_and_torch_hold_the_same_objects_in_the_same_order() -> None:
    module = Parent()
    for made in (module, Sequential(LinearTorch((2, 3), has_bias=True), RateTorch(3))):
        tree, flat = made.parameters(), list(nn.Module.parameters(made))
        assert isinstance(tree, TorchModuleParameters)
        assert [id(value) for value in tree.astorch()] == [id(value) for value in flat]
    assert module.parameters()["inner"]["gain"] is module.inner.gain
    assert list(module.parameters()["inner"].astorch()) == [module.inner.gain]


def test_shared_parameters_come_once() -> None:
    layer = LinearTorch((2, 2))
    module = Sequential(OrderedDict(a=layer, b=LinearTorch((2, 2))))
    module.b.weight = layer.weight
    assert len(list(module.parameters().astorch())) == 1


def test_names_in_trees_are_strings() -> None:
    tree = LIFTorch(2).parameters()
    assert "tau_mem" in tree and tree["tau_mem"] is not None
    assert {**tree}.keys() == {"tau_mem", "tau_syn", "bias", "threshold"}
    assert repr(next(iter(tree))) == "'tau_mem'"


def test_the_tree_where_tensors_are_wanted() -> None:
    tree = LIFTorch(2).parameters()
    with pytest.raises(TypeError, match=r"'tau_mem'.*parameters\(\)\.astorch\(\)"):
        torch.optim.Adam(tree)
    with pytest.raises(TypeError, match=r"'tau_mem'.*parameters\(\)\.astorch\(\)"):
        nn.utils.clip_grad_norm_(tree, 1.0)


def test_set_attributes() -> None:
    one, other = Parent(), Parent()
    other.set_attributes(one.parameters())
    x = torch.rand(1, 3, 2)
    assert torch.equal(one(x)[0], other(x)[0])
    assert other.scale is not one.scale and torch.equal(other.scale, one.scale)
    other.set_attributes({"inner": {"gain": torch.zeros(2)}})
    assert not other.inner.gain.any()


# -- the two modes --------------------------------------------------------------------------------


def test_torch_mode() -> None:
    module = Parent()
    x = torch.rand(1, 3, 2)
    expected = module(x)[0]
    assert module.to_torch() is module
    assert torch.equal(module(x), expected)
    assert [id(p) for p in module.parameters()] == [id(p) for _, p in module.named_parameters()]
    assert len(list(module.parameters(recurse=False))) == 1
    assert [type(m).__name__ for m in module.modules()] == ["Parent", "Gain", "Linear"]
    assert isinstance(module.state(), TorchModuleParameters)
    output, state, record = module.inner(x)  # as the modules around it expect
    assert output.shape == x.shape and isinstance(state, dict) and record == {}


def test_torch_mode_without_the_call() -> None:
    module = Parent().to_torch(use_torch_call=False)
    assert isinstance(module(torch.rand(1, 3, 2)), tuple)
    assert len(list(module.parameters())) == 4


def test_torch_mode_from_the_start() -> None:
    module = Gain(2, retain_torch_api=True)
    assert isinstance(module(torch.rand(1, 3, 2)), Tensor)
    assert list(module.parameters()) == [module.gain]


def test_all_goes_on_in_torch_mode(tmp_path: Any) -> None:
    module = Parent().to_torch()
    module.inner.gain.data.zero_()
    module.save(tmp_path / "values.json")
    module.reset_parameters()
    assert module.inner.gain.tolist() == [1, 1]
    module.load(tmp_path / "values.json")
    assert module.inner.gain.tolist() == [0, 0]


def test_repr() -> None:
    module = Parent()
    assert repr(Gain(2)) == "Gain  with shape (2,)"
    assert repr(module) == (
        "Parent  with shape (2, 2) {\n"
        "    Gain 'inner' with shape (2,)\n"
        "    Linear 'lin' with shape (None,)\n"
        "}"
    )
    assert repr(module.to_torch()) == (
        "Parent(\n  (inner): Gain()\n  (lin): Linear 'lin' with shape (None,)\n)"
    )


def test_what_torch_does_with_parameters_in_rockpool_mode() -> None:
    module = Parent()
    module(torch.rand(1, 3, 2))[0].sum().backward()
    nn.utils.clip_grad_norm_(module.parameters().astorch(), 1e-3)
    norm = torch.stack([p.grad.norm() for p in module.parameters().astorch()]).norm()
    assert norm.item() == pytest.approx(1e-3, rel=1e-3)
    module.zero_grad(set_to_none=False)
    assert all(not p.grad.any() for p in module.parameters().astorch())
    module.zero_grad()
    assert all(p.grad is None for p in module.parameters().astorch())
    assert module.requires_grad_(False) is module
    assert not any(p.requires_grad for p in module.parameters().astorch())
    assert isinstance(module.parameters(recurse=False), type(iter_once()))


def iter_once() -> Any:
    yield


def test_train_and_eval() -> None:
    module = Parent()
    assert module.eval() is module and not module.lin.training and not module.inner.training
    assert module.train().inner.training


# -- modules of torch -----------------------------------------------------------------------------


def test_from_torch() -> None:
    module = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3))
    x = torch.rand(4, 2)
    expected = module.eval()(x)
    assert TorchModule.from_torch(module) is None
    assert isinstance(module, TorchModule) and isinstance(module, nn.Sequential)
    assert (module.class_name, module.shape, module.spiking_output) == (
        "Sequential",
        (None,),
        False,
    )
    output, state, record = module(x)
    assert torch.equal(output, expected) and record == {}
    assert list(module.parameters()["0"]) == ["weight", "bias"]
    assert list(state["1"]) == ["running_mean", "running_var", "num_batches_tracked"]
    assert torch.equal(module[0](x), nn.functional.linear(x, module[0].weight, module[0].bias))


def test_from_torch_with_the_api_of_torch() -> None:
    module = nn.Linear(2, 3)
    TorchModule.from_torch(module, retain_torch_api=True)
    assert isinstance(module(torch.rand(1, 2)), Tensor)
    assert len(list(module.parameters())) == 2
    assert repr(module) == "Linear  with shape (None,)"
    assert isinstance(module.evolve(torch.rand(1, 2)), tuple)


class Counting(nn.Module):
    """A module of torch with buffers of its own, one of which grows."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("calls", torch.zeros(()))
        self.register_buffer("seen", torch.zeros(0))

    def forward(self, data: Tensor) -> Tensor:
        self.calls = self.calls + 1
        self.seen = torch.cat((self.seen, data.flatten()))
        return data


class AbstractBefore(abc.ABC, Counting):
    """Classes like this one lay their objects out in another way."""


class GenericBefore(Generic[T], Counting):
    """So do these."""


class Meta(type):
    """A metaclass of a user's own."""


class WithMeta(Counting, metaclass=Meta):
    """A class of that."""


@pytest.mark.parametrize(
    "make",
    [
        lambda: nn.BatchNorm1d(2, momentum=None),
        lambda: torch.ao.quantization.FakeQuantize(),
        *(Counting, AbstractBefore, GenericBefore, WithMeta),
    ],
)
def test_resetting_the_state_leaves_what_is_no_state_of_neurons(make: Any) -> None:
    own = make()
    kind, module = type(own), Sequential(own, LIFTorch(2))
    assert isinstance(own, TorchModule) and isinstance(own, kind)
    _, state, _ = module(torch.ones(2, 2, 2))
    kept = {name: value.clone() for name, value in own.state_dict().items()}
    module.reset_state()
    assert not module[1].isyn.any()
    for name, value in own.state_dict().items():
        assert torch.equal(value, kept[name]), name
    module.set_attributes(state)
    assert torch.equal(copy.deepcopy(module)[1].isyn, module[1].isyn)


def test_a_module_of_torch_that_resets_itself() -> None:
    class Neuron(Counting):
        def reset_state(self) -> None:
            self.calls.zero_()

    module = Sequential(Neuron(), LIFTorch(2))
    module(torch.ones(1, 2, 2))
    assert module.reset_state()[0].calls == 0 and len(module[0].seen) == 4


@pytest.mark.parametrize("thing", [3, nn.Linear, LIF(2)])
def test_from_torch_of_something_else(thing: Any) -> None:
    with pytest.raises(TypeError, match=r"need a torch\.nn\.Module"):
        TorchModule.from_torch(thing)


def test_from_torch_of_a_lazy_module() -> None:
    module = nn.LazyLinear(3)
    with pytest.raises(ValueError, match="the shape of weight of LazyLinear is not known"):
        TorchModule.from_torch(module)
    module(torch.rand(1, 2))
    TorchModule.from_torch(module)
    assert list(module.parameters()) == ["weight", "bias"]


def test_from_torch_of_one_of_ours_changes_nothing() -> None:
    module = LIFTorch(2)
    TorchModule.from_torch(module, retain_torch_api=True)
    assert type(module) is LIFTorch and isinstance(module(torch.rand(1, 2, 2)), tuple)


def test_attributes_that_have_the_name_of_a_property_of_ours() -> None:
    module = nn.Upsample(scale_factor=2)  # has `name` and `size`
    x = torch.arange(3.0).reshape(1, 1, 3)
    expected = module(x)
    TorchModule.from_torch(module, retain_torch_api=True)
    assert torch.equal(module(x), expected)
    module.size = 5
    assert module.size == 5


def test_a_converted_container_gives_slices_and_takes_more() -> None:
    module = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1))
    x = torch.rand(4, 2)
    expected = module[:2](x)
    TorchModule.from_torch(module, retain_torch_api=True)
    assert torch.equal(module[:2](x), expected)
    module.append(nn.Linear(1, 2))
    assert list(module.parameters.__self__._registered_modules) == ["0", "1", "2", "3"]
    assert module(x).shape == (4, 2)


def test_lists_of_modules() -> None:
    class Stack(TorchModule):
        def __init__(self) -> None:
            super().__init__(shape=(2, 2))
            self.layers = nn.ModuleList([LIFTorch(2), LIFTorch(2)])
            self.lstm = nn.LSTM(2, 2, batch_first=True)

        def forward(self, data: Tensor) -> Tensor:
            for layer in self.layers:
                data, _, _ = layer(data)
            return self.lstm(data)[0]

    module = Stack()
    output, state, _ = module(torch.rand(1, 4, 2))
    assert output.shape == (1, 4, 2)
    assert list(state["layers"]["1"]) == ["vmem", "isyn", "spikes"]
    output.sum().backward()
    assert all(p.grad is not None for p in module.parameters()["lstm"].astorch())


def test_inside_a_module_of_torch() -> None:
    class Model(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.lif = LIFTorch(2)

        def forward(self, data: Tensor) -> Tensor:
            return self.lif(data)[0]

    model = Model()
    assert model(torch.rand(1, 3, 2)).shape == (1, 3, 2)
    assert len(list(model.parameters())) == 4
    assert "lif.vmem" in model.state_dict()


@pytest.mark.parametrize("arguments", [{"unknown": 1}, {"spiking_input": False}])
def test_arguments_that_do_not_exist(arguments: dict[str, Any]) -> None:
    with pytest.raises(TypeError):
        LIFTorch(2, **arguments)


def test_retain_torch_api_is_a_bool() -> None:
    with pytest.raises(TypeError, match="retain_torch_api must be a bool, got 3"):
        TorchModule(3)
