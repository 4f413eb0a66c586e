"""Activation checkpointing: gradients and states are those of a network that runs once."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint, checkpoint_sequential

from rockpool.nn.combinators import FFwdStack, Residual, Sequential
from rockpool.nn.modules.torch import (
    ExpSynTorch,
    LIFBitshiftTorch,
    LIFNeuronTorch,
    LIFTorch,
    LinearTorch,
    LowPass,
    RateTorch,
    TorchModule,
    aLIFTorch,
)
from rockpool.nn.modules.torch._base import recomputation
from rockpool.parameters import Parameter, State

pytestmark = [
    pytest.mark.usefixtures("both_paths"),
    pytest.mark.filterwarnings("ignore:None of the inputs have requires_grad"),
]


class Counter(TorchModule):
    """A module of a user's, that counts its calls."""

    def __init__(self) -> None:
        super().__init__(shape=3)
        self.gain = Parameter(torch.ones(3))
        self.calls = State(torch.zeros(1))

    def evolve(self, input_data: Tensor, record: bool = False, *_: Any) -> Any:
        self.calls = self.calls + 1
        return input_data * self.gain * self.calls, self.state(), {}


def low_pass() -> LowPass:
    with pytest.warns(DeprecationWarning):
        return LowPass(3, 1e-3, 5e-3)


MODULES: dict[str, Callable[[], Any]] = {
    "LIFTorch": lambda: LIFTorch(3, has_rec=True, w_rec=torch.full((3, 3), 0.1)),
    "aLIFTorch": lambda: aLIFTorch(3),
    "LIFBitshiftTorch": lambda: LIFBitshiftTorch(3),
    "LIFNeuronTorch": lambda: LIFNeuronTorch(3),
    "ExpSynTorch": lambda: ExpSynTorch(3).keep_batch_state(),
    "RateTorch": lambda: RateTorch(3, has_rec=True, w_rec=torch.full((3, 3), 0.1)),
    "LowPass": low_pass,
    "one of a user's": Counter,
    "Sequential": lambda: Sequential(
        nn.BatchNorm1d(2), Counter(), Sequential(LIFTorch(3), ExpSynTorch(3))
    ),
    "torch mode": lambda: Sequential(LIFTorch(3), ExpSynTorch(3)).to_torch(),
    "Residual": lambda: Residual(LIFTorch(3), ExpSynTorch(3)),
    "FFwdStack": lambda: FFwdStack(LIFTorch(3), RateTorch(3), weight_init_func=torch.ones),
}

Run = Callable[..., Tensor]


def at_once(function: Run, *inputs: Tensor) -> Tensor:
    return function(*inputs)


def without_reentry(function: Run, *inputs: Tensor) -> Tensor:
    return checkpoint(function, *inputs, use_reentrant=False)


def with_reentry(function: Run, *inputs: Tensor) -> Tensor:
    return checkpoint(function, *inputs, use_reentrant=True)


def several(run: Run, call: Run, module: Any, x: Tensor) -> Tensor:
    """One after the other, one in another, and with states that are set on the way."""

    def once_from_rest(data: Tensor) -> Tensor:
        module.reset_state()
        return call(data)

    def and_back(data: Tensor) -> Tensor:
        before = module.state()
        output = call(data)
        module.set_attributes(before)
        return output

    first = run(call, x)
    second = run(lambda data: call(call(data)), x * first)
    third = run(lambda data: run(call, call(data)) * data, second)
    return (call(third) * run(call, x) * run(once_from_rest, x) * run(and_back, x)).sum()


def outcome(run: Run, name: str) -> Any:
    """Return gradients and states after several runs, and the output of another call."""
    module, x = MODULES[name](), torch.linspace(0, 2, 12).reshape(2, 2, 3)
    if name == "LowPass":  # whose batches come second
        x = x[:, :1]
    x.requires_grad_()

    def call(data: Tensor) -> Tensor:
        output = module(data)
        return output if isinstance(output, Tensor) else output[0]

    several(run, call, module, x).backward()
    gradients = [p.grad for p in nn.Module.parameters(module)]
    return x.grad, gradients, [b.clone() for b in module.buffers()], call(x)


