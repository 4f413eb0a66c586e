"""Weights as images."""

from __future__ import annotations

import numpy as np
import pytest

import rockpool
from rockpool.nn.combinators import Sequential
from rockpool.nn.modules import LIF, ExpSyn, LIFTorch, Linear, LinearTorch
from rockpool.plots import weights


def test_each_matrix_is_an_image_with_its_name_and_size() -> None:
    net = Sequential(Linear((4, 6)), LIF((6, 3), has_rec=True), Linear((3, 2), has_bias=True))
    panels = [ax for ax in weights(net).axes if ax.get_title()]
    assert [ax.get_title() for ax in panels] == [
        "0_Linear.weight (4 x 6)",
        "1_LIF.w_rec (3 x 6)",
        "2_Linear.weight (3 x 2)",
    ]
    for ax, matrix in zip(panels, (net[0].weight, net[1].w_rec, net[2].weight), strict=True):
        (image,) = ax.images
        assert np.array_equal(image.get_array(), matrix)
        assert image.get_clim() == (-np.abs(matrix).max(), np.abs(matrix).max())
        assert (ax.get_xlabel(), ax.get_ylabel()) == ("To", "From")


def test_networks_of_torch_and_descriptions() -> None:
    net = Sequential(LinearTorch((2, 5)), LIFTorch(5))
    for given in (net, rockpool.describe(net)):
        (image,) = weights(given).axes[0].images
        assert np.array_equal(image.get_array(), net[0].weight.detach().numpy())


@pytest.mark.parametrize("value", [0.0, np.nan])
def test_weights_that_are_all_zero_or_no_numbers_can_be_drawn(value: float) -> None:
    layer = Linear((2, 3))
    layer.weight[:] = value
    (image,) = weights(layer).axes[0].images
    assert image.get_clim() == (-1, 1)


def test_the_grid_has_no_empty_panels() -> None:
    figure = weights(Sequential(*(Linear((2, 2)) for _ in range(4))))
    assert sum(bool(ax.images) for ax in figure.axes) == 4
    assert len(figure.axes) == 4 + 4  # each has its bar of colours


def test_mistakes_are_named() -> None:
    with pytest.raises(ValueError, match=r"weights: ExpSyn \(3,\) has no weights"):
        weights(ExpSyn(3))
    with pytest.raises(TypeError, match="must be a module, got 3"):
        weights(3)
