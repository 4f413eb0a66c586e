"""The time loops of JAX modules by compiled kernels, on the CPU. Needs numba.

The functions have the signatures of those that they stand for, and give the same results:
`lif_scan.lif_loop`, `exp_syn_jax.exp_syn_loop`, `rate_jax.rate_loop`.
`rockpool.nn.modules.jax.paths` knows where they serve, and imports this file when they do.
"""

from __future__ import annotations

import ctypes
from functools import cache
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from rockpool.nn.kernels.ffi import handler_address
from rockpool.nn.modules.jax.exp_syn_jax import exp_syn_loop
from rockpool.nn.modules.jax.kernel_loop import Arrays, KernelLoop, kernel_loop
from rockpool.nn.modules.jax.lif_scan import LIFParameters, LIFState, lif_loop
from rockpool.nn.modules.jax.manual_axes import vary_alike
from rockpool.nn.modules.jax.rate_jax import (
    ACTIVATION_FUNCTIONS,
    RateParameters,
    rate_loop,
)
from rockpool.nn.modules.jax.spikes import WINDOW

__all__ = ["exp_syn", "lif", "rate"]

_capsule = ctypes.pythonapi.PyCapsule_New
_capsule.restype = ctypes.py_object
_capsule.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p]


@cache
def _target(kernel: str) -> str:
    """Return the name under which XLA knows a kernel."""
    name = f"rockpool_{kernel}"
    handler = _capsule(handler_address(kernel), None, None)
    jax.ffi.register_ffi_target(name, handler, platform="cpu", api_version=1)
    return name


def _call(kernel: str, shapes: list[tuple[int, ...]], *arguments: Any) -> Arrays:
    """Call a kernel; scalars among the arguments may be Python numbers."""
    dtype = arguments[0].dtype
    results = [jax.ShapeDtypeStruct(shape, dtype) for shape in shapes]
    arrays = [jnp.asarray(value, dtype) for value in arguments]
    call = jax.ffi.ffi_call(_target(f"{kernel}_{dtype.name}"), results)
    return tuple(call(*vary_alike(arrays)))


def _nothing(n_dim: int, like: Any) -> jax.Array:
    """Return the array that stands for an array which is not there."""
    return jnp.zeros((0,) * n_dim, like.dtype)


def _chosen(values: Arrays, which: tuple[bool, ...]) -> Arrays:
    return tuple(value for value, wanted in zip(values, which, strict=True) if wanted)


def _known(gradient: Any, like: Any) -> Any:
    return jnp.zeros_like(like) if gradient is None else gradient


# -- LIF -------------------------------------------------------------------------------------------
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
    return _call("lif_forward", list(_lif_shapes(*(value.shape for value in inputs))), *inputs)


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
    found = _call(
        "lif_backward",
        shapes,
        x if needed[3] else _nothing(3, x),
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
        _known(of_output, before),
        _nothing(3, x) if of_before is None else of_before,
        _known(of_vmem, last_vmem),
        _known(of_isyn, last_isyn),
    )
    nothing = None, None  # no gradients of max_spikes and noise
    return _chosen((*found[:6], *nothing, *found[6:]), needed)


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
        _nothing(2, x) if p.w_rec is None else p.w_rec,
        jnp.broadcast_to(p.alpha, (n_out,)),
        beta,
        jnp.broadcast_to(p.bias, (n_out,)),
        threshold,
        jnp.reshape(p.max_spikes, (1,)),
        _nothing(3, x) if noise is None else noise,
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


# -- exponential synapses --------------------------------------------------------------------------
# inputs: x, beta, isyn; outputs: currents over time, last currents


def _exp_syn_reference(x: Any, beta: Any, isyn: Any) -> Arrays:
    return exp_syn_loop(x, isyn, beta)


def _exp_syn_shapes(x: Any, beta: Any, isyn: Any) -> tuple[tuple[int, ...], ...]:
    return x, isyn


def _exp_syn_forward(x: Any, beta: Any, isyn: Any) -> Arrays:
    return _call("exp_syn_forward", [x.shape, isyn.shape], x, beta, isyn)


def _exp_syn_backward(
    inputs: Arrays, outputs: Arrays, gradients: Arrays, needed: tuple[bool, ...]
) -> Arrays:
    known = (_known(*pair) for pair in zip(gradients, outputs, strict=True))
    shapes = [value.shape for value in inputs]
    return _chosen(_call("exp_syn_backward", shapes, *inputs, outputs[0], *known), needed)


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


# -- rate neurons ----------------------------------------------------------------------------------
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
    rec_input = records["rec_input"] if w_rec.size else _nothing(3, data)
    return output, records["x"], rec_input, final


def _rate_shapes(data: Any, w_rec: Any, *others: Any) -> tuple[tuple[int, ...], ...]:
    return data, data, data if w_rec[0] else (0, 0, 0), others[5]


def _rate_forward(*inputs: Any) -> Arrays:
    return _call("rate_forward", list(_rate_shapes(*(value.shape for value in inputs))), *inputs)


def _rate_backward(
    inputs: Arrays, outputs: Arrays, gradients: Arrays, needed: tuple[bool, ...]
) -> Arrays:
    data, w_rec, gain, bias, threshold, _, noise, x = inputs
    output, states, _, last = outputs
    of_output, of_states, of_rec_input, of_last = gradients
    shapes = [value.shape for value in (data, w_rec, gain, bias, threshold, x)]
    if not needed[1]:
        shapes[1] = (0, 0)
    found = _call(
        "rate_backward",
        shapes,
        *inputs[:6],
        jnp.zeros(1, data.dtype),  # the slope of H_ReLU at the threshold
        noise,
        x,
        output,
        states,
        _known(of_output, output),
        _nothing(3, data) if of_states is None else of_states,
        _nothing(3, data) if of_rec_input is None else of_rec_input,
        _known(of_last, last),
    )
    nothing = None, None  # no gradients of the activation and noise
    return _chosen((*found[:5], *nothing, found[5]), needed)


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
        _nothing(2, x) if p.w_rec is None else p.w_rec,
        *(jnp.broadcast_to(value, per_neuron) for value in (p.gain, p.bias, p.threshold)),
        jnp.full(1, activation_number(p.act_fn), x.dtype),
        _nothing(3, x) if noise is None else noise,
        state,
    )
    records = {"rec_input": jnp.zeros_like(x) if p.w_rec is None else rec_input, "x": states}
    return output, final, records


def activation_number(act_fn: Any) -> int | None:
    """Return the number of an activation function in the kernels, or None."""
    function = getattr(act_fn, "func", act_fn)
    plain = not getattr(act_fn, "args", ()) and not getattr(act_fn, "keywords", {})
    return ACTIVATIONS.index(function) if plain and function in ACTIVATIONS else None
