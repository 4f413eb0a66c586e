"""Convolutions are those of torch, on every back-end."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from support.shaped_layers import BACKENDS, answer, double
from torch.nn import functional

from rockpool.nn import modules
from rockpool.nn.modules import (
    Conv1d,
    Conv2d,
    Conv2dJax,
    Conv2dTorch,
)
from rockpool.parameters import Constant, Shape, to_numpy

RNG = np.random.default_rng(0)


@pytest.fixture(autouse=True)
def _double_precision() -> Iterator[None]:
    with jax.enable_x64(True):
        yield


class Geometry(NamedTuple):
    """What a convolution is made with."""

    shape_in: Shape
    n_channels: int
    kernel: Any
    stride: Any = 1
    padding: Any = 0
    dilation: Any = 1
    groups: int = 1

    def weights(self, seed: int = 0) -> np.ndarray:
        n_axes = len(self.shape_in) - 1
        kernel = (self.kernel,) * n_axes if isinstance(self.kernel, int) else self.kernel
        shape = (self.n_channels, self.shape_in[0] // self.groups, *kernel)
        return np.random.default_rng(seed).normal(size=shape)

    def layer(self, **options: Any) -> Any:
        cls = Conv1d if len(self.shape_in) == 2 else Conv2d
        return cls(
            self.shape_in,
            self.n_channels,
            self.kernel,
            self.stride,
            self.padding,
            self.dilation,
            self.groups,
            **{"weight": self.weights(), **options},
        )


GEOMETRIES = {
    "plain": Geometry((2, 5, 6), 3, 3),
    "kernel of one": Geometry((4, 3, 5), 2, (1, 1)),
    "oblong kernel": Geometry((1, 8, 8), 2, (3, 5)),
    "oblong input and all else": Geometry((4, 9, 14), 6, (2, 3), (1, 2), (2, 1), (3, 2), 2),
    "depthwise": Geometry((3, 6, 6), 3, 3, padding=1, groups=3),
    "depthwise, more channels": Geometry((3, 6, 4), 6, (3, 2), groups=3),
    "padding larger than the kernel": Geometry((1, 2, 2), 1, 2, padding=4),
    "kernel larger than the input": Geometry((2, 2, 3), 2, (4, 5), padding=(2, 1)),
    "stride beyond the kernel": Geometry((2, 7, 7), 2, 1, stride=3),
    "same, odd": Geometry((2, 5, 4), 2, (3, 1), padding="same", dilation=2),
    "valid": Geometry((2, 5, 4), 2, 2, padding="valid"),
    "one axis": Geometry((2, 9), 4, 3, 2, 1, 1, 2),
    "one axis, dilated": Geometry((1, 12), 1, 4, 1, 0, 3),
}


def torchs(geometry: Geometry, data: np.ndarray, bias: Any) -> np.ndarray:
    """What torch gives for the same convolution of (B, T, *shape_in)."""
    convolve = functional.conv1d if len(geometry.shape_in) == 2 else functional.conv2d
    steps = convolve(
        torch.from_numpy(data).flatten(0, 1),
        torch.from_numpy(geometry.weights()),
        None if bias is None else torch.from_numpy(bias),
        geometry.stride,
        geometry.padding,
        geometry.dilation,
        geometry.groups,
    )
    return steps.unflatten(0, data.shape[:2]).numpy()


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("name", GEOMETRIES)
def test_a_convolution_is_that_of_torch(backend: str, name: str) -> None:
    geometry = GEOMETRIES[name]
    layer = geometry.layer()
    data = RNG.normal(size=(2, 3, *geometry.shape_in))

    found = answer(double(layer, backend), data)
    expected = torchs(geometry, data, layer.bias)

    assert found.shape == (2, 3, *layer.shape_out)
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-13)


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_any_convolution_is_that_of_torch(data: st.DataObject) -> None:
    def pair(low: int, high: int) -> tuple[int, int]:
        return data.draw(st.tuples(st.integers(low, high), st.integers(low, high)))

    groups = data.draw(st.integers(1, 3))
    geometry = Geometry(
        (groups * data.draw(st.integers(1, 2)), *pair(1, 8)),
        groups * data.draw(st.integers(1, 2)),
        pair(1, 4),
        pair(1, 3),
        pair(0, 3),
        pair(1, 3),
        groups,
    )
    steps = np.random.default_rng(1).normal(size=(1, 2, *geometry.shape_in))
    try:
        layer = geometry.layer(has_bias=False)
    except ValueError as error:
        assert "the output would be empty" in str(error)
        with pytest.raises(RuntimeError):
            torchs(geometry, steps, None)
        return

    expected = torchs(geometry, steps, None)
    for backend in ("numpy", "torch"):
        found = answer(double(layer, backend), steps)
        np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("backend", BACKENDS)
def test_an_odd_zero_of_same_padding_comes_behind(backend: str) -> None:
    layer = Conv2d((1, 4, 5), 1, (2, 4), padding="same", weight=np.ones((1, 1, 2, 4)), bias=0.0)
    data = np.arange(20.0).reshape(1, 1, 1, 4, 5)

    found = answer(double(layer, backend), data)[0, 0, 0]

    assert layer.padding == ((0, 1), (1, 2)) and layer.shape_out == layer.shape_in
    around = np.pad(data[0, 0, 0], ((0, 1), (1, 2)))
    expected = [[around[y : y + 2, x : x + 4].sum() for x in range(5)] for y in range(4)]
    np.testing.assert_array_equal(found, expected)


def test_a_time_step_gives_the_same_whatever_others_there_are() -> None:
    layer = Conv2d((8, 40, 40), 16, 5, padding=2)
    data = RNG.normal(size=(3, 4, 8, 40, 40))

    whole, _, _ = layer(data)
    alone, _, _ = layer(data[1:2, 2:3])

    np.testing.assert_array_equal(whole[1, 2], alone[0, 0])


# -- parameters -----------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["Conv2d", "Conv2dTorch", "Conv2dJax"])
def test_default_weights_are_drawn_for_the_inputs_of_each_output(name: str) -> None:
    layer = getattr(modules, name)((8, 5, 5), 64, (3, 5), groups=2)
    weights, biases = to_numpy(layer.weight).copy(), to_numpy(layer.bias)
    limit, bias_limit = np.sqrt(6 / (4 * 15)), np.sqrt(1 / 64)

    assert weights.shape == (64, 4, 3, 5) and biases.shape == (64,)
    assert 0.99 * limit < np.abs(weights).max() <= limit
    assert 0.9 * bias_limit < np.abs(biases).max() <= bias_limit
    assert set(layer.parameters("weights")) == {"weight"}
    assert set(layer.parameters("bias")) == {"bias"}
    drawn = to_numpy(layer.reset_parameters().weight)
    assert drawn.shape == weights.shape and not np.array_equal(drawn, weights)


@pytest.mark.parametrize("backend", BACKENDS)
def test_biases_can_be_left_out_or_shared(backend: str) -> None:
    data = RNG.normal(size=(1, 2, 2, 3, 4))
    weights = RNG.normal(size=(3, 2, 2, 2))
    without = double(Conv2d((2, 3, 4), 3, 2, weight=weights, has_bias=False), backend)
    shared = double(Conv2d((2, 3, 4), 3, 2, weight=weights, bias=0.5), backend)

    assert without.bias is None and "bias" not in without.parameters()
    np.testing.assert_allclose(answer(shared, data), answer(without, data) + 0.5, rtol=1e-12)


@pytest.mark.parametrize("backend", BACKENDS)
def test_constants_stay_constants(backend: str) -> None:
    layer = Conv2d((1, 3, 3), 1, 2, weight=Constant(np.ones((1, 1, 2, 2))))

    assert set(double(layer, backend).parameters()) == {"bias"}


@pytest.mark.parametrize("backend", ["torch", "jax"])
@pytest.mark.parametrize("name", ["oblong input and all else", "depthwise", "one axis"])
def test_gradients_are_those_of_torch(backend: str, name: str) -> None:
    geometry = GEOMETRIES[name]
    layer = geometry.layer()
    data = RNG.normal(size=(2, 2, *geometry.shape_in))
    slopes = RNG.normal(size=(2, 2, *layer.shape_out))

    def torchs_gradients() -> dict[str, np.ndarray]:
        given = {
            "data": torch.from_numpy(data).requires_grad_(),
            "weight": torch.from_numpy(layer.weight.copy()).requires_grad_(),
            "bias": torch.from_numpy(layer.bias.copy()).requires_grad_(),
        }
        convolve = functional.conv1d if len(geometry.shape_in) == 2 else functional.conv2d
        steps = convolve(
            given["data"].flatten(0, 1), given["weight"], given["bias"], *geometry[3:7]
        )
        (steps.reshape(slopes.shape) * torch.from_numpy(slopes)).sum().backward()
        return {key: value.grad.numpy() for key, value in given.items()}

    expected = torchs_gradients()
    converted = double(layer, backend)
    if backend == "torch":
        tensor = torch.from_numpy(data).requires_grad_()
        (converted(tensor)[0] * torch.from_numpy(slopes)).sum().backward()
        found = {"data": tensor.grad, **{k: p.grad for k, p in converted.named_parameters()}}
    else:

        def loss(parameters: Any, data: Any) -> Any:
            return jnp.sum(converted.set_attributes(parameters)(data)[0] * slopes)

        gradients, of_data = jax.jit(jax.grad(loss, argnums=(0, 1)))(converted.parameters(), data)
        found = {"data": of_data, **gradients}

    for key, value in expected.items():
        np.testing.assert_allclose(to_numpy(found[key]), value, rtol=1e-10, atol=1e-12)


def test_a_jitted_network_of_jax_knows_its_geometry() -> None:
    """Two layers of the same shape and with the same weights, but other strides, are two."""
    weights = np.ones((1, 1, 1, 1))
    first = Conv2dJax((1, 4, 2), 1, 1, stride=(2, 1), weight=weights, bias=0.0)
    second = Conv2dJax((1, 4, 2), 1, 1, stride=(1, 2), weight=weights, bias=0.0)
    run = jax.jit(lambda layer, data: layer(data)[0])
    data = np.arange(8.0).reshape(1, 1, 1, 4, 2)

    assert first.shape == second.shape
    np.testing.assert_array_equal(run(first, data).ravel(), [0, 1, 4, 5])
    np.testing.assert_array_equal(run(second, data).ravel(), [0, 2, 4, 6])


def test_jax_may_ask_for_equal_ranks() -> None:
    data = np.ones((1, 2, 1, 3, 3))
    with jax.numpy_rank_promotion("raise"):
        for bias in (0.5, np.full(2, 0.5)):
            layer = Conv2dJax((1, 3, 3), 2, 2, weight=np.ones((2, 1, 2, 2)), bias=bias)
            np.testing.assert_array_equal(layer(data)[0], np.full((1, 2, 2, 2, 2), 4.5))


def test_values_that_training_broke_are_named_in_torch() -> None:
    layer = Conv2dTorch((1, 3, 3), 1, 2)
    with torch.no_grad():
        layer.weight[0, 0, 0, 0] = torch.nan
    with pytest.raises(ValueError, match="Conv2dTorch: weight must be finite, got nan"):
        layer(torch.zeros(1, 1, 1, 3, 3))


# -- what is refused ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (((2, 3), 1, 1), ValueError, r"shape_in must be \(channels, height, width\), got \(2, 3\)"),
        (((2, 0, 3), 1, 1), ValueError, "each entry of shape_in must be >= 1"),
        (((2, 3.5, 3), 1, 1), TypeError, "shape_in must be an int or a tuple of ints"),
        (((2, 3, 3), 0, 1), ValueError, "each entry of n_channels must be >= 1"),
        (((2, 3, 3), (1, 2), 1), ValueError, "n_channels must be a single int"),
        (((2, 3, 3), 1, (1, 2, 3)), ValueError, r"kernel_size must be one int or 2, got \(1, 2"),
        (((2, 3, 3), 1, 0), ValueError, "each entry of kernel_size must be >= 1, got 0"),
        (((2, 3, 3), 1, 4), ValueError, "output would be empty: a window of 4 x 4 .* of 3 x 3"),
        (((2, 3, 3), 1, 2, 1, 0, 3), ValueError, "would be empty: a window of 4 x 4"),
        (((2, 3, 3), 1, 1, 0), ValueError, "each entry of stride must be >= 1"),
        (((2, 3, 3), 1, 1, 1, -1), ValueError, "each entry of padding must be >= 0"),
        (((2, 3, 3), 1, 1, 1, "full"), ValueError, "'same' or 'valid', got 'full'"),
        (((2, 3, 3), 1, 1, 2, "same"), ValueError, "padding='same' needs stride 1"),
        (((2, 3, 3), 1, 1, 1, ((1, 2),)), ValueError, "padding must have 2 pairs"),
        (((2, 3, 3), 1, 1, 1, 0, 0), ValueError, "each entry of dilation must be >= 1"),
        (((3, 3, 3), 4, 1, 1, 0, 1, 2), ValueError, "groups must divide the input channels, 3"),
        (((4, 3, 3), 3, 1, 1, 0, 1, 2), ValueError, "groups must divide the n_channels, 3, got 2"),
        (((2, 2**16, 2**16), 1, 1), ValueError, r"the input must have < 2\*\*31 entries"),
        (((1, 3, 3), 2**30, 1), ValueError, r"the output must have < 2\*\*31 entries"),
        (((1, 1, 1), 1, 1, 1, 2**30), ValueError, r"the output must have < 2\*\*31 entries"),
    ],
)
@pytest.mark.parametrize("name", ["Conv2d", "Conv2dTorch", "Conv2dJax"])
def test_a_convolution_that_cannot_be_is_named(
    name: str, arguments: Any, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=f"{name}: .*{message}"):
        getattr(modules, name)(*arguments)


@pytest.mark.parametrize("name", ["Conv2d", "Conv2dTorch", "Conv2dJax"])
def test_weights_that_cannot_be_are_named(name: str) -> None:
    make = getattr(modules, name)
    with pytest.raises(ValueError, match=rf"{name}: weight must have shape \(3, 2, 2, 2\), got"):
        make((2, 3, 3), 3, 2, weight=np.ones((3, 1, 2, 2)))
    with pytest.raises(ValueError, match=rf"{name}: weight must have shape \(3, 2, 2, 2\), got"):
        make((2, 3, 3), 3, 2, weight=np.ones((2, 2, 2, 3)))  # as many, in the order of others
    with pytest.raises(ValueError, match=f"{name}: weight must be finite, got nan"):
        make((1, 3, 3), 1, 1, weight=np.full((1, 1, 1, 1), np.nan))
    with pytest.raises(ValueError, match=rf"{name}: bias must have shape \(3,\) or \(\), got"):
        make((2, 3, 3), 3, 2, bias=np.ones(2))
    with pytest.raises(TypeError, match=f"{name}: shape follows from shape_in, it cannot be given"):
        make((2, 3, 3), 3, 2, shape=(18, 12))
