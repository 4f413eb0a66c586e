"""Optimizers of optax that keep the parameters of a network in their range."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from rockpool.nn.modules._limits import lower_bounds

__all__ = ["bounded_updates"]


def bounded_updates(net: Any, optimizer: Any) -> Any:
    """Return an optimizer whose updates end at the lower bounds of a network; as `bound`."""
    if hasattr(optimizer, "gradient_transformation"):  # optax.MultiSteps
        optimizer = optimizer.gradient_transformation()
    if not (hasattr(optimizer, "update") and hasattr(optimizer, "_replace")):
        raise TypeError(
            f"bound: for a network of jax the optimizer must be one of optax, got "
            f"{type(optimizer).__name__}"
        )
    least = lower_bounds(net)
    structure = jax.tree.structure(least)

    def update(updates: Any, state: Any, params: Any = None, **extra: Any) -> tuple[Any, Any]:
        if params is None or jax.tree.structure(params) != structure:
            raise ValueError(
                "bound: update(gradients, state, parameters) needs the parameters, as "
                "net.parameters() gives them"
            )
        updates, state = optimizer.update(updates, state, params, **extra)
        return jax.tree.map(_limited, params, updates, least), state

    return optimizer._replace(update=update)


def _limited(value: Any, step: Any, least: float | int) -> Any:
    """Return a step that does not lead below the bound, also where its sum is rounded."""
    rounding = 2 * jnp.finfo(value.dtype).eps * jnp.abs(value)
    return jnp.where(value + step < least, least - value + rounding, step)
