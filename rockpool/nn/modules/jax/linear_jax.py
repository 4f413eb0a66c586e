"""The dense linear layer in jax: `LinearJax`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from numpy.typing import ArrayLike

from rockpool.nn.modules.jax.jax_module import JaxModule, float_array, static_bool, static_shape
from rockpool.nn.modules.native.linear import LinearMixin, kaiming, uniform_sqrt

__all__ = ["LinearJax"]


class LinearJax(LinearMixin, JaxModule):
    """A dense linear layer, in jax: ``output = input @ weight + bias``.

    The layer has no time: it treats each time step of each batch element alike, and its output has
    as many dimensions as its input. A single number as input scales the weights.

    Parameters
    ----------
    shape : tuple of int
        ``(Nin, Nout)``.
    weight : array_like, optional
        Weights, shape (Nin, Nout); drawn by `weight_init_func`.
    bias : array_like, optional
        Biases, shape (Nout,) or (); drawn by `bias_init_func` if `has_bias`. A bias that is given
        implies `has_bias`.
    has_bias : bool
        Whether the layer has biases. Default: False; the attribute `bias` is then the number 0.
    weight_init_func, bias_init_func : callable
        ``shape -> values``. Default: `kaiming` and `uniform_sqrt`.

    Raises
    ------
    ValueError, TypeError
        An argument has a wrong shape, type or value; the message says what is allowed.

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> from rockpool.nn.modules import LinearJax
    >>> output, _, _ = LinearJax((2, 3), weight=jnp.ones((2, 3)))(jnp.ones((5, 2)))
    >>> output.shape
    (5, 3)
    """

    _as_parameter = staticmethod(float_array)

    def __init__(
        self,
        shape: tuple[int, int],
        weight: ArrayLike | None = None,
        bias: ArrayLike | None = None,
        has_bias: bool = False,
        weight_init_func: Callable[[tuple[int, ...]], Any] = kaiming,
        bias_init_func: Callable[[tuple[int, ...]], Any] = uniform_sqrt,
        *args: Any,
        **kwargs: Any,
    ) -> None:
        owner = type(self).__name__
        shape = static_shape(owner, shape)
        has_bias = static_bool(owner, "has_bias", has_bias)
        super().__init__(
            shape, weight, bias, has_bias, weight_init_func, bias_init_func, *args, **kwargs
        )

    def evolve(
        self, input_data: ArrayLike, record: bool = False
    ) -> tuple[jax.Array, dict[str, Any], dict[str, Any]]:
        return super().evolve(input_data, record)

    @staticmethod
    def _dot(data: Any, weight: Any) -> jax.Array:
        return jnp.dot(jnp.asarray(data), weight)
