"""One evolution of a layer: its arrays in shape, its noise drawn, then its time loop."""

from functools import partial
from typing import Any, NamedTuple, Protocol, runtime_checkable

import jax
import jax.numpy as jnp

from rockpool.nn.modules.jax._base.arrays import (
    at_least,
    batched_input,
    batched_state,
    common_type,
    state_to_keep,
)
from rockpool.nn.modules.jax._base.rng import draw_noise
from rockpool.nn.modules.jax._kernels.sharding import vary_alike
from rockpool.parameters import Shape

__all__ = ["Arrays", "Evolution", "Layout", "TimeLoop", "Values", "jitted_evolve"]

Arrays = dict[str, jax.Array]
Values = dict[str, Any]
Evolution = tuple[jax.Array, Arrays, Arrays]


@runtime_checkable
class TimeLoop(Protocol):
    """A function that evolves a model over time."""

    def __call__(
        self, x: jax.Array, state: Arrays, values: Values, noise: jax.Array | None, kernels: bool
    ) -> Evolution:
        """Return output (B, T, Nout), final state, and records (B, T, ...).

        Parameters
        ----------
        x : array
            Input (B, T, Nin).
        state : dict
            State before the first time step by name, each (B, ...).
        values : dict
            Parameters, of the type of the input, and settings, as they are.
        noise : array or None
            Noise (B, T, Nout), if there is any.
        kernels : bool
            Whether compiled kernels may stand for the loop.
        """


class Layout(NamedTuple):
    """What an evolution is compiled for, besides the shapes and types of its arrays."""

    shape: Shape  # (B, T, Nin), of the input
    n_out: int
    states: tuple[tuple[str, Shape], ...]  # their shapes without batch
    settings: tuple[tuple[str, Any], ...]  # those that are numbers
    keep: bool  # whether states are kept for each batch element
    kernels: bool  # whether compiled kernels may be used
    least: tuple[tuple[str, float | None], ...] = ()  # of parameters; None: the time step
    forgets: bool = False  # whether a reset clears states of what was not finite


@partial(jax.jit, static_argnames=("loop", "layout"))
def jitted_evolve(
    data: Any,
    key: Any,
    states: dict[str, Any],
    parameters: dict[str, Any],
    settings: dict[str, Any],
    *,
    loop: TimeLoop,
    layout: Layout,
) -> tuple[jax.Array, Arrays, Arrays, jax.Array]:
    """Return output, states as they are to be stored, records, and whether all were finite.

    `data`, `states` and `parameters` are as they were given and are stored; `key` is that for the
    noise of this call, if there is any; `settings` are those that are arrays or functions. The last
    tells of the states at the end, or of the data, where the states forget.
    """
    data, key, states, parameters, settings = vary_alike((data, key, states, parameters, settings))
    dtype = common_type(data, *parameters.values())
    batch, n_steps, _ = layout.shape
    settings = {**settings, **dict(layout.settings)}
    values = {
        name: value if value is None else jnp.asarray(value, dtype)
        for name, value in parameters.items()
    }
    for name, least in layout.least:
        if values[name] is not None:
            limit = settings["dt"] if least is None else least
            values[name] = at_least(values[name], jnp.asarray(limit, dtype))
    start = {
        name: batched_state(states[name], (batch, *shape), dtype) for name, shape in layout.states
    }
    noise = draw_noise(key, settings, (batch, n_steps, layout.n_out), dtype)
    x = batched_input(data, layout.shape, dtype)
    output, final, records = loop(x, start, {**values, **settings}, noise, layout.kernels)
    kept = {
        name: state_to_keep(final[name], states[name], layout.keep) for name, _ in layout.states
    }
    if layout.forgets:
        seen = [_sums(data)]
    else:
        seen = [value for value in final.values() if value is not None]
    finite = jnp.stack([jnp.isfinite(value).all() for value in seen]).all()
    return output, kept, records, finite


def _sums(data: jax.Array) -> jax.Array:
    """Return a sum for each time step, which is no number if one of those in it is none.

    A product takes a tenth of the time that a look at each number takes.
    """
    floats = data if jnp.issubdtype(data.dtype, jnp.floating) else data.astype(float)
    return floats.reshape(-1, data.shape[-1]) @ jnp.full(data.shape[-1:], 2.0**-10, floats.dtype)
