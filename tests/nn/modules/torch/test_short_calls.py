"""Calls on the arrays of tensors: what is kept of the parameters follows their values."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn
from torch.autograd import gradcheck, gradgradcheck

from rockpool.nn.kernels.switch import use_kernels
from rockpool.nn.modules import LIFBitshiftTorch, LIFTorch, aLIFTorch
from rockpool.nn.modules.torch._base.surrogates import PeriodicExponential

N = 4
DATA = torch.rand(2, 30, N, generator=torch.Generator().manual_seed(0)) * 2


def layer(**arguments: Any) -> LIFTorch:
    return LIFTorch(N, **{"tau_mem": [10e-3, 20e-3, 30e-3, 40e-3], "tau_syn": 5e-3, **arguments})


def by_data(module: Any) -> None:
    module.tau_mem.data.mul_(0.5)


def by_data_of_another(module: Any) -> None:
    module.tau_mem.data = module.tau_mem.data * 0.5


def by_numpy(module: Any) -> None:
    module.tau_mem.detach().numpy()[:] *= 0.5


def by_an_optimiser(module: Any) -> None:
    module.tau_mem.grad = module.tau_mem.detach() * 0.5
    torch.optim.SGD([module.tau_mem], lr=1.0).step()


def by_assignment(module: Any) -> None:
    module.tau_mem = module.tau_mem.detach() * 0.5


def by_another_parameter(module: Any) -> None:
    module.tau_mem = nn.Parameter(module.tau_mem.detach() * 0.5)


def by_loading(module: Any) -> None:
    halved = {**module.state_dict(), "tau_mem": module.tau_mem.detach() * 0.5}
    module.load_state_dict(halved)


def by_loading_itself(module: Any) -> None:
    halved = {**module.state_dict(), "tau_mem": module.tau_mem.detach() * 0.5}
    module.load_state_dict(halved, assign=True)


@pytest.mark.parametrize("graph", [True, False], ids=["graph", "no_grad"])
@pytest.mark.parametrize(
    "change",
    [
        by_data,
        by_data_of_another,
        by_numpy,
        by_an_optimiser,
        by_assignment,
        by_another_parameter,
        by_loading,
        by_loading_itself,
    ],
)
def test_a_change_of_values_is_seen(change: Callable[[Any], None], graph: bool) -> None:
    module = layer()
    with torch.set_grad_enabled(graph):
        module(DATA)
        with torch.no_grad():
            change(module)
        module.reset_state()
        found = module(DATA)[0]
        with use_kernels(False):
            expected = layer(tau_mem=[5e-3, 10e-3, 15e-3, 20e-3])(DATA)[0]
    assert module.last_path == "numba"
    assert torch.equal(found, expected)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("dt", 2e-3),
        ("max_spikes_per_dt", torch.tensor(1.0)),
        ("threshold", torch.full((N,), 0.3)),
        ("bias", torch.full((N,), 0.2)),
        ("tau_syn", 8e-3),
        ("noise_std", 0.0),
        ("learning_window", 1.5),
        ("learning_window", torch.tensor(1.5)),
        ("spike_generation_fn", PeriodicExponential),
    ],
)
def test_a_change_of_a_setting_is_seen(name: str, value: Any) -> None:
    def run(module: Any) -> Any:
        weighted = (module(DATA)[0] * DATA).sum()
        module.reset_state()
        return module(DATA * 4)[0], torch.autograd.grad(weighted, module.bias)[0]

    module = layer()
    run(module)
    module.reset_state()
    setattr(module, name, value)
    with use_kernels(False):
        other = layer()
        setattr(other, name, value)
        expected = run(other)
    found = run(module)
    assert torch.equal(found[0], expected[0])
    # kernel and loop add gradients up in single precision, each in an order of its own
    torch.testing.assert_close(found[1], expected[1], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("change", ["transpose", "transposed data", "repeat"])
def test_a_change_of_the_order_in_memory_is_seen(change: str) -> None:
    taus = torch.tensor([[5e-3, 10e-3], [50e-3, 200e-3]])
    module = LIFTorch((4, 2), tau_syn=taus)
    module(DATA)
    with torch.no_grad():
        if change == "transpose":
            module.tau_syn.t_()
        elif change == "transposed data":
            module.tau_syn.data = module.tau_syn.data.t()
        else:
            module.tau_syn.data = module.tau_syn.data[:1].expand(2, 2)
    expected = LIFTorch((4, 2), tau_syn=taus[:1].expand(2, 2) if change == "repeat" else taus.t())
    module.reset_state()
    module(DATA)
    expected(DATA)
    assert torch.equal(module.isyn, expected.isyn)


def test_most_spikes_edited_in_place() -> None:
    module = layer()
    module(DATA * 9)
    module.reset_state()
    module.max_spikes_per_dt.fill_(1.0)
    assert module(DATA * 9)[0].max() == 1


def test_a_window_edited_in_place() -> None:
    def gradient(module: Any) -> Any:
        return torch.autograd.grad((module(DATA)[0] * DATA).sum(), module.bias)[0]

    module = layer()
    before = gradient(module)
    module.reset_state()
    module.learning_window.fill_(1.5)
    after = gradient(module)
    torch.testing.assert_close(after, gradient(layer(learning_window=1.5)))
    assert not torch.allclose(after, before)


def test_a_bad_value_is_named_also_after_a_good_one() -> None:
    module = layer()
    module(DATA)
    module.tau_mem.data[1] = torch.nan
    before = {name: value.clone() for name, value in module.state().items()}
    with pytest.raises(ValueError, match="tau_mem must be > 0 s, got nan"):
        module(DATA)
    assert all(torch.equal(value, before[name]) for name, value in module.state().items())
    module.tau_mem.data[1] = 20e-3
    module(DATA)


def test_copies_do_not_share_what_is_kept() -> None:
    module = layer()
    module(DATA)
    for copied in (copy.deepcopy(module), pickle.loads(pickle.dumps(module))):
        copied.tau_mem.data.mul_(0.5)
        copied.reset_state()
        with use_kernels(False):
            expected = layer(tau_mem=[5e-3, 10e-3, 15e-3, 20e-3])(DATA)[0]
        assert torch.equal(copied(DATA)[0], expected)


MAKERS = {
    "taus": lambda: layer(),
    "decays": lambda: LIFTorch(N, leak_mode="decays", alpha=0.9, beta=0.7),
    "bitshifts": lambda: LIFTorch(N, leak_mode="bitshifts", dash_mem=3.0, dash_syn=2.0),
    "several synapses, recurrent": lambda: LIFTorch(
        (N, 2), has_rec=True, w_rec=torch.arange(2 * N).reshape(2, N) * 0.05
    ),
    "adaptive": lambda: aLIFTorch((N, 2), w_ahp=-0.1),
    "rounded": lambda: LIFBitshiftTorch(N),
}


@pytest.mark.parametrize("kind", MAKERS)
def test_values_and_gradients_are_those_of_the_loop(kind: str) -> None:
    found, states = [], []
    for kernels in (True, False):
        module = MAKERS[kind]()
        data = DATA.clone().requires_grad_()
        with use_kernels(kernels):
            for _ in range(2):  # from rest, and from a state
                output, state, _ = module(data)
        weights = torch.linspace(-1, 1, output.numel()).reshape(output.shape)
        (output * weights).sum().backward()
        gradients = {name: p.grad for name, p in module.named_parameters()}
        found.append({"output": output.detach(), "x": data.grad, **gradients})
        states.append(state)
    for name, value in found[0].items():
        if value is None:
            assert found[1][name] is None
        else:
            torch.testing.assert_close(value, found[1][name], rtol=1e-4, atol=1e-5)
    for name, value in states[0].items():
        torch.testing.assert_close(value, states[1][name], rtol=1e-5, atol=1e-6)


def test_second_derivatives() -> None:
    module = LIFTorch(2, tau_mem=[10e-3, 20e-3]).double()
    data = torch.rand(1, 3, 2, dtype=torch.float64) * 0.05  # below threshold and its window

    def loss(tau: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
        module.reset_state()
        call = torch.func.functional_call
        return call(module, {"tau_mem": tau}, (x,))[0].sum() + (tau * x.sum()).sum()

    tau = module.tau_mem.detach().clone().requires_grad_()
    assert gradcheck(loss, (tau, data.requires_grad_()))
    assert gradgradcheck(loss, (tau, data))


def test_a_second_derivative_through_the_kernels_path() -> None:
    values = []
    for kernels in (True, False):
        module = layer()
        data = DATA.clone().requires_grad_()
        with use_kernels(kernels):
            output = module(data)[0]
            gradient = torch.autograd.grad((output**2).sum(), module.tau_mem, create_graph=True)[0]
            gradient.sum().backward()
        values.append((gradient.detach(), data.grad))
    torch.testing.assert_close(values[0], values[1], rtol=1e-4, atol=1e-4)


def test_states_of_inference_can_take_part_in_training() -> None:
    module = layer()
    with torch.inference_mode():
        module(DATA)
    assert not any(value.is_inference() for value in module.state().values())
    module(DATA)[0].sum().backward()


def test_batches_kept_whole() -> None:
    module = layer()
    module.keep_batch_state()
    with torch.no_grad():
        pieces = [module(piece)[0] for piece in DATA.split(10, dim=1)]
        assert module.vmem.shape == (2, N)
        with pytest.raises(ValueError, match="the state is kept for a batch of 2"):
            module(DATA[:1])
    assert torch.equal(torch.cat(pieces, 1), layer()(DATA)[0])


def test_a_state_of_one_element_does_not_keep_its_batch_alive() -> None:
    module = layer()
    with torch.no_grad():
        module(DATA.expand(2, 30, N).repeat(50, 1, 1))
    assert module.vmem.untyped_storage().nbytes() == N * 4
