"""The time loop of LIF neurons, with its derivative.

`lif_loop` is the one function that evolves the model: it takes input, state, parameters and noise,
and knows nothing of modules. Another implementation (a compiled kernel) can take its place.
"""

import operator
from functools import reduce
from typing import Any, NamedTuple, no_type_check

import jax
import jax.numpy as jnp
from jax import lax
from jax.custom_derivatives import SymbolicZero

from rockpool.nn.modules.jax._base.spikes import WINDOW, count_spikes, optimization_barrier
from rockpool.utilities._unchecked import unchecked

__all__ = ["LIFParameters", "LIFState", "lif_loop"]


class LIFState(NamedTuple):
    """State of LIF neurons: membrane (B, N), synaptic currents (B, N, S), last spikes (B, N).

    Within the loop the currents are (B, S, N).
    """

    vmem: jax.Array
    isyn: jax.Array
    spikes: jax.Array


class LIFParameters(NamedTuple):
    """Parameters of LIF neurons; the arrays are of one floating-point type."""

    alpha: jax.Array  # decay of the membrane in one time step, (N,) or ()
    beta: jax.Array  # decay of the synaptic currents, (N, S), (1, S) or ()
    bias: jax.Array  # (N,) or ()
    threshold: jax.Array  # (N,) or ()
    w_rec: jax.Array | None  # (N, N * S); None where the layer is not recurrent
    max_spikes: jax.Array  # most spikes in one time step, ()


def lif_loop(
    x: jax.Array, state: LIFState, parameters: LIFParameters, noise: jax.Array | None = None
) -> tuple[jax.Array, LIFState, dict[str, jax.Array]]:
    """Run LIF neurons over time.

    Parameters
    ----------
    x : array
        Input (B, T, N * S); channel ``n * S + s`` reaches synapse ``s`` of neuron ``n``.
    state : LIFState
        State before the first time step.
    parameters : LIFParameters
        Decays, biases, thresholds and recurrent weights.
    noise : array, optional
        Added to the membrane, (B, T, N). Default: none.

    Returns
    -------
    output : array
        Number of spikes (B, T, N).
    state : LIFState
        State after the last time step.
    records : dict
        ``vmem`` after the reset and ``spikes`` (B, T, N), ``isyn`` and ``irec`` (B, T, N, S). In a
        jitted function they cost nothing if they are not used.
    """
    p = parameters
    batch, n_neurons, n_synapses = state.isyn.shape
    n_steps = x.shape[1]
    shape = (batch, n_steps, n_neurons, n_synapses)
    bias = jnp.broadcast_to(p.bias, (batch, n_neurons))
    # In the loop: time in front, and synapses before neurons, so that memory is contiguous
    layer = _Layer(
        x=_synapses_first(x.swapaxes(0, 1).reshape(n_steps, *state.isyn.shape)),
        drive=bias if noise is None else noise.swapaxes(0, 1) + bias[None],
        alpha=jnp.broadcast_to(p.alpha, (batch, n_neurons)),
        beta=_synapses_first(jnp.broadcast_to(p.beta, state.isyn.shape)),
        threshold=jnp.broadcast_to(p.threshold, (batch, n_neurons)),
        w_rec=None if p.w_rec is None else _by_synapse(p.w_rec, n_synapses),
        max_spikes=p.max_spikes,
        vmem=state.vmem,
        isyn=_synapses_first(state.isyn),
        spikes=state.spikes,
    )
    course, final = _evolve(layer) if n_steps else _without_steps(layer)
    records = {
        "vmem": course.vmem.swapaxes(0, 1),
        "isyn": course.isyn.transpose(1, 0, 3, 2),
        "spikes": course.spikes.swapaxes(0, 1),
    }
    if course.irec is None:
        records["irec"] = jnp.zeros(shape, x.dtype)
    else:
        records["irec"] = course.irec.transpose(1, 0, 3, 2)
    state = LIFState(final.vmem, final.isyn.swapaxes(1, 2), final.spikes)
    return records["spikes"], state, records


