"""Training that keeps little memory: the same gradients to the last bit, from states every so often."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import numpy as np
import pytest
import torch

from rockpool.nn.combinators import Sequential
from rockpool.nn.kernels.switch import save_memory
from rockpool.nn.modules import LIFTorch, LinearTorch, aLIFTorch

N = 20
WEAK = (torch.rand(N, N, generator=torch.Generator().manual_seed(0)) - 0.5) * 0.2
SPREAD = torch.linspace(0.7, 1.3, N)


def several_layers() -> Any:
    torch.manual_seed(2)
    return Sequential(LinearTorch((N, 9)), LIFTorch(9), LinearTorch((9, 3)), LIFTorch(3))


NETWORKS = {
    "one synapse": lambda: LIFTorch(N),
    "thresholds": lambda: LIFTorch(N, threshold=SPREAD, bias=0.1 * SPREAD),
    "constant tau_syn": lambda: with_constant_synapses(LIFTorch(N)),
    "synapses": lambda: LIFTorch((N, N // 2)),
    "recurrent": lambda: LIFTorch(N, threshold=SPREAD, has_rec=True, w_rec=WEAK),
    "noise": lambda: LIFTorch(N, noise_std=1.0),
    "adaptive": lambda: aLIFTorch(N, has_rec=True, w_rec=WEAK),
    "decays": lambda: LIFTorch(N, leak_mode="decays", alpha=0.9, beta=0.8),
    "network": several_layers,
}


def with_constant_synapses(module: Any) -> Any:
    module.tau_syn.requires_grad_(False)
    return module


def results(module: Any, data: torch.Tensor, **arguments: Any) -> list[torch.Tensor | None]:
    """Return output and gradients, from rest."""
    module.reset_state()
    module.zero_grad()
    torch.manual_seed(1)
    given = data.clone().requires_grad_()
    output, _, _ = module(given, **arguments)
    (output * torch.linspace(0, 1, output.numel()).reshape(output.shape)).sum().backward()
    parameters = module.parameters().astorch()
    return [output.detach(), given.grad, *(parameter.grad for parameter in parameters)]


def same(some: list[torch.Tensor | None], others: list[torch.Tensor | None]) -> bool:
    pairs = list(zip(some, others, strict=True))
    return all((a is None) is (b is None) for a, b in pairs) and all(
        np.array_equal(a.numpy(), b.numpy(), equal_nan=True)
        for a, b in pairs
        if a is not None and b is not None
    )


@pytest.mark.parametrize("record", [False, True])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("name", NETWORKS)
def test_gradients_are_the_same_bit_by_bit(name: str, dtype: torch.dtype, record: bool) -> None:
    module = NETWORKS[name]().to(dtype)
    data = torch.rand(3, 517, N, dtype=dtype, generator=torch.Generator().manual_seed(0)) * 0.4
    full = results(module, data, record=record, memory="full")
    assert float(full[0].sum()) > 0  # type: ignore[union-attr]
    assert same(results(module, data, record=record, memory="low"), full)


@pytest.mark.parametrize("steps", [1, 2, 63, 64, 65, 66, 128, 129, 192, 193])
def test_any_number_of_steps_will_do(steps: int) -> None:
    module, data = LIFTorch(N, threshold=SPREAD), torch.rand(2, steps, N) * 0.4
    assert same(results(module, data, memory="low"), results(module, data, memory="full"))


def test_a_batch_over_several_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROCKPOOL_NUM_THREADS", "2")
    module, data = LIFTorch(N), torch.rand(40, 400, N) * 0.4
    assert same(results(module, data, memory="low"), results(module, data, memory="full"))


def kept(output: torch.Tensor) -> int:
    """Return the numbers that an operation keeps for its gradients."""
    node: Any = output.grad_fn
    tensors = [tensor for tensor in node.saved_tensors if tensor is not None]
    return sum(tensor.numel() for tensor in tensors) + sum(
        array.size for array in node.marked.values()
    )


@pytest.mark.parametrize("how", ["keyword", "block", "environment"])
def test_what_is_kept_is_small(how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    module, data = LIFTorch(N), torch.rand(1, 10_000, N)
    full = kept(module(data)[0])
    if how == "environment":
        monkeypatch.setenv("ROCKPOOL_MEMORY", "low")
        low = kept(output := module(data)[0])
    elif how == "block":
        with save_memory(True):
            low = kept(output := module(data)[0])
    else:
        low = kept(output := module(data, memory="low")[0])
    assert full >= 2 * data.numel()
    own = low - data.numel()  # besides the input, which is there anyway
    assert 4 * own / output.numel() < 0.1  # bytes


@pytest.mark.parametrize("memory", ["full", "low"])
def test_an_output_can_be_changed_in_place(memory: str) -> None:
    module, data = LIFTorch(N), torch.rand(1, 500, N)
    output = module(data, memory=memory)[0]
    output *= 2
    output.sum().backward()
    assert module.bias.grad is not None


def test_a_keyword_goes_before_the_setting() -> None:
    module, data = LIFTorch(N), torch.rand(1, 500, N)
    with save_memory(True):
        node: Any = module(data, memory="full")[0].grad_fn
    assert not node.marked


def test_another_word_is_refused() -> None:
    module, data = LIFTorch(N), torch.rand(1, 5, N)
    with pytest.raises(ValueError, match="LIFTorch: memory must be 'low' or 'full', got 'little'"):
        module(data, memory="little")


def test_gradients_of_gradients_go_on() -> None:
    module, data = LIFTorch(N), torch.rand(1, 200, N)
    output = module(data, memory="low")[0]
    (gradient,) = torch.autograd.grad(output.sum(), [module.bias], create_graph=True)
    gradient.sum().backward()
    assert module.tau_mem.grad is not None


PEAK = """
import sys
import torch
from rockpool.nn.modules import LIFTorch

def peak():
    with open("/proc/self/status") as file:
        return 1024 * int(next(line for line in file if line.startswith("VmHWM")).split()[1])

module, data = LIFTorch(256), torch.rand(2, 10_000, 256) * 0.3
module(data[:, :200], memory="low")[0].sum().backward()
before = peak()
output = module(data, memory=sys.argv[1])[0]
output.sum().backward()
print((peak() - before) / output.numel() - 4)  # bytes besides the output
"""


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="peaks are read from /proc")
def test_the_peak_of_a_process_is_low() -> None:
    def peak(memory: str) -> float:
        command = [sys.executable, "-c", PEAK, memory]
        return float(subprocess.run(command, capture_output=True, check=True, text=True).stdout)

    assert peak("low") < 0.5
    assert peak("full") > 3
