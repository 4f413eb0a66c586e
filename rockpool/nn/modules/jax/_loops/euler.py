"""The time loop of the neurons of NIR, with the surrogate gradient of their spikes."""

from __future__ import annotations

from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import lax

from rockpool.nn.models.euler import NONE, VALUE, Constants, Rules
from rockpool.nn.modules.jax._base.spikes import WINDOW, optimization_barrier

__all__ = ["EulerParameters", "EulerState", "crossing", "euler_loop"]


class EulerState(NamedTuple):
    """State of neurons of NIR, (B, N) each; None where the model has it not."""

    vmem: Any  # membrane
    spikes: Any = None  # last spikes
    isyn: Any = None  # synaptic current


class EulerParameters(NamedTuple):
    """Constants and parameters, (N,) or () each, of one floating-point type."""

    constants: Constants
    threshold: Any = None  # None where there are no spikes, as for the next two
    v_reset: Any = None
    w_rec: Any = None  # (N, N); None where the layer is not recurrent


def euler_loop(
    x: jax.Array, state: EulerState, parameters: EulerParameters, rules: Rules
) -> tuple[jax.Array, EulerState, dict[str, jax.Array]]:
    """Run neurons of NIR over time.

    The input is (B, T, N). Returns spikes, or the membrane of neurons that have none (B, T, N), the
    state after the last step, and the states over time (B, T, N).
    """
    p = jax.tree.map(partial(_repeated, state.vmem), parameters._replace(w_rec=None))
    p = p._replace(w_rec=parameters.w_rec)

    def step(state: EulerState, x: jax.Array) -> tuple[EulerState, EulerState]:
        new = _step(x, state, p, rules)
        return new, new

    final, course = lax.scan(step, state, x.swapaxes(0, 1))
    records = {
        name: values.swapaxes(0, 1)
        for name, values in course._asdict().items()
        if values is not None
    }
    given = "vmem" if state.spikes is None else "spikes"
    output = records[given]
    if rules.delay:
        first: jax.Array = getattr(state, given)
        output = jnp.concatenate([first[:, None], output], axis=1)[:, : x.shape[1]]
    return output, final, records


def _repeated(like: jax.Array, value: Any) -> jax.Array:
    return jnp.broadcast_to(value, like.shape)


def _step(x: jax.Array, state: EulerState, p: EulerParameters, rules: Rules) -> EulerState:
    """Return the states after one time step of input (B, N)."""
    c, isyn, current = p.constants, None, x
    if p.w_rec is not None:
        current = x + jnp.matmul(state.spikes, p.w_rec, precision=lax.Precision.HIGHEST)
    if state.isyn is not None:
        if rules.at_once:
            isyn = (state.isyn + current) * c.a_syn
        else:
            isyn = state.isyn * c.a_syn + current * c.g_syn
        current = state.isyn if rules.old else isyn
    vmem = state.vmem * c.a_mem + current * c.g_mem + c.leak
    if state.spikes is None:
        return EulerState(vmem, None, isyn)
    if rules.reset_delay:
        vmem = _reset(vmem, state.spikes, p, rules)
    spikes = crossing(vmem, p.threshold, p.v_reset, rules.max_spikes, rules.strict)
    if not rules.reset_delay:
        vmem = _reset(vmem, spikes, p, rules)
    return EulerState(vmem, spikes, isyn)


def _reset(vmem: jax.Array, spikes: jax.Array, p: EulerParameters, rules: Rules) -> jax.Array:
    """Return the membrane after the reset by some spikes."""
    if rules.reset == NONE:
        return vmem
    if rules.reset == VALUE:
        return vmem * (1.0 - spikes) + spikes * p.v_reset
    return vmem - spikes * (p.threshold - p.v_reset)


@partial(jax.custom_jvp, nondiff_argnums=(3, 4))
def crossing(v: Any, threshold: Any, v_reset: Any, max_spikes: float, strict: bool) -> jax.Array:
    """Return how often a membrane passes the threshold, if each time takes it down to a reset.

    The surrogate of the gradient is piecewise linear as that of `step_pwl`, in ``(v - v_reset) /
    (threshold - v_reset)``. The arrays are of one shape.
    """
    reached = v > threshold if strict else v >= threshold
    if max_spikes == 1.0:
        return reached.astype(v.dtype)
    times = (v - v_reset) / optimization_barrier(threshold - v_reset, v.shape)
    times = jnp.ceil(times) - 1.0 if strict else jnp.floor(times)
    return jnp.where(reached, jnp.clip(times, 1.0, max_spikes), 0.0).astype(v.dtype)


@crossing.defjvp
def _crossing_jvp(
    max_spikes: float, strict: bool, primals: tuple[Any, ...], tangents: tuple[Any, ...]
) -> tuple[jax.Array, jax.Array]:
    v, threshold, v_reset = primals
    d_v, d_threshold, d_reset = tangents
    span = threshold - v_reset
    above = (v - v_reset) / span
    slope = jnp.where(v >= threshold - WINDOW, 1.0 / span, 0.0)
    d_spikes = slope * (d_v - above * d_threshold + (above - 1.0) * d_reset)
    spikes = crossing(v, threshold, v_reset, max_spikes, strict)
    return spikes, lax.convert_element_type(d_spikes, spikes.dtype)
