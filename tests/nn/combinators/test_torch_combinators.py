"""Sequential, Residual and FFwdStack over torch modules."""

from __future__ import annotations

import copy
from collections import OrderedDict
from typing import Any

import pytest
import torch
from support import golden
from torch import nn

from rockpool.graph import LinearWeights, bag_graph, find_recurrent_modules
from rockpool.nn.combinators import FFwdStack, Residual, Sequential
from rockpool.nn.combinators.containers_torch import (
    TorchFFwdStack,
    TorchResidual,
    TorchSequential,
)
from rockpool.nn.modules.native import Linear
from rockpool.nn.modules.torch import ExpSynTorch, LIFTorch, LinearTorch, RateTorch, TorchModule

X = torch.rand(2, 9, 3, generator=torch.Generator().manual_seed(2))


def chain() -> Any:
    return Sequential(LinearTorch((3, 4)), LIFTorch(4), LinearTorch((4, 2)), ExpSynTorch(2))


def inputs(*shape: int) -> torch.Tensor:
    return torch.tensor(golden.inputs(*shape), dtype=torch.float32)


def weights(*arguments: float) -> torch.Tensor:
    return torch.tensor(golden.weights(*arguments), dtype=torch.float32)


def test_classes() -> None:
    assert type(chain()) is TorchSequential
    assert type(Sequential(OrderedDict(a=LIFTorch(2)), LIFTorch(2))) is TorchSequential
    assert type(Sequential(nn.Linear(2, 2))) is TorchSequential
    assert type(Residual(LIFTorch(2))) is TorchResidual
    made = FFwdStack(LIFTorch(2), LIFTorch(3))
    assert type(made) is TorchFFwdStack and not made.get_parameter("0_1_weight").any()


def test_a_call() -> None:
    module = chain()
    output, state, record = module(X)
    assert output.shape == (2, 9, 2)
    names = ["0_LinearTorch", "1_LIFTorch", "2_LinearTorch", "3_ExpSynTorch"]
    assert list(state) == names and list(state["1_LIFTorch"]) == ["vmem", "isyn", "spikes"]
    assert list(record) == [key for name in names for key in (name, f"{name}_output")]
    assert record["1_LIFTorch"] == {} and record["3_ExpSynTorch_output"] is output
    _, _, record = module(X, record=True)
    assert sorted(record["1_LIFTorch"]) == ["irec", "isyn", "spikes", "vmem"]
    expected = X
    for part in module.reset_state():
        expected = part(expected)[0]
    assert torch.equal(module.reset_state()(X)[0], expected)


def test_gradients_pass_through_records() -> None:
    module = chain()
    _, _, record = module(X, record=True)
    record["1_LIFTorch"]["vmem"].square().sum().backward()
    assert module[0].weight.grad.any() and module[2].weight.grad is None


def test_access() -> None:
    module = chain()
    assert len(module) == 4 and module[-1] is module["3_ExpSynTorch"]
    assert module[:2](X)[0].shape == (2, 9, 4)
    assert [type(part).__name__ for part in module][:2] == ["LinearTorch", "LIFTorch"]
    module.append(LIFTorch(2), "last")
    assert (module.shape, module.spiking_output) == ((3, 2), True)
    assert list(module.state_dict())[-1] == "last.spikes"
    assert module(X)[0].shape == (2, 9, 2)


def test_hooks_and_nested_modes() -> None:
    module, seen = chain(), []
    module.register_forward_hook(lambda *arguments: seen.append(arguments[2].shape))
    module(X)
    module.to_torch()(X)
    assert seen == [(2, 9, 2)] * 2
    assert module._record_dict == {}


def test_an_empty_one_grows() -> None:
    module = TorchSequential()
    assert module.shape == (0, 0)
    module.append(LinearTorch((3, 4)))
    module.append(nn.ReLU())
    assert module(X)[0].min() >= 0 and list(module.modules()) == ["0_LinearTorch", "1_ReLU"]


