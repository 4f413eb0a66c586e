"""A time loop as one operation of JAX, with a compiled kernel behind it and all derivatives.

JAX forbids forward-mode differentiation of what has a ``custom_vjp``, and what has a ``custom_jvp``
is differentiated backward by transposing its derivative, step by step. Hence the primitives here:

* the loop itself. On a CPU it is lowered to the kernel, elsewhere to the loop in JAX; see `_lower`;
* its derivative, linear in the tangents. Where it is computed (forward mode), it is the derivative
  of the loop in JAX; where it is transposed (backward), it becomes
* the transposed derivative, on a CPU lowered to the backward kernel.

What the loop gives for the backward kernel alone is not written where nobody asks for it.

Derivatives of the last two are those of the loop in JAX. Mapped over a batch (``vmap``), each is
called for one element after the other.
"""

import logging
from collections.abc import Callable, Iterable, Sequence
from functools import cache, partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import lax
from jax.core import ShapedArray
from jax.extend.core import Primitive
from jax.interpreters import ad, batching, mlir
from jax.interpreters import partial_eval as pe

from rockpool.nn.modules.jax._kernels.calls import call
from rockpool.nn.modules.jax._kernels.sharding import shaped_like, vary_alike

__all__ = ["KernelLoop", "LoopPrimitive"]

LOGGER = logging.getLogger("rockpool.kernels")

Arrays = tuple[Any, ...]
Which = tuple[bool, ...]


class KernelLoop(NamedTuple):
    """A time loop, written in JAX and as kernels, on named tuples of arrays.

    The kernels are ``{name}_forward`` and ``{name}_backward`` of `rockpool.nn.kernels.ffi`.
    """

    name: str
    inputs: Callable[..., Any]  # the named tuple of inputs
    outputs: Callable[..., Any]  # the named tuple of outputs
    # inputs -> outputs, in operations of JAX
    reference: Callable[[Any], Any]
    # shapes of the inputs -> shapes of the outputs
    shapes: Callable[[Any], Any]
    # (inputs, outputs, gradients of the outputs, which inputs need one) -> what the backward kernel
    # takes besides the inputs; a gradient is None where it is zero
    backward: Callable[[Any, Any, Any, Any], dict[str, Any]]
    # the inputs for which the backward kernel has no gradient
    constant: frozenset[str] = frozenset()
    # those whose gradient it leaves out, for a result without size, where it is not needed
    left_out: frozenset[str] = frozenset()
    # the outputs that the forward kernel does not write, with `kept` of size 0, if all are unused
    spare: frozenset[str] = frozenset()


