"""Rate neurons over time by compiled kernels, on the CPU. Needs numba."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from rockpool.nn.modules.jax._kernels.calls import absent, call, chosen, or_zeros
from rockpool.nn.modules.jax._kernels.primitive import Arrays, KernelLoop, kernel_loop
from rockpool.nn.modules.jax._loops.rate import ACTIVATION_FUNCTIONS, RateParameters, rate_loop

__all__ = ["activation_number", "rate"]

# inputs: data, w_rec, gain, bias, threshold, activation, noise, x
# outputs: activity over time, x over time, recurrent input over time or nothing, last x

# in the order of their numbers in the kernels
ACTIVATIONS = tuple(ACTIVATION_FUNCTIONS[name] for name in ("relu", "tanh", "sigmoid"))


def _rate_reference(*inputs: Any) -> Arrays:
    data, w_rec, gain, bias, threshold, activation, noise, x = inputs

    def act_fn(x: Any, threshold: Any) -> Any:
        return lax.switch(activation[0].astype(int), ACTIVATIONS, x, threshold)

    parameters = RateParameters(gain, bias, threshold, w_rec if w_rec.size else None, act_fn)
    output, final, records = rate_loop(data, x, parameters, noise if noise.size else None)
    rec_input = records["rec_input"] if w_rec.size else absent(3, data)
    return output, records["x"], rec_input, final


def _rate_shapes(data: Any, w_rec: Any, *others: Any) -> tuple[tuple[int, ...], ...]:
    return data, data, data if w_rec[0] else (0, 0, 0), others[5]


def _rate_forward(*inputs: Any) -> Arrays:
    return call("rate_forward", list(_rate_shapes(*(value.shape for value in inputs))), *inputs)


def _rate_backward(
    inputs: Arrays, outputs: Arrays, gradients: Arrays, needed: tuple[bool, ...]
) -> Arrays:
    data, w_rec, gain, bias, threshold, _, noise, x = inputs
    output, states, _, last = outputs
    of_output, of_states, of_rec_input, of_last = gradients
    shapes = [value.shape for value in (data, w_rec, gain, bias, threshold, x)]
    if not needed[1]:
        shapes[1] = (0, 0)
    found = call(
        "rate_backward",
        shapes,
        *inputs[:6],
        jnp.zeros(1, data.dtype),  # the slope of H_ReLU at the threshold
        noise,
        x,
        output,
        states,
        or_zeros(of_output, output),
        absent(3, data) if of_states is None else of_states,
        absent(3, data) if of_rec_input is None else of_rec_input,
        or_zeros(of_last, last),
    )
    not_wanted = None, None  # no gradients of the activation and noise
    return chosen((*found[:5], *not_wanted, found[5]), needed)


_rate = kernel_loop(
    KernelLoop(
        "rate", _rate_reference, _rate_shapes, _rate_forward, _rate_backward, frozenset({5, 6})
    )
)


def rate(
    x: jax.Array, state: jax.Array, parameters: RateParameters, noise: jax.Array | None = None
) -> tuple[jax.Array, jax.Array, dict[str, jax.Array]]:
    """Run rate neurons over time; as `rate_loop`."""
    p = parameters
    per_neuron = state.shape[1:]
    output, states, rec_input, final = _rate(
        x,
        absent(2, x) if p.w_rec is None else p.w_rec,
        *(jnp.broadcast_to(value, per_neuron) for value in (p.gain, p.bias, p.threshold)),
        jnp.full(1, activation_number(p.act_fn), x.dtype),
        absent(3, x) if noise is None else noise,
        state,
    )
    records = {"rec_input": jnp.zeros_like(x) if p.w_rec is None else rec_input, "x": states}
    return output, final, records


def activation_number(act_fn: Any) -> int | None:
    """Return the number of an activation function in the kernels, or None."""
    function = getattr(act_fn, "func", act_fn)
    plain = not getattr(act_fn, "args", ()) and not getattr(act_fn, "keywords", {})
    return ACTIVATIONS.index(function) if plain and function in ACTIVATIONS else None
