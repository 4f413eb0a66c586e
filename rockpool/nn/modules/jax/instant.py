"""Any function as a module, in jax: `InstantJax`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
from numpy.typing import ArrayLike

from rockpool.nn.modules.jax.jax_module import JaxModule, static_shape
from rockpool.nn.modules.native.instant import InstantMixin, identity

__all__ = ["InstantJax"]


class InstantJax(InstantMixin, JaxModule):
    """A module that applies a function of jax to its input, without time or state.

    Parameters
    ----------
    shape : int or tuple of int
        ``N`` or ``(Nin, Nout)``: the function turns Nin channels into Nout.
    function : callable
        Called with an array of shape (B, T, Nin). Default: the identity. It is stored as a
        ``jax.tree_util.Partial``; arrays that are bound to it are leaves of the module.

    Raises
    ------
    ValueError
        No `shape`, or `function` is not callable.

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> from rockpool.nn.modules import InstantJax
    >>> output, _, _ = InstantJax(2, jnp.tanh)(jnp.zeros((3, 2)))
    >>> output.shape
    (1, 3, 2)
    """

    def __init__(
        self,
        shape: int | tuple[int, ...] | None = None,
        function: Callable[[Any], Any] = identity,
        *args: Any,
        **kwargs: Any,
    ) -> None:
        super().__init__(static_shape(type(self).__name__, shape), function, *args, **kwargs)

    def evolve(
        self, input_data: ArrayLike, record: bool = False
    ) -> tuple[jax.Array, dict[str, Any], dict[str, Any]]:
        return super().evolve(input_data, record)
