"""Jax modules one after the other: `JaxSequential`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rockpool.nn.combinators.sequential import SequentialMixin
from rockpool.nn.modules.jax.jax_module import JaxModule

if TYPE_CHECKING:
    import jax

    from rockpool.nn.modules.module import Evolve

__all__ = ["JaxSequential"]


class JaxSequential(SequentialMixin, JaxModule):  # type: ignore[misc]
    """Jax modules, one after the other; made by ``Sequential``, with its arguments."""

    evolve: Evolve[jax.Array]
