"""Options of a call: batches of unequal length, and gradients through several calls."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from rockpool.nn.combinators import FFwdStack, Residual, Sequential
from rockpool.nn.modules.torch import (
    BooleanState,
    ExpSynTorch,
    InstantTorch,
    LIFBitshiftTorch,
    LIFNeuronTorch,
    LIFTorch,
    LinearTorch,
    LowPass,
    RateTorch,
    TorchModule,
    UnitDropout,
    UpDownTorch,
    aLIFTorch,
)
from rockpool.parameters import State

pytestmark = pytest.mark.usefixtures("both_paths")


class Block(TorchModule):
    """A container of a user's."""

    def __init__(self) -> None:
        super().__init__(shape=3)
        self.inner = LIFTorch(3)
        self.bias = nn.Parameter(torch.ones(3))

    def forward(self, data: Tensor) -> Tensor:
        return self.inner(data)[0] + self.bias


STATEFUL: dict[str, Callable[[], Any]] = {
    "LIFTorch": lambda: LIFTorch((6, 3), has_rec=True, w_rec=torch.full((3, 6), 0.1)),
    "aLIFTorch": lambda: aLIFTorch(3),
    "LIFBitshiftTorch": lambda: LIFBitshiftTorch(3),
    "LIFNeuronTorch": lambda: LIFNeuronTorch(3),
    "ExpSynTorch": lambda: ExpSynTorch(3),
    "RateTorch": lambda: RateTorch(3, has_rec=True, w_rec=torch.full((3, 3), 0.1)),
    "Sequential": lambda: Sequential(
        LinearTorch((3, 3), weight=torch.eye(3), has_bias=True, bias=torch.ones(3)),
        LIFTorch(3),
        Sequential(nn.Tanh(), ExpSynTorch(3)),
    ),
    "Residual": lambda: Residual(LIFTorch(3), ExpSynTorch(3)),
    "FFwdStack": lambda: FFwdStack(LIFTorch(3), RateTorch(2), weight_init_func=torch.ones),
    "one of a user's": Block,
}
MODULES = {
    **STATEFUL,
    "BooleanState": lambda: BooleanState(3, torch.tensor(0.9)),
    "UpDownTorch": lambda: UpDownTorch(3, thr_up=0.1, thr_down=0.1),
    "InstantTorch": lambda: InstantTorch(3, lambda x: x + 1),
    "UnitDropout": lambda: UnitDropout(3).eval(),
}
LENGTHS = [7, 0, 3, 9]


def data(module: Any) -> Tensor:
    return 2 * torch.rand(4, 9, module.size_in, generator=torch.Generator().manual_seed(0))


def over_time(tree: Any) -> list[Tensor]:
    if isinstance(tree, dict):
        return [value for inner in tree.values() for value in over_time(inner)]
    return [tree]


# -- lengths --------------------------------------------------------------------------------------


@pytest.mark.parametrize("keep", [False, True])
@pytest.mark.parametrize("name", MODULES)
def test_elements_of_a_batch_end_one_by_one(name: str, keep: bool) -> None:
    module, alone = MODULES[name](), MODULES[name]()
    x = data(module)
    for one in (module, alone):  # which is not at rest
        one(x[:1])
    module.keep_batch_state(keep)
    before = alone.state_dict()
    output, states, records = module(x, record=True, lengths=LENGTHS)
    for index, length in enumerate(LENGTHS):
        alone.load_state_dict(before)
        wanted, state, record = alone(x[index : index + 1, :length], record=True)
        torch.testing.assert_close(output[index, :length], wanted[0])
        for found, value in zip(over_time(records), over_time(record), strict=True):
            torch.testing.assert_close(found[index, :length], value[0])
            assert not found[index, length:].any()
        assert not output[index, length:].any()
        if keep or index == 0:
            for found, value in zip(states.astorch(), state.astorch(), strict=True):
                torch.testing.assert_close(found[index] if keep else found, value)


def test_gradients_do_not_reach_beyond_the_end() -> None:
    net = STATEFUL["Sequential"]()
    x = data(net).requires_grad_()
    output, _, _ = net(x, lengths=LENGTHS)
    output.sum().backward()
    for index, length in enumerate(LENGTHS):
        assert not x.grad[index, length:].any() and (length == 0 or x.grad[index].any())


@pytest.mark.parametrize(
    "lengths", [torch.tensor(LENGTHS), tuple(LENGTHS), torch.tensor(LENGTHS).numpy()]
)
def test_lengths_in_torch_mode(lengths: Any) -> None:
    net = STATEFUL["Sequential"]()
    x = data(net)
    expected = net(x, lengths=LENGTHS)[0]
    assert torch.equal(net.reset_state().to_torch()(x, lengths=lengths), expected)


