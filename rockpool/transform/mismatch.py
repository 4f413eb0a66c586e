"""Deviations of parameters from one neuron to the next, as analog hardware has them, for jax."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from rockpool.utilities.tree_utils import branches, get_nested, set_nested, tree_update

__all__ = ["mismatch_generator", "module_registery"]

Tree = dict[str, Any]


def module_registery(module: Any) -> Tree:
    """Return the tree of parameters and simulation parameters of a module, those that are numbers.

    Texts and functions among the simulation parameters are left out.
    """
    settings = module.simulation_parameters()
    for branch in list(branches(settings)):
        if not _is_numeric(get_nested(settings, branch)):
            node = get_nested(settings, branch[:-1])
            del node[branch[-1]]
    return tree_update(dict(module.parameters()), settings)


def _is_numeric(value: Any) -> bool:
    if callable(value) or isinstance(value, str) or value is None:
        return False
    return hasattr(value, "dtype") or isinstance(value, (bool, int, float))


def mismatch_generator(
    prototype: Tree, percent_deviation: float | int = 0.30, sigma_rule: float | int = 3.0
) -> Callable[[Any, Any], Tree]:
    """Return a function that draws deviations of the parameters of a module.

    A parameter p becomes ``p * (1 + percent_deviation / sigma_rule * z)``, with z from N(0, 1) for
    each of its values: nearly all lie within `percent_deviation`.

    Parameters
    ----------
    prototype : dict
        A tree of bools, True for each parameter that deviates. ``make_prototype_tree`` of
        `rockpool.utilities.tree_utils` makes one of `module_registery`. What it leaves out stays
        as it is.
    percent_deviation : float
        The deviation, as a part of the parameter. Default: 0.3.
    sigma_rule : float
        How many standard deviations that is. Default: 3.

    Returns
    -------
    callable
        ``f(module, rng_key)`` returns a tree of parameters and simulation parameters, for
        ``module.set_attributes``.

    Raises
    ------
    ValueError
        `percent_deviation` is negative, or `sigma_rule` is not > 0.
    KeyError
        By the function: the prototype has something that the module has not.

    Examples
    --------
    >>> import jax
    >>> from rockpool.nn.modules import LIFJax
    >>> draw = mismatch_generator({"tau_mem": True})
    >>> module = LIFJax(3)
    >>> module = module.set_attributes(draw(module, jax.random.PRNGKey(0)))
    """
    if percent_deviation < 0:
        raise ValueError(
            f"mismatch_generator: percent_deviation must be >= 0, got {percent_deviation}"
        )
    if not sigma_rule > 0:
        raise ValueError(f"mismatch_generator: sigma_rule must be > 0, got {sigma_rule}")
    sigma = percent_deviation / sigma_rule

    def drawn(module: Any, rng_key: Any) -> Tree:
        tree = module_registery(module)
        order = jax.tree.unflatten(
            jax.tree.structure(tree), range(jax.tree.structure(tree).num_leaves)
        )
        keys = jax.random.split(rng_key, len(jax.tree.leaves(tree)) + 1)[1:]
        for branch in list(branches(prototype)):
            if not get_nested(prototype, branch):
                continue
            value = jnp.asarray(_found(tree, branch))
            value = value.astype(jnp.result_type(value, float))
            noise = jax.random.normal(keys[get_nested(order, branch)], value.shape, value.dtype)
            set_nested(tree, branch, value * (1.0 + sigma * noise), inplace=True)
        return tree

    return drawn


def _found(tree: Tree, branch: tuple[Any, ...]) -> Any:
    try:
        return get_nested(tree, branch)
    except KeyError:
        raise KeyError(
            f"mismatch_generator: the prototype has {'.'.join(map(str, branch))!r}, which the "
            "module has not"
        ) from None
