"""Gradients of the neurons of NIR, in torch and jax."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch
from support.nir_neurons import MODELS, SPIKING, N, events, layer, parameters, some

import rockpool
from rockpool.nn.kernels.switch import use_kernels
from rockpool.nn.modules import IFEulerJax, IFEulerTorch


@pytest.fixture(autouse=True)
def double():
    with jax.enable_x64(True):
        yield


def torch_gradients(module: Any, data: np.ndarray, weight: np.ndarray) -> dict[str, np.ndarray]:
    """Return the gradients of a weighted sum of the output and of the recorded membrane."""
    x = torch.tensor(data, requires_grad=True)
    output, _, record = module(x, record=True)
    w = torch.tensor(weight)
    ((output * w).sum() + 0.5 * (record["vmem"] * w).sum()).backward()
    found = {
        name: np.zeros(value.shape) if value.grad is None else value.grad.numpy()
        for name, value in module.named_parameters()
    }
    return {**found, "input": x.grad.numpy()}


def jax_gradients(module: Any, data: np.ndarray, weight: np.ndarray) -> dict[str, np.ndarray]:
    def loss(values: Any, x: Any) -> Any:
        output, _, record = module.set_attributes(values)(x)
        return (output * weight).sum() + 0.5 * (record["vmem"] * weight).sum()

    found, of_input = jax.grad(loss, argnums=(0, 1))(module.parameters(), jnp.asarray(data))
    return {name: np.asarray(value) for name, value in {**found, "input": of_input}.items()}


WAYS = [("torch", True), ("jax", True), ("jax", False)]


@pytest.mark.parametrize(("backend", "kernels"), WAYS)
@pytest.mark.parametrize("recurrent", [False, True])
@pytest.mark.parametrize("name", MODELS)
def test_gradients_are_those_of_the_plain_loop(name, recurrent, backend, kernels) -> None:
    recurrent = recurrent and name in SPIKING
    for s in some(name, 12 if backend == "torch" else 1):  # jax compiles each of them
        data = events(name, s["gain"], steps=20)
        weight = np.random.default_rng(2).normal(size=data.shape)
        numpy = layer(name, "numpy", **parameters(name, recurrent), **s)
        with use_kernels(False):
            plain = rockpool.convert(numpy, "torch", dtype="float64")
            wanted = torch_gradients(plain, data, weight)
        with use_kernels(kernels):
            module = rockpool.convert(numpy, backend, dtype="float64")
            gradients = torch_gradients if backend == "torch" else jax_gradients
            found = gradients(module, data, weight)

        assert plain.last_path == "loop"
        if backend == "torch":
            assert module.last_path == "numba"
        assert set(found) == set(wanted) == {*numpy.parameters(), "input"}
        for key, value in wanted.items():
            difference = np.abs(found[key] - value).max()
            assert difference <= 1e-9 * max(np.abs(value).max(), 1.0), (key, s)


@pytest.mark.parametrize("name", MODELS)
def test_gradients_reach_states_from_states(name) -> None:
    """Of the last states by the first ones, with a compiled kernel as without."""
    s = some(name, 3)[2]
    found = []
    for kernels in (False, True):
        numpy = layer(name, "numpy", **parameters(name), **s)
        module = rockpool.convert(numpy, "torch", dtype="float64").keep_batch_state()
        data = torch.tensor(events(name, s["gain"], steps=6))
        with use_kernels(kernels):
            starts = {}
            for key in module.state():
                start = torch.full((len(data), N), 0.25 if key != "spikes" else 1.0)
                starts[key] = start.double().requires_grad_()
                setattr(module, key, starts[key] * 1.0)
            module(data, detach=False)
            sum((value**2).sum() for value in module.state().values()).backward()
        found.append({key: v.grad for key, v in starts.items()})
    for key, value in found[0].items():
        wanted = np.zeros((2, N)) if value is None else value  # nothing depends on it
        np.testing.assert_allclose(found[1][key], wanted, rtol=1e-9, atol=1e-12)
    assert any(value is not None and value.any() for value in found[0].values())


@pytest.mark.slow
@pytest.mark.parametrize("name", ["LIFEuler", "CubaLIFEuler", "CubaLIEuler"])
def test_jax_differentiates_forward_and_again(name) -> None:
    s = some(name, 1)[0]
    numpy = layer(name, "numpy", **parameters(name, name in SPIKING), **s)
    data = jnp.asarray(events(name, s["gain"], batch=1, steps=8))
    found = []
    for kernels in (True, False):
        with use_kernels(kernels):
            module = rockpool.convert(numpy, "jax", dtype="float64")

            def loss(x: Any, module: Any = module) -> Any:
                return (module(x)[2]["vmem"] ** 2).sum()

            forward = jax.jvp(loss, (data,), (jnp.ones_like(data),))[1]
            again = jax.jvp(jax.grad(loss), (data,), (jnp.ones_like(data),))[1]
            mapped = jax.vmap(jax.grad(loss))(jnp.stack([data, 2.0 * data]))
        found.append((forward, again, mapped))
    for one, other in zip(*found, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("kernels", [True, False])
@pytest.mark.parametrize("name", ["LIFEuler", "CubaLIEuler"])
def test_torch_differentiates_again_and_in_transforms(name, kernels) -> None:
    s = some(name, 2)[1]
    numpy = layer(name, "numpy", **parameters(name), **s)
    module = rockpool.convert(numpy, "torch", dtype="float64")
    data = torch.tensor(events(name, s["gain"], batch=1, steps=6), requires_grad=True)

    def loss(x: Any) -> Any:
        return (module.reset_state()(x, record=True)[2]["vmem"] ** 2).sum()

    with use_kernels(kernels):
        (gradient,) = torch.autograd.grad(loss(data), data, create_graph=True)
        (again,) = torch.autograd.grad((gradient**2).sum(), data)
        of_transform = torch.func.grad(loss)(data.detach())
    np.testing.assert_allclose(of_transform.detach(), gradient.detach(), rtol=1e-9, atol=1e-12)
    assert again.abs().sum() > 0


@pytest.mark.parametrize("name", MODELS)
def test_gradients_are_those_of_finite_differences_where_nothing_fires(name) -> None:
    """Below the window of the surrogate the membrane is a smooth function."""
    for s in some(name, 2):
        values = parameters(name) | ({"threshold": 1e6} if name in SPIKING else {})
        module = rockpool.convert(layer(name, "numpy", **values, **s), "torch", dtype="float64")
        data = torch.tensor(events(name, s["gain"], steps=4), requires_grad=True)
        names, tensors = zip(*module.named_parameters(), strict=True)

        def membrane(x: Any, *given: Any, module: Any = module, names: Any = names) -> Any:
            for key, value in zip(names, given, strict=True):
                setattr(module, key, value.clone())  # with a graph
            return module.reset_state()(x, record=True)[2]["vmem"]

        leaves = [tensor.detach().clone().requires_grad_() for tensor in tensors]
        assert torch.autograd.gradcheck(membrane, (data, *leaves))


@pytest.mark.parametrize(("v", "slope"), [(0.4, 0.0), (0.6, 0.8), (1.0, 0.8), (3.0, 0.8)])
def test_the_surrogate_is_a_step_of_the_height_of_one_over_the_distance(v, slope) -> None:
    values = {"gain": "unit", "threshold": 1.0, "v_reset": -0.25, "reset": "none"}
    x = torch.tensor([[[v]]], dtype=torch.float64, requires_grad=True)
    IFEulerTorch(1, **values).double()(x)[0].sum().backward()
    of_jax = jax.grad(lambda x: IFEulerJax(1, **values)(x)[0].sum())(jnp.full((1, 1, 1), v))
    assert x.grad.item() == pytest.approx(slope)
    assert float(of_jax[0, 0, 0]) == pytest.approx(slope)


def test_the_gradient_of_a_reset_to_a_value_is_that_of_a_choice() -> None:
    """``v (1 - s) + s v_reset`` where the neuron fires: only the surrogate lets anything through."""
    module = IFEulerTorch(1, gain="unit", v_reset=-1.0).double()
    x = torch.tensor([[[2.0]]], dtype=torch.float64, requires_grad=True)
    module(x, record=True)[2]["vmem"].sum().backward()
    assert x.grad.item() == pytest.approx((-1.0 - 2.0) / 2.0)
    # s + (v_reset - v) ∂s/∂v_reset, with ∂s/∂v_reset = ((v - v_reset) / 2 - 1) / 2
    assert module.v_reset.grad.item() == pytest.approx(1.0 - 3.0 * 0.25)


@pytest.mark.parametrize("window", [0.25, 2.0])
def test_the_window_of_torch_says_how_far_below_the_threshold_it_begins(window) -> None:
    module = IFEulerTorch(1, gain="unit", reset="none", learning_window=window).double()
    x = torch.tensor([[[0.5]]], dtype=torch.float64, requires_grad=True)
    module(x)[0].sum().backward()
    assert x.grad.item() == (1.0 if window > 0.5 else 0.0)


@pytest.mark.parametrize("name", ["LIFEuler", "CubaLIFEuler"])
def test_gradients_reach_back_into_an_earlier_call(name) -> None:
    s = some(name, 1)[0]
    numpy = layer(name, "numpy", **parameters(name, recurrent=True), **s)
    data, found = events(name, s["gain"], batch=1, steps=10), []
    for pieces in (1, 2):
        module = rockpool.convert(numpy, "torch", dtype="float64")
        x = torch.tensor(data, requires_grad=True)
        outputs = [module(piece, detach=False)[0] for piece in x.chunk(pieces, dim=1)]
        sum(output.sum() for output in outputs).backward()
        found.append(x.grad.numpy())
    np.testing.assert_allclose(found[1], found[0], rtol=1e-9, atol=1e-12)
    assert found[0].any() and data.shape[2] == N


@pytest.mark.parametrize("name", ["IFEuler", "LIFEuler", "CubaLIFEuler"])
def test_one_threshold_beside_a_reset_of_each_neuron_has_a_gradient(name) -> None:
    arguments = {"threshold": 0.5, "v_reset": [0.1, 0.2, -0.1]}
    layer = getattr(rockpool.nn.modules, f"{name}Jax")(3, **arguments)
    twin = getattr(rockpool.nn.modules, f"{name}Torch")(3, **arguments)

    def total(parameters):
        return layer.set_attributes(parameters)(jnp.ones((1, 5, 3)))[0].sum()

    gradients = jax.grad(total)(layer.parameters())
    twin(torch.ones(1, 5, 3))[0].sum().backward()
    np.testing.assert_allclose(gradients["threshold"], twin.threshold.grad, rtol=1e-4)