class LoopPrimitive:
    """The function of the inputs of a loop, a named tuple, which returns that of its outputs."""

    def __init__(self, loop: KernelLoop) -> None:
        self._loop = loop
        self._evolve = _primitive(f"rockpool_{loop.name}")
        self._derivative = _primitive(f"rockpool_{loop.name}_derivative")
        self._transposed = _primitive(f"rockpool_{loop.name}_transposed")
        self._define_evolve()
        self._define_derivative()
        self._define_transposed()

    def __call__(self, inputs: Any) -> Any:
        return self._loop.outputs(*self._evolve.bind(*vary_alike(inputs), spared=False))

    # -- the loop: arguments are the inputs; whether outputs are spared

    def _define_evolve(self) -> None:
        self._evolve.def_abstract_eval(self._shapes_of_outputs)
        _lower(self._evolve, self._by_loop, self._by_kernel)
        ad.primitive_jvps[self._evolve] = self._evolve_jvp
        batching.primitive_batchers[self._evolve] = partial(_one_by_one, self._evolve)
        pe.dce_rules[self._evolve] = self._evolve_used

    def _shapes_of_outputs(self, *inputs: Any, spared: bool = False) -> list[ShapedArray]:
        shapes = self._loop.shapes(self._loop.inputs(*(value.shape for value in inputs)))
        return [shaped_like(inputs[0], shape) for shape in shapes]

    def _by_loop(self, *inputs: Any, spared: bool = False) -> Arrays:
        return tuple(self._loop.reference(self._loop.inputs(*inputs)))

    def _by_kernel(self, *inputs: Any, spared: bool = False) -> Arrays:
        loop, given = self._loop, self._loop.inputs(*inputs)._asdict()
        shapes = loop.shapes(loop.inputs(*(value.shape for value in inputs)))
        if loop.spare:
            given["kept"] = jnp.zeros(0 if spared else 1)
        found = call(f"{loop.name}_forward", shapes._asdict(), given)
        return tuple(loop.outputs(**found))

    def _evolve_used(self, used: Sequence[bool], equation: Any) -> tuple[list[bool], Any]:
        """Return which inputs are used, and the equation, given which outputs are."""
        if not any(used):
            return [False] * len(equation.invars), None
        names: Sequence[str] = self._loop.outputs._fields  # type: ignore[attr-defined]
        if self._loop.spare.isdisjoint(_chosen(names, used)):
            equation = equation.replace(params={"spared": True})
        return [True] * len(equation.invars), equation

    def _evolve_jvp(self, inputs: Arrays, tangents: Arrays, spared: bool) -> tuple[Any, Any]:
        outputs = self._evolve.bind(*inputs, spared=False)
        given = tuple(type(tangent) is not ad.Zero for tangent in tangents)
        known = _chosen(tangents, given)
        if self._loop.constant.intersection(_chosen(self._names, given)):
            return outputs, list(self._tangents(*inputs, *known, given=given))
        return outputs, self._derivative.bind(*inputs, *outputs, *known, given=given)

    @property
    def _names(self) -> tuple[str, ...]:
        names: tuple[str, ...] = self._loop.inputs._fields  # type: ignore[attr-defined]
        return names

    # -- its derivative: arguments are inputs, outputs, and the tangents that are given

    def _define_derivative(self) -> None:
        self._derivative.def_abstract_eval(self._shapes_of_tangents)
        _lower(self._derivative, self._tangents)
        ad.primitive_jvps[self._derivative] = self._derivative_jvp
        ad.primitive_transposes[self._derivative] = self._derivative_transpose
        batching.primitive_batchers[self._derivative] = self._derivative_batched

    def _tangents(self, *arguments: Any, given: Which) -> Arrays:
        """Return the tangents of the outputs, by the loop in JAX; outputs are of no use here."""
        inputs, tangents = arguments[: len(given)], arguments[len(arguments) - sum(given) :]
        function = partial(_with_others, self._by_loop, inputs, given)
        return tuple(jax.jvp(function, _chosen(inputs, given), tangents)[1])

    def _shapes_of_tangents(self, *arguments: Any, given: Which) -> list[ShapedArray]:
        return self._shapes_of_outputs(*arguments[: len(given)])

    def _derivative_jvp(self, arguments: Arrays, tangents: Arrays, given: Which) -> Any:
        instantiated = tuple(map(ad.instantiate_zeros, tangents))
        return jax.jvp(partial(self._tangents, given=given), arguments, instantiated)

    def _derivative_transpose(self, gradients: Sequence[Any], *arguments: Any, given: Which) -> Any:
        n_known = len(arguments) - sum(given)
        known, tangents = arguments[:n_known], arguments[n_known:]
        asked = tuple(ad.is_undefined_primal(tangent) for tangent in tangents)
        wanted = _merged(given, iter(asked), [False] * len(given))
        nonzero = tuple(type(gradient) is not ad.Zero for gradient in gradients)
        if any(nonzero):
            kept = _chosen(gradients, nonzero)
            found = self._transposed.bind(*known, *kept, wanted=wanted, nonzero=nonzero)
        else:
            found = [ad.Zero(tangent.aval) for tangent in _chosen(tangents, asked)]
        return [None] * n_known + list(_merged(asked, iter(found), [None] * len(asked)))

    def _derivative_batched(self, arguments: Arrays, axes: Arrays, given: Which) -> Any:
        if any(axis is not None for axis in axes[: len(axes) - sum(given)]):
            return _one_by_one(self._derivative, arguments, axes, given=given)
        # tangents alone, as in jax.jacfwd: the loop in JAX does all of them at once
        mapped = jax.vmap(partial(self._tangents, given=given), in_axes=axes)
        outputs = mapped(*arguments)
        return list(outputs), [0] * len(outputs)

    # -- the transposed derivative: arguments are inputs, outputs, and gradients that are not zero

    def _define_transposed(self) -> None:
        self._transposed.def_abstract_eval(self._shapes_of_gradients)
        _lower(self._transposed, self._gradients_by_loop, self._gradients_by_kernel)
        ad.primitive_jvps[self._transposed] = self._transposed_jvp
        batching.primitive_batchers[self._transposed] = partial(_one_by_one, self._transposed)

    def _shapes_of_gradients(
        self, *arguments: Any, wanted: Which, nonzero: Which
    ) -> list[ShapedArray]:
        inputs = arguments[: len(wanted)]
        return [shaped_like(value, value.shape) for value in _chosen(inputs, wanted)]

    def _gradients_by_loop(self, *arguments: Any, wanted: Which, nonzero: Which) -> Arrays:
        inputs, outputs, gradients = _sections(arguments, len(wanted), len(nonzero))
        function = partial(_with_others, self._by_loop, inputs, wanted)
        cotangents = _merged(nonzero, iter(gradients), map(jnp.zeros_like, outputs))
        return tuple(jax.vjp(function, *_chosen(inputs, wanted))[1](cotangents))

    def _gradients_by_kernel(self, *arguments: Any, wanted: Which, nonzero: Which) -> Arrays:
        loop = self._loop
        inputs, outputs, gradients = _sections(arguments, len(wanted), len(nonzero))
        known = _merged(nonzero, iter(gradients), [None] * len(nonzero))
        given, needed = loop.inputs(*inputs), loop.inputs(*wanted)
        more = loop.backward(given, loop.outputs(*outputs), loop.outputs(*known), needed)
        shapes = {name: value.shape for name, value in given._asdict().items()}
        for name in loop.left_out:
            if not getattr(needed, name):
                shapes[name] = (0,) * len(shapes[name])
        found = call(f"{loop.name}_backward", shapes, {**given._asdict(), **more})
        every = loop.inputs(**found, **dict.fromkeys(loop.constant))
        return _chosen(every, wanted)

    def _transposed_jvp(self, arguments: Arrays, tangents: Arrays, **which: Any) -> Any:
        instantiated = tuple(map(ad.instantiate_zeros, tangents))
        return jax.jvp(partial(self._gradients_by_loop, **which), arguments, instantiated)


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


