"""Exponential synapses over time by compiled kernels, on the CPU. Needs numba."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from rockpool.nn.modules.jax._kernels.calls import call, chosen, or_zeros
from rockpool.nn.modules.jax._kernels.primitive import Arrays, KernelLoop, kernel_loop
from rockpool.nn.modules.jax._loops.exp_syn import exp_syn_loop

__all__ = ["exp_syn"]

# inputs: x, beta, isyn; outputs: currents over time, last currents


def _exp_syn_reference(x: Any, beta: Any, isyn: Any) -> Arrays:
    return exp_syn_loop(x, isyn, beta)


def _exp_syn_shapes(x: Any, beta: Any, isyn: Any) -> tuple[tuple[int, ...], ...]:
    return x, isyn


def _exp_syn_forward(x: Any, beta: Any, isyn: Any) -> Arrays:
    return call("exp_syn_forward", [x.shape, isyn.shape], x, beta, isyn)


def _exp_syn_backward(
    inputs: Arrays, outputs: Arrays, gradients: Arrays, needed: tuple[bool, ...]
) -> Arrays:
    known = (or_zeros(*pair) for pair in zip(gradients, outputs, strict=True))
    shapes = [value.shape for value in inputs]
    return chosen(call("exp_syn_backward", shapes, *inputs, outputs[0], *known), needed)


_exp_syn = kernel_loop(
    KernelLoop(
        "exp_syn",
        _exp_syn_reference,
        _exp_syn_shapes,
        _exp_syn_forward,
        _exp_syn_backward,
        frozenset(),
    )
)


def exp_syn(
    x: jax.Array, isyn: jax.Array, beta: jax.Array, noise: jax.Array | None = None
) -> tuple[jax.Array, jax.Array]:
    """Run exponential synapses over time; as `exp_syn_loop`."""
    output, final = _exp_syn(
        x if noise is None else x + noise, jnp.broadcast_to(beta, isyn.shape[1:]), isyn
    )
    return output, final
