"""Losses and regularisers over trees of parameters, in jax. All of them can be jitted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from rockpool.nn.modules.jax.softmax_jax import logsoftmax, softmax
from rockpool.training.ctc_loss import ctc_loss_jax

__all__ = [
    "bounds_clip",
    "bounds_cost",
    "ctc_loss_jax",
    "l0_norm_approx",
    "l2sqr_norm",
    "logsoftmax",
    "make_bounds",
    "mse",
    "softmax",
    "sse",
]

Tree = Any

LARGEST_VIOLATION = 2.0**31


def mse(output: Any, target: Any) -> jax.Array:
    """Return the mean of the squared differences; `target` may be a single number."""
    return jnp.mean(_squared_error(output, target))


def sse(output: Any, target: Any) -> jax.Array:
    """Return the sum of the squared differences; `target` may be a single number."""
    return jnp.sum(_squared_error(output, target))


def _squared_error(output: Any, target: Any) -> jax.Array:
    return (jnp.asarray(output) - jnp.asarray(target)) ** 2


def make_bounds(params: Tree) -> tuple[Tree, Tree]:
    """Return bounds for parameters, none of them bound yet: to be edited.

    Parameters
    ----------
    params : pytree
        Parameters, such as ``module.parameters()``.

    Returns
    -------
    lower_bounds, upper_bounds : pytree
        Trees of the same structure, with ``-inf`` and ``inf`` at the leaves.

    Examples
    --------
    >>> lower, upper = make_bounds({"tau_mem": 0.02, "bias": 0.0})
    >>> lower["tau_mem"] = 1e-3
    >>> lower
    {'tau_mem': 0.001, 'bias': -inf}
    """
    return _filled(params, -float("inf")), _filled(params, float("inf"))


def _filled(tree: Tree, value: float | int) -> Tree:
    # Unlike a map of jax, this keeps the order of a dict
    if isinstance(tree, dict):
        filled = {name: _filled(branch, value) for name, branch in tree.items()}
        return filled if type(tree) is dict else type(tree)(filled)
    return jax.tree.map(lambda _: value, tree)


def bounds_cost(params: Tree, lower_bounds: Tree, upper_bounds: Tree) -> jax.Array:
    """Return a cost for parameters beyond their bounds: a regulariser, to be added to a loss.

    Each value ``p`` below a lower bound adds ``exp(lower - p)``, each one above an upper bound
    ``exp(p - upper)``. NaNs are ignored. A violation is limited to 2**31.

    Parameters
    ----------
    params : pytree
        The parameters.
    lower_bounds, upper_bounds : pytree
        Bounds at each leaf, as `make_bounds` gives them: numbers, or arrays or lists that
        broadcast. What dicts of bounds leave out, or have None for, a parameter or a whole
        sub-tree, has no bound.

    Returns
    -------
    jax.Array
        The cost, a scalar.

    Raises
    ------
    KeyError
        There is a bound for something that is no parameter.
    """
    lower_bounds, upper_bounds = _whole("bounds_cost", params, lower_bounds, upper_bounds)

    def cost(p: Any, lower: Any, upper: Any) -> jax.Array:
        return jnp.nansum(_exponential_excess(lower - p)) + jnp.nansum(
            _exponential_excess(p - upper)
        )

    costs = jax.tree.map(cost, params, lower_bounds, upper_bounds)
    return sum(jax.tree.leaves(costs), start=jnp.zeros(()))


def _exponential_excess(excess: Any) -> jax.Array:
    """Return ``exp(excess)`` where that is positive, else 0."""
    excess = jnp.clip(
        jnp.asarray(excess, jnp.result_type(float)), -LARGEST_VIOLATION, LARGEST_VIOLATION
    )
    # The exponent of what is not counted is 0, so that it has a gradient
    return jnp.where(excess > 0, jnp.exp(jnp.where(excess > 0, excess, 0.0)), 0.0)


def bounds_clip(params: Tree, lower_bounds: Tree, upper_bounds: Tree) -> Tree:
    """Return parameters that are limited to their bounds; to be applied after an update.

    Parameters and errors are as for `bounds_cost`.
    """
    lower_bounds, upper_bounds = _whole("bounds_clip", params, lower_bounds, upper_bounds)
    return jax.tree.map(jnp.clip, params, lower_bounds, upper_bounds)


def _whole(owner: str, params: Tree, lower: Tree, upper: Tree) -> tuple[Tree, Tree]:
    """Return bounds for all parameters, of those that may be for a part of them."""
    return (
        _completed(f"{owner}: lower_bounds", params, lower, -float("inf")),
        _completed(f"{owner}: upper_bounds", params, upper, float("inf")),
    )


def _completed(owner: str, params: Tree, bounds: Tree, nothing: float | int) -> Tree:
    if isinstance(params, dict) and isinstance(bounds, dict):
        unknown = [name for name in bounds if name not in params]
        if unknown:
            raise KeyError(
                f"{owner} must have the structure of params or a part of it, but {unknown[0]!r} "
                f"is no parameter; there are {', '.join(map(str, params))}"
            )
        whole = {
            name: _completed(owner, value, bounds[name], nothing)
            if bounds.get(name) is not None
            else _filled(value, nothing)
            for name, value in params.items()
        }
        return whole if type(params) is dict else type(params)(whole)
    structure = jax.tree.structure(params)
    if isinstance(bounds, (list, tuple)) and jax.tree_util.treedef_is_leaf(structure):
        return jnp.asarray(bounds, jnp.result_type(params, float))
    if jax.tree.structure(bounds) != structure:
        raise KeyError(
            f"{owner} must have the structure of params, {structure}, got "
            f"{jax.tree.structure(bounds)}"
        )
    return bounds


def l2sqr_norm(params: Tree) -> jax.Array:
    """Return the mean over all leaves of the mean of ``p**2``; NaNs are ignored."""
    return _mean_over_leaves(params, lambda p: p**2)


def l0_norm_approx(params: Tree, sigma: float | int = 1e-4) -> jax.Array:
    """Return about which part of the parameters is not zero, as a regulariser with a gradient.

    It is the mean over all leaves of the mean of ``p**4 / (p**4 + sigma)``; NaNs are ignored.

    The larger `sigma`, the softer is the step at zero.
    """
    return _mean_over_leaves(params, lambda p: p**4 / (p**4 + sigma))


def _mean_over_leaves(params: Tree, function: Callable[[jax.Array], jax.Array]) -> jax.Array:
    means = [jnp.nanmean(function(jnp.asarray(p))) for p in jax.tree.leaves(params)]
    return jnp.mean(jnp.stack(means))