def test_modules_of_torch_are_converted() -> None:
    linear = nn.Linear(3, 4)
    module = Sequential(linear, LIFTorch(4), nn.Sequential(nn.Linear(4, 2), nn.Tanh()))
    assert isinstance(linear, TorchModule)
    output, state, record = module(X)
    assert output.shape == (2, 9, 2) and state["0_Linear"] == {} and record["0_Linear"] == {}
    assert torch.equal(module.reset_state().to_torch()(X), output)
    output.sum().backward()
    assert linear.weight.grad is not None


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: Sequential(LinearTorch((3, 4)), LIFTorch(3)), ValueError, "has 4 channels, but"),
        (lambda: Sequential(LIFTorch(2), Linear((2, 2))), ValueError, "must be a torch module"),
        (lambda: Sequential(LIFTorch(2), shape=2), ValueError, "shape follows from the modules"),
        (lambda: Sequential(LIFTorch(2), 3), TypeError, "retain_torch_api must be a bool, got 3"),
        (lambda: Residual(LinearTorch((2, 3))), ValueError, "the same number of channels"),
        (lambda: FFwdStack(LIFTorch(2)), ValueError, "there must be at least two modules"),
        (
            lambda: TorchFFwdStack(LIFTorch(2), LIFTorch(2)),
            ValueError,
            "weight_init_func must be given",
        ),
    ],
)
def test_errors(make: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        make()


def test_retain_torch_api() -> None:
    assert isinstance(Sequential(LinearTorch((3, 2)), True)(X), torch.Tensor)
    assert isinstance(Sequential(LinearTorch((3, 2)), retain_torch_api=True)(X), torch.Tensor)


def test_stack_of_known_weights() -> None:
    module = FFwdStack(
        RateTorch(2, tau=0.02), RateTorch(3, tau=0.02), weight_init_func=lambda s: weights(*s, 1)
    )
    output, state, record = module(inputs(1, 4, 2))
    expected = [0.000245, 0, 0.000332, 0.000584, 0, 0.000942]
    expected += [0.000343, 0, 0.00105, 0, 0, 0.000683]
    torch.testing.assert_close(output.flatten(), torch.tensor(expected), atol=1e-6, rtol=1e-5)
    assert list(module.parameters("weights")) == ["0_1_weight"]
    assert list(state) == ["0_RateTorch", "1_RateTorch"]
    assert list(record) == ["0_RateTorch", "0_RateTorch_output", "1_RateTorch"]


def test_residual_of_known_weights() -> None:
    module = Residual(LinearTorch((2, 2), weights(2, 2, 1)), RateTorch(2, tau=0.02))
    x = inputs(1, 4, 2)
    expected = [0, 0.459441, 0.272727, 0.741643, 0.545455, 0.017428, 0.818182, 0.297886]
    for form in (x, x[0], x.double()):
        output, _, record = module.reset_state()(form)
        assert output.dtype == torch.float32
        torch.testing.assert_close(output.flatten(), torch.tensor(expected), atol=1e-6, rtol=1e-5)
    torch.testing.assert_close(record["1_RateTorch_output"] + x, output)


def test_graph_of_a_network_that_has_run() -> None:
    net = Sequential(
        LinearTorch((3, 4)), LIFTorch(4, has_rec=True), LinearTorch((4, 4)), LIFTorch(4)
    )
    net.append(LinearTorch((4, 2)))
    net(X, record=True)
    graph = copy.deepcopy(net.as_graph())
    _, modules = bag_graph(graph)
    assert len(modules) == 6
    _, recurrent = find_recurrent_modules(graph)
    assert len(recurrent) == 2
    assert sum(isinstance(module, LinearWeights) for module in modules) == 4
    assert len(bag_graph(net.to_torch().as_graph())[1]) == 6


def test_graphs_of_the_others() -> None:
    assert len(bag_graph(Residual(LinearTorch((2, 2)), LIFTorch(2)).as_graph())[1]) == 3
    assert len(bag_graph(FFwdStack(LIFTorch(2), LIFTorch(3)).as_graph())[1]) == 3


def test_timed() -> None:
    from rockpool.timeseries import TSContinuous

    net = Sequential(LinearTorch((3, 4)), LIFTorch(4))
    series = TSContinuous.from_clocked(X[0].numpy(), dt=1e-3)
    output, _, record = net.timed(dt=1e-3, add_events=True)(series, record=True)
    expected = net.reset_state()(X[:1])[0][0]
    raster = output.raster(1e-3, num_timesteps=9, add_events=True)
    assert torch.equal(torch.tensor(raster).float(), expected)
    assert record["0_LinearTorch_output"].samples.shape == (9, 4)


class FailingLater(TorchModule):
    """Fails in its second call."""

    def __init__(self):
        super().__init__(shape=2)
        self.calls = 0

    def forward(self, data):
        self.calls += 1
        if self.calls == 2:
            raise RuntimeError("failed")
        return data


@pytest.mark.parametrize("combine", [Sequential, Residual])
@pytest.mark.parametrize("torch_mode", [False, True])
def test_an_error_in_a_later_module_leaves_all_as_they_were(combine, torch_mode):
    norm = torch.nn.BatchNorm1d(4)  # which writes into its buffers
    net = combine(LIFTorch(2), norm, Sequential(ExpSynTorch(2)), FailingLater())
    if torch_mode:
        net.to_torch()
    data = torch.rand(2, 4, 2)
    net(data)
    before = {name: value.clone() for name, value in net.state_dict().items()}

    with pytest.raises(RuntimeError, match="failed"):
        net(data)

    for name, value in net.state_dict().items():
        assert torch.equal(value, before[name]), name
