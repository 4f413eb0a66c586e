"""What a back-end does in its own way: `BackendHooks`, the class to read before adding one."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from rockpool.nn.models import checks
from rockpool.nn.models.finite_input import require_finite_data
from rockpool.nn.modules._attributes import RegisteredAttribute
from rockpool.nn.modules._telling import warn_user
from rockpool.parameters import Shape, is_jax_array, is_tensor, shape_of, to_numpy
from rockpool.typehints import Self

_DOUBLE = np.dtype(np.float64)


class BackendHooks:
    """How a module stores its values, and gets batches of input and states: as numpy does it.

    The base class of another back-end derives from `Module` and overrides what differs there. Its
    constructor calls ``super().__init__(shape=..., spiking_input=..., ...)`` first. Constructors
    are cooperative: arguments that are not used go on along the MRO, so that another base class
    (``torch.nn.Module``) may stand behind `Module`. A layer then assigns ``Parameter``, ``State``
    and ``SimulationParameter`` objects and modules, and has ``evolve``, which starts from
    `_batched_state` and ends with `_keep_state`.

    A value lives where ``getattr(self, name)`` finds it, nowhere else. What is known *about* it is
    in ``self._registered_attributes[name]`` (kind, family, init_func, shape; may be edited), the
    submodules are in ``self._registered_modules[name]``: ordinary dictionaries. Of use are also

    * `_register_attribute`, which registers a value without such an object around it,
    * `_register_module`: what assigning a module does,
    * `_setup_module`: what the constructor of `ModuleBase` does, for objects that it is not called
      for,
    * `_force_attributes`: sets values in place without checks; their shapes become the registered
      ones (values that are traced or have a batch dimension).
    """

    _shape: tuple[Any, ...]
    _name: str
    _registered_attributes: dict[str, RegisteredAttribute]
    _registered_modules: dict[str, Any]
    _keep_batch_state: bool
    # The type in which a module of numpy computes; some can be made for single precision
    _dtype: np.dtype[Any] = _DOUBLE
    # Whether final states are new arrays, and none that is there is ever written to
    _replaces_states: ClassVar[bool] = False

    if TYPE_CHECKING:  # what stands in the registry

        def state(self) -> dict[str, Any]: ...
        def _check_shape(self, name: str, value: Any, said: str = "") -> None: ...

    @property
    def _label(self) -> str:
        """The module as error messages call it: its class, and its name where it has one."""
        return f"{type(self).__name__} {self._name!r}" if self._name else type(self).__name__

    @property
    def _shape_in(self) -> Shape:
        """The axes of one time step of the input: override it where there are several."""
        return ()

    @property
    def _shape_out(self) -> Shape:
        """The axes of one time step of the output: override it where there are several."""
        return ()

    # -- values: override what differs --------------------------------------------------------

    def _convert_attribute(self, name: str, value: Any, entry: RegisteredAttribute) -> Any:
        """Return the form in which a value of a registered attribute is stored.

        Here: where a numpy array or a number is, an array of another back-end becomes a numpy
        array. So the parameters of a trained network can be handed to a native one as they are.
        """
        if isinstance(value, np.ndarray) or not _is_foreign(value):
            given = None if self._dtype == _DOUBLE else getattr(value, "dtype", None)
            return value.astype(self._dtype) if given is not None and given == _DOUBLE else value
        present = self.__dict__.get(name)
        if not isinstance(present, (np.ndarray, np.generic, float, int)):
            return value
        array = to_numpy(value)
        array = array.astype(np.result_type(array, np.asarray(present)), copy=False)
        return array if isinstance(present, np.ndarray) else array[()]

    def _store_attribute(self, name: str, value: Any, entry: RegisteredAttribute) -> None:
        """Put the converted value of a registered attribute where ``getattr`` finds it."""
        super().__setattr__(name, value)

    def _load_attribute(self, name: str) -> Any:
        """Return the present value of a registered attribute."""
        return getattr(self, name)

    def _attribute_reset_value(self, name: str) -> Any:
        """Return the value that a registered attribute has after a reset: its device, its type."""
        entry = self._registered_attributes[name]
        return (
            self._load_attribute(name) if entry.init_func is None else entry.init_func(entry.shape)
        )

    def _check_submodule(self, name: str, module: Any) -> None:
        """Raise a ValueError if a module of that class cannot be a submodule."""

    def _make_tree(self, tree: dict[str, Any]) -> dict[str, Any]:
        """Return what ``parameters()`` and the like give, in the class that the back-end uses."""
        return tree

    def _update_target(self) -> Self:
        """Return the module that ``set_attributes``, ``reset_state`` and such change and return.

        Here: this one. A functional back-end returns ``self._shallow_copy()``; submodules are then
        replaced by their own changed copies, along the path only.
        """
        return self

    # -- evolution that fails: override what differs ------------------------------------------

    def _all_or_nothing(self, evolve: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Evolve; if that fails, this module and all inside it have the state from before."""
        before = self._snapshot()
        try:
            return evolve(*args, **kwargs)
        except BaseException:
            self._put_back(before)
            raise

    def _snapshot(self, within_ours: bool = True) -> Any:
        """Return the state of this module and of all modules inside it, for `_put_back`.

        What is around the module, of what is run, are classes of ours alone or not.
        """
        evolve: Any = type(self).evolve  # type: ignore[attr-defined]
        ours = within_ours and str(evolve.__module__).startswith("rockpool.")
        modules = self._registered_modules.items()
        inside = [(name, child, child._snapshot(ours)) for name, child in modules]
        if ours and self._replaces_states:
            return self.__dict__.copy(), inside
        states = []
        for name, entry in self._registered_attributes.items():
            if entry.kind == "State":
                value = self._load_attribute(name)
                # a class of somebody else may write into its arrays
                copy = value.copy() if isinstance(value, np.ndarray) else None
                states.append((name, value, copy))
        return states, inside

    def _put_back(self, snapshot: Any) -> None:
        """Go back to a state that `_snapshot` gave."""
        states, modules = snapshot
        if isinstance(states, dict):  # all that the module had
            entries = self._registered_attributes.items()
            states = [(name, states[name], None) for name, e in entries if e.kind == "State"]
        for name, value, copy in states:
            if copy is not None and value.flags.writeable:
                value[...] = copy
            self._store_attribute(name, value, self._registered_attributes[name])
        for name, child, inside in modules:
            child._put_back(inside)
            if self._registered_modules[name] is not child:  # of a functional back-end
                setattr(self, name, child)

    # -- input, of numbers or not: override what differs ---------------------------------------

    def _real_input(self, data: Any) -> Any:
        """Return input as an array of real numbers, of the type that they have."""
        return checks.real_input(self._label, data)

    def _require_finite_data(self, data: Any, output: Any) -> None:
        """Require the input of weights to be finite, given their output; see `finite_input`."""
        require_finite_data(self, np.asarray(data), output)

    # -- batches: override what differs -------------------------------------------------------

    def _batched_input(self, data: Any) -> Any:
        """Return input as ``(B, T, size_in)``; see `_auto_batch`. Here: a copy, of float64."""
        return self._batched_numbers(data, copy=True)

    def _batched_numbers(self, data: Any, copy: bool = False) -> np.ndarray:
        """Return input as ``(B, T, size_in)``, of the type of the module; it may be its memory."""
        plain = type(data) is np.ndarray and data.dtype is self._dtype and data.ndim == 3
        if plain and data.shape[2] == self._shape[0] and not (copy or self._shape_in):
            return data  # as it mostly is
        array = self._real_input(data)
        if copy or array.dtype is not self._dtype:
            array = array.astype(self._dtype)
        array = array.reshape(self._batch_shape(array.shape))
        channels = self._shape[0]
        if channels is not None and array.shape[-1] != channels:
            array = np.repeat(array, channels, axis=-1)
        return array

    def _expand_state(self, value: Any, shape: Shape) -> Any:
        """Return a value repeated to a shape ``(B, ...)``, as a new array."""
        repeated = np.empty(shape, self._dtype)
        repeated[...] = value
        return repeated

    # -- batches: call these ------------------------------------------------------------------

    def _auto_batch(
        self,
        data: Any,
        states: tuple[Any, ...] = (),
        target_shapes: tuple[Shape | None, ...] | None = None,
    ) -> tuple[Any, tuple[Any, ...]]:
        """Return input as ``(B, T, size_in)``, and states as ``(B, ...)``, repeated over the batch.

        Parameters
        ----------
        data : array_like, shape ``(T,)``, ``(T, N)`` or ``(B, T, N)``
            Input; ``N`` is ``size_in``, or 1 for the same input to each channel. Anything else is a
            ValueError. For a module with several axes (`_shape_in`), ``(T, *axes)``,
            ``(B, T, *axes)``, ``(T, N)`` or ``(B, T, N)``, with ``N`` in C order.
        states : tuple of arrays, optional
            States to repeat. Default: none.
        target_shapes : tuple of (tuple of int or None), optional
            The shape of each state without batch. Default: the shape that it has.
        """
        array = self._batched_input(data)
        targets = (None,) * len(states) if target_shapes is None else target_shapes
        batched = tuple(
            self._repeated(
                state, self._shape_without_batch(state) if shape is None else shape, len(array)
            )
            for state, shape in zip(states, targets, strict=True)
        )
        return array, batched

    def _with_time(self, data: Any) -> Any:
        """Return input of one axis, which is time, as ``(1, T, size_in)``; other input as it is.

        For modules that hand their input on to others, some of which may have no time of their own.
        """
        if self._shape[0] is None:
            return data
        if not hasattr(data, "ndim"):
            data = self._real_input(data)
        return data if data.ndim > 1 else self._auto_batch(data)[0]

    def _batched_state(self, name: str, batch_size: int) -> Any:
        """Return a state of shape ``(batch_size, ...)``, for ``evolve`` to start from.

        For numpy it is a copy, free to be edited. States that are kept for a batch of another size
        are a ValueError.
        """
        if batch_size > 1 and "_state_of_first" in self.__dict__:
            self._tell_of_batches()
        state: Any = self.__dict__.get(name)
        shape = self._registered_attributes[name].shape
        plain = type(state) is np.ndarray and state.dtype is self._dtype and state.shape == shape
        if plain and batch_size == 1:
            return state[np.newaxis].copy()  # as it mostly is
        return self._repeated(self._load_attribute(name), shape, batch_size)

    def _note_batch(self, batch_size: int) -> None:
        """Note that the states are those of the first of several batch elements."""
        if batch_size > 1 and not self._keep_batch_state:
            self.__dict__.setdefault("_state_of_first", False)

    def _tell_of_batches(self) -> None:
        """Warn once that a batch starts from the states of the first element of the one before."""
        if not self.__dict__["_state_of_first"]:
            self.__dict__["_state_of_first"] = True
            # without the name of the module: so it is shown once for all layers of a network
            warn_user(
                "A batch starts from the state in which batch element 0 of the last one ended. "
                "Call reset_state() before each batch that starts anew, as in a loop of training, "
                "or keep_batch_state() once, for batches whose elements each go on."
            )

    def _state_to_keep(self, batched: Any) -> Any:
        """Return what is to be stored and returned of a final state with batch dimension."""
        return batched if self._keep_batch_state else batched[0]

    def _keep_state(self, **states: Any) -> Any:
        """Store the final states ``(B, ...)`` of a batch, and return the new state.

        An empty batch leaves them as they were. This is the last thing that an ``evolve`` does, and
        all states are stored in one step: whatever fails leaves the module as it was.
        """
        entries, whole, kept = self._registered_attributes, self._keep_batch_state, {}
        dtype = self._dtype
        n_batch = 0
        for name, batched in states.items():
            n_batch = len(batched)
            if not n_batch:
                continue
            value, entry = batched if whole else batched[0], entries.get(name)
            if entry is not None:
                plain = type(value) is np.ndarray and value.dtype is dtype
                if not (plain and value.shape == entry.shape):  # as it mostly is
                    self._check_shape(name, value)
                    value = self._convert_attribute(name, value, entry)
            kept[name] = value
        new_state = {
            name: kept[name] if name in kept else self._load_attribute(name)
            for name, entry in entries.items()
            if entry.kind == "State"
        }
        if self._registered_modules:
            new_state = self.state() | new_state
        if n_batch > 1:
            self._note_batch(n_batch)
        self.__dict__.update(kept)
        return new_state

    def _repeated(self, state: Any, shape: Shape, batch_size: int) -> Any:
        """Return a state of a shape without batch, or one kept for this batch, as ``(B, ...)``."""
        given = state.shape if type(state) is np.ndarray else shape_of(state)
        if len(given) == len(shape) + 1 and given[0] != batch_size:
            raise ValueError(
                f"{self._label}: the state is kept for a batch of {given[0]}, but the input has a "
                f"batch of {batch_size}; call reset_state() before another batch starts"
            )
        return self._expand_state(state, (batch_size, *shape))

    def _shape_without_batch(self, state: Any) -> Shape:
        """Return the shape that a state, given as a value, has for a single input."""
        if self._keep_batch_state:
            for name, entry in self._registered_attributes.items():
                if entry.kind == "State" and self._load_attribute(name) is state:
                    return entry.shape
        return shape_of(state)

    def _batch_shape(self, shape: Shape) -> Shape:
        """Return the three-dimensional shape ``(B, T, N)`` that input of a shape stands for.

        Raises a ValueError if it stands for none, or if ``N`` is neither ``size_in`` nor 1.
        """
        channels = self._shape[0]
        if len(shape) == 3 and shape[2] == channels and not self._shape_in:
            return shape
        if not shape:
            raise ValueError(f"{self._label}: the input must have a time dimension, got a scalar")
        shape = self._flat_shape(shape)
        if len(shape) > 3:
            raise ValueError(
                f"{self._label}: the input must have the shape (T,), (T, N) or (B, T, N), "
                f"got {len(shape)} dimensions, {tuple(shape)}"
            )
        forms: tuple[Shape, ...] = ((1, *shape, 1), (1, *shape), shape)
        batched = tuple(forms[len(shape) - 1])
        if channels is not None and batched[-1] not in (channels, 1):
            raise ValueError(
                f"{self._label}: the input must have {channels} channels (or 1, for all of them), "
                f"got {batched[-1]} in the shape {tuple(shape)}"
            )
        return batched

    def _flat_shape(self, shape: Shape) -> Shape:
        """Return the shape of input, the axes of a time step as one where there are several.

        These may be one already: what can be read as ``(B, T, N)`` is that. A ValueError says it if
        input of that shape has neither the axes nor as many channels.
        """
        axes = self._shape_in
        n_axes = len(axes)
        if n_axes < 2:
            return shape
        size = math.prod(axes)
        if len(shape) in (2, 3) and shape[-1] == size:
            return shape
        if len(shape) - n_axes in (1, 2) and shape[-n_axes:] == axes:
            return (*shape[:-n_axes], size)
        step = ", ".join(map(str, axes))
        raise ValueError(
            f"{self._label}: the input must have the shape (T, {step}), (B, T, {step}), "
            f"(T, {size}) or (B, T, {size}), got {tuple(shape)}"
        )

    def _batch_and_steps(self, shape: Shape) -> tuple[int, int]:
        """Return how many batch elements and time steps input of a shape has."""
        flat = self._flat_shape(tuple(shape))
        batch, n_steps, _ = (1, 1, *flat, *[1] * (len(flat) < 2))[-3:]
        return batch, n_steps


def _is_foreign(value: Any) -> bool:
    """Return True for a torch tensor, and for a JAX array that has values: one not being traced."""
    core = getattr(sys.modules.get("jax"), "core", None)  # it may be in the middle of its import
    is_traced = isinstance(value, getattr(core, "Tracer", ()))
    return is_tensor(value) or (is_jax_array(value) and not is_traced)
