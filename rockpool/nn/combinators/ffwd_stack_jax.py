"""Jax modules with weights between them: `JaxFFwdStack`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rockpool.nn.combinators.ffwd_stack import FFwdStackMixin
from rockpool.nn.modules.jax.jax_module import JaxModule

if TYPE_CHECKING:
    import jax

    from rockpool.nn.modules.module import Evolve

__all__ = ["JaxFFwdStack"]


class JaxFFwdStack(FFwdStackMixin, JaxModule):  # type: ignore[misc]
    """Jax modules with weights between them; made by ``FFwdStack``, with its arguments."""

    evolve: Evolve[jax.Array]
