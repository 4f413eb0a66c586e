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
    axes = [_varying_axes(leaf) for leaf in leaves]
    union = frozenset().union(*axes)
    if not union:
        return tree
    varying = [_vary(leaf, union - own) for leaf, own in zip(leaves, axes, strict=True)]
    return jax.tree_util.tree_unflatten(structure, varying)  # type: ignore[no-any-return]


def shaped_like(like: Any, shape: tuple[int, ...]) -> ShapedArray:
    """Return what is known of an array, of the type of another one, that varies as it does."""
    known = {}
    for name in ("manual_axis_type", "vma"):
        if hasattr(like, name) and _axes(like):
            whole = NamedSharding(like.sharding.mesh, PartitionSpec(*(None for _ in shape)))
            known = {name: getattr(like, name), "sharding": whole}
    return ShapedArray(shape, like.dtype, **known)


def _varying_axes(value: Any) -> frozenset[Any]:
    """Return the axes along which an array varies; none in a version of JAX without the checks."""
    return _axes(jax.typeof(value)) if hasattr(jax, "typeof") else frozenset()


def _axes(kind: Any) -> frozenset[Any]:
    axes = getattr(kind, "manual_axis_type", kind)
    found: frozenset[Any] = getattr(axes, "varying", getattr(axes, "vma", frozenset()))
    return found


def _vary(value: Any, axes: frozenset[Any]) -> Any:
    if not axes:
        return value
    if hasattr(lax, "pcast"):
        return lax.pcast(value, tuple(axes), to="varying")
    return lax.pvary(value, tuple(axes))