def _synapses_first(values: jax.Array) -> jax.Array:
    """Return (..., N, S) as (..., S, N)."""
    if values.shape[-1] == 1:  # no need to move anything
        return values.reshape(*values.shape[:-2], 1, values.shape[-2])
    return values.swapaxes(-1, -2)


def _by_synapse(w_rec: jax.Array, n_synapses: int) -> jax.Array:
    """Return weights (N, N * S) with their columns in the order of synapses, then neurons."""
    columns = (len(w_rec), -1, n_synapses)
    return w_rec.reshape(columns).swapaxes(1, 2).reshape(w_rec.shape)


class _Layer(NamedTuple):
    """All that an evolution depends on, in the layout of the loop."""

    x: Any  # (T, B, S, N)
    drive: Any  # bias, and noise where there is any: (B, N) or (T, B, N)
    alpha: Any  # (B, N)
    beta: Any  # (B, S, N)
    threshold: Any  # (B, N)
    w_rec: Any  # (N, S * N) or None
    max_spikes: Any  # ()
    vmem: Any  # (B, N)
    isyn: Any  # (B, S, N)
    spikes: Any  # (B, N)


class _Course(NamedTuple):
    """What happened in each time step: arrays with time in front."""

    spikes: Any
    vmem: Any
    isyn: Any
    irec: Any
    before: Any  # the membrane before the reset


def _without_steps(layer: _Layer) -> tuple[_Course, LIFState]:
    """Return what `_evolve` does for an input without time steps."""
    empty, irec = layer.x[:, :, 0], None if layer.w_rec is None else layer.x
    course = _Course(empty, empty, layer.x, irec, empty)
    return course, LIFState(layer.vmem, layer.isyn, layer.spikes)


@no_type_check
@unchecked
@jax.custom_jvp
def _evolve(layer: _Layer) -> tuple[_Course, LIFState]:
    """Run the loop."""
    alpha, beta = layer.alpha, layer.beta
    threshold = optimization_barrier(layer.threshold, layer.vmem.shape)
    noisy = layer.drive.ndim > layer.vmem.ndim

    def step(state: LIFState, inputs: tuple[Any, Any]) -> tuple[LIFState, _Course]:
        x, drive = inputs
        irec = None
        if layer.w_rec is not None:
            irec = _recurrent(state.spikes, layer.w_rec, x.shape)
            x = x + irec
        isyn = (state.isyn + x) * beta
        before = state.vmem * alpha + (sum_in_order(isyn, 1) + (drive if noisy else layer.drive))
        spikes = count_spikes(before, threshold, layer.max_spikes)
        vmem = before - spikes * threshold
        return LIFState(vmem, isyn, spikes), _Course(spikes, vmem, isyn, irec, before)

    start = LIFState(layer.vmem, layer.isyn, layer.spikes)
    final, course = lax.scan(step, start, (layer.x, layer.drive if noisy else None))
    return course, final


def sum_in_order(values: Any, axis: int) -> Any:
    """Return the sum over a dimension, from its first to its last entry, as the model has it."""
    if values.shape[axis] > 16:  # a program of moderate size
        first, *_ = rows = jnp.moveaxis(values, axis, 0)
        return lax.fori_loop(1, len(rows), lambda k, total: total + rows[k], first)
    rows = [lax.index_in_dim(values, k, axis, False) for k in range(values.shape[axis])]
    return reduce(operator.add, rows)


def _recurrent(spikes: Any, w_rec: Any, shape: tuple[int, ...]) -> Any:
    """Return the recurrent input of all synapses, (..., S, N)."""
    return jnp.matmul(spikes, w_rec, precision=lax.Precision.HIGHEST).reshape(shape)


