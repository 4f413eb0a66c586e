"""Functions over pytrees of jax, some of them with random numbers; and all of `tree_utils`.

A prototype tree has the structure of a tree, and a bool at each leaf: whether it is selected. It
may be traced. Keys for random numbers are given to the leaves in the order of ``jax.tree.leaves``;
`rng_key` is split into one for each leaf, selected or not. Results have the structure of the tree.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from typing import Any

import jax
from jax import lax

from rockpool.utilities.tree_utils import (
    branches,
    get_nested,
    make_prototype_tree,
    set_matching,
    set_matching_select,
    set_nested,
    tree_find,
    tree_flatten,
    tree_map,
    tree_unflatten,
    tree_update,
)

__all__ = [
    "branches",
    "get_nested",
    "make_prototype_tree",
    "set_matching",
    "set_matching_select",
    "set_nested",
    "tree_find",
    "tree_flatten",
    "tree_map",
    "tree_map_reduce_select",
    "tree_map_select",
    "tree_map_select_with_rng",
    "tree_map_with_rng",
    "tree_unflatten",
    "tree_update",
]

Tree = Any


def tree_map_reduce_select(
    tree: Tree,
    protoype_tree: Tree,
    map_fun: Callable[[Any], Any],
    reduce_fun: Callable[[Any, Any], Any],
    null: Any = float("nan"),
) -> Any:
    """Map the selected leaves of a tree, and reduce the results to one value.

    Parameters
    ----------
    tree : pytree
        The tree.
    protoype_tree : pytree of bool
        Selects leaves.
    map_fun : callable
        ``map_fun(leaf)`` gives a scalar.
    reduce_fun : callable
        ``reduce_fun(first, second)`` combines two results, or a result and `null`.
    null : scalar, optional
        The result for leaves that are not selected. Default: NaN.

    Returns
    -------
    scalar
        The results, combined from the first leaf to the last.

    Raises
    ------
    ValueError
        The trees have different structures.
    """
    selected = jax.tree.map(
        lambda leaf, select: lax.cond(
            select,
            map_fun,
            lambda _: jax.numpy.asarray(null, jax.eval_shape(map_fun, leaf).dtype),
            leaf,
        ),
        tree,
        protoype_tree,
    )
    return reduce(reduce_fun, jax.tree.leaves(selected))


def tree_map_select(tree: Tree, prototype_tree: Tree, map_fun: Callable[[Any], Any]) -> Tree:
    """Map the selected leaves of a tree; the others stay as they are.

    ``map_fun(leaf)`` gives a value of the shape and type of the leaf.
    """
    return jax.tree.map(
        lambda leaf, select: lax.cond(select, map_fun, lambda x: x, leaf), tree, prototype_tree
    )


def tree_map_with_rng(
    tree: Tree, map_fun: Callable[..., Any], rng_key: jax.Array, *rest: Tree
) -> Tree:
    """Map the leaves of a tree, with a key for random numbers for each.

    ``map_fun(leaf, key, *others)`` gives the new leaf, where the others are leaves of `rest`, trees
    of the same structure.
    """
    return jax.tree.map(map_fun, tree, _keys_for(tree, rng_key), *rest)


def tree_map_select_with_rng(
    tree: Tree, prototype_tree: Tree, map_fun: Callable[[Any, Any], Any], rng_key: jax.Array
) -> Tree:
    """Map the selected leaves of a tree, with a key for random numbers for each.

    ``map_fun(leaf, key)`` gives a value of the shape and type of the leaf.
    """
    return jax.tree.map(
        lambda leaf, key, select: lax.cond(select, map_fun, lambda x, _: x, leaf, key),
        tree,
        _keys_for(tree, rng_key),
        prototype_tree,
    )


def _keys_for(tree: Tree, rng_key: jax.Array) -> Tree:
    leaves, structure = jax.tree.flatten(tree)
    _, *keys = jax.random.split(rng_key, len(leaves) + 1)
    return jax.tree.unflatten(structure, keys)
