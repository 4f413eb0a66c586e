"""Kernels of Triton give what the loops in torch give: spikes to the bit, and all gradients."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

import pytest
import torch
from support.kernel_cases import F32, F64, Way, assert_same, evolve_lif, lif_tensors, numbers, take
from torch import Tensor

from rockpool.nn.modules.torch._base.activations import relu, sigmoid, tanh
from rockpool.nn.modules.torch._base.surrogates import PeriodicExponential, StepPWL
from rockpool.nn.modules.torch._loops.exp_syn import exp_syn_loop, leaky_sum
from rockpool.nn.modules.torch._loops.lif import LIFParameters, LIFState, lif_loop
from rockpool.nn.modules.torch._loops.rate import RateParameters, rate_loop

pytestmark = pytest.mark.triton

SMALL = {"n_batch": 2, "n_steps": 12, "n": 5}  # the interpreter takes some ms for a step
EXACT = ("output", "spikes", "irec", "vmem", "isyn", "last 0", "last 1", "last 2")


def of_triton(file: str, name: str) -> Any:
    """A function with kernels: their file imports triton, which reads its settings then."""
    return getattr(import_module(f"rockpool.nn.modules.torch._kernels.triton.{file}"), name)


def compare_lif(tensors: dict[str, Tensor], device: str, **options: Any) -> Way:
    there = {name: value.to(device) for name, value in tensors.items()}
    kernel, loop = (
        take(way, there, lambda f, p: evolve_lif(f, p, **options))
        for way in (of_triton("lif", "lif"), lif_loop)
    )
    assert_same(kernel, loop, EXACT)
    return kernel


@pytest.mark.parametrize("dtype", [F32, F64], ids=str)
@pytest.mark.parametrize("spike_fn", [StepPWL, PeriodicExponential])
@pytest.mark.parametrize("adaptive", [False, True], ids=["", "adaptive"])
@pytest.mark.parametrize("recurrent", [False, True], ids=["", "recurrent"])
@pytest.mark.parametrize("n_synapses", [1, 2, 3])
def test_lif(
    n_synapses: int, recurrent: bool, adaptive: bool, spike_fn: Any, dtype: torch.dtype, device: str
) -> None:
    tensors = lif_tensors(n_synapses, recurrent, adaptive, dtype, **SMALL)
    way = compare_lif(tensors, device, spike_fn=spike_fn)
    assert way.results["output"].sum() > 0


@pytest.mark.parametrize(
    ("n_batch", "n_steps", "n"),
    [(1, 1, 1), (3, 2, 257), (1, 255, 33), (3, 1, 31), (1, 255, 1), (3, 0, 31), (0, 2, 31)],
)
def test_sizes(n_batch: int, n_steps: int, n: int, device: str) -> None:
    compare_lif(lif_tensors(1, False, False, F32, n_batch, n_steps, n), device)


@pytest.mark.parametrize(("n_batch", "n_steps"), [(3, 0), (0, 2)])
def test_sizes_of_recurrent_and_adaptive_layers(n_batch: int, n_steps: int, device: str) -> None:
    compare_lif(lif_tensors(2, True, True, F32, n_batch, n_steps, 3), device)


@pytest.mark.parametrize("recurrent", [False, True], ids=["", "recurrent"])
@pytest.mark.parametrize("adaptive", [False, True], ids=["", "adaptive"])
@pytest.mark.parametrize("n_synapses", [1, 2])
def test_records_have_gradients_and_noise_is_added(
    n_synapses: int, adaptive: bool, recurrent: bool, device: str
) -> None:
    tensors = lif_tensors(n_synapses, recurrent, adaptive, F32, **SMALL)
    noise = numbers(2, 12, 5, low=-0.1, high=0.1).to(device)
    way = compare_lif(tensors, device, noise=noise, record=True)
    names = {"vmem", "isyn", "irec", "spikes"} | ({"iahp"} if adaptive else set())
    assert names <= way.results.keys()


def test_window_and_largest_number_of_spikes(device: str) -> None:
    tensors = lif_tensors(1, False, False, F64, **SMALL)
    tensors["x"] *= 9
    way = compare_lif(tensors, device, window=0.2, max_spikes=2.0)
    assert way.results["output"].max() == 2


def test_window_and_largest_number_in_tensors(device: str) -> None:
    """As layers on CUDA give them, so that nobody has to wait for the device."""
    tensors = lif_tensors(1, False, False, F32, **SMALL)
    tensors["x"] *= 9
    window, most = torch.tensor([0.2, 2.0], device=device)
    way = compare_lif(tensors, device, window=window, max_spikes=most)
    assert way.results["output"].max() == 2


def test_parameters_that_all_neurons_share(device: str) -> None:
    tensors = lif_tensors(2, False, True, F32, **SMALL)
    for name in ("tau_mem", "bias", "threshold", "tau_ahp", "w_ahp"):
        tensors[name] = tensors[name][0]
    tensors["tau_syn"] = tensors["tau_syn"][:1]
    compare_lif(tensors, device)


def test_many_synapses_are_added_up_in_order(device: str) -> None:
    compare_lif(lif_tensors(7, False, False, F32, 1, 6, 3), device)


def test_membranes_that_are_multiples_of_the_threshold(device: str) -> None:
    """The quotient is an integer, or next to one: where one that is not rounded would be wrong."""
    thresholds = numbers(1000, low=0.01, high=3.0).to(device)
    x = thresholds * torch.arange(1, 6.0, device=device)[:, None]
    zeros = torch.zeros(5, 1000, device=device)
    state = LIFState(zeros, zeros[..., None], zeros)
    one = torch.ones(1000, device=device)
    parameters = LIFParameters(
        one, one[:, None], 0 * one, thresholds, None, StepPWL.apply, 0.5, 2.0**16
    )
    found, _, _ = of_triton("lif", "lif")(x[:, None], state, parameters)
    expected, _, _ = lif_loop(x[:, None], state, parameters)
    assert torch.equal(found, expected)


@pytest.mark.parametrize("options", [{}, {"record": True}], ids=["", "record"])
@pytest.mark.parametrize("kind", ["plain", "recurrent", "adaptive"])
def test_membranes_that_are_computed_again(
    kind: str, options: dict[str, Any], monkeypatch: pytest.MonkeyPatch, device: str
) -> None:
    monkeypatch.setenv("ROCKPOOL_GPU_MEMORY", "low")
    lif = import_module("rockpool.nn.modules.torch._kernels.triton.lif")
    monkeypatch.setattr(lif, "TOGETHER", 5)  # of 12 steps
    compare_lif(
        lif_tensors(2, kind == "recurrent", kind == "adaptive", F32, **SMALL), device, **options
    )


@pytest.mark.parametrize("half", [torch.float16, torch.bfloat16], ids=str)
@pytest.mark.parametrize("recurrent", [False, True], ids=["", "recurrent"])
def test_input_in_half_precision(half: torch.dtype, recurrent: bool, device: str) -> None:
    tensors = lif_tensors(2, recurrent, False, F32, **SMALL)
    tensors["x"] = tensors["x"].to(half)
    there = {name: value.to(device) for name, value in tensors.items()}
    kernel, loop = (take(way, there, evolve_lif) for way in (of_triton("lif", "lif"), lif_loop))
    assert kernel.results["output"].dtype == F32
    assert torch.equal(kernel.results["output"], loop.results["output"])
    found, expected = kernel.gradients.pop("x"), loop.gradients.pop("x")
    assert found.dtype == half
    torch.testing.assert_close(found, expected, rtol=2 * torch.finfo(half).eps, atol=1e-6)
    assert_same(kernel, loop, EXACT)


def transposed(x: Tensor) -> Tensor:
    return x.transpose(1, 2).contiguous().transpose(1, 2)


def repeated(x: Tensor) -> Tensor:
    return x[:, :1, :1].expand(x.shape)


def every_second(x: Tensor) -> Tensor:
    return torch.stack((x, x), -1).flatten(2)[..., ::2]


@pytest.mark.parametrize("laid_out", [transposed, repeated, every_second])
def test_input_and_gradients_that_are_not_contiguous(
    laid_out: Callable[[Tensor], Tensor], device: str
) -> None:
    torch.manual_seed(0)
    tensors = lif_tensors(2, False, False, F32, **SMALL)
    tensors = {name: value.to(device) for name, value in tensors.items()}
    found = []
    for loop in (of_triton("lif", "lif"), lif_loop):
        x = tensors["x"].clone().requires_grad_()
        output = evolve_lif(loop, {**tensors, "x": laid_out(x)})[0]
        output.backward(laid_out(torch.rand(output.shape, generator=seeded()).to(output)))
        found.append((output, x.grad))
    assert torch.equal(found[0][0], found[1][0])
    torch.testing.assert_close(found[0][1], found[1][1], rtol=1e-5, atol=1e-6)


def seeded() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def test_gradients_of_gradients(device: str) -> None:
    tensors = lif_tensors(1, False, False, F64, 1, 6, 3)
    found = []
    for loop in (of_triton("lif", "lif"), lif_loop):
        p = {name: value.to(device).requires_grad_() for name, value in tensors.items()}
        state = evolve_lif(loop, p)[1]
        (first,) = torch.autograd.grad(state.vmem.square().sum(), p["x"], create_graph=True)
        found.append(torch.autograd.grad(first.sum(), p["tau_mem"])[0])
    torch.testing.assert_close(*found)


# -- the others --------------------------------------------------------------------------------------

FILTERS = {"exp_syn": exp_syn_loop, "leaky_sum": leaky_sum}


@pytest.mark.parametrize("dtype", [F32, F64], ids=str)
@pytest.mark.parametrize("name", FILTERS)
@pytest.mark.parametrize(
    ("n_batch", "n_steps", "n"), [(2, 12, 5), (1, 255, 33), (3, 1, 257), (2, 0, 1), (0, 2, 3)]
)
def test_filters(
    name: str, n_batch: int, n_steps: int, n: int, dtype: torch.dtype, device: str
) -> None:
    torch.manual_seed(1)
    tensors = {
        "x": transposed(numbers(n_batch, n_steps, n, dtype=dtype).to(device)),
        "start": numbers(n_batch, n, dtype=dtype).to(device),
        "decay": numbers(n, low=0.5, high=0.99, dtype=dtype).to(device),
    }

    def call(loop: Callable[..., Any], p: dict[str, Tensor]) -> Any:
        return loop(p["x"], p["start"], p["decay"])

    kernel, loop = (take(way, tensors, call) for way in (of_triton("exp_syn", name), FILTERS[name]))
    assert_same(kernel, loop)


@pytest.mark.parametrize("name", FILTERS)
def test_filters_with_one_decay_for_all_and_second_derivatives(name: str, device: str) -> None:
    found = []
    for loop in (of_triton("exp_syn", name), FILTERS[name]):
        x = numbers(2, 6, 3, dtype=F64).fill_(0.5).to(device).requires_grad_()
        decay = torch.tensor(0.75, dtype=F64, device=device, requires_grad=True)
        output, last = loop(x, torch.ones(2, 3, dtype=F64, device=device), decay)
        (first,) = torch.autograd.grad(output.sum() + last.sum(), decay, create_graph=True)
        found.append((first.detach(), *torch.autograd.grad(first, (x, decay))))
    torch.testing.assert_close(*found)


@pytest.mark.parametrize("act_fn", [relu, tanh, sigmoid])
@pytest.mark.parametrize("record", [False, True], ids=["", "record"])
def test_rate(record: bool, act_fn: Any, device: str) -> None:
    torch.manual_seed(2)
    tensors = {
        "x": torch.randn(2, 12, 5),
        "state": torch.randn(2, 5),
        "gain": numbers(5, low=0.02, high=0.2),
        "bias": numbers(5, low=-0.1, high=0.1),
        "threshold": numbers(5, low=-0.1, high=0.1),
        "noise": torch.randn(2, 12, 5) * 0.1,
    }
    tensors = {name: value.to(device) for name, value in tensors.items()}

    def call(loop: Callable[..., Any], p: dict[str, Tensor]) -> Any:
        parameters = RateParameters(p["gain"], p["bias"], p["threshold"], None, act_fn)
        return loop(p["x"], p["state"], parameters, p["noise"], record)

    kernel, loop = (take(way, tensors, call) for way in (of_triton("rate", "rate"), rate_loop))
    assert_same(kernel, loop)
