"""Which calls of the torch modules Triton's kernels serve, and what is said of the others."""

from __future__ import annotations

import logging
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from support.patience import PATIENCE
from torch import Tensor

import rockpool
from rockpool.nn.combinators import Sequential
from rockpool.nn.kernels.switch import use_kernels
from rockpool.nn.modules.torch import (
    ExpSynTorch,
    LIFBitshiftTorch,
    LIFEulerTorch,
    LIFNeuronTorch,
    LIFTorch,
    LinearTorch,
    LowPass,
    RateTorch,
    aLIFTorch,
)

pytestmark = pytest.mark.triton


def low_pass() -> LowPass:
    with pytest.warns(DeprecationWarning):
        return LowPass(4, 1e-3, 0.02)


MODULES: dict[str, Callable[[], Any]] = {
    "LIFTorch": lambda: LIFTorch(4),
    "recurrent": lambda: LIFTorch((8, 4), has_rec=True, w_rec=torch.full((4, 8), 0.125)),
    "noisy": lambda: LIFTorch(4, noise_std=0.1),
    "LIFBitshiftTorch": lambda: LIFBitshiftTorch(4),
    "aLIFTorch": lambda: aLIFTorch(4),
    "ExpSynTorch": lambda: ExpSynTorch(4),
    "LowPass": low_pass,
    "RateTorch": lambda: RateTorch(4),
}


def some_input(module: Any, device: str) -> Tensor:
    size = 4 if isinstance(module, LowPass) else module.size_in
    return torch.rand(3, 2, size, generator=torch.Generator().manual_seed(0)).to(device)


