"""The time loop of the neurons of NIR, with the surrogate gradient of their spikes."""

from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import lax

from rockpool.nn.models.euler import AHEAD, LATE, NONE, VALUE, Constants, Rules
from rockpool.nn.modules.jax._base.spikes import WINDOW, optimization_barrier

__all__ = [
    "EulerParameters",
    "EulerState",
    "course_of",
    "crossing",
    "delayed",
    "euler_loop",
    "reset",
]


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
    course, _ = course_of(x, state, parameters, rules)
    records = {name: value for name, value in course._asdict().items() if value is not None}
    given = "vmem" if state.spikes is None else "spikes"
    output = records[given]
    if rules.delay:
        output = delayed(getattr(state, given), output)
    if not x.shape[1]:
        return output, state, records
    return output, EulerState(**{name: value[:, -1] for name, value in records.items()}), records


def course_of(
    x: jax.Array, state: EulerState, parameters: EulerParameters, rules: Rules
) -> tuple[EulerState, jax.Array]:
    """Return the states over time, and the membrane before any reset (B, T, N)."""
    p = jax.tree.map(partial(_repeated, state.vmem), parameters._replace(w_rec=None))
    p = p._replace(w_rec=parameters.w_rec)

    def step(state: EulerState, x: jax.Array) -> tuple[EulerState, tuple[EulerState, jax.Array]]:
        new, reached = _step(x, state, p, rules)
        return new, (new, reached)

    _, courses = lax.scan(step, state, x.swapaxes(0, 1))
    course, reached = jax.tree.map(lambda values: values.swapaxes(0, 1), courses)
    return course, reached


def delayed(first: jax.Array, course: jax.Array) -> jax.Array:
    """Return values over time (B, T, N) one step late, the first ones (B, N) in front."""
    return jnp.concatenate([first[:, None], course], axis=1)[:, : course.shape[1]]


def _repeated(like: jax.Array, value: Any) -> jax.Array:
    return jnp.broadcast_to(value, like.shape)


def _step(
    x: jax.Array, state: EulerState, p: EulerParameters, rules: Rules
) -> tuple[EulerState, jax.Array]:
    """Return the states after one time step of input (B, N), and the membrane before any reset."""
    c, isyn, current = p.constants, None, x
    if p.w_rec is not None:
        current = x + jnp.matmul(state.spikes, p.w_rec, precision=lax.Precision.HIGHEST)
    if state.isyn is not None:
        if rules.at_once:
            isyn = (state.isyn + current) * c.a_syn
        else:
            isyn = state.isyn * c.a_syn + current * c.g_syn
        current = state.isyn if rules.old else isyn
    reached = vmem = state.vmem * c.a_mem + current * c.g_mem + c.leak
    if state.spikes is None:
        return EulerState(vmem, None, isyn), reached
    if rules.reset_delay == LATE:
        vmem = reset(vmem, state.spikes, p.threshold, p.v_reset, rules.reset)
    seen = vmem
    if rules.reset_delay == AHEAD:
        above = state.vmem > p.threshold if rules.strict else state.vmem >= p.threshold
        seen = vmem - above * lax.stop_gradient(p.threshold - p.v_reset)
    spikes = crossing(seen, p.threshold, p.v_reset, rules.max_spikes, rules.strict)
    if rules.reset_delay != LATE:
        vmem = reset(vmem, spikes, p.threshold, p.v_reset, rules.reset)
    return EulerState(vmem, spikes, isyn), reached


def reset(vmem: jax.Array, spikes: jax.Array, threshold: Any, v_reset: Any, how: int) -> jax.Array:
    """Return the membrane after the reset by some spikes."""
    if how == NONE:
        return vmem
    if how == VALUE:
        return vmem * (1.0 - spikes) + spikes * v_reset
    return vmem - spikes * (threshold - v_reset)


def crossing(
    v: Any, threshold: Any, v_reset: Any, max_spikes: float | int, strict: bool
) -> jax.Array:
    """Return how often a membrane passes the threshold, if each time takes it down to a reset.

    The surrogate of the gradient is piecewise linear as that of `step_pwl`, in ``(v - v_reset) /
    (threshold - v_reset)``. It is a term of value 0, and no ``custom_jvp``: in a scan the second
    derivative of one leaves out what it should be by its own rule (jax 0.10). The arrays are of
    one shape.
    """
    reached = v > threshold if strict else v >= threshold
    count = reached.astype(v.dtype)
    if max_spikes != 1.0:
        times = (v - v_reset) / optimization_barrier(threshold - v_reset, v.shape)
        times = jnp.ceil(times) - 1.0 if strict else jnp.floor(times)
        count = jnp.where(reached, jnp.clip(times, 1.0, max_spikes), 0.0).astype(v.dtype)
    above = (v - v_reset) / (threshold - v_reset)
    slope = jnp.where(v >= threshold - WINDOW, above - lax.stop_gradient(above), 0.0)
    return lax.stop_gradient(count) + slope
