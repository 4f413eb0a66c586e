"""Containers of jax modules: `JaxSequential`, `JaxResidual`, and so on."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from rockpool.nn.combinators.ffwd_stack import FFwdStackMixin
from rockpool.nn.combinators.residual import ResidualMixin
from rockpool.nn.combinators.sequential import SequentialMixin
from rockpool.nn.combinators.wired import WiredMixin
from rockpool.nn.modules._module_base import Evolve
from rockpool.nn.modules.jax._base.arrays import aligned
from rockpool.nn.modules.jax.jax_module import JaxModule

__all__ = ["JaxFFwdStack", "JaxResidual", "JaxSequential", "JaxWired"]


class JaxSequential(SequentialMixin, JaxModule):  # type: ignore[misc]
    """Jax modules, one after the other; made by ``Sequential``, with its arguments."""

    evolve: Evolve[jax.Array]


class JaxResidual(ResidualMixin, JaxModule):  # type: ignore[misc]
    """Jax modules, their input added to the output; made by ``Residual``, with its arguments."""

    evolve: Evolve[jax.Array]

    def _added(self, output: Any, data: Any) -> jax.Array:
        data = jnp.asarray(self._real_input(data))
        data = self._alike(data[:, jnp.newaxis] if data.ndim == 1 else data, output)
        return output + aligned(data, output)


class JaxFFwdStack(FFwdStackMixin, JaxModule):  # type: ignore[misc]
    """Jax modules with weights between them; made by ``FFwdStack``, with its arguments."""

    evolve: Evolve[jax.Array]


class JaxWired(WiredMixin, JaxModule):  # type: ignore[misc]
    """Jax modules, connected by edges; made by ``Wired``, with its arguments."""

    evolve: Evolve[jax.Array]