@pytest.mark.parametrize("run", [without_reentry, with_reentry])
@pytest.mark.parametrize("name", MODULES)
def test_gradients_and_states_are_those_of_one_run(name: str, run: Run) -> None:
    torch.testing.assert_close(outcome(run, name), outcome(at_once, name))


def test_the_gradient_of_a_time_constant() -> None:
    layer, x = ExpSynTorch(1, tau=1e-3 / math.log(2)), torch.ones(1, 2, 1, requires_grad=True)
    checkpoint(lambda data: layer(data)[0][0, 1, 0], x, use_reentrant=False).backward()
    # d/dtau of 1/2 + 1/4, whose decay is 1/2: (1 + 2 / 2) / 2 * dt / tau**2
    assert layer.tau.grad.item() == pytest.approx(1e3 * math.log(2) ** 2)
    assert layer.isyn.tolist() == [0.75]


def test_backward_twice_through_one_checkpoint() -> None:
    layer, x = ExpSynTorch(3), torch.ones(1, 4, 3, requires_grad=True)
    output = without_reentry(lambda data: layer(data)[0], x)
    first, second = (
        torch.autograd.grad(output.square().sum(), layer.tau, retain_graph=True) for _ in range(2)
    )
    torch.testing.assert_close(first, second)


@pytest.mark.parametrize("run", [without_reentry, with_reentry])
@pytest.mark.parametrize("name", ["LIFTorch", "LIFBitshiftTorch", "RateTorch", "Sequential"])
def test_a_repeated_call_is_no_batch_after_another(name: str, run: Run) -> None:
    net, x = MODULES[name](), torch.ones(4, 2, 3, requires_grad=True)
    for _ in range(2):  # warnings are errors
        net.reset_state()
        run(lambda data: net(data)[0], x).sum().backward()
    with pytest.warns(UserWarning, match="batch element 0 of the last one"):
        net(x)


def test_segments_of_a_network() -> None:
    def trained(segments: int) -> list[Tensor]:
        net = Sequential(LinearTorch((3, 3), weight=torch.eye(3)), LIFTorch(3), ExpSynTorch(3))
        x = torch.ones(2, 5, 3, requires_grad=True)
        functions = [lambda data, part=part: part(data)[0] for part in net]
        for _ in range(2):
            checkpoint_sequential(functions, segments, x, use_reentrant=False).sum().backward()
        return [x.grad, *(p.grad for p in net.parameters().astorch()), *net.state().astorch()]

    torch.testing.assert_close(trained(2), trained(1))
    torch.testing.assert_close(trained(3), trained(1))


def test_a_backward_pass_that_fails_leaves_no_state_behind() -> None:
    def fail(gradient: Tensor) -> None:
        raise ZeroDivisionError

    layer, x = ExpSynTorch(1), torch.ones(1, 2, 1, requires_grad=True)
    x.register_hook(fail)
    with pytest.raises(ZeroDivisionError):
        without_reentry(lambda data: layer(data)[0], x).sum().backward()
    expected = ExpSynTorch(1)
    expected(torch.ones(1, 2, 1))
    torch.testing.assert_close(layer(x)[0], expected(x)[0])


def test_without_gradients_the_stack_is_not_gone_through(monkeypatch: pytest.MonkeyPatch) -> None:
    def gone_through() -> Any:
        raise AssertionError("a call has gone through the stack")

    monkeypatch.setattr(recomputation, "_regions", gone_through)
    net, x = Sequential(LinearTorch((3, 3)), LIFTorch(3)), torch.ones(1, 2, 3)
    for mode in (torch.no_grad, torch.inference_mode, torch.enable_grad):
        with mode():
            net(x)
            net.reset_state()
    with pytest.raises(AssertionError, match="gone through the stack"):  # within a checkpoint
        checkpoint(lambda data: net(data)[0], x, use_reentrant=True)