@pytest.mark.parametrize("name", MODULES)
def test_modules_give_the_same_answer_by_kernels(name: str, device: str) -> None:
    found = []
    for wanted in (True, False):
        torch.manual_seed(1)
        module = MODULES[name]().to(device)
        x = some_input(module, device).requires_grad_()
        with use_kernels(wanted):
            torch.manual_seed(2)
            output, state, _ = module(x)
        output.sum().backward()
        assert module.last_path == ("triton" if wanted else "loop")
        parameters = [p.grad for p in module.parameters().astorch() if p.grad is not None]
        found.append((output, x.grad, *state.values(), *parameters))
    torch.testing.assert_close(found[0], found[1], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
def test_the_time_goes_on_from_call_to_call(dtype: torch.dtype, device: str) -> None:
    layer = LIFTorch(3, threshold=0.5).to(device, dtype)
    x = torch.rand(1, 9, 3).to(device, dtype)
    whole = layer(x)[0]
    layer.reset_state()
    parts = torch.cat([layer(part)[0] for part in x.split((4, 5), 1)], 1)
    assert torch.equal(parts, whole) and whole.sum() > 0


def test_lengths_end_batch_elements_earlier(device: str) -> None:
    layer = LIFTorch(3).to(device)
    layer.keep_batch_state()
    x = torch.rand(2, 6, 3, device=device)
    _, state, _ = layer(x, lengths=torch.tensor([4, 6]))
    assert layer.last_path == "triton"
    layer.reset_state()
    with use_kernels(False):
        _, expected, _ = layer(x, lengths=torch.tensor([4, 6]))
    torch.testing.assert_close(state["vmem"], expected["vmem"])


@pytest.mark.parametrize("half", [torch.float16, torch.bfloat16], ids=str)
def test_input_in_half_precision_is_read_as_it_is(half: torch.dtype, device: str) -> None:
    layer = LIFTorch(4).to(device)
    x = some_input(layer, device).to(half).requires_grad_()
    output, state, _ = layer(x)
    assert layer.last_path == "triton"
    assert output.dtype == state["vmem"].dtype == torch.float32
    output.sum().backward()
    assert x.grad is not None and x.grad.dtype == half
    layer.reset_state()
    assert torch.equal(output, layer(x.float())[0])


@pytest.mark.parametrize("has_rec", [False, True], ids=["", "recurrent"])
def test_training_within_autocast(has_rec: bool, device: str) -> None:
    found = []
    for wanted in (True, False):
        torch.manual_seed(0)
        net = Sequential(LinearTorch((3, 4)), LIFTorch(4, has_rec=has_rec, threshold=0.1)).to(
            device
        )
        x = torch.rand(2, 5, 3, generator=torch.Generator().manual_seed(0)).to(device)
        with use_kernels(wanted), torch.autocast(device, torch.bfloat16):
            output = net(x)[0]
        output.sum().backward()
        assert net[1].last_path == ("triton" if wanted else "loop")
        grads = [p.grad for p in net.parameters().astorch() if p.grad is not None]
        found.append((output, *grads))
    assert torch.equal(found[0][0], found[1][0]) and found[0][0].sum() > 0
    torch.testing.assert_close(found[0][1:], found[1][1:], rtol=0.02, atol=0.02)


def own_spikes(vmem: Tensor, threshold: Tensor, window: Any, most: Any) -> Tensor:
    return (vmem >= threshold).to(vmem.dtype)


def in_vmap(module: Any, x: Tensor) -> None:
    torch.func.vmap(lambda x: module(x[None])[0])(x)


def in_half_precision(module: Any, x: Tensor) -> None:
    module.bfloat16()(x.bfloat16())


def without_kernels(module: Any, x: Tensor) -> None:
    with use_kernels(False):
        module(x)


def plainly(module: Any, x: Tensor) -> None:
    module(x)


@pytest.mark.parametrize(
    ("make", "call", "reason"),
    [
        (lambda: LIFTorch(2), without_kernels, "kernels are turned off"),
        (lambda: LIFTorch(2), in_half_precision, "no kernel for torch.bfloat16"),
        (lambda: RateTorch(2), in_vmap, "within a transform of torch.func"),
        (
            lambda: LIFTorch(2, spike_generation_fn=own_spikes),
            plainly,
            "the spike function <function own_spikes",
        ),
        (lambda: LIFTorch((34, 2)), plainly, "more than 16 synapses a neuron"),
        (lambda: RateTorch(2, has_rec=True), plainly, "recurrent rate neurons"),
        (lambda: LIFEulerTorch(2), plainly, "no kernel of triton for this loop"),
        (lambda: LIFNeuronTorch(2), plainly, "no kernel of triton for this loop"),
    ],
)
def test_the_loop_serves_where_kernels_cannot(
    make: Callable[[], Any],
    call: Callable[[Any, Tensor], None],
    reason: str,
    caplog: pytest.LogCaptureFixture,
    device: str,
) -> None:
    module = make().to(device)
    with caplog.at_level(logging.DEBUG, "rockpool.kernels"):
        call(module, torch.rand(1, 3, module.size_in, device=device))
    assert module.last_path == "loop"
    assert type(module).__name__ in caplog.text and reason in caplog.text


@pytest.mark.parametrize("make", [LIFTorch, ExpSynTorch, RateTorch])
def test_input_on_another_device(make: Any, device: str) -> None:
    layer = make(2).to(device)
    with pytest.raises(ValueError, match="the input is on the device meta, the module on"):
        layer(torch.rand(1, 3, 2, device="meta"))


def test_an_exported_program_has_the_kernel(device: str) -> None:
    layer = LIFTorch(4).to(device)
    x = some_input(layer, device)
    expected = layer(x)[0]
    layer.reset_state()
    program = torch.export.export(layer.to_torch(), (x,))
    assert "rockpool.lif" in str(program.graph)
    assert torch.equal(program.module()(x), expected)


def test_the_setting_of_memory_is_checked(monkeypatch: pytest.MonkeyPatch, device: str) -> None:
    monkeypatch.setenv("ROCKPOOL_GPU_MEMORY", "little")
    layer = LIFTorch(2).to(device)
    with pytest.raises(ValueError, match="ROCKPOOL_GPU_MEMORY must be low, or not be set"):
        layer(torch.rand(1, 3, 2, device=device))
    assert not layer.state()["vmem"].any()


ASKED = """
import logging, torch
logging.basicConfig(level=logging.WARNING)
logging.getLogger("rockpool.kernels").setLevel(logging.DEBUG)
from rockpool.nn.modules import LIFTorch
layer = LIFTorch(2)
layer(torch.rand(1, 3, 2))
print(layer.last_path)
"""


def test_the_interpreter_has_to_be_on_from_the_start() -> None:
    done = subprocess.run(
        [sys.executable, "-c", ASKED],
        env={"ROCKPOOL_KERNELS": "triton", "PYTHONPATH": str(Path(rockpool.__file__).parents[1])},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert done.stdout.strip() == "loop", done.stderr
    assert "Triton's interpreter is off: set TRITON_INTERPRET=1" in done.stderr