def _chosen(values: Iterable[Any], which: Iterable[bool]) -> Arrays:
    return tuple(value for value, wanted in zip(values, which, strict=True) if wanted)


def _merged(which: Iterable[bool], chosen: Iterable[Any], others: Iterable[Any]) -> Arrays:
    """Return values with the chosen ones, one after the other, where `which` is True."""
    left = iter(chosen)
    return tuple(next(left) if taken else other for taken, other in zip(which, others, strict=True))


def _with_others(function: Callable[..., Any], inputs: Arrays, which: Which, *values: Any) -> Any:
    """Call a function of all inputs with other values for the chosen ones."""
    return function(*_merged(which, values, inputs))


def _sections(values: Sequence[Any], first: int, second: int) -> tuple[Arrays, Arrays, Arrays]:
    whole = tuple(values)
    return whole[:first], whole[first : first + second], whole[first + second :]


def _one_by_one(primitive: Primitive, arguments: Arrays, axes: Arrays, **which: Any) -> Any:
    """Call a primitive for one element of a mapped axis after the other."""
    is_mapped = tuple(axis is not None for axis in axes)
    pairs = zip(_chosen(arguments, is_mapped), _chosen(axes, is_mapped), strict=True)
    mapped = [jnp.moveaxis(value, axis, 0) for value, axis in pairs]

    def one(values: list[Any]) -> list[Any]:
        return list(primitive.bind(*_merged(is_mapped, values, arguments), **which))

    outputs = lax.map(one, mapped)
    return outputs, [0] * len(outputs)
