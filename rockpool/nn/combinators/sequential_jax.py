"""Jax modules one after the other: `JaxSequential`."""

from __future__ import annotations

from rockpool.nn.combinators.sequential import SequentialMixin
from rockpool.nn.modules.jax.jax_module import JaxModule

__all__ = ["JaxSequential"]


class JaxSequential(SequentialMixin, JaxModule):  # type: ignore[misc]
    """Jax modules that are evolved one after the other; made by ``Sequential``.

    Parameters
    ----------
    *modules : JaxModule, or dict of JaxModule by name
        The modules, in the order of evolution.
    **kwargs
        Keyword arguments of `JaxModule`, but for the shape and the spiking flags.

    Raises
    ------
    ValueError
        A module is not of jax, or an output does not fit the next input.
    """
