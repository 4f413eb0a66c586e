"""Values that an optimizer brought out of range: limited, with a gradient, and told once."""

from __future__ import annotations

import warnings
from functools import partial
from typing import Any

import numpy as np
import pytest

from rockpool import convert
from rockpool.nn.combinators import Sequential
from rockpool.nn.kernels.switch import use_kernels
from rockpool.nn.modules import (
    ExpSynJax,
    ExpSynTorch,
    IFEulerJax,
    IFEulerTorch,
    LIFBitshiftTorch,
    LIFEulerJax,
    LIFEulerTorch,
    LIFJax,
    LIFNeuronTorch,
    LIFODEJax,
    LIFTorch,
    LinearTorch,
    RateJax,
    RateTorch,
    UpDownTorch,
    aLIFTorch,
)
from rockpool.training import bound

torch = pytest.importorskip("torch")
jax = pytest.importorskip("jax")
jnp = jax.numpy

N = 3
DT = 1e-3
DATA = np.random.default_rng(0).random((2, 20, N), np.float32)

# class -> name of a parameter -> a value that a step may lead to -> what it counts as
CASES = [
    (LIFTorch, "tau_mem", -0.02, DT),
    (LIFTorch, "tau_mem", 0.4e-3, DT),
    (LIFTorch, "tau_syn", 0.0, DT),
    (LIFTorch, "threshold", -1.0, 1e-3),
    (LIFBitshiftTorch, "tau_syn", -1.0, DT),
    (aLIFTorch, "tau_ahp", -1.0, DT),
    (LIFNeuronTorch, "tau_mem", -1.0, DT),
    (ExpSynTorch, "tau", -0.5, DT),
    (RateTorch, "tau", 0.9e-3, DT),
    (LIFJax, "tau_mem", -0.02, DT),
    (LIFJax, "tau_mem", 0.4e-3, DT),
    (LIFJax, "tau_syn", 0.0, DT),
    (LIFJax, "threshold", -1.0, 1e-3),
    (LIFODEJax, "tau_mem", -0.02, DT),
    (ExpSynJax, "tau", -0.5, DT),
    (RateJax, "tau", -0.5, DT),
    (partial(LIFTorch, leak_mode="decays"), "alpha", 1.5, 1.0),
    (partial(LIFTorch, leak_mode="decays"), "beta", -0.5, 0.0),
    (partial(LIFTorch, leak_mode="bitshifts"), "dash_mem", -1.0, 0.0),
    (partial(aLIFTorch, leak_mode="decays"), "alpha", 1.5, 1.0),
    (UpDownTorch, "thr_up", -1.0, 1e-3),
    (partial(UpDownTorch, thr_down=1e-4), "thr_down", -1.0, 1e-4),
    (LIFEulerTorch, "threshold", -1.0, 1e-3),
    (IFEulerTorch, "threshold", 0.0, 1e-3),
    (LIFEulerJax, "threshold", -1.0, 1e-3),
    (IFEulerJax, "threshold", 0.0, 1e-3),
]


def trained(kind: Any, name: str, value: float) -> Any:
    """Return a module, the last entry of one parameter of which a step of an optimizer has set."""
    module = kind(N)
    if isinstance(module, torch.nn.Module):
        getattr(module, name).data.view(-1)[-1] = value
        return module
    present = getattr(module, name)
    moved = present.reshape(-1).at[-1].set(value).reshape(present.shape)
    return jax.tree.map(lambda leaf: moved if leaf is present else leaf, module)