# The derivative of the loop is a loop of its own, linear in the tangents `d_...`, of which JAX
# makes the backward pass. What it needs to know of the evolution are spikes, currents and the
# membrane before the reset; so these are all that is stored. Sums over time of products with them,
# which are the gradients of the parameters, build up in the carry; the gradient of the recurrent
# weights is one matrix product for all time steps. Tangents that are zero take no part.


def _evolve_jvp(primals: tuple[_Layer], tangents: tuple[_Layer]) -> tuple[Any, Any]:
    (layer,), (d_layer,) = primals, tangents
    d = _Layer(*(None if isinstance(t, SymbolicZero) else t for t in d_layer))
    course, final = _evolve(layer)
    alpha, beta, threshold = layer.alpha, layer.beta, layer.threshold
    window_start = threshold - WINDOW
    noisy = layer.drive.ndim > layer.vmem.ndim
    # isyn = beta * (what there was before), hence d_beta * (what there was) = d_beta / beta * isyn
    d_log_beta = None if d.beta is None else d.beta / jnp.where(beta == 0, 1, beta)
    d_irec = None
    if d.w_rec is not None:
        before_step = jnp.concatenate([layer.spikes[None], course.spikes[:-1]])
        d_irec = _recurrent(before_step, d.w_rec, layer.x.shape)

    def spikes_and_reset(d_before: Any, before: Any, spikes: Any) -> tuple[Any, Any]:
        """Return the tangents of spikes and of the membrane after the reset."""
        d_scaled = _plus(d_before, _times(-before / threshold, d.threshold))
        d_spikes = jnp.where(before >= window_start, d_scaled / threshold, 0)
        d_reset = _plus(d_spikes * threshold, _times(spikes, d.threshold))
        return d_spikes, d_before - d_reset

    def step(carry: tuple[Any, ...], inputs: tuple[Any, ...]) -> tuple[tuple[Any, ...], _Course]:
        d_isyn, d_leaked, d_spikes, _ = carry
        spikes, isyn, before, d_x, d_drive, d_irec = inputs
        d_into = d_isyn
        if layer.w_rec is not None:
            d_irec = _plus(d_irec, _recurrent(d_spikes, layer.w_rec, isyn.shape))
            d_into = d_into + d_irec
        d_isyn = _plus(_plus(d_into, d_x) * beta, _times(isyn, d_log_beta))
        d_before = _plus(d_leaked + d_isyn.sum(1), d_drive if noisy else d.drive)
        d_spikes, d_vmem = spikes_and_reset(d_before, before, spikes)
        d_leaked = _plus(d_vmem * alpha, _times(before - spikes * threshold, d.alpha))
        carried_spikes = None if layer.w_rec is None else d_spikes
        d_course = _Course(d_spikes, d_vmem, d_isyn, d_irec, d_before)
        return (d_isyn, d_leaked, carried_spikes, d_before), d_course

    nothing = jnp.zeros_like(layer.vmem)
    d_vmem = nothing if d.vmem is None else d.vmem
    start = (
        jnp.zeros_like(layer.isyn) if d.isyn is None else d.isyn,
        _plus(d_vmem * alpha, _times(layer.vmem, d.alpha)),
        None if layer.w_rec is None else (nothing if d.spikes is None else d.spikes),
        nothing,
    )
    inputs = (course.spikes, course.isyn, course.before, d.x, d.drive if noisy else None, d_irec)
    # Recomputing the step in the backward pass is cheaper than reading its parts from memory
    (d_isyn, _, _, d_before), d_course = lax.scan(
        jax.checkpoint(step, prevent_cse=False), start, inputs
    )
    d_spikes, d_vmem = spikes_and_reset(d_before, course.before[-1], course.spikes[-1])
    return (course, final), (d_course, LIFState(d_vmem, d_isyn, d_spikes))


_evolve.defjvp(_evolve_jvp, symbolic_zeros=True)


def _times(value: Any, tangent: Any) -> Any:
    return None if tangent is None else value * tangent


def _plus(tangent: Any, other: Any) -> Any:
    if tangent is None or other is None:
        return tangent if other is None else other
    return tangent + other
