"""The dense linear layer in jax: `LinearJax`."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy  # noqa: F401 - waits where another thread is importing it

from rockpool.nn.modules.jax._base.arrays import aligned
from rockpool.nn.modules.jax.jax_module import JaxModule
from rockpool.nn.modules.native.linear import LinearMixin

__all__ = ["LinearJax"]


class LinearJax(LinearMixin, JaxModule):
    """A dense linear layer, in jax: ``output = input @ weight + bias``.

    Parameters and errors are those of `Linear`. A single number as input scales the weights.

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> from rockpool.nn.modules import LinearJax
    >>> output, _, _ = LinearJax((2, 3), weight=jnp.ones((2, 3)))(jnp.ones((5, 2)))
    >>> output.shape
    (5, 3)
    """

    weight: jax.Array
    bias: Any  # a jax.Array; the number 0 where there are no biases

    @staticmethod
    def _dot(data: Any, weight: Any) -> jax.Array:
        return jnp.dot(jnp.asarray(data), weight)

    @staticmethod
    def _plus(product: jax.Array, bias: Any) -> jax.Array:
        return product + aligned(bias, product)
