"""LIF neurons over time by compiled kernels, on the CPU. Needs numba."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from rockpool.nn.modules.jax._base.spikes import WINDOW
from rockpool.nn.modules.jax._kernels.calls import absent, call, chosen, or_zeros
from rockpool.nn.modules.jax._kernels.exp_syn import exp_syn
from rockpool.nn.modules.jax._kernels.primitive import Arrays, KernelLoop, kernel_loop
from rockpool.nn.modules.jax._loops.lif import LIFParameters, LIFState, lif_loop

__all__ = ["lif"]

# inputs: x, w_rec, alpha, beta, bias, threshold, max_spikes, noise, vmem, isyn, spikes
# outputs: spikes over time, membrane before the reset over time, last membrane, last currents


def _lif_reference(*inputs: Any) -> Arrays:
    x, w_rec, alpha, beta, bias, threshold, max_spikes, noise, vmem, isyn, spikes = inputs
    per_synapse = (*vmem.shape, isyn.shape[1] // vmem.shape[1])
    state = LIFState(vmem, isyn.reshape(per_synapse), spikes)
    parameters = LIFParameters(
        alpha,
        beta.reshape(per_synapse[1:]),
        bias,
        threshold,
        w_rec if w_rec.size else None,
        max_spikes.reshape(()),
    )
    output, final, records = lif_loop(x, state, parameters, noise if noise.size else None)
    before = records["vmem"] + output * threshold
    return output, before, final.vmem, final.isyn.reshape(isyn.shape)


def _lif_shapes(x: Any, *others: Any) -> tuple[tuple[int, ...], ...]:
    vmem, isyn = others[7], others[8]
    over_time = (*x[:2], vmem[1])
    return over_time, over_time, vmem, isyn


def _lif_forward(*inputs: Any) -> Arrays:
    return call("lif_forward", list(_lif_shapes(*(value.shape for value in inputs))), *inputs)


def _lif_backward(
    inputs: Arrays, outputs: Arrays, gradients: Arrays, needed: tuple[bool, ...]
) -> Arrays:
    x, w_rec, alpha, beta, _, threshold, max_spikes, _, vmem, isyn, spikes = inputs
    _, before, last_vmem, last_isyn = outputs
    of_output, of_before, of_vmem, of_isyn = gradients
    shapes = [
        x.shape if needed[0] else (0, 0, 0),
        w_rec.shape if needed[1] else (0, 0),
        alpha.shape,
        beta.shape if needed[3] else (0,),
        alpha.shape,
        threshold.shape,
        vmem.shape,
        isyn.shape,
        spikes.shape,
    ]
    found = call(
        "lif_backward",
        shapes,
        x if needed[3] else absent(3, x),
        w_rec,
        alpha,
        beta,
        threshold,
        max_spikes,
        jnp.full(1, WINDOW, x.dtype),
        vmem,
        isyn,
        spikes,
        before,
        or_zeros(of_output, before),
        absent(3, x) if of_before is None else of_before,
        or_zeros(of_vmem, last_vmem),
        or_zeros(of_isyn, last_isyn),
    )
    not_wanted = None, None  # no gradients of max_spikes and noise
    return chosen((*found[:6], *not_wanted, *found[6:]), needed)


_lif = kernel_loop(
    KernelLoop("lif", _lif_reference, _lif_shapes, _lif_forward, _lif_backward, frozenset({6, 7}))
)


def lif(
    x: jax.Array, state: LIFState, parameters: LIFParameters, noise: jax.Array | None = None
) -> tuple[jax.Array, LIFState, dict[str, jax.Array]]:
    """Run LIF neurons over time; as `lif_loop`."""
    p = parameters
    n_batch, n_out, n_syn = state.isyn.shape
    beta = jnp.broadcast_to(p.beta, (n_out, n_syn)).reshape(-1)
    threshold = jnp.broadcast_to(p.threshold, (n_out,))
    output, before, vmem, isyn = _lif(
        x,
        absent(2, x) if p.w_rec is None else p.w_rec,
        jnp.broadcast_to(p.alpha, (n_out,)),
        beta,
        jnp.broadcast_to(p.bias, (n_out,)),
        threshold,
        jnp.reshape(p.max_spikes, (1,)),
        absent(3, x) if noise is None else noise,
        state.vmem,
        state.isyn.reshape(n_batch, n_out * n_syn),
        state.spikes,
    )
    # What is recorded follows from it. In a jitted function it costs nothing if it is not used.
    irec = jnp.zeros_like(x)
    if p.w_rec is not None:
        sent = jnp.concatenate([state.spikes[:, None], output[:, :-1]], axis=1)
        irec = jnp.matmul(sent, p.w_rec, precision=lax.Precision.HIGHEST)
    currents, _ = exp_syn(x + irec, state.isyn.reshape(n_batch, n_out * n_syn), beta)
    per_synapse = (*output.shape, n_syn)
    records = {
        "vmem": before - output * threshold,
        "isyn": currents.reshape(per_synapse),
        "irec": irec.reshape(per_synapse),
        "spikes": output,
    }
    return output, LIFState(vmem, isyn.reshape(state.isyn.shape), output[:, -1]), records
