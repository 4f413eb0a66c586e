"""Neurons of NIR over time by compiled kernels, on the CPU. Needs numba.

The kernels know of the membrane before any reset, the spikes and the currents over time. What else
is asked for follows from these, by operations of jax: so it has its derivatives. In a jitted
function it costs nothing if it is not used.
"""

from functools import cache, partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from rockpool.nn.models.euler import LATE, Constants, Rules
from rockpool.nn.modules.jax._base.spikes import WINDOW
from rockpool.nn.modules.jax._kernels.calls import absent, or_zeros
from rockpool.nn.modules.jax._kernels.primitive import KernelLoop, LoopPrimitive
from rockpool.nn.modules.jax._loops.euler import (
    EulerParameters,
    EulerState,
    course_of,
    delayed,
    reset,
)

__all__ = ["euler"]


class Inputs(NamedTuple):
    """Arrays; or for each of them its shape, its gradient, or whether that is needed."""

    x: Any  # (B, T, N)
    w_rec: Any  # (N, N), or empty
    a_mem: Any  # (N,)
    g_mem: Any  # (N,)
    leak: Any  # (N,)
    a_syn: Any  # (N,), or empty as the next one
    g_syn: Any
    threshold: Any  # (N,), or empty as the next one
    v_reset: Any
    rules: Any  # (7,)
    vmem: Any  # (B, N)
    isyn: Any  # (B, N), or empty as the next one
    spikes: Any


class Outputs(NamedTuple):
    """Membranes before any reset, spikes and currents (B, T, N); the last two or empty."""

    reached: Any
    fired: Any
    currents: Any


def _reference(rules: Rules, inputs: Inputs) -> Outputs:
    i = Inputs(*(value if value.size else None for value in inputs))
    synapse = (0.0, 1.0) if i.a_syn is None else (i.a_syn, i.g_syn)
    constants = Constants(i.a_mem, i.g_mem, i.leak, *synapse)
    parameters = EulerParameters(constants, i.threshold, i.v_reset, i.w_rec)
    course, reached = course_of(i.x, EulerState(i.vmem, i.spikes, i.isyn), parameters, rules)
    nothing = absent(3, inputs.x)
    return Outputs(
        reached,
        nothing if course.spikes is None else course.spikes,
        nothing if course.isyn is None else course.isyn,
    )


def _shapes(shapes: Inputs) -> Outputs:
    spiking, synaptic = (shape[0] > 0 for shape in (shapes.threshold, shapes.a_syn))
    nothing = (0, 0, 0)
    return Outputs(shapes.x, shapes.x if spiking else nothing, shapes.x if synaptic else nothing)


def _backward(
    inputs: Inputs, outputs: Outputs, gradients: Outputs, needed: Inputs
) -> dict[str, Any]:
    known = outputs._asdict()
    given = {
        f"grad_{name}": or_zeros(gradient, known[name])
        for name, gradient in gradients._asdict().items()
    }
    return {"window": jnp.full(1, WINDOW, inputs.x.dtype), **known, **given}


@cache
def _primitive(rules: Rules) -> LoopPrimitive:
    """Return the operation of JAX for neurons with these rules."""
    return LoopPrimitive(
        KernelLoop(
            "euler",
            Inputs,
            Outputs,
            partial(_reference, rules),
            _shapes,
            _backward,
            constant=frozenset({"rules"}),
            left_out=frozenset({"w_rec"}),
        )
    )


def euler(
    x: jax.Array, state: EulerState, parameters: EulerParameters, rules: Rules
) -> tuple[jax.Array, EulerState, dict[str, jax.Array]]:
    """Run neurons of NIR over time; as `euler_loop`."""
    p = parameters
    neurons, nothing = x.shape[2:], absent(1, x)
    synaptic, spiking = state.isyn is not None, state.spikes is not None
    a_mem, g_mem, leak, a_syn, g_syn = (jnp.broadcast_to(c, neurons) for c in p.constants)
    inputs = Inputs(
        x=x,
        w_rec=absent(2, x) if p.w_rec is None else p.w_rec,
        a_mem=a_mem,
        g_mem=g_mem,
        leak=leak,
        a_syn=a_syn if synaptic else nothing,
        g_syn=g_syn if synaptic else nothing,
        threshold=jnp.broadcast_to(p.threshold, neurons) if spiking else nothing,
        v_reset=jnp.broadcast_to(p.v_reset, neurons) if spiking else nothing,
        rules=jnp.asarray(rules, x.dtype),
        vmem=state.vmem,
        isyn=state.isyn if synaptic else absent(2, x),
        spikes=state.spikes if spiking else absent(2, x),
    )
    reached, fired, currents = _primitive(rules)(inputs)
    vmem = reached
    if spiking:
        shared = inputs.threshold[None, None], inputs.v_reset[None, None], rules.reset
        by = delayed(state.spikes, fired) if rules.reset_delay == LATE else fired
        vmem = reset(reached, by, *shared)
    courses = EulerState(vmem, fired if spiking else None, currents if synaptic else None)
    output = fired if spiking else vmem
    if rules.delay:
        output = delayed(state.spikes if spiking else state.vmem, output)
    there = {name: value for name, value in courses._asdict().items() if value is not None}
    final = EulerState(**{name: value[:, -1] for name, value in there.items()})
    return output, final, there
