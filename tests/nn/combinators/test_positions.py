"""The position of a module in a combinator stands for its name in trees of values."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from rockpool.nn.combinators import FFwdStack, Sequential
from rockpool.nn.modules import LIF, LIFJax, LIFTorch, Linear, LinearJax, LinearTorch
from rockpool.parameters import to_numpy

FAMILIES = [(Linear, LIF), (LinearTorch, LIFTorch), (LinearJax, LIFJax)]


@pytest.mark.parametrize(("linear", "lif"), FAMILIES)
def test_one_tree_fits_every_backend(linear: Any, lif: Any) -> None:
    net = Sequential(linear((2, 3)), lif(3))
    array = torch.tensor if linear is LinearTorch else np.array
    tree = {"0": {"weight": array(np.eye(2, 3))}, "1": {"tau_mem": array(np.full(3, 0.5))}}
    net = net.set_attributes(tree)
    assert np.array_equal(to_numpy(net[0].weight), np.eye(2, 3))
    assert np.array_equal(to_numpy(net[1].tau_mem), np.full(3, 0.5))


def test_positions_and_names_go_together() -> None:
    net = FFwdStack({"first": LIF(2)}, LIF(3))
    net.set_attributes({"1": {"bias": np.full(3, 0.5)}, "first": {"bias": np.full(2, 0.25)}})
    assert (net[0].bias[0], net[1].bias[0]) == (0.25, 0.5)


def test_a_module_is_not_named_twice() -> None:
    net = Sequential(LIF(2))
    with pytest.raises(ValueError, match="0_LIF is given twice, also as '0_LIF'"):
        net.set_attributes({"0": {"bias": np.ones(2)}, "0_LIF": {"bias": np.ones(2)}})


def test_a_tree_of_another_backend_is_refused_with_a_hint() -> None:
    net, other = Sequential(Linear((2, 2)), LIF(2)), Sequential(LinearTorch((2, 2)), LIFTorch(2))
    with pytest.raises(
        ValueError, match="no 0_LinearTorch, the names are 0_Linear, 1_LIF"
    ) as caught:
        net.set_attributes(other.parameters())
    assert "rockpool.convert" in str(caught.value)


def test_there_is_no_position_behind_the_last() -> None:
    with pytest.raises(ValueError, match="there is no 1, the names are 0_LIF"):
        Sequential(LIF(2)).set_attributes({"1": {}})
