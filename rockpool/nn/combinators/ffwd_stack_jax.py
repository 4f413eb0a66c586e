"""Jax modules with weights between them: `JaxFFwdStack`."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from rockpool.nn.combinators.ffwd_stack import FFwdStackMixin
from rockpool.nn.modules.jax.jax_module import JaxModule

__all__ = ["JaxFFwdStack"]


class JaxFFwdStack(FFwdStackMixin, JaxModule):  # type: ignore[misc]
    """Jax modules with weights between them; made by ``FFwdStack``.

    Parameters
    ----------
    *modules : JaxModule, or dict of JaxModule by name
        The modules, in the order of evolution; at least two.
    weight_init_func : callable
        ``weight_init_func((size_out, size_in))`` gives the weights from one module to the next.
    **kwargs
        Keyword arguments of `JaxModule`, but for the shape and the spiking flags.

    Raises
    ------
    ValueError
        There are less than two modules, or one is not of jax.
    """

    _default_weights: ClassVar[Any] = staticmethod(np.zeros)
