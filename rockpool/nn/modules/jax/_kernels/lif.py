"""LIF neurons over time by compiled kernels, on the CPU. Needs numba."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import lax

from rockpool.nn.modules.jax._base.spikes import WINDOW
from rockpool.nn.modules.jax._kernels.calls import absent, or_zeros
from rockpool.nn.modules.jax._kernels.exp_syn import exp_syn
from rockpool.nn.modules.jax._kernels.primitive import KernelLoop, LoopPrimitive
from rockpool.nn.modules.jax._loops.lif import LIFParameters, LIFState, lif_loop

__all__ = ["lif"]


class Inputs(NamedTuple):
    """Arrays; or for each of them its shape, its gradient, or whether that is needed."""

    x: Any  # (B, T, N * S)
    w_rec: Any  # (N, N * S), or empty
    alpha: Any  # (N,)
    beta: Any  # (N * S,)
    bias: Any  # (N,)
    threshold: Any  # (N,)
    max_spikes: Any  # (1,)
    noise: Any  # (B, T, N), or empty
    vmem: Any  # (B, N)
    isyn: Any  # (B, N * S)
    spikes: Any  # (B, N)


class Outputs(NamedTuple):
    """Spikes and membranes before the reset (B, T, N); last membranes and currents."""

    output: Any
    before: Any
    vmem: Any
    isyn: Any


def _reference(inputs: Inputs) -> Outputs:
    i = inputs
    per_synapse = (*i.vmem.shape, i.isyn.shape[1] // i.vmem.shape[1])
    parameters = LIFParameters(
        alpha=i.alpha,
        beta=i.beta.reshape(per_synapse[1:]),
        bias=i.bias,
        threshold=i.threshold,
        w_rec=i.w_rec if i.w_rec.size else None,
        max_spikes=i.max_spikes.reshape(()),
    )
    state = LIFState(i.vmem, i.isyn.reshape(per_synapse), i.spikes)
    output, final, records = lif_loop(i.x, state, parameters, i.noise if i.noise.size else None)
    before = records["vmem"] + output * i.threshold[None, None]
    return Outputs(output, before, final.vmem, final.isyn.reshape(i.isyn.shape))


def _shapes(shapes: Inputs) -> Outputs:
    per_step = (*shapes.x[:2], shapes.vmem[1])
    return Outputs(per_step, per_step, shapes.vmem, shapes.isyn)


def _backward(
    inputs: Inputs, outputs: Outputs, gradients: Outputs, needed: Inputs
) -> dict[str, Any]:
    x, nothing = inputs.x, absent(3, inputs.x)
    return {
        "x": x if needed.beta else nothing,
        "window": jnp.full(1, WINDOW, x.dtype),
        "before": outputs.before,
        "grad_output": or_zeros(gradients.output, outputs.before),
        "grad_before": nothing if gradients.before is None else gradients.before,
        "grad_vmem": or_zeros(gradients.vmem, outputs.vmem),
        "grad_isyn": or_zeros(gradients.isyn, outputs.isyn),
    }


_lif = LoopPrimitive(
    KernelLoop(
        "lif",
        Inputs,
        Outputs,
        _reference,
        _shapes,
        _backward,
        constant=frozenset({"max_spikes", "noise"}),
        left_out=frozenset({"x", "w_rec", "beta"}),
        spare=frozenset({"before"}),
    )
)


def lif(
    x: jax.Array, state: LIFState, parameters: LIFParameters, noise: jax.Array | None = None
) -> tuple[jax.Array, LIFState, dict[str, jax.Array]]:
    """Run LIF neurons over time; as `lif_loop`."""
    p = parameters
    n_batch, n_out, n_syn = state.isyn.shape
    inputs = Inputs(
        x=x,
        w_rec=absent(2, x) if p.w_rec is None else p.w_rec,
        alpha=jnp.broadcast_to(p.alpha, (n_out,)),
        beta=jnp.broadcast_to(p.beta, (n_out, n_syn)).reshape(-1),
        bias=jnp.broadcast_to(p.bias, (n_out,)),
        threshold=jnp.broadcast_to(p.threshold, (n_out,)),
        max_spikes=jnp.reshape(p.max_spikes, (1,)),
        noise=absent(3, x) if noise is None else noise,
        vmem=state.vmem,
        isyn=state.isyn.reshape(n_batch, n_out * n_syn),
        spikes=state.spikes,
    )
    output, before, vmem, isyn = _lif(inputs)
    # What is recorded follows from it. In a jitted function it costs nothing if it is not used.
    irec = jnp.zeros_like(x)
    if p.w_rec is not None:
        sent = jnp.concatenate([state.spikes[:, None], output[:, :-1]], axis=1)
        irec = jnp.matmul(sent, p.w_rec, precision=lax.Precision.HIGHEST)
    currents, _ = exp_syn(x + irec, inputs.isyn, inputs.beta)
    per_synapse = (*output.shape, n_syn)
    records = {
        "vmem": before - output * inputs.threshold[None, None],
        "isyn": currents.reshape(per_synapse),
        "irec": irec.reshape(per_synapse),
        "spikes": output,
    }
    return output, LIFState(vmem, isyn.reshape(state.isyn.shape), output[:, -1]), records
