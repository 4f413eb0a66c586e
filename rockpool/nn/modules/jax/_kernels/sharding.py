"""Arrays within `jax.shard_map`, which checks along which axes of the mesh each of them varies.

A scan and a primitive of one's own need arguments that vary along the same axes. Where one is made
to, the gradient of what was the same everywhere is summed up over the devices, as it has to be.
"""

from __future__ import annotations

from typing import Any, TypeVar

import jax
from jax import lax
from jax.core import ShapedArray
from jax.sharding import NamedSharding, PartitionSpec

__all__ = ["shaped_like", "vary_alike"]

Tree = TypeVar("Tree")


def vary_alike(tree: Tree) -> Tree:
    """Return arrays such that each varies along all the axes along which any of them does."""
    leaves, structure = jax.tree_util.tree_flatten(tree)
    axes = [_varying_axes(jax.typeof(leaf)) for leaf in leaves]
    union = frozenset().union(*axes)
    if not union:
        return tree
    varying = [
        lax.pcast(leaf, tuple(union - own), to="varying") if union - own else leaf
        for leaf, own in zip(leaves, axes, strict=True)
    ]
    return jax.tree_util.tree_unflatten(structure, varying)  # type: ignore[no-any-return]


def shaped_like(like: Any, shape: tuple[int, ...]) -> ShapedArray:
    """Return what is known of an array, of the type of another one, that varies as it does."""
    if not _varying_axes(like):
        return ShapedArray(shape, like.dtype)
    whole = NamedSharding(like.sharding.mesh, PartitionSpec(*(None for _ in shape)))
    return ShapedArray(shape, like.dtype, sharding=whole, manual_axis_type=like.manual_axis_type)


def _varying_axes(kind: Any) -> frozenset[Any]:
    """Return the axes along which an array varies; none where JAX does not tell."""
    axes: frozenset[Any] = getattr(getattr(kind, "manual_axis_type", None), "varying", frozenset())
    return axes
