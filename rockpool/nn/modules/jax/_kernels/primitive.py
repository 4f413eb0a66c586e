"""A time loop as one operation of JAX, with a compiled kernel behind it and all derivatives.

JAX forbids forward-mode differentiation of what has a ``custom_vjp``, and what has a ``custom_jvp``
is differentiated backward by transposing its derivative, step by step. Hence the primitives here:

* the loop itself. On a CPU it is lowered to the kernel, elsewhere to the loop in JAX; see `_lower`;
* its derivative, linear in the tangents. Where it is computed (forward mode), it is the derivative
  of the loop in JAX; where it is transposed (backward), it becomes
* the transposed derivative, on a CPU lowered to the backward kernel.

Derivatives of the last two are those of the loop in JAX. Mapped over a batch (``vmap``), each is
called for one element after the other.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from functools import cache, partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import lax
from jax.core import ShapedArray
from jax.extend.core import Primitive
from jax.interpreters import ad, batching, mlir

from rockpool.nn.modules.jax._kernels.sharding import shaped_like, vary_alike

__all__ = ["KernelLoop", "kernel_loop"]

LOGGER = logging.getLogger("rockpool.kernels")

Arrays = tuple[Any, ...]


class KernelLoop(NamedTuple):
    """A time loop, written in JAX and as kernels. All functions take and return arrays."""

    name: str
    # inputs -> outputs, in operations of JAX
    reference: Callable[..., Arrays]
    # shapes of the inputs -> shapes of the outputs
    shapes: Callable[..., tuple[tuple[int, ...], ...]]
    # inputs -> outputs
    forward: Callable[..., Arrays]
    # (inputs, outputs, gradients of the outputs, which inputs need one) -> gradients of the inputs
    # that need one; a gradient of an output is None where it is zero
    backward: Callable[[Arrays, Arrays, Arrays, tuple[bool, ...]], Arrays]
    # the inputs for which `backward` has no gradient
    constant: frozenset[int]


def kernel_loop(loop: KernelLoop) -> Callable[..., list[Any]]:
    """Return a function of the inputs of a loop, which returns its outputs."""
    evolve, derivative, transposed = (
        _primitive(f"rockpool_{loop.name}{part}") for part in ("", "_derivative", "_transposed")
    )

    # -- the loop

    def shapes_of_outputs(*inputs: Any) -> list[ShapedArray]:
        shapes = loop.shapes(*(value.shape for value in inputs))
        return [shaped_like(inputs[0], shape) for shape in shapes]

    def evolve_jvp(inputs: Arrays, tangents: Arrays) -> tuple[Any, Any]:
        outputs = evolve.bind(*inputs)
        given = tuple(type(tangent) is not ad.Zero for tangent in tangents)
        known = [tangent for tangent in tangents if type(tangent) is not ad.Zero]
        if any(given[i] for i in loop.constant):
            return outputs, list(_derivative(loop, given, (), inputs, known))
        return outputs, derivative.bind(*inputs, *outputs, *known, given=given)

    evolve.def_abstract_eval(shapes_of_outputs)
    _lower(evolve, loop.reference, loop.forward)
    ad.primitive_jvps[evolve] = evolve_jvp
    batching.primitive_batchers[evolve] = partial(_one_by_one, evolve)

    # -- its derivative: arguments are inputs, outputs, and the tangents that are given

    def split(arguments: Sequence[Any], given: tuple[bool, ...]) -> tuple[Arrays, Arrays, Arrays]:
        n_inputs, n_tangents = len(given), sum(given)
        n_known = len(arguments) - n_tangents
        values = tuple(arguments)
        return values[:n_inputs], values[n_inputs:n_known], values[n_known:]

    def derivative_of_all(*arguments: Any, given: tuple[bool, ...]) -> Arrays:
        inputs, outputs, tangents = split(arguments, given)
        return _derivative(loop, given, outputs, inputs, tangents)

    def derivative_shapes(*arguments: Any, given: tuple[bool, ...]) -> list[ShapedArray]:
        return shapes_of_outputs(*arguments[: len(given)])

    def derivative_jvp(arguments: Arrays, tangents: Arrays, given: tuple[bool, ...]) -> Any:
        instantiated = tuple(map(ad.instantiate_zeros, tangents))
        return jax.jvp(partial(derivative_of_all, given=given), arguments, instantiated)

    def derivative_transpose(gradients: Arrays, *arguments: Any, given: tuple[bool, ...]) -> Any:
        inputs, outputs, tangents = split(arguments, given)
        nothing = [None] * (len(arguments) - len(tangents))
        is_wanted = iter([ad.is_undefined_primal(tangent) for tangent in tangents])
        wanted = tuple(is_given and next(is_wanted) for is_given in given)
        nonzero = tuple(type(gradient) is not ad.Zero for gradient in gradients)
        kept = [gradient for gradient in gradients if type(gradient) is not ad.Zero]
        found = iter(
            transposed.bind(*inputs, *outputs, *kept, wanted=wanted, nonzero=nonzero)
            if kept
            else [ad.Zero(tangent.aval) for tangent in tangents if ad.is_undefined_primal(tangent)]
        )
        return nothing + [
            next(found) if ad.is_undefined_primal(tangent) else None for tangent in tangents
        ]

    def derivative_batched(arguments: Arrays, axes: Arrays, given: tuple[bool, ...]) -> Any:
        if any(axis is not None for axis in axes[: len(axes) - sum(given)]):
            return _one_by_one(derivative, arguments, axes, given=given)
        # tangents alone, as in jax.jacfwd: the loop in JAX does all of them at once
        mapped = jax.vmap(partial(derivative_of_all, given=given), in_axes=axes)
        outputs = mapped(*arguments)
        return list(outputs), [0] * len(outputs)

    derivative.def_abstract_eval(derivative_shapes)
    _lower(derivative, derivative_of_all)
    ad.primitive_jvps[derivative] = derivative_jvp
    ad.primitive_transposes[derivative] = derivative_transpose
    batching.primitive_batchers[derivative] = derivative_batched

    # -- the transposed derivative: arguments are inputs, outputs, and gradients that are not zero

    def gradients_by_loop(
        *arguments: Any, wanted: tuple[bool, ...], nonzero: tuple[bool, ...]
    ) -> Arrays:
        inputs, outputs, gradients = _sections(arguments, len(wanted), len(nonzero))
        chosen = [value for value, want in zip(inputs, wanted, strict=True) if want]
        function = partial(_of_chosen, loop.reference, inputs, wanted)
        left = iter(gradients)
        cotangents = tuple(
            next(left) if given else jnp.zeros_like(output)
            for output, given in zip(outputs, nonzero, strict=True)
        )
        return tuple(jax.vjp(function, *chosen)[1](cotangents))

    def gradients_by_kernel(
        *arguments: Any, wanted: tuple[bool, ...], nonzero: tuple[bool, ...]
    ) -> Arrays:
        inputs, outputs, gradients = _sections(arguments, len(wanted), len(nonzero))
        left = iter(gradients)
        given = tuple(next(left) if known else None for known in nonzero)
        return loop.backward(inputs, outputs, given, wanted)

    def transposed_shapes(
        *arguments: Any, wanted: tuple[bool, ...], nonzero: tuple[bool, ...]
    ) -> list[ShapedArray]:
        chosen = (value for value, want in zip(arguments, wanted, strict=False) if want)
        return [shaped_like(value, value.shape) for value in chosen]

    def transposed_jvp(arguments: Arrays, tangents: Arrays, **which: Any) -> Any:
        instantiated = tuple(map(ad.instantiate_zeros, tangents))
        return jax.jvp(partial(gradients_by_loop, **which), arguments, instantiated)

    transposed.def_abstract_eval(transposed_shapes)
    _lower(transposed, gradients_by_loop, gradients_by_kernel)
    ad.primitive_jvps[transposed] = transposed_jvp
    batching.primitive_batchers[transposed] = partial(_one_by_one, transposed)

    return lambda *inputs: evolve.bind(*vary_alike(inputs))


def _primitive(name: str) -> Primitive:
    primitive = Primitive(name)
    primitive.multiple_results = True

    @cache
    def compiled(**which: Any) -> Callable[..., Any]:
        return jax.jit(partial(primitive.bind, **which))

    def run(*arguments: Any, **which: Any) -> Any:
        with jax.disable_jit(False):
            return compiled(**which)(*arguments)

    primitive.def_impl(run)
    return primitive


def _lower(
    primitive: Primitive, function: Callable[..., Any], on_cpu: Callable[..., Any] | None = None
) -> None:
    """Say what a primitive is made of, and what on a CPU.

    What is made for a CPU stands for `function` where it is called by one device of this process
    for all that it has: XLA can neither divide a foreign function among devices nor store it.
    """
    loop = mlir.lower_fun(function, multiple_results=True)
    if on_cpu is None:
        mlir.register_lowering(primitive, loop)
        return
    kernel = mlir.lower_fun(on_cpu, multiple_results=True)

    def elsewhere(context: Any, *arguments: Any, **which: Any) -> Any:
        LOGGER.debug("%s: scan (not on a CPU)", primitive.name)
        return loop(context, *arguments, **which)

    def here(context: Any, *arguments: Any, **which: Any) -> Any:
        reason = _not_for_one_device(context.module_context)
        LOGGER.debug("%s: %s", primitive.name, f"scan ({reason})" if reason else "kernel")
        return (loop if reason else kernel)(context, *arguments, **which)

    mlir.register_lowering(primitive, elsewhere)
    mlir.register_lowering(primitive, here, platform="cpu")


def _not_for_one_device(module: Any) -> str | None:
    """Return why what is being lowered is not for one device of this process; None if it is.

    What a version of JAX does not tell counts as a reason.
    """
    parameters = getattr(module, "lowering_parameters", None)
    if getattr(parameters, "for_export", True):
        return "it is exported"
    axes = getattr(module, "axis_context", None)
    if getattr(axes, "num_devices", 0) == 1:
        return None
    mesh = getattr(axes, "mesh", None)
    if mesh is not None and set(getattr(axes, "manual_axes", ())) == set(mesh.axis_names):
        return None  # a part for each device, as in jax.shard_map
    return "it is divided among devices"


def _derivative(
    loop: KernelLoop,
    given: tuple[bool, ...],
    outputs: Arrays,
    inputs: Arrays,
    tangents: Sequence[Any],
) -> Arrays:
    """Return the tangents of the outputs, by the loop in JAX."""
    chosen = [value for value, known in zip(inputs, given, strict=True) if known]
    function = partial(_of_chosen, loop.reference, inputs, given)
    return tuple(jax.jvp(function, tuple(chosen), tuple(tangents))[1])


def _of_chosen(
    function: Callable[..., Any], inputs: Arrays, chosen: tuple[bool, ...], *values: Any
) -> Any:
    """Call a function of all inputs with other values for the chosen ones."""
    left = iter(values)
    pairs = zip(inputs, chosen, strict=True)
    return function(*(next(left) if is_chosen else value for value, is_chosen in pairs))


def _sections(values: Sequence[Any], first: int, second: int) -> tuple[Arrays, Arrays, Arrays]:
    whole = tuple(values)
    return whole[:first], whole[first : first + second], whole[first + second :]


def _one_by_one(primitive: Primitive, arguments: Arrays, axes: Arrays, **which: Any) -> Any:
    """Call a primitive for one element of a mapped axis after the other."""
    mapped = [
        jnp.moveaxis(value, axis, 0)
        for value, axis in zip(arguments, axes, strict=True)
        if axis is not None
    ]

    def one(values: list[Any]) -> list[Any]:
        left = iter(values)
        pairs = zip(arguments, axes, strict=True)
        whole = [value if axis is None else next(left) for value, axis in pairs]
        return list(primitive.bind(*whole, **which))

    outputs = lax.map(one, mapped)
    return outputs, [0] * len(outputs)
