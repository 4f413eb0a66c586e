"""Nested dictionaries of parameters, as trees: walk, look up, change, map and merge them.

A node is a ``dict``; everything else is a leaf. A branch is the tuple of keys that leads to a
leaf. Empty nodes have no branches and are kept by every function that gives a tree. A function with
an argument ``inplace`` changes the tree itself where that is True, else (the default) a deep copy,
and returns the changed tree.
"""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable, Iterable, Iterator
from typing import Any

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
    "tree_unflatten",
    "tree_update",
]

Branch = tuple[Any, ...]
Tree = dict[Any, Any]


def branches(tree: Tree, prefix: Branch | None = None) -> Iterator[Branch]:
    """Yield the branch to each leaf, depth first, in insertion order, with a prefix in front."""
    prefix = () if prefix is None else tuple(prefix)
    for key, value in tree.items():
        if isinstance(value, dict):
            yield from branches(value, (*prefix, key))
        else:
            yield (*prefix, key)


def get_nested(tree: Tree, branch: Branch) -> Any:
    """Return what stands at the end of a branch: a leaf or a sub-tree.

    Raises
    ------
    KeyError
        If the branch leaves the tree.
    """
    node: Any = tree
    for depth, key in enumerate(branch):
        if not isinstance(node, dict):
            raise KeyError(
                f"{tuple(branch[:depth])!r} is a leaf, {key!r} cannot be looked up in it"
            )
        node = node[key]
    return node


def set_nested(tree: Tree, branch: Branch, value: Any, inplace: bool = False) -> Tree:
    """Set the leaf at the end of a branch.

    The last key is created if it is missing.

    Raises
    ------
    KeyError
        If a key other than the last is missing, or leads to a leaf.
    """
    tree = tree if inplace else copy.deepcopy(tree)
    if not branch:
        raise KeyError("an empty branch names no leaf")
    node = get_nested(tree, branch[:-1])
    if not isinstance(node, dict):
        raise KeyError(f"{tuple(branch[:-1])!r} is a leaf, {branch[-1]!r} cannot be set in it")
    node[branch[-1]] = value
    return tree


def set_matching(full_tree: Tree, target_tree: Tree, value: Any, inplace: bool = False) -> Tree:
    """Set the leaf of ``full_tree`` at every branch of ``target_tree``, whatever its leaf there."""
    return _set_all(full_tree, branches(target_tree), value, inplace)


def set_matching_select(
    full_tree: Tree, target_tree: Tree, value: Any, inplace: bool = False
) -> Tree:
    """Set the leaf of ``full_tree`` at each branch whose leaf in ``target_tree`` is true."""
    return _set_all(full_tree, tree_find(target_tree), value, inplace)


def _set_all(tree: Tree, chosen: Iterable[Branch], value: Any, inplace: bool) -> Tree:
    tree = tree if inplace else copy.deepcopy(tree)
    for branch in chosen:
        set_nested(tree, branch, value, inplace=True)
    return tree


def make_prototype_tree(full_tree: Tree, target_tree: Tree) -> Tree:
    """Return a tree of bools that says which branches of one tree exist in another.

    Returns
    -------
    dict
        The structure of ``full_tree``, with True where ``target_tree`` has a leaf too.

    Warns
    -----
    SyntaxWarning
        If ``target_tree`` has more leaves than ``full_tree``: the two may be in wrong order.
    """
    targets = set(branches(target_tree))
    full = list(branches(full_tree))
    if len(targets) > len(full):
        warnings.warn(
            f"make_prototype_tree: the target tree has more leaves ({len(targets)}) than the "
            f"full tree ({len(full)}). Are the two arguments in the right order?",
            SyntaxWarning,
            stacklevel=2,
        )
    prototype = tree_map(full_tree, lambda leaf: False)
    for branch in full:
        set_nested(prototype, branch, branch in targets, inplace=True)
    return prototype


def tree_map(tree: Tree, f: Callable[[Any], Any]) -> Tree:
    """Return a new tree of the same structure, with a function of one leaf applied to each."""
    return {
        key: tree_map(value, f) if isinstance(value, dict) else f(value)
        for key, value in tree.items()
    }


def tree_flatten(tree: Tree, leaves: list[Any] | None = None) -> tuple[list[Any], Tree]:
    """Take a tree apart into its leaves and its structure.

    Parameters
    ----------
    tree : dict
        The tree.
    leaves : list, optional
        A list to which the leaves are appended. Default: a new one.

    Returns
    -------
    leaves : list
        The leaves, depth first, in insertion order.
    treedef : dict
        The structure: the same tree with None for each leaf.
    """
    leaves = [] if leaves is None else leaves
    leaves.extend(get_nested(tree, branch) for branch in branches(tree))
    return leaves, tree_map(tree, lambda leaf: None)


def tree_unflatten(
    treedef: Tree, leaves: Iterable[Any], leaves_tail: list[Any] | None = None
) -> Tree:
    """Put leaves into a structure; the reverse of :func:`tree_flatten`.

    Parameters
    ----------
    treedef : dict
        The structure.
    leaves : iterable
        The leaves, in the order that :func:`tree_flatten` gives.
    leaves_tail : list, optional
        Receives the leaves that the structure has no room for. Default: they are dropped.

    Raises
    ------
    ValueError
        If there are fewer leaves than the structure needs.
    """
    supply = iter(leaves)

    def fill(node: Tree) -> Tree:
        return {
            key: fill(value) if isinstance(value, dict) else next(supply)
            for key, value in node.items()
        }

    try:
        tree = fill(treedef)
    except StopIteration:
        needed = sum(1 for _ in branches(treedef))
        raise ValueError(
            f"tree_unflatten: the structure needs {needed} leaves, got fewer"
        ) from None
    if leaves_tail is not None:
        leaves_tail[:] = supply
    return tree


def tree_update(target: Tree, additional: Tree, inplace: bool = False) -> Tree:
    """Merge a tree into another one, node by node; its leaves win over those of ``target``."""
    tree = target if inplace else copy.deepcopy(target)
    for key, value in additional.items():
        if isinstance(value, dict) and isinstance(tree.get(key), dict):
            tree_update(tree[key], value, inplace=True)
        else:
            tree[key] = value
    return tree


def tree_find(tree: Tree) -> Iterator[Branch]:
    """Yield the branch to each leaf that is true."""
    for branch in branches(tree):
        if get_nested(tree, branch):
            yield branch