def outcome(module: Any, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Return the output of a module, and the gradient of its sum by a parameter."""
    if isinstance(module, torch.nn.Module):
        output = module(torch.from_numpy(DATA))[0]
        output.sum().backward()
        gradient = getattr(module, name).grad
        return output.detach().numpy(), np.zeros(()) if gradient is None else gradient.numpy()

    def total(module: Any) -> Any:
        output = module(DATA)[0]
        return output.sum(), output

    gradient, output = jax.grad(total, has_aux=True, allow_int=True)(module)
    return np.asarray(output), np.asarray(getattr(gradient, name))


@pytest.mark.parametrize("kernels", [True, False], ids=["kernels", "loop"])
@pytest.mark.parametrize(("kind", "name", "value", "least"), CASES)
def test_the_limit_counts_and_the_gradient_passes(
    kind: Any, name: str, value: float, least: float, kernels: bool
) -> None:
    with warnings.catch_warnings(), use_kernels(kernels):
        warnings.simplefilter("ignore")
        found, expected = (outcome(trained(kind, name, v), name) for v in (value, least))
    assert np.isfinite(found[0]).all() and np.isfinite(found[1]).all()
    np.testing.assert_array_equal(found[0], expected[0])
    np.testing.assert_array_equal(found[1], expected[1])


@pytest.mark.parametrize("kind", [LIFTorch, LIFJax])
def test_it_is_said_once_for_each_module_with_the_remedies(kind: Any) -> None:
    data: Any = torch.from_numpy(DATA) if kind is LIFTorch else DATA
    for _ in range(2):
        module = trained(kind, "tau_mem", -0.02)
        with pytest.warns(UserWarning, match=f"{kind.__name__}: tau_mem came to -0.02 s") as caught:
            module(data)
            module(data)
        said = [str(one.message) for one in caught if "came to" in str(one.message)]
        assert len(said) == 1
        for remedy in ("training.bound(net, optimizer)", "parameter_groups(net)", "Constant"):
            assert remedy in said[0]


def test_within_jit_nothing_is_looked_at() -> None:
    layer = LIFJax(N)

    @jax.jit
    def loss(parameters: Any) -> Any:
        return layer.set_attributes(parameters)(DATA)[0].sum()

    parameters = layer.parameters()
    parameters["tau_mem"] = parameters["tau_mem"] - 1.0
    with jax.debug_nans(True):
        value, gradients = jax.value_and_grad(loss)(parameters)
    assert np.isfinite(value)
    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(gradients))


def test_within_transforms_of_torch() -> None:
    layer = LIFTorch(N)
    data = torch.from_numpy(DATA)

    def total(tau: Any) -> Any:
        return torch.func.functional_call(layer, {"tau_mem": tau}, (data,))[0].sum()

    found = torch.func.grad(total)(torch.full((N,), -0.1))
    expected = torch.func.grad(total)(torch.full((N,), DT))
    torch.testing.assert_close(found, expected)


@pytest.mark.parametrize("kind", [LIFTorch, LIFJax])
def test_a_user_may_set_less_than_a_step(kind: Any) -> None:
    data: Any = torch.from_numpy(DATA) if kind is LIFTorch else jnp.asarray(DATA)
    given = kind(N, tau_mem=0.5e-3, threshold=1e-4)
    assigned = kind(N)
    changed = assigned.set_attributes(
        {
            "tau_mem": assigned.tau_mem * 0.025,
            "threshold": assigned.threshold * 1e-4,
        }
    )
    for module in (given, changed):
        native = convert(module, "numpy")
        np.testing.assert_allclose(native.tau_mem, 0.5e-3, rtol=1e-6)
        output = module(data)[0]
        output = output.detach().numpy() if kind is LIFTorch else np.asarray(output)
        np.testing.assert_allclose(output, native(DATA)[0], rtol=1e-3)


@pytest.mark.parametrize("kind", [LIFTorch, LIFJax])
def test_what_a_user_sets_out_of_range_is_an_error(kind: Any) -> None:
    module = kind(N)
    for name in ("tau_mem", "threshold"):
        with pytest.raises(ValueError, match=f"{name} must be > 0") as caught:
            module.set_attributes({name: getattr(module, name) * -1})
        if kind is LIFJax:
            assert "rockpool.training.bound(net, optimizer)" in caught.value.__notes__[0]
        with pytest.raises(ValueError, match=f"{name} must be > 0"):
            kind(N, **{name: 0.0})


@pytest.mark.parametrize(("kind", "name", "value", "least"), CASES[len(CASES) - 10 :])
def test_it_is_said_of_other_leaks_and_thresholds(
    kind: Any, name: str, value: float, least: float
) -> None:
    module = trained(kind, name, value)
    data: Any = torch.from_numpy(DATA) if isinstance(module, torch.nn.Module) else DATA
    with pytest.warns(UserWarning, match=f"{name} came to {value:g} .* is taken as {least:g}"):
        module(data)


def test_bound_keeps_decays_between_0_and_1() -> None:
    module = LIFTorch(N, leak_mode="decays")
    optimizer = bound(module, torch.optim.SGD(module.parameters().astorch(), lr=1.0))
    module.alpha.grad, module.beta.grad = torch.ones(N), -torch.ones_like(module.beta)
    optimizer.step()
    assert (module.alpha == 0).all() and (module.beta == 1).all()


def test_a_network_that_was_trained_out_of_range_is_described_as_it_evolves() -> None:
    net = Sequential(LinearTorch((N, N)), trained(LIFTorch, "tau_mem", -0.5))
    assert convert(net, "numpy")[1].tau_mem.tolist() == pytest.approx([20e-3, 20e-3, DT])
    raised = convert(trained(LIFEulerTorch, "threshold", -0.5), "numpy").threshold
    assert raised.tolist() == pytest.approx([1, 1, 1e-3])
    bitshifts = trained(partial(LIFTorch, leak_mode="bitshifts"), "dash_mem", 1.0)
    assert convert(bitshifts, "torch").tau_mem.tolist() == pytest.approx([DT / np.log(2)] * N)


@pytest.mark.parametrize("assign", [False, True])
def test_a_checkpoint_may_hold_values_out_of_range(assign: bool) -> None:
    for kind, name, _, _ in CASES:
        one, other = trained(kind, name, -0.5), kind(N)
        if isinstance(one, torch.nn.Module):
            other.load_state_dict(one.state_dict(), assign=assign)
            assert torch.equal(getattr(other, name), getattr(one, name))
            with pytest.raises(ValueError, match=name):
                setattr(other, name, torch.full((N,), -1.0))


def test_saved_values_below_a_step_are_those_of_a_user() -> None:
    taus = [0.5e-3] * N
    module = LIFTorch(N)
    module.load_state_dict(LIFTorch(N, tau_mem=taus).state_dict())
    expected = LIFTorch(N, tau_mem=taus)(torch.from_numpy(DATA))[0]
    assert torch.equal(module(torch.from_numpy(DATA))[0], expected)


def test_a_longer_step_leaves_time_constants_as_they_were_set() -> None:
    module = LIFTorch(N, tau_mem=3e-3)
    module.dt = 5e-3
    expected = LIFTorch(N, tau_mem=3e-3, dt=5e-3)(torch.from_numpy(DATA))[0]
    assert torch.equal(module(torch.from_numpy(DATA))[0], expected)