def test_a_low_pass_has_time_first() -> None:
    with pytest.warns(DeprecationWarning):
        layer, alone = (LowPass(2, 1e-3, 5e-3) for _ in range(2))
    x = torch.rand(4, 4, 2)
    output, state, _ = layer(x, lengths=[4, 0, 1, 2])
    assert torch.equal(output[:2, 3], alone(x[:2, 3:])[0][:, 0])
    assert not output[2:, 3].any()
    torch.testing.assert_close(state["vmem"][3], output[1, 3])


@pytest.mark.parametrize(
    ("lengths", "error", "message"),
    [
        ([1, 2], ValueError, "LIFTorch: lengths must be one number for each of 4 batch elements"),
        ([1, 2, 3, 10], ValueError, "LIFTorch: lengths must be from 0 to the 9 time steps"),
        ([1, 2, 3, -1], ValueError, "LIFTorch: lengths must be from 0 to the 9 time steps"),
        ([1.0, 2.0, 3.0, 4.0], TypeError, "LIFTorch: lengths must be whole numbers"),
    ],
)
def test_wrong_lengths(lengths: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        LIFTorch(2)(torch.rand(4, 9, 2), lengths=lengths)


def test_a_state_without_a_time_course() -> None:
    class Leaky(TorchModule):
        def __init__(self) -> None:
            super().__init__(shape=2)
            self.total = State(torch.zeros(2))

        def forward(self, data: Tensor) -> Tensor:
            self._keep_state(total=data.sum(1))
            return data

    module = Leaky()
    with pytest.raises(ValueError, match="Leaky: lengths need the state total over time"):
        module(torch.rand(2, 3, 2), lengths=[1, 2])
    assert not module.total.any()


def test_a_module_that_has_lengths_of_its_own() -> None:
    class Own(nn.Module):
        def forward(self, data: Tensor, lengths: int = 0, detach: bool = False) -> Tensor:
            return data + lengths + detach

    module = Own()
    TorchModule.from_torch(module)
    assert module(torch.zeros(1), lengths=3, detach=True)[0].tolist() == [4]
    module.to_torch()
    assert module(torch.zeros(1), lengths=3).tolist() == [3]


def nested(layout: torch.layout) -> Tensor:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch says that its older nested tensors are a prototype
        return torch.nested.nested_tensor([torch.rand(4, 2), torch.rand(3, 2)], layout=layout)


def packed() -> Any:
    return nn.utils.rnn.pack_sequence([torch.rand(4, 2), torch.rand(3, 2)])


@pytest.mark.parametrize(
    ("made", "message"),
    [  # made in the test: the import of what torch needs for nested ones takes seconds
        (packed, r"got a PackedSequence.*lengths"),
        (lambda: nested(torch.jagged), "got a nested one"),
        (lambda: nested(torch.strided), "got a nested one"),
        (lambda: torch.rand(1, 3, 2).to_sparse(), r"layout torch.sparse_coo.*to_dense"),
    ],
    ids=["packed", "nested", "nested strided", "sparse"],
)
@pytest.mark.parametrize(
    "module",
    [LIFTorch(2), LinearTorch((2, 2)), UpDownTorch(2), InstantTorch(2), Sequential(LIFTorch(2))],
    ids=lambda module: module.class_name,
)
def test_input_that_is_no_plain_tensor(module: Any, made: Callable[[], Any], message: str) -> None:
    label = module[0].full_name if hasattr(module, "append") else module.class_name
    with pytest.raises(TypeError, match=f"{label}: the input must be a .*tensor.*{message}"):
        module(made())


# -- detach ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", STATEFUL)
def test_gradients_through_several_calls(name: str) -> None:
    module, whole = (STATEFUL[name]().keep_batch_state() for _ in range(2))
    x = data(module)
    outputs = [module(piece, detach=False)[0] for piece in x.split(3, dim=1)]
    torch.cat(outputs, 1).square().sum().backward()
    whole(x)[0].square().sum().backward()
    for (key, found), wanted in zip(
        module.named_parameters(), whole.parameters().astorch(), strict=True
    ):
        torch.testing.assert_close(found.grad, wanted.grad, msg=key)


def test_a_call_cuts_the_graph_unless_it_is_asked_not_to() -> None:
    layer, x = ExpSynTorch(1).to_torch(), torch.ones(1, 2, 1, requires_grad=True)
    layer(x, detach=False)
    assert layer.isyn.requires_grad
    layer(torch.ones(1, 2, 1)).sum().backward()
    assert x.grad.any() and not layer.isyn.requires_grad
    assert not layer.reset_state().isyn.requires_grad
    with pytest.raises(TypeError, match="ExpSynTorch: detach must be a bool, got 1"):
        layer(x, detach=1)
