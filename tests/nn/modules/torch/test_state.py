"""State from one call to the next: for one batch element, and for all of them."""

from __future__ import annotations

import pickle
from typing import Any

import pytest
import torch

from rockpool.nn.combinators import FFwdStack, Residual, Sequential
from rockpool.nn.modules.torch import (
    BooleanState,
    ExpSynTorch,
    LIFNeuronTorch,
    LIFTorch,
    LinearTorch,
    RateTorch,
    aLIFTorch,
)

pytestmark = pytest.mark.usefixtures("both_paths")

MODULES: dict[str, Any] = {
    "LIFTorch": lambda: LIFTorch((6, 3)),
    "recurrent LIFTorch": lambda: LIFTorch((6, 3), has_rec=True),
    "aLIFTorch": lambda: aLIFTorch(3, has_rec=True),
    "LIFNeuronTorch": lambda: LIFNeuronTorch(3),
    "ExpSynTorch": lambda: ExpSynTorch(3),
    "RateTorch": lambda: RateTorch(3, has_rec=True),
    "BooleanState": lambda: BooleanState(3, torch.tensor(0.9)),
    "Sequential": lambda: Sequential(
        LinearTorch((2, 3)), LIFTorch(3, has_rec=True), ExpSynTorch(3)
    ),
    "Residual": lambda: Residual(LinearTorch((3, 3)), LIFTorch(3)),
    "FFwdStack": lambda: FFwdStack(LIFTorch(3), RateTorch(2), weight_init_func=torch.ones),
}


def data(module: Any, n_batch: int = 3, n_steps: int = 20) -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.randn((n_batch, n_steps, module.size_in), generator=generator)


def states(module: Any) -> list[torch.Tensor]:
    return list(module.state().astorch())


@pytest.mark.parametrize("name", MODULES)
@pytest.mark.parametrize("cuts", [(7,), (0, 1, 19), range(1, 20)])
def test_a_batch_in_chunks_gives_what_one_call_gives(name: str, cuts: Any) -> None:
    module = MODULES[name]().keep_batch_state()
    x = data(module)
    expected, final, _ = module(x)
    module.reset_state()
    pieces = [module(piece)[0] for piece in torch.tensor_split(x, list(cuts), dim=1)]
    torch.testing.assert_close(torch.cat(pieces, 1), expected)
    for found, value in zip(states(module), final.astorch(), strict=True):
        torch.testing.assert_close(found, value)
        assert found.shape[0] == 3


@pytest.mark.parametrize("name", MODULES)
def test_a_batch_gives_what_its_elements_give_alone(name: str) -> None:
    module = MODULES[name]()
    x = data(module)
    expected = module(x)[0]
    for element in range(3):
        alone = module.reset_state()(x[element])[0]
        torch.testing.assert_close(alone[0], expected[element])


@pytest.mark.parametrize("name", MODULES)
def test_without_asking_the_state_is_that_of_the_first_element(name: str) -> None:
    module = MODULES[name]()
    shapes = [state.shape for state in states(module)]
    x = data(module)
    _, new_state, _ = module(x)
    assert [state.shape for state in new_state.astorch()] == shapes
    _, first_alone, _ = module.reset_state()(x[:1])
    for found, value in zip(new_state.astorch(), first_alone.astorch(), strict=True):
        torch.testing.assert_close(found, value)


@pytest.mark.parametrize("name", MODULES)
def test_stored_states_have_no_graph_and_no_batch_behind_them(name: str) -> None:
    module = MODULES[name]()
    module(data(module, n_batch=50))
    for state in states(module):
        assert state.is_leaf and not state.requires_grad
        assert state.untyped_storage().nbytes() == state.numel() * state.element_size()


@pytest.mark.parametrize("name", MODULES)
def test_a_batch_or_time_of_nothing(name: str) -> None:
    module = MODULES[name]()
    module(data(module))
    before = [state.clone() for state in states(module)]
    for shape in ((3, 0, module.size_in), (0, 4, module.size_in)):
        output, _, _ = module(torch.zeros(shape))
        assert output.shape == (*shape[:2], module.size_out)
        for found, value in zip(states(module), before, strict=True):
            assert torch.equal(found, value)


def test_two_backward_passes_through_one_module() -> None:
    layer = LIFTorch(2, has_rec=True)
    x = torch.rand(1, 5, 2, requires_grad=True)
    first, _, _ = layer(x)
    second, _, _ = layer(x)
    first.sum().backward()
    second.sum().backward()
    assert torch.isfinite(x.grad).all()


def test_a_batch_of_another_size() -> None:
    layer = LIFTorch(2).keep_batch_state()
    layer(torch.rand(3, 5, 2))
    kept = layer.vmem.clone()
    with pytest.raises(ValueError, match="kept for a batch of 3, but the input has a batch of 2"):
        layer(torch.rand(2, 5, 2))
    assert torch.equal(layer.vmem, kept)
    layer.reset_state()
    assert layer(torch.rand(2, 5, 2))[1]["vmem"].shape == (2, 2)
    layer.keep_batch_state(False)
    assert layer.vmem.shape == (2,)


def test_the_choice_reaches_all_modules_and_survives_copies() -> None:
    module = MODULES["Sequential"]().keep_batch_state()
    assert module[1].keeps_batch_state
    module(data(module))
    other = pickle.loads(pickle.dumps(module))
    assert other[1].vmem.shape == (3, 3)
    torch.testing.assert_close(other(data(module))[0], module(data(module))[0])


def test_states_can_be_set() -> None:
    layer = LIFTorch(2)
    layer.vmem = torch.tensor([0.25, 0.5], dtype=torch.float64)
    _, _, record = layer(torch.zeros(1, 1, 2), record=True)
    assert record["vmem"].dtype == torch.float32
    torch.testing.assert_close(record["vmem"][0, 0], torch.tensor([0.25, 0.5]) * layer.alpha)
    with pytest.raises(ValueError, match="vmem must have the shape"):
        layer.vmem = torch.zeros(3)


def test_a_state_that_is_trained() -> None:
    layer, start = LIFTorch(2), torch.tensor([0.6, 0.4], requires_grad=True)
    layer.vmem = start
    layer(torch.zeros(1, 1, 2))[0].sum().backward()
    # the first neuron is within the window of its threshold, the second is not
    assert start.grad.tolist() == [layer.alpha[0].item(), 0.0]


def test_what_inference_leaves_can_be_trained_on() -> None:
    module = MODULES["Sequential"]()
    with torch.inference_mode():
        module(data(module))
    module(data(module))[0].sum().backward()
    assert not any(state.is_inference() for state in states(module))
