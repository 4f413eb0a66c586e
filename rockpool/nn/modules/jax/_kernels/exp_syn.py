"""Exponential synapses over time by compiled kernels, on the CPU. Needs numba."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from rockpool.nn.modules.jax._kernels.calls import or_zeros
from rockpool.nn.modules.jax._kernels.primitive import KernelLoop, LoopPrimitive
from rockpool.nn.modules.jax._loops.exp_syn import exp_syn_loop

__all__ = ["exp_syn"]


class Inputs(NamedTuple):
    """Arrays; or for each of them its shape, its gradient, or whether that is needed."""

    x: Any  # (B, T, N)
    beta: Any  # (N,)
    isyn: Any  # (B, N)


class Outputs(NamedTuple):
    """Currents (B, T, N), and the last ones (B, N)."""

    output: Any
    isyn: Any


def _reference(inputs: Inputs) -> Outputs:
    return Outputs(*exp_syn_loop(inputs.x, inputs.isyn, inputs.beta))


def _shapes(shapes: Inputs) -> Outputs:
    return Outputs(shapes.x, shapes.isyn)


def _backward(
    inputs: Inputs, outputs: Outputs, gradients: Outputs, needed: Inputs
) -> dict[str, Any]:
    return {
        "output": outputs.output,
        "grad_output": or_zeros(gradients.output, outputs.output),
        "grad_isyn": or_zeros(gradients.isyn, outputs.isyn),
    }


_exp_syn = LoopPrimitive(KernelLoop("exp_syn", Inputs, Outputs, _reference, _shapes, _backward))


def exp_syn(
    x: jax.Array, isyn: jax.Array, beta: jax.Array, noise: jax.Array | None = None
) -> tuple[jax.Array, jax.Array]:
    """Run exponential synapses over time; as `exp_syn_loop`."""
    arriving = x if noise is None else x + noise
    output, final = _exp_syn(Inputs(arriving, jnp.broadcast_to(beta, isyn.shape[1:]), isyn))
    return output, final
