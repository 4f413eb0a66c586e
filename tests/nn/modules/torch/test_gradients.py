"""Gradients: finite differences for smooth modules, the closed form of the surrogate for others."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from rockpool.nn.combinators import FFwdStack, Residual, Sequential
from rockpool.nn.modules.torch import (
    ExpSynTorch,
    LIFEulerTorch,
    LIFNeuronTorch,
    LIFTorch,
    LinearTorch,
    RateTorch,
    aLIFTorch,
)
from rockpool.nn.modules.torch.lif_torch import PeriodicExponential, StepPWL

pytestmark = pytest.mark.usefixtures("both_paths")

F64 = torch.float64


def call(module: Any, names: list[str], x: Tensor, *values: Tensor) -> Tensor:
    """Return the output of a module from rest, as a function of input and parameters."""
    module.reset_state()
    parameters = dict(zip(names, values, strict=True))
    return torch.func.functional_call(module, parameters, (x,))[0]


SMOOTH: dict[str, Callable[[], Any]] = {
    "rate": lambda: RateTorch(3, activation_func="tanh", threshold=0.1),
    "recurrent rate": lambda: RateTorch(3, has_rec=True, activation_func="sigmoid", tau=[0.02] * 3),
    "exponential synapse": lambda: ExpSynTorch(3, tau=[0.002, 0.005, 0.01]),
    "linear": lambda: LinearTorch((3, 2), has_bias=True),
    "sequence": lambda: Sequential(LinearTorch((3, 2)), RateTorch(2, activation_func="tanh")),
    "residual": lambda: Residual(LinearTorch((3, 3)), ExpSynTorch(3)),
    "stack": lambda: FFwdStack(
        ExpSynTorch(3), RateTorch(2, activation_func="tanh"), weight_init_func=torch.ones
    ),
    "subthreshold membrane": lambda: LIFNeuronTorch(3, threshold=100.0),
}


@pytest.mark.parametrize("name", SMOOTH)
def test_smooth_modules_agree_with_finite_differences(name: str) -> None:
    torch.manual_seed(1)
    module = SMOOTH[name]().double()
    names = [key for key, _ in module.named_parameters()]
    values = [p.detach().requires_grad_() for p in module.parameters().astorch()]
    x = torch.randn(2, 6, module.size_in, dtype=F64, requires_grad=True)
    assert torch.autograd.gradcheck(
        lambda x, *values: call(module, names, x, *values), (x, *values), eps=1e-7, atol=1e-5
    )


def test_second_derivatives_of_a_smooth_module() -> None:
    torch.manual_seed(1)
    module = RateTorch(2, has_rec=True, activation_func="tanh").double()
    names = [key for key, _ in module.named_parameters()]
    values = [p.detach().requires_grad_() for p in module.parameters().astorch()]
    x = torch.randn(1, 3, 2, dtype=F64, requires_grad=True)
    assert torch.autograd.gradgradcheck(
        lambda x, *values: call(module, names, x, *values), (x, *values), eps=1e-7, atol=1e-4
    )


# -- the surrogate, written out -----------------------------------------------------------------


def step_pwl(v: Tensor, threshold: Tensor, window: float, most: float) -> tuple[Tensor, Tensor]:
    inside = (v >= threshold - window).to(v.dtype)
    return inside / threshold, -inside * v / threshold**2


def periodic(v: Tensor, threshold: Tensor, window: float, most: float) -> tuple[Tensor, Tensor]:
    u = v - threshold / 2
    n = torch.clamp(torch.floor(u / threshold), max=most - 1)
    u = torch.where(v < threshold, u, u - n * threshold)
    density = torch.exp(-torch.abs(u - threshold / 2) / window) / threshold
    return density, -density * v / threshold


SURROGATES = {
    "StepPWL": (StepPWL, step_pwl),
    "PeriodicExponential": (PeriodicExponential, periodic),
}


def spikes_of(v: Tensor, threshold: Tensor, derivatives: Any, window: float, most: float) -> Tensor:
    """Return spikes that have the given derivatives by their form alone."""
    with torch.no_grad():
        spikes = torch.where(v >= threshold, torch.floor(v / threshold), torch.zeros_like(v))
        spikes = spikes.clamp(max=most)
        dv, dthreshold = derivatives(v, threshold, window, most)
    return spikes + dv * (v - v.detach()) + dthreshold * (threshold - threshold.detach())


def naive_lif(p: dict[str, Tensor], x: Tensor, derivatives: Any, window: float, most: float) -> Any:
    """The equations of the neurons, one line each, for S synapses and a spike-driven current."""
    n_batch, n_steps, n_in = x.shape
    n = len(p["bias"])
    dt = 1e-3
    alpha, beta = torch.exp(-dt / p["tau_mem"]), torch.exp(-dt / p["tau_syn"])
    v, isyn = x.new_zeros(n_batch, n), x.new_zeros(n_batch, n, n_in // n)
    spikes, iahp = x.new_zeros(n_batch, n), x.new_zeros(n_batch, n)
    outputs = []
    for t in range(n_steps):
        incoming = x[:, t]
        if "w_rec" in p:
            incoming = incoming + spikes @ p["w_rec"]
        isyn = (isyn + incoming.reshape(isyn.shape)) * beta
        v = alpha * v + isyn.sum(-1) + p["bias"]
        if "w_ahp" in p:
            iahp = (iahp + spikes * p["w_ahp"]) * torch.exp(-dt / p["tau_ahp"])
            v = v + iahp
        spikes = spikes_of(v, p["threshold"], derivatives, window, most)
        v = v - spikes * p["threshold"]
        outputs.append(spikes)
    return torch.stack(outputs, 1)


NEURONS: dict[str, Callable[..., Any]] = {
    "feed-forward": lambda **k: LIFTorch(3, **k),
    "two synapses": lambda **k: LIFTorch((6, 3), **k),
    "recurrent": lambda **k: LIFTorch((6, 3), has_rec=True, **k),
    "adaptive": lambda **k: aLIFTorch((6, 3), w_ahp=[-0.3, -0.2, -0.1], **k),
    "adaptive recurrent": lambda **k: aLIFTorch(3, has_rec=True, **k),
}


@pytest.mark.parametrize("surrogate", SURROGATES)
@pytest.mark.parametrize("most", [2, 2**16])
@pytest.mark.parametrize("name", NEURONS)
def test_spiking_modules_agree_with_the_closed_form(name: str, most: int, surrogate: str) -> None:
    torch.manual_seed(2)
    function, derivatives = SURROGATES[surrogate]
    layer = NEURONS[name](
        spike_generation_fn=function,
        learning_window=0.25,
        max_spikes_per_dt=most,
        tau_mem=[0.005, 0.01, 0.02],
        bias=[0.1, -0.1, 0.05],
        threshold=[1.0, 0.7, 1.3],
    ).double()
    x = torch.rand(2, 25, layer.size_in, dtype=F64).mul(0.8).requires_grad_()
    cotangent = torch.randn(2, 25, 3, dtype=F64)
    output, _, _ = layer(x)
    (output * cotangent).sum().backward()
    assert output.sum() > 5 and output.max() <= most

    values = {k: v.detach().clone().requires_grad_() for k, v in layer.named_parameters()}
    same_x = x.detach().clone().requires_grad_()
    expected = naive_lif(values, same_x, derivatives, 0.25, most)
    (expected * cotangent).sum().backward()
    torch.testing.assert_close(output, expected)
    torch.testing.assert_close(x.grad, same_x.grad)
    for key, parameter in layer.named_parameters():
        torch.testing.assert_close(parameter.grad, values[key].grad, msg=key)


@pytest.mark.parametrize("name", ["shared time constant", "shared everything"])
def test_a_value_shared_by_all_neurons_gets_the_sum_of_their_gradients(name: str) -> None:
    shared = {"tau_mem": 0.01, "tau_syn": 0.01}
    if name == "shared everything":
        shared |= {"bias": 0.1, "threshold": 1.0}
    one = LIFTorch(3, **shared).double()
    many = LIFTorch(3, **{key: [value] * 3 for key, value in shared.items()}).double()
    x = torch.rand(2, 20, 3, dtype=F64)
    for layer in (one, many):
        layer(x)[0].square().sum().backward()
    for key in shared:
        torch.testing.assert_close(getattr(one, key).grad, getattr(many, key).grad.sum())


@pytest.mark.parametrize("mode", ["decays", "bitshifts"])
def test_leaks_are_trained_in_the_way_they_are_stated(mode: str) -> None:
    layer = LIFTorch(2, leak_mode=mode).double()
    taus = LIFTorch(2, tau_mem=layer.tau_mem, tau_syn=layer.tau_syn).double()
    for name in ("tau_mem", "tau_syn"):  # in full precision
        getattr(taus, name).data.copy_(getattr(layer, name))
    x = torch.rand(2, 20, 2, dtype=F64)
    for module in (layer, taus):
        module(x)[0].square().sum().backward()
    own = {"decays": ("alpha", "beta"), "bitshifts": ("dash_mem", "dash_syn")}[mode]
    for name, tau_name in zip(own, ("tau_mem", "tau_syn"), strict=True):
        stated = getattr(layer, name)
        (slope,) = torch.autograd.grad(getattr(layer, tau_name).sum(), stated)
        torch.testing.assert_close(stated.grad, getattr(taus, tau_name).grad * slope)


@pytest.mark.parametrize("function", [StepPWL, PeriodicExponential])
def test_spike_functions_have_gradients_with_their_defaults(function: Any) -> None:
    x = torch.tensor([0.2, 0.6, 1.0, 2.3], requires_grad=True)
    stated = torch.autograd.grad(function.apply(x, 1.0, 0.5, 2.0**16).sum(), x)[0]
    assert torch.equal(torch.autograd.grad(function.apply(x).sum(), x)[0], stated)
    assert torch.equal(torch.autograd.grad(function.apply(x, window=0.5).sum(), x)[0], stated)
    assert torch.equal(torch.func.grad(lambda x: function.apply(x).sum())(x), stated)


@pytest.mark.parametrize("function", [StepPWL, PeriodicExponential])
def test_a_threshold_that_is_a_number_is_as_precise_as_the_membrane(function: Any) -> None:
    gradients = []
    for threshold in (0.3, torch.tensor(0.3, dtype=torch.float64)):
        v = torch.tensor([0.2, 0.7], dtype=torch.float64, requires_grad=True)
        function.apply(v, threshold).sum().backward()
        gradients.append(v.grad)
    assert torch.equal(*gradients)


@pytest.mark.parametrize("function", [StepPWL, PeriodicExponential])
def test_surrogates_take_thresholds_element_by_element(function: Any) -> None:
    derivatives = SURROGATES[function.__name__][1]
    x = torch.linspace(-1, 4, 40, dtype=F64, requires_grad=True)
    threshold = torch.linspace(0.5, 1.5, 40, dtype=F64, requires_grad=True)
    function.apply(x, threshold).sum().backward()
    dx, dthreshold = derivatives(x.detach(), threshold.detach(), 0.5, 2**16)
    torch.testing.assert_close(x.grad, dx)
    torch.testing.assert_close(threshold.grad, dthreshold)


@pytest.mark.parametrize("function", [StepPWL, PeriodicExponential])
def test_number_of_spikes(function: Any) -> None:
    x = torch.tensor([-3.0, -0.1, 0.0, 0.99, 1.0, 1.9, 2.0, 7.5, 1e9])
    assert function.apply(x).tolist() == [0, 0, 0, 0, 1, 1, 2, 7, 2**16]
    assert function.apply(x, torch.tensor(2.0), 0.5, 3).tolist() == [0, 0, 0, 0, 0, 0, 1, 3, 3]


def graph_size(output: Tensor) -> tuple[int, set[str]]:
    """Return how many operations lead to an output, and what they are called."""
    seen, waiting = set(), [output.grad_fn]
    while waiting:
        node = waiting.pop()
        if node is not None and node not in seen:
            seen.add(node)
            waiting.extend(parent for parent, _ in node.next_functions)
    return len(seen), {type(node).__name__ for node in seen}


@pytest.mark.parametrize(
    "make",
    [
        lambda: LIFTorch((4, 2), has_rec=True),
        lambda: aLIFTorch(2),
        lambda: LIFNeuronTorch(2),
        lambda: ExpSynTorch(2),
        lambda: RateTorch(2, has_rec=True),
    ],
)
@pytest.mark.parametrize("record", [False, True])
def test_the_backward_pass_is_linear_in_time(make: Any, record: bool, plain_loops: None) -> None:
    module = make()
    sizes = []
    for n_steps in (50, 100, 150):
        x = torch.rand(2, n_steps, module.size_in, requires_grad=True)
        size, kinds = graph_size(module(x, record=record)[0])
        assert not any("CopySlices" in kind or "SelectBackward" in kind for kind in kinds)
        sizes.append(size)
    assert sizes[2] - sizes[1] == sizes[1] - sizes[0]


def test_a_long_input_has_a_backward_pass(plain_loops: None) -> None:
    layer = LIFTorch(2)
    x = torch.rand(1, 5000, 2, requires_grad=True)
    layer(x)[0].sum().backward()
    assert torch.isfinite(x.grad).all() and x.grad.abs().sum() > 0


def test_layers_without_recurrence_hold_no_weights() -> None:
    layer = LIFTorch(3000)
    held = sum(tensor.untyped_storage().nbytes() for tensor in layer.buffers())
    held += sum(tensor.untyped_storage().nbytes() for tensor in layer.parameters().astorch())
    assert held < 200_000
    assert layer.w_rec.shape == (3000, 3000) and not layer.w_rec.any()


def test_no_noise_is_drawn_without_need() -> None:
    x = torch.rand(1, 5, 2)
    torch.manual_seed(0)
    expected = torch.rand(1)
    for make in (LIFTorch, LIFNeuronTorch, ExpSynTorch, RateTorch, aLIFTorch):
        module = make(2)
        torch.manual_seed(0)
        module(x)
        assert torch.equal(torch.rand(1), expected), make.__name__


def test_noise_differs_from_one_batch_element_to_the_next() -> None:
    for make in (LIFTorch, LIFNeuronTorch, ExpSynTorch, RateTorch, aLIFTorch):
        module = make(2, noise_std=1.0)
        output, _, record = module(torch.zeros(2, 5, 2), record=True)
        trace = record.get("vmem", record.get("x", output))
        assert not torch.equal(trace[0], trace[1]), make.__name__


@pytest.mark.parametrize(
    "make",
    [
        lambda: LIFTorch((6, 3)),
        lambda: LIFTorch(3, has_rec=True, w_rec=torch.full((3, 3), 0.1)),
        lambda: aLIFTorch(3),
        lambda: ExpSynTorch(3),
        lambda: RateTorch(3),
        lambda: LIFEulerTorch(3, gain="unit"),
    ],
    ids=["LIF", "recurrent", "adaptive", "ExpSyn", "Rate", "LIFEuler"],
)
@pytest.mark.parametrize("record", [False, True], ids=["", "record"])
def test_gradients_of_many_at_once(make: Callable[[], Any], record: bool) -> None:
    module = make()
    x = torch.rand(2, 5, module.size_in, generator=torch.Generator().manual_seed(0)) * 3

    def last(data: Tensor) -> Tensor:
        module.reset_state()
        output, _, records = module(data, record=record)
        return (output + records["vmem"] if "vmem" in records else output)[:, -1]

    found = torch.autograd.functional.jacobian(last, x, vectorize=True)
    torch.testing.assert_close(found, torch.autograd.functional.jacobian(last, x))
    assert found.abs().max() > 0
