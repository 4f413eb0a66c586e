"""The base class of all jax modules, `JaxModule`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import numpy as np
from jax.tree_util import Partial

from rockpool.nn.description import Value
from rockpool.nn.models import checks
from rockpool.nn.models.finite_input import checks_wanted, refuse, require_finite_data
from rockpool.nn.models.model import ParameterSpec, SettingSpec
from rockpool.nn.modules._limits import (
    described,
    least_of,
    limited,
    note_given,
    warn_once,
)
from rockpool.nn.modules._registry import RegisteredAttribute
from rockpool.nn.modules._telling import Told
from rockpool.nn.modules.jax._base import pytree
from rockpool.nn.modules.jax._base.arguments import (
    any_array,
    fit_for_jax,
    float_array,
    number_setting,
    require_static,
    static_bool,
)
from rockpool.nn.modules.jax._base.arrays import batched_input, batched_state
from rockpool.nn.modules.jax._base.lengths import (
    Lengths,
    checked_lengths,
    current_lengths,
    lengths_set,
)
from rockpool.nn.modules.jax._base.rng import initial_key, split_key
from rockpool.nn.modules.jax._kernels.dispatch import kernels_serve
from rockpool.nn.modules.jax._kernels.evolve import Evolution, Layout, TimeLoop, jitted_evolve
from rockpool.nn.modules.module import Module, ModuleBase
from rockpool.parameters import Shape, State, is_tensor, shape_of, to_numpy
from rockpool.typehints import ArrayLike, Self

__all__ = ["JaxModule"]


@cache
def _first_cpu() -> set[Any]:
    """The device whose memory numpy can look at."""
    return {jax.local_devices(backend="cpu")[0]}


_REMEDY = (
    "If training brought it there: within jit a module evolves with max(tau, dt) and "
    "max(threshold, 1e-3); rockpool.training.bound(net, optimizer) keeps the values themselves in "
    "range."
)


class JaxModule(Module):
    """A module of JAX: an ordinary pytree, that changes in copies only.

    Parameters, states and settings are arrays of jax; a module, or any container of modules, may be
    an argument or a result of a function that ``jax.jit``, ``jax.grad``, ``jax.vmap`` and so on
    transform, and ``jax.tree.map`` goes over its arrays. What is no array, such as a flag, a name,
    a time step or a function, belongs to the structure of the pytree and is never traced.

    ``set_attributes``, ``reset_state``, ``reset_parameters`` and ``keep_batch_state`` return a
    changed copy and leave the module as it is. ``evolve`` does not change it either: to go on from
    where a call ended, use its new state::

        output, new_state, record = module(data)
        module = module.set_attributes(new_state)

    Records are always returned. In a jitted function they cost nothing unless they are used.

    Keys for random numbers are integers, of which there is no gradient. For the gradient with
    respect to a whole module use ``jax.grad(..., allow_int=True)``; the gradient is a module too.

    Parameters are those of `Module`.

    Raises
    ------
    ValueError
        A module that is not of JAX becomes a submodule.
    TypeError
        `shape` or a flag is traced; `rng_key`, where there is one, is no key.

    Examples
    --------
    >>> import jax, jax.numpy as jnp
    >>> from rockpool.nn.modules import LIFJax
    >>> net = LIFJax(2)
    >>> def loss(parameters, net, data):
    ...     output, _, _ = net.reset_state().set_attributes(parameters)(data)
    ...     return jnp.sum(output**2)
    >>> value, grads = jax.jit(jax.value_and_grad(loss))(net.parameters(), net, jnp.ones((1, 9, 2)))
    >>> sorted(grads)
    ['bias', 'tau_mem', 'tau_syn', 'threshold']
    """

    _as_parameter: ClassVar[Any] = staticmethod(float_array)
    _forgets: ClassVar[bool] = False  # whether a reset clears states of what was not finite

    _told: Told  # of values out of range
    _init_args: dict[str, Any]  # of the constructor, besides the shape; functions as `Partial`
    rng_key: Any  # the key for random numbers, where there are any: a jax.Array
    dt: float  # where there is time

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        """Return a new object of a class that JAX knows."""
        pytree.register(cls)
        return super().__new__(cls)

    def __init__(
        self,
        shape: int | tuple[int, ...] | None = None,
        spiking_input: bool = False,
        spiking_output: bool = False,
        *args: Any,
        **kwargs: Any,
    ) -> None:
        owner = type(self).__name__
        spiking_input = static_bool(owner, "spiking_input", spiking_input)
        spiking_output = static_bool(owner, "spiking_output", spiking_output)
        super().__init__(shape, spiking_input, spiking_output, *args, **kwargs)
        self._init_args = {}
        self.__dict__["_told"] = Told()

    # -- declaration ------------------------------------------------------------------------

    def _declare(self, arguments: Mapping[str, Any], base_init: Callable[..., None]) -> None:
        """Construct a module of ``_model``; the key for random numbers is registered first."""
        owner = type(self).__name__
        require_static(owner, "shape", "an int or a tuple of ints", arguments.get("shape"))
        flags = {}
        for spec in self._model.settings:
            if isinstance(spec.default, bool) and spec.name in arguments:
                given = arguments[spec.name]
                flag = static_bool(owner, spec.name, given)
                # what is no flag is left for the table to refuse
                flags[spec.name] = given if isinstance(given, (str, int, float)) else flag
                spec.check(owner, spec.name, given)

        def init_with_key(*args: Any, **kwargs: Any) -> None:
            base_init(*args, **kwargs)
            if "rng_key" in arguments:
                key = initial_key(owner, arguments["rng_key"])
                self.rng_key = State(key, shape=key.shape)

        super()._declare({**arguments, **flags}, init_with_key)
        note_given(self, arguments)

    def _put_attribute(self, name: str, value: Any) -> None:
        super()._put_attribute(name, value)
        note_given(self, {name: value})

    def _check_values(self, values: Mapping[str, Any]) -> None:
        try:
            super()._check_values(values)
        except ValueError as error:
            if any(
                name in limited(self) and isinstance(v, jax.Array) for name, v in values.items()
            ):
                error.add_note(_REMEDY)
            raise

    def _said_parameter(self, spec: ParameterSpec) -> Value | None:
        return described(self, super()._said_parameter(spec), spec.name)

    def _as_setting(self, spec: SettingSpec, value: Any) -> Any:
        return number_setting(value) if isinstance(spec.default, float) else value

    # -- pytree -----------------------------------------------------------------------------

    def tree_flatten(self) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
        """Return the children and the static structure of this node.

        Children are parameters, simulation parameters, states and submodules, each a dict by name,
        and ``_init_args``; then what else is to be carried along, unless the class has a
        ``tree_unflatten`` of its own. The structure begins with name, shape, names of submodules.
        """
        own_function = type(self).tree_unflatten.__func__  # type: ignore[attr-defined]
        ours = own_function is JaxModule.tree_unflatten.__func__  # type: ignore[attr-defined]
        return pytree.flatten(self, carry=ours)

    @classmethod
    def tree_unflatten(cls, aux_data: tuple[Any, ...], children: tuple[Any, ...]) -> Self:
        """Return a module of what `tree_flatten` gave. No constructor is called for it.

        For a static structure that is a plain tuple with the same entries, the constructor is
        called, with the shape and ``_init_args``. The leaves of the children may be anything.
        """
        if isinstance(aux_data, pytree.Structure):
            module = object.__new__(cls)
            pytree.restore(module, aux_data, children)
            return module
        parameters, settings, state, modules, init_args = children[:5]
        name, shape = aux_data[:2]
        module = cls(shape=shape, **init_args)
        module._name = name
        for child_name, child in modules.items():
            module._register_module(child_name, child)
        module._force_attributes({**parameters, **settings, **state})
        return module

    def __getstate__(self) -> dict[str, Any]:
        state = self.__dict__.copy()
        state.pop("_pytree_structure", None)  # it knows objects by where they are
        return state

    # -- change -----------------------------------------------------------------------------

    def keep_batch_state(self, keep: bool = True) -> Self:
        static_bool(self._label, "keep", keep)
        return super().keep_batch_state(keep)

    def _update_target(self) -> Self:
        """Return a copy of this module and of all modules inside it; arrays are not copied."""
        module = self._shallow_copy()
        for name, child in self._registered_modules.items():
            copied = child._update_target()
            module._registered_modules[name] = module.__dict__[name] = copied
        return module

    def _snapshot(self, within_ours: bool = True) -> None:
        """Nothing: `evolve` changes no module."""

    def _put_back(self, snapshot: Any) -> None:
        """Nothing is changed, and nothing put back."""

    def _check_submodule(self, name: str, module: ModuleBase) -> None:
        if not isinstance(module, JaxModule):
            raise ValueError(
                f"{self._label}: the submodule {name!r} must be a JaxModule, got "
                f"{type(module).__name__}"
            )

    def _convert_attribute(self, name: str, value: Any, entry: RegisteredAttribute) -> Any:
        """Return a value as a jax array; settings that are no arrays stay what they are."""
        if entry.kind == "SimulationParameter":
            return self._converted_setting(name, value)
        if isinstance(value, jax.Array):
            array = value
        elif isinstance(value, (int, float, complex, list, tuple)) or hasattr(value, "__array__"):
            array = any_array(self._label, name, value)
        else:
            return value
        whole = jnp.issubdtype(array.dtype, jnp.integer)
        whole |= array.dtype == np.bool_ and getattr(self, "_model", None) is not None
        if entry.kind == "Parameter" and whole:
            raise TypeError(
                f"{self._label}: {name} must be of a floating-point type, got {array.dtype}; "
                "there would be no gradient"
            )
        if hasattr(self, "_model") and jnp.issubdtype(array.dtype, jnp.complexfloating):
            raise TypeError(f"{self._label}: {name} must be real, got {array.dtype}")
        if getattr(array, "weak_type", False):  # keys have no such thing
            array = jax.lax.convert_element_type(array, array.dtype)
        return array

    def _converted_setting(self, name: str, value: Any) -> Any:
        if is_tensor(value) and value.ndim == 0:
            value = to_numpy(value)[()]
        if isinstance(value, np.generic):
            number = value.item()
            return float(number) if isinstance(number, np.longdouble) else number
        if isinstance(value, np.ndarray) or is_tensor(value):
            return any_array(self._label, name, value)
        if callable(value) and not isinstance(value, (Partial, type)):
            return Partial(value)
        return value

    # -- input ------------------------------------------------------------------------------

    def _batched_input(self, data: Any) -> jax.Array:
        """Return input as floats (B, T, size_in)."""
        return batched_input(*self._checked_input(data))

    def _checked_input(self, data: Any) -> tuple[Any, Shape]:
        """Return input as an array, and the shape ``(B, T, size_in)`` that it stands for."""
        data = self._real_input(data)
        batch, n_steps, channels = self._batch_shape(data.shape)
        size_in = self._shape[0]
        return data, (batch, n_steps, channels if size_in is None else size_in)

    def _real_input(self, data: Any) -> Any:
        if not isinstance(data, jax.Array):
            data = checks.real_input(self._label, data)
        dtype = data.dtype
        real = jnp.issubdtype(dtype, jnp.floating) or jnp.issubdtype(dtype, jnp.integer)
        if not (real or dtype == np.bool_):
            raise TypeError(
                f"{self._label}: the input must be an array of real numbers, got {dtype}"
            )
        return fit_for_jax(self._label, data)

    def _expand_state(self, value: Any, shape: Shape) -> jax.Array:
        """Return a value repeated to a shape."""
        return jnp.broadcast_to(value, shape)

    # -- evolution --------------------------------------------------------------------------

    def __call__(
        self, input_data: Any, *args: Any, lengths: Any = None, **kwargs: Any
    ) -> tuple[jax.Array, dict[str, Any], dict[str, Any]]:
        """Evolve the module; see `Module`.

        Parameters
        ----------
        input_data : array, or tuple
            As for any module.
        lengths : array_like of int, optional
            How many time steps of the input each batch element has, shape (B,); may be traced.
            Outputs and records beyond are zero; the states, of this module and of all inside it,
            are those at each end. Default: all time steps.
        *args, **kwargs
            Further arguments of ``evolve``.
        """
        if lengths is None:
            result = super().__call__(input_data, *args, **kwargs)
            now = current_lengths()
        else:
            data = input_data[0] if isinstance(input_data, tuple) else input_data
            now = checked_lengths(self._label, lengths, *self._batch_and_steps(np.shape(data)))
            with lengths_set(now):
                result = super().__call__(input_data, *args, **kwargs)
        if now is None:
            return result
        output, new_state, records = result
        return now.cut(output), new_state, now.cut(records)

    def _evolve_batch(
        self,
        loop: TimeLoop,
        input_data: ArrayLike,
        states: dict[str, Shape],
        parameters: dict[str, jax.Array | None],
        **settings: Any,
    ) -> Evolution:
        """Run a time loop from the state of this module, compiled once for all of its size.

        The loop has to be the same object for all modules of a class. `states` are their shapes
        without batch; `parameters` are values, None for what this module has not; `settings` are
        what else the loop is to know besides ``dt``, ``noise_std`` among it.
        """
        data, shape = self._checked_input(input_data)
        before = {name: getattr(self, name) for name in states}
        for name, state in before.items():
            stored = self._registered_attributes[name].shape
            if self._keep_batch_state and len(shape_of(state)) > len(stored):
                self._repeated(state, stored, shape[0])  # raises for a batch of another size
        settings = {"dt": self.dt, **settings}
        traced = {k: v for k, v in settings.items() if isinstance(v, (jax.Array, Partial))}
        least = {name: least_of(self, name, None) for name in limited(self) if name in parameters}
        self._tell_of_values(parameters, least)
        layout = Layout(
            shape=shape,
            n_out=self.size_out,
            states=tuple(states.items()),
            settings=tuple(item for item in settings.items() if item[0] not in traced),
            keep=self._keep_batch_state,
            kernels=kernels_serve(),
            least=tuple(least.items()),
            forgets=self._forgets,
        )
        new_state = {}
        key = None
        if "rng_key" in self._registered_attributes:
            new_state["rng_key"], key = split_key(self.rng_key)
        output, after, records, finite = jitted_evolve(
            data, key, before, parameters, traced, loop=loop, layout=layout
        )
        known = not isinstance(finite, jax.core.Tracer)
        if known and checks_wanted() and not isinstance(data, jax.core.Tracer) and not finite:
            refuse(self._label, data)
        if (lengths := current_lengths()) is not None:
            after = self._at_each_end(
                lengths, before, after, {name: output for name in states} | records
            )
        return output, new_state | {name: after[name] for name in states}, records

    def _require_finite_data(self, data: Any, output: jax.Array) -> None:
        if not isinstance(output, jax.core.Tracer) and output.devices() == _first_cpu():
            require_finite_data(self, np.asarray(data), np.asarray(output))

    def _tell_of_values(self, parameters: dict[str, Any], least: dict[str, float | None]) -> None:
        """Warn once of parameters that training brought out of range, where values are known."""
        dt = self.dt
        if self._told.done or isinstance(dt, jax.core.Tracer):
            return
        found = []
        for name, limit in least.items():
            value, limit = parameters[name], dt if limit is None else limit
            known = None if value is None else checks.known_values(self._label, name, value)
            if known is None or not known.size:
                continue
            lowest = float(known.min())
            if lowest < limit * (1 - 1e-6):
                found.append((name, self._model[name].unit, lowest, limit))
        warn_once(self._label, self._told, found)

    def _at_each_end(
        self,
        lengths: Lengths,
        before: dict[str, Any],
        after: dict[str, jax.Array],
        courses: dict[str, jax.Array],
    ) -> dict[str, jax.Array]:
        """Return states as they are to be stored, at the end of each batch element."""
        found = {}
        for name, state in after.items():
            course = courses[name]
            if course.shape[:2] != (len(lengths.values), lengths.n_steps):
                raise ValueError(
                    f"{self._label}: lengths need the batch and the time steps of the input, "
                    f"{(len(lengths.values), lengths.n_steps)}, got {course.shape[:2]}"
                )
            if len(course):
                start = batched_state(before[name], (len(course), *course.shape[2:]), state.dtype)
                state = lengths.last(course, start)
                state = state if self._keep_batch_state else state[0]
            found[name] = state
        return found
