"""The torch modules on a CUDA device."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from rockpool.nn.combinators import Sequential
from rockpool.nn.modules.torch import (
    BooleanState,
    ExpSynTorch,
    LIFNeuronTorch,
    LIFTorch,
    LinearTorch,
    RateTorch,
    UpDownTorch,
    aLIFTorch,
)

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device"),
]

MODULES: dict[str, Any] = {
    "LIFTorch": lambda: LIFTorch((6, 3), has_rec=True, w_rec=torch.full((3, 6), 0.125)),
    "aLIFTorch": lambda: aLIFTorch(6),
    "LIFNeuronTorch": lambda: LIFNeuronTorch(6),
    "ExpSynTorch": lambda: ExpSynTorch(6),
    "RateTorch": lambda: RateTorch(6),
    "UpDownTorch": lambda: UpDownTorch(6, thr_up=0.1, thr_down=0.1),
    "BooleanState": lambda: BooleanState(6),
    "network": lambda: Sequential(
        LinearTorch((6, 4), torch.full((6, 4), 0.25)), LIFTorch(4), ExpSynTorch(4)
    ),
}


@pytest.mark.parametrize("name", MODULES)
def test_the_device_gives_what_the_processor_gives(name: str) -> None:
    x = torch.randint(0, 3, (4, 30, 6), generator=torch.Generator().manual_seed(0)) / 4
    module, there = MODULES[name](), MODULES[name]().to("cuda")
    for _ in range(2):
        expected, found = module(x, record=True), there(x.cuda(), record=True)
        torch.testing.assert_close(found[0].cpu(), expected[0])
        assert found[0].is_cuda and all(state.is_cuda for state in found[1].astorch())
    if name == "BooleanState":
        return
    for result in (expected, found):
        result[0].float().sum().backward()
    for p, q in zip(module.parameters().astorch(), there.parameters().astorch(), strict=True):
        if p.grad is not None:
            torch.testing.assert_close(q.grad.cpu(), p.grad, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", MODULES)
def test_resets_stay_on_the_device(name: str) -> None:
    module = MODULES[name]().to("cuda")
    module.reset_parameters().reset_state()
    assert all(value.is_cuda for value in module.state_dict().values())


def test_input_on_another_device() -> None:
    layer = LIFTorch(2).to("cuda")
    with pytest.raises(ValueError, match=r"the input is on the device cpu, the module on cuda:0"):
        layer(torch.rand(1, 3, 2))


def test_json_goes_on_the_device(tmp_path: Any) -> None:
    LIFTorch(2, tau_mem=[0.01, 0.03]).save(tmp_path / "values.json")
    layer = LIFTorch(2).to("cuda")
    layer.load(tmp_path / "values.json")
    assert layer.tau_mem.is_cuda and layer.tau_mem.tolist() == pytest.approx([0.01, 0.03])


def test_values_out_of_range_are_seen_on_the_device() -> None:
    layer = LIFTorch(2).to("cuda")
    layer.tau_mem.data.fill_(-1)
    with pytest.warns(UserWarning, match="tau_mem came to -1 s in training"):
        layer(torch.rand(1, 3, 2).cuda())
    layer.tau_mem.data.fill_(torch.nan)
    with pytest.raises(ValueError, match="tau_mem must be > 0 s, got nan"):
        layer(torch.rand(1, 3, 2).cuda())
