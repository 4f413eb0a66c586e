"""Rate neurons over time by compiled kernels, on the CPU. Needs numba."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import lax

from rockpool.nn.modules.jax._kernels.calls import absent, or_zeros
from rockpool.nn.modules.jax._kernels.primitive import KernelLoop, LoopPrimitive
from rockpool.nn.modules.jax._loops.rate import ACTIVATION_FUNCTIONS, RateParameters, rate_loop

__all__ = ["activation_number", "rate"]

# in the order of their numbers in the kernels
ACTIVATIONS = tuple(ACTIVATION_FUNCTIONS[name] for name in ("relu", "tanh", "sigmoid"))


class Inputs(NamedTuple):
    """Arrays; or for each of them its shape, its gradient, or whether that is needed."""

    data: Any  # (B, T, N)
    w_rec: Any  # (N, N), or empty
    gain: Any  # (N,)
    bias: Any  # (N,)
    threshold: Any  # (N,)
    activation: Any  # the number of the activation function, (1,)
    noise: Any  # (B, T, N), or empty
    x: Any  # (B, N)


class Outputs(NamedTuple):
    """Activity, states, recurrent input if there is any (B, T, N); last states (B, N)."""

    output: Any
    x_record: Any
    rec_record: Any
    x: Any


def _reference(inputs: Inputs) -> Outputs:
    i = inputs

    def act_fn(x: jax.Array, threshold: jax.Array) -> jax.Array:
        chosen: jax.Array = lax.switch(i.activation[0].astype(int), ACTIVATIONS, x, threshold)
        return chosen

    parameters = RateParameters(
        gain=i.gain,
        bias=i.bias,
        threshold=i.threshold,
        w_rec=i.w_rec if i.w_rec.size else None,
        act_fn=act_fn,
    )
    output, final, records = rate_loop(i.data, i.x, parameters, i.noise if i.noise.size else None)
    rec_record = records["rec_input"] if i.w_rec.size else absent(3, i.data)
    return Outputs(output, records["x"], rec_record, final)


def _shapes(shapes: Inputs) -> Outputs:
    per_step = shapes.data
    return Outputs(per_step, per_step, per_step if shapes.w_rec[0] else (0, 0, 0), shapes.x)


def _backward(
    inputs: Inputs, outputs: Outputs, gradients: Outputs, needed: Inputs
) -> dict[str, Any]:
    nothing = absent(3, inputs.data)
    return {
        "at_threshold": jnp.zeros(1, inputs.data.dtype),  # the slope of H_ReLU at the threshold
        "output": outputs.output,
        "x_record": outputs.x_record,
        "grad_output": or_zeros(gradients.output, outputs.output),
        "grad_x_record": nothing if gradients.x_record is None else gradients.x_record,
        "grad_rec_record": nothing if gradients.rec_record is None else gradients.rec_record,
        "grad_x": or_zeros(gradients.x, outputs.x),
    }


_rate = LoopPrimitive(
    KernelLoop(
        "rate",
        Inputs,
        Outputs,
        _reference,
        _shapes,
        _backward,
        constant=frozenset({"activation", "noise"}),
        left_out=frozenset({"w_rec"}),
    )
)


def rate(
    x: jax.Array, state: jax.Array, parameters: RateParameters, noise: jax.Array | None = None
) -> tuple[jax.Array, jax.Array, dict[str, jax.Array]]:
    """Run rate neurons over time; as `rate_loop`."""
    p = parameters
    per_neuron = state.shape[1:]
    inputs = Inputs(
        data=x,
        w_rec=absent(2, x) if p.w_rec is None else p.w_rec,
        gain=jnp.broadcast_to(p.gain, per_neuron),
        bias=jnp.broadcast_to(p.bias, per_neuron),
        threshold=jnp.broadcast_to(p.threshold, per_neuron),
        activation=jnp.full(1, activation_number(p.act_fn), x.dtype),
        noise=absent(3, x) if noise is None else noise,
        x=state,
    )
    output, states, rec_input, final = _rate(inputs)
    records = {"rec_input": jnp.zeros_like(x) if p.w_rec is None else rec_input, "x": states}
    return output, final, records


def activation_number(act_fn: Callable[..., Any]) -> int | None:
    """Return the number of an activation function in the kernels, or None."""
    function = getattr(act_fn, "func", act_fn)
    plain = not getattr(act_fn, "args", ()) and not getattr(act_fn, "keywords", {})
    return ACTIVATIONS.index(function) if plain and function in ACTIVATIONS else None
