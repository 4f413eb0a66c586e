"""The time loop of LIF neurons by forward Euler steps of their equations."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from rockpool.nn.modules.jax._base.spikes import optimization_barrier, step_pwl
from rockpool.nn.modules.jax._loops.lif import LIFState, sum_in_order

__all__ = ["lif_ode_loop"]


def lif_ode_loop(
    x: jax.Array, state: LIFState, values: dict[str, Any], noise: jax.Array | None = None
) -> tuple[jax.Array, LIFState, dict[str, jax.Array]]:
    """Run LIF neurons over time, one forward Euler step for each time step.

    Arguments and results are those of `lif_loop`, but for the parameters: `values` are ``tau_mem``,
    ``tau_syn``, ``bias``, ``threshold``, ``w_rec`` (or None), ``dt`` and ``max_spikes_per_dt``.
    """
    per_neuron, per_synapse = state.vmem.shape, state.isyn.shape
    gain_mem = jnp.broadcast_to(values["dt"] / values["tau_mem"], per_neuron)
    gain_syn = jnp.broadcast_to(values["dt"] / values["tau_syn"], per_synapse)
    bias = jnp.broadcast_to(values["bias"], per_neuron)
    threshold = jnp.broadcast_to(values["threshold"], per_neuron)
    exact_threshold = optimization_barrier(threshold, per_neuron)
    w_rec, max_spikes = values["w_rec"], values["max_spikes_per_dt"]
    steps = x.swapaxes(0, 1).reshape(x.shape[1], *per_synapse)

    def step(
        state: LIFState, inputs: tuple[jax.Array, jax.Array | None]
    ) -> tuple[LIFState, dict[str, jax.Array]]:
        x, noise = inputs
        irec = jnp.zeros_like(state.isyn)
        if w_rec is not None:
            irec = jnp.matmul(state.spikes, w_rec, precision=lax.Precision.HIGHEST)
            irec = irec.reshape(per_synapse)
        isyn = state.isyn + gain_syn * (x + irec - state.isyn)
        drive = sum_in_order(isyn, -1) + (bias if noise is None else noise + bias)
        vmem = state.vmem + gain_mem * (drive - state.vmem)
        spikes = step_pwl(vmem, exact_threshold, 0.5, max_spikes)
        vmem = vmem - spikes * threshold
        record = {"irec": irec, "spikes": spikes, "isyn": isyn, "vmem": vmem}
        return LIFState(vmem, isyn, spikes), record

    noises = None if noise is None else noise.swapaxes(0, 1)
    final, course = lax.scan(step, state, (steps, noises))
    records = {name: values.swapaxes(0, 1) for name, values in course.items()}
    return records["spikes"], final, records
