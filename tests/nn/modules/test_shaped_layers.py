"""Convolutions, pooling, flattening and scaling: what all layers with axes have in common."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch
from support.shaped_layers import BACKENDS, answer, double
from torch.nn import functional

import rockpool
from rockpool.nn import modules
from rockpool.nn.modules import (
    AvgPool2d,
    Conv1d,
    Conv2d,
    Flatten,
    Scale,
    SumPool2d,
)
from rockpool.parameters import Shape, to_numpy

RNG = np.random.default_rng(0)


@pytest.fixture(autouse=True)
def _double_precision() -> Iterator[None]:
    with jax.enable_x64(True):
        yield


# -- what goes in and what comes out --------------------------------------------------------

LAYERS = {
    "Conv2d": lambda: Conv2d((2, 3, 4), 3, 2),
    "Conv1d": lambda: Conv1d((2, 12), 3, 2),
    "SumPool2d": lambda: SumPool2d((2, 3, 4), 2),
    "AvgPool2d": lambda: AvgPool2d((2, 3, 4), 2),
    "Flatten": lambda: Flatten((2, 3, 4)),
    "Scale": lambda: Scale((2, 3, 4)),
}


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("name", LAYERS)
class TestEachLayer:
    def test_the_forms_of_input_mean_the_same(self, backend: str, name: str) -> None:
        layer = double(LAYERS[name](), backend)
        data = RNG.normal(size=(2, 5, *layer.shape_in))

        expected = answer(layer, data)

        assert expected.shape == (2, 5, *layer.shape_out)
        np.testing.assert_array_equal(answer(layer, data.reshape(2, 5, 24)), expected)
        np.testing.assert_array_equal(answer(layer, data[1]), expected[1:])
        np.testing.assert_array_equal(answer(layer, data[1].reshape(5, 24)), expected[1:])

    def test_batches_and_runs_may_be_empty(self, backend: str, name: str) -> None:
        layer = double(LAYERS[name](), backend)

        for lead in ((0, 5), (2, 0)):
            output = answer(layer, np.zeros((*lead, *layer.shape_in)))
            assert output.shape == (*lead, *layer.shape_out)

    @pytest.mark.parametrize("shape", [(5,), (5, 23), (5, 1), (2, 5, 4, 3, 2), (1, 2, 5, 24)])
    def test_other_input_is_refused(self, backend: str, name: str, shape: Shape) -> None:
        layer = double(LAYERS[name](), backend)
        label = type(layer).__name__
        with pytest.raises(ValueError, match=f"{label}: the input must have the shape .*, got"):
            answer(layer, np.zeros(shape))

    def test_its_shape_is_in_numbers_of_entries(self, backend: str, name: str) -> None:
        layer = double(LAYERS[name](), backend)

        assert layer.shape == (24, int(np.prod(layer.shape_out)))
        assert layer.shape_in == ((2, 12) if name == "Conv1d" else (2, 3, 4))

    def test_nothing_is_lost_on_any_way(self, backend: str, name: str, tmp_path: Path) -> None:
        layer = double(LAYERS[name](), backend)
        node = rockpool.describe(layer)
        rockpool.save(layer, tmp_path / "layer.safetensors")
        again = rockpool.load(tmp_path / "layer.safetensors")

        assert node.model == name
        for other in (again, copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
            assert type(other) is type(layer)
            assert rockpool.describe(other) == node
        assert rockpool.describe(double(again, "numpy")) == node
        data = RNG.normal(size=(1, 2, 24))
        np.testing.assert_array_equal(answer(again, data), answer(layer, data))

    def test_what_it_is_made_of_stays(self, backend: str, name: str) -> None:
        layer = double(LAYERS[name](), backend)
        with pytest.raises(AttributeError, match="shape_in"):
            layer.shape_in = (1, 4, 6)
        if "Conv" in name or "Pool" in name:
            with pytest.raises(AttributeError, match="stride"):
                layer.stride = (2, 2)


def test_numba_brian_and_nest_take_what_numpy_has() -> None:
    for backend in ("numba", "brian", "nest"):
        for name, make in LAYERS.items():
            assert type(rockpool.convert(make(), backend)).__name__ == name


def test_numpy_has_single_precision() -> None:
    layer = Conv2d((2, 4, 4), 2, 3, dtype="float32")
    output, _, _ = layer(np.ones((1, 1, 2, 4, 4)))

    assert layer.weight.dtype == layer.bias.dtype == output.dtype == np.float32
    pooled, _, _ = SumPool2d((2, 2, 2), 2, dtype="float32")(output)
    assert pooled.dtype == Flatten((2, 1, 1), dtype="float32")(pooled)[0].dtype == np.float32


def test_the_input_stays_as_it_is() -> None:
    data = RNG.normal(size=(1, 2, 2, 3, 4))
    before = data.copy()
    for make in LAYERS.values():
        make()(data.reshape(1, 2, 24))[0][...] = 7.0
    np.testing.assert_array_equal(data, before)


# -- pooling, flattening, scaling ------------------------------------------------------------


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("pool", [SumPool2d, AvgPool2d])
@pytest.mark.parametrize(
    ("kernel", "stride", "padding"),
    [(2, None, 0), ((3, 2), 1, 1), ((1, 4), (2, 3), (0, 2)), (5, 2, 2), (2, 3, 0)],
)
def test_pooling_is_that_of_torch(
    backend: str, pool: Any, kernel: Any, stride: Any, padding: Any
) -> None:
    layer = pool((3, 7, 10), kernel, stride, padding)
    data = RNG.normal(size=(2, 4, 3, 7, 10))

    means = functional.avg_pool2d(torch.from_numpy(data).flatten(0, 1), kernel, stride, padding)
    expected = means.numpy().reshape(2, 4, *layer.shape_out)
    if pool is SumPool2d:
        expected = expected * np.prod(kernel if isinstance(kernel, tuple) else (kernel, kernel))

    np.testing.assert_allclose(answer(double(layer, backend), data), expected, rtol=1e-12)


@pytest.mark.parametrize("backend", BACKENDS)
def test_pooling_may_have_more_padding_than_torch_takes(backend: str) -> None:
    layer = SumPool2d((1, 2, 2), 2, padding=2)

    found = answer(double(layer, backend), np.ones((1, 1, 1, 2, 2)))

    np.testing.assert_array_equal(found[0, 0, 0], [[0, 0, 0], [0, 4, 0], [0, 0, 0]])


@pytest.mark.parametrize("backend", BACKENDS)
def test_flattening_has_the_last_axis_fastest(backend: str) -> None:
    data = np.arange(48.0).reshape(1, 2, 2, 3, 4)

    found = answer(double(Flatten((2, 3, 4)), backend), data)

    np.testing.assert_array_equal(found, data.reshape(1, 2, 24))


@pytest.mark.parametrize("backend", BACKENDS)
def test_scaling_has_a_weight_for_each_entry(backend: str) -> None:
    weights = RNG.normal(size=(2, 3, 4))
    data = RNG.normal(size=(2, 5, 2, 3, 4))

    each = double(Scale((2, 3, 4), weight=weights.ravel()), backend)
    one = double(Scale((2, 3, 4), weight=0.5), backend)

    np.testing.assert_array_equal(answer(each, data), data * weights)
    np.testing.assert_array_equal(answer(one, data), data * 0.5)
    np.testing.assert_array_equal(to_numpy(double(Scale(3), backend).weight), np.ones(3))


@pytest.mark.parametrize("name", ["SumPool2d", "AvgPool2d", "Flatten", "Scale"])
def test_gradients_pass_through_the_others(name: str) -> None:
    layer = LAYERS[name]()
    data = RNG.normal(size=(1, 2, 2, 3, 4))
    tensor = torch.from_numpy(data).requires_grad_()
    (double(layer, "torch")(tensor)[0] ** 2).sum().backward()
    converted = double(layer, "jax")

    found = jax.grad(lambda data: jnp.sum(converted(data)[0] ** 2))(data)

    assert tensor.grad is not None and tensor.grad.abs().sum() > 0
    np.testing.assert_allclose(to_numpy(found), tensor.grad.numpy(), rtol=1e-12)


@pytest.mark.parametrize("name", ["SumPool2d", "AvgPool2dTorch", "SumPool2dJax"])
def test_pooling_that_cannot_be_is_named(name: str) -> None:
    make = getattr(modules, name)
    with pytest.raises(ValueError, match=f"{name}: the output would be empty: a window of 4 x 4"):
        make((1, 3, 3), 4)
    with pytest.raises(ValueError, match=f"{name}: each entry of stride must be >= 1"):
        make((1, 3, 3), 2, 0)


@pytest.mark.parametrize("name", ["Flatten", "FlattenTorch", "ScaleJax"])
def test_axes_that_cannot_be_are_named(name: str) -> None:
    make = getattr(modules, name)
    with pytest.raises(ValueError, match=f"{name}: each entry of shape_in must be >= 1"):
        make((2, 0))
    with pytest.raises(ValueError, match=rf"{name}: shape_in must have < 2\*\*31 entries"):
        make((2**16, 2**16))
