"""Maps over pytrees of jax."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from rockpool.utilities import jax_tree_utils, tree_utils
from rockpool.utilities.jax_tree_utils import (
    tree_map_reduce_select,
    tree_map_select,
    tree_map_select_with_rng,
    tree_map_with_rng,
)

TREE = {"b": {"d": jnp.float32(4), "c": jnp.float32(3)}, "a": jnp.array([1.0, 2.0])}
SELECTED = {"a": True, "b": {"c": True, "d": False}}
KEY = jax.random.PRNGKey(0)


def noisy(leaf: Any, key: Any) -> Any:
    return leaf + jax.random.normal(key, leaf.shape)


def as_lists(tree: Any) -> Any:
    return jax.tree.map(lambda leaf: np.asarray(leaf).tolist(), tree)


@pytest.mark.parametrize("transform", [lambda f: f, jax.jit], ids=["plain", "jit"])
def test_selected_leaves_are_mapped(transform: Any) -> None:
    mapped = transform(lambda tree, select: tree_map_select(tree, select, lambda x: 2 * x))(
        TREE, SELECTED
    )

    assert as_lists(mapped) == {"a": [2, 4], "b": {"c": 6, "d": 4}}


def test_selected_leaves_are_reduced() -> None:
    total = tree_map_reduce_select(TREE, SELECTED, jnp.sum, lambda a, b: a + b, 0)
    largest = tree_map_reduce_select(TREE, SELECTED, jnp.max, jnp.fmax)
    undefined = tree_map_reduce_select(TREE, SELECTED, jnp.sum, lambda a, b: a + b)

    assert (total, largest) == (6, 3) and np.isnan(undefined)


def test_each_leaf_has_its_own_random_numbers() -> None:
    keys = jax.random.split(KEY, 4)[1:]
    expected = [noisy(x, key) for x, key in zip(jax.tree.leaves(TREE), keys, strict=True)]

    everywhere = tree_map_with_rng(TREE, noisy, KEY)
    selected = tree_map_select_with_rng(TREE, SELECTED, noisy, KEY)

    for found, value in zip(jax.tree.leaves(everywhere), expected, strict=True):
        np.testing.assert_allclose(found, value, rtol=1e-5)
    np.testing.assert_allclose(selected["a"], expected[0], rtol=1e-5)
    assert selected["b"]["d"] == 4 and selected["b"]["c"] == pytest.approx(float(expected[1]))


def test_further_trees_are_mapped_along() -> None:
    mapped = tree_map_with_rng(TREE, lambda x, key, y: x + y, KEY, TREE)

    assert as_lists(mapped) == {"a": [2, 4], "b": {"c": 6, "d": 8}}


def test_a_prototype_of_another_structure() -> None:
    with pytest.raises(ValueError, match="b"):
        tree_map_select(TREE, {"a": True}, lambda x: x)


def test_everything_of_tree_utils_is_there() -> None:
    for name in tree_utils.__all__:
        assert getattr(jax_tree_utils, name) is getattr(tree_utils, name)
        assert name in jax_tree_utils.__all__
