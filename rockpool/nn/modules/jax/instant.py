"""Any function as a module, in jax: `InstantJax`."""

from __future__ import annotations

from rockpool.nn.modules.jax.jax_module import JaxModule
from rockpool.nn.modules.native.instant import InstantMixin

__all__ = ["InstantJax"]


class InstantJax(InstantMixin, JaxModule):
    """A module that applies a function of jax to its input, without time or state.

    Parameters and errors are those of `Instant`. The function is stored as a
    ``jax.tree_util.Partial``; arrays that are bound to it are leaves of the module.

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> from rockpool.nn.modules import InstantJax
    >>> output, _, _ = InstantJax(2, jnp.tanh)(jnp.zeros((3, 2)))
    >>> output.shape
    (1, 3, 2)
    """
