"""The base class of all torch modules, `TorchModule`.

A `TorchModule` is a module of this package and a ``torch.nn.Module`` at once: `_base.registry` has
the part of it that keeps parameters, states and submodules.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from inspect import signature
from os import PathLike
from typing import Any, ClassVar, TypedDict

import torch
from torch import Tensor, nn

from rockpool.nn.description import Value
from rockpool.nn.models.model import ParameterSpec
from rockpool.nn.modules._limits import described, note_given
from rockpool.nn.modules._registry import Family, RegisteredAttribute
from rockpool.nn.modules._telling import Told
from rockpool.nn.modules.module import ModuleArguments
from rockpool.nn.modules.torch._base import json_io, tracing
from rockpool.nn.modules.torch._base.call_options import (
    CallOptions,
    call_options,
    lengths_of,
    options_set,
)
from rockpool.nn.modules.torch._base.checks import (
    require_dense,
    require_finite_sums,
    require_float_tensor,
    require_same_device,
)
from rockpool.nn.modules.torch._base.from_torch import convert
from rockpool.nn.modules.torch._base.parameter_tree import TorchModuleParameters
from rockpool.nn.modules.torch._base.recomputation import in_use
from rockpool.nn.modules.torch._base.registry import TorchRegistry, to_float_tensor
from rockpool.nn.modules.torch._base.transforms import (
    compiling,
    in_transform,
    underneath,
)
from rockpool.nn.modules.torch._kernels.dispatch import takes_half
from rockpool.nn.modules.torch._kernels.operators import function_name
from rockpool.parameters import Shape
from rockpool.typehints import Self
from rockpool.utilities._atomic import check_path, replacing

__all__ = ["TorchModule", "TorchModuleParameters", "to_float_tensor"]


class TorchArguments(TypedDict, total=False):
    """What the constructor of a torch module hands on, for type checkers."""

    retain_torch_api: bool


class TorchModuleArguments(TorchArguments, ModuleArguments):
    """The same, for a module that leaves it open whether its input and output are spikes."""


def _independent(value: Tensor) -> Tensor:
    """Return a copy without a graph."""
    if not torch.is_inference_mode_enabled():
        return value.detach().clone()
    with torch.inference_mode(False):  # else it could not take part in training later on
        return value.detach().clone()


class TorchModule(TorchRegistry):
    """A module that is a ``torch.nn.Module`` as well.

    A subclass assigns parameters, states and modules in its constructor and has ``forward(data)``,
    which returns the output tensor alone, puts records in ``self._record_dict`` if ``self._record``
    is set, and states back by `_keep_state`; or it overrides `evolve`. Unless a class says
    otherwise, its input is a tensor (B, T, Nin), (T, Nin) or (T,), for B batch elements and T time
    steps, and its output one (B, T, Nout). Then:

    * In *Rockpool mode*, the default, calling the module gives ``(output, state, record)``, and
      ``parameters()`` is a nested dict: ``parameters().astorch()`` are its tensors.
    * In *torch mode*, after `to_torch`, calling the module gives the output alone, and
      ``parameters()``, ``modules()`` and ``repr`` are those of torch.

    In both modes ``state_dict``, ``to``, ``train``, hooks, ``named_parameters`` and all else that
    torch does with a module works.

    What is assigned to an attribute is registered: a ``Parameter`` becomes a float32
    ``nn.Parameter``, a ``State`` (a tensor) a persistent buffer, a ``SimulationParameter`` that
    holds a tensor a buffer outside the ``state_dict``; an ``nn.Parameter`` or a buffer of torch is
    entered into the tree, and an ``nn.Module`` is turned into a `TorchModule` in place.

    What is assigned to a parameter that is there, also by `set_attributes` and resets,

    * is written into it, if it is a number, an array or a tensor without a graph: the
      ``nn.Parameter`` is the one that an optimiser has,
    * takes its place, if it is an ``nn.Parameter``,
    * takes its place, if it is a tensor with a graph, which gradients then pass through:
      ``layer.threshold = 2 * z`` gives ``z`` its gradient. It stands among ``parameters()``, though
      no optimiser takes it. The next value that is assigned, reset or loaded is written into the
      parameter that was there before. (To scale a parameter, assign ``2 * layer.weight.detach()``.)

    Parametrizations, pruning and norms of ``torch.nn.utils`` work on every parameter.

    Parameters
    ----------
    retain_torch_api : bool
        Whether to start in torch mode. Default: False.
    shape, spiking_input, spiking_output
        As for `Module`; by keyword.
    """

    # settings that a module has for good: values saved with others belong to another kind of module
    _structure: ClassVar[frozenset[str]] = frozenset()

    _records_always: ClassVar[bool] = False  # whether evolve returns a record without being asked

    _passes_states: ClassVar[bool] = False  # whether forward puts all states in `_passed_state`

    _time_first: ClassVar[bool] = False  # whether data are (T, B, N), and not (B, T, N)

    dt: float  # of the modules that have noise
    noise_std: float | Tensor

    _as_parameter = staticmethod(to_float_tensor)
    _zeros = staticmethod(torch.zeros)

    _has_torch_api: bool  # parameters() and modules() are torch's
    _torch_call: bool  # a call gives the output alone
    _torch_repr: bool
    _record: bool  # whether forward is to fill the following
    _record_dict: dict[str, Any]
    _noise_in_graph: float = 0.0  # `noise_std`, where that is a tensor whose value is not known
    _function_name: str = ""  # of its spike or activation function, where a graph can have that
    _told: Told  # of values out of range
    _passed_state: dict[str, Any]  # final states, such as cannot be stored within a transform

    def __init__(self, retain_torch_api: bool = False, *args: Any, **kwargs: Any) -> None:
        if not isinstance(retain_torch_api, bool):
            raise TypeError(
                f"{type(self).__name__}: retain_torch_api must be a bool, got {retain_torch_api!r}"
            )
        self._setup_modes(retain_torch_api)
        super().__init__(*args, **kwargs)

    def _store_attribute(self, name: str, value: Any, entry: RegisteredAttribute) -> None:
        super()._store_attribute(name, value, entry)
        if callable(value):
            self.__dict__["_function_name"] = function_name(value)

    def _declare(self, arguments: Mapping[str, Any], base_init: Callable[..., None]) -> None:
        # what is first among the arguments of a base class is `retain_torch_api`
        named = ModuleArguments.__annotations__
        flags = {name: arguments[name] for name in named if name in arguments}
        others = {name: value for name, value in arguments.items() if name not in flags}

        def init(shape: Shape, *args: Any, **kwargs: Any) -> None:
            base_init(*args, shape=shape, **flags, **kwargs)

        super()._declare(others, init)
        note_given(self, arguments)

    def _put_attribute(self, name: str, value: Any) -> None:
        super()._put_attribute(name, value)
        note_given(self, {name: value})

    def _said_parameter(self, spec: ParameterSpec) -> Value | None:
        return described(self, super()._said_parameter(spec), spec.name)

    def _setup_modes(self, torch_api: bool) -> None:
        self.__dict__.update(
            _has_torch_api=torch_api,
            _torch_call=torch_api,
            _torch_repr=False,
            _record=False,
            _record_dict={},
            _passed_state={},
            _told=Told(),
        )

    # -- evolution --------------------------------------------------------------------------

    def evolve(
        self,
        input_data: Any,
        record: bool = False,
        *args: Any,
        detach: bool | None = None,
        lengths: Any = None,
        memory: str | None = None,
        **kwargs: Any,
    ) -> tuple[Any, dict[str, Any], dict[str, Any]]:
        """Process input and return ``(output, new_state, record)``.

        Parameters
        ----------
        input_data : Tensor
            Shape (B, T, Nin), (T, Nin) or (T,).
        record : bool
            Whether to keep the time course of internal values. Default: False.
        detach : bool
            Whether the states that are left for the next call, of this module and of all inside
            it, are cut from their graph. Default: True. With False, gradients of the next call
            reach back into this one, for backpropagation through time over several calls; until
            then the module cannot be copied. `keep_batch_state` has them for all batch elements.
        lengths : array_like of int, optional
            How many time steps of the input each batch element has, shape (B,). Outputs and records
            beyond are zero; the states are those at each end. Default: all time steps.
        memory : str, optional
            "low" for gradients that take less memory and up to half as much time again, or "full";
            see `rockpool.nn.kernels.switch.save_memory`, which decides by default.
        *args, **kwargs
            Further arguments of ``forward``; also `detach`, `lengths` and `memory` where it has
            such names.

        Returns
        -------
        output : Tensor
            Shape (B, T, Nout).
        new_state : TorchModuleParameters
            The state after the last time step, without gradients.
        record : dict
            Tensors (B, T, ...) by name; empty without `record`.
        """
        given = {"detach": detach, "lengths": lengths, "memory": memory}
        given = {name: value for name, value in given.items() if value is not None}
        if not given:
            return self._evolve(input_data, record, args, kwargs)
        own = given.keys() & signature(self.forward).parameters.keys()
        kwargs |= {name: given.pop(name) for name in own}
        if not given:
            return self._evolve(input_data, record, args, kwargs)
        with options_set(self._label, self._options(input_data, **given)):
            return self._evolve(input_data, record, args, kwargs)

    def _options(
        self, data: Any, *, detach: bool = True, lengths: Any = None, memory: str | None = None
    ) -> CallOptions:
        """Return the options for a call, checked."""
        if memory not in (None, "low", "full"):
            raise ValueError(f"{self._label}: memory must be 'low' or 'full', got {memory!r}")
        if not isinstance(detach, bool):
            raise TypeError(f"{self._label}: detach must be a bool, got {detach!r}")
        if lengths is None:
            return CallOptions(detach, memory=memory)
        if not isinstance(data, Tensor):
            raise TypeError(f"{self._label}: with lengths, the input must be a torch tensor")
        n_batch, n_steps = self._batch_and_steps(data.shape)
        steps = lengths_of(self._label, lengths, n_batch, n_steps)
        return CallOptions(detach, steps, n_steps, memory)

    def _evolve(
        self, input_data: Any, record: bool, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[Any, dict[str, Any], dict[str, Any]]:
        options = call_options()
        courses = record or (options.lengths is not None and not self._records_always)
        self.__dict__.update(_record=courses, _record_dict={}, _passed_state={})
        try:
            output = self._run_forward(input_data, *args, **kwargs)
            records, passed = self._record_dict, self._passed_state
        finally:
            # nothing with a graph behind it stays in the module, which can be copied at any time
            self.__dict__.update(_record=False, _record_dict={}, _passed_state={})
        if self._passes_states and not self._registered_attributes:
            state: dict[str, Any] = self._make_tree(passed)
        else:
            state = self._collect("State", None)
            state.update(passed)
        records = records if record or self._records_always else {}
        if options.lengths is not None and not self._time_first:
            output, records = options.cut(output), options.cut(records)
        return output, state, records

    def __call__(self, *args: Any, **kwargs: Any) -> tuple[Tensor, dict[str, Any], dict[str, Any]]:
        """Evolve the module; in torch mode, return the output alone (no type checker knows)."""
        if not self._torch_call:
            if type(self).evolve is not TorchModule.evolve:
                in_use(self)
            return super().__call__(*args, **kwargs)
        if type(self).forward is nn.Module.forward:  # the class has `evolve` only
            return self.evolve(*args, **kwargs)[0]
        if not kwargs.keys().isdisjoint(("lengths", "detach", "memory")):
            return self.evolve(args[0], False, *args[1:], **kwargs)[0]
        try:
            return self._run_forward(*args, **kwargs)
        finally:
            self.__dict__.update(_record_dict={}, _passed_state={})

    def _run_forward(self, *args: Any, **kwargs: Any) -> Any:
        """Call ``forward`` and the hooks of torch; an error leaves the states as they were."""
        in_use(self)
        if tracing.TRACED in self.__dict__:
            tracing.before_call(self)
        before = self._buffers.copy()
        try:
            return nn.Module.__call__(self, *args, **kwargs)
        except BaseException:
            self._buffers.update(before)
            raise

    def _input(self, data: Any, like: Tensor | None = None, half: bool = False) -> Tensor:
        """Return input data, checked, as (B, T, size_in), in the type of a tensor of the module.

        Input in half precision may stay so, where a kernel can take it, if `half`.
        """
        if like is not None and self._is_as_needed(data, like):
            return data
        require_float_tensor(self._label, data)
        data = self._shaped(data)
        if like is None:
            return data
        require_same_device(self._label, data, like)
        return data if half and takes_half(data, like) else data.to(like.dtype)

    def _is_as_needed(self, data: Any, like: Tensor) -> bool:
        """Whether data are a plain tensor (B, T, size_in) of the type of a tensor of the module."""
        return (
            type(data) is Tensor
            and data.dim() == 3
            and data.dtype is like.dtype
            and data.shape[2] == self._shape[0]
            and data.device == like.device
            and data.layout is torch.strided
            and not data.is_nested
        )

    def _shaped(self, data: Tensor) -> Tensor:
        """Return data as (B, T, size_in), one channel repeated for all of them."""
        if data.dim() == 0:
            raise ValueError(
                f"{self._label}: the input must have a time dimension, got a single number"
            )
        shape = self._batch_shape(tuple(data.shape))
        data = data.reshape(shape)
        channels = self.size_in
        if channels is not None and shape[-1] != channels:
            return data.expand(shape[0], shape[1], channels)
        return data

    def _require_finite_data(self, data: Tensor, output: Tensor) -> None:
        require_finite_sums(self._label, data, output)

    def _batched_input(self, data: Any) -> Tensor:
        require_dense(self._label, data)
        if not isinstance(data, Tensor):
            raise TypeError(f"{self._label}: the input must be a torch tensor, got {type(data)}")
        return self._shaped(data)

    def _expand_state(self, value: Tensor, shape: Shape) -> Tensor:
        return value.expand(shape)

    def _start(self, name: str, data: Tensor, like: Tensor | None = None) -> Tensor:
        """Return a state with the batch dimension in front, of the batch size of input.

        It is in the type of the input, or of another tensor.
        """
        start = self._batched_state(name, data.shape[0]).to(data if like is None else like)
        # a graph writes into the state itself, where gradients still need it
        return start.clone() if compiling() or torch.jit.is_tracing() else start

    def _keep_state(
        self, courses: Mapping[str, Tensor] | None = None, /, **states: Tensor | None
    ) -> None:
        """Store final states (B, ...), each without its graph and in storage of its own.

        For batch elements that end earlier, `courses` has values (B, T, ...) over time; what is not
        there is looked for in the record.
        """
        present = {name: value for name, value in states.items() if value is not None}
        n_batch = next(iter(present.values())).shape[0]
        if n_batch == 0:
            return
        options = call_options()
        if options.lengths is not None:
            known = {**self._record_dict, **(courses or {})}
            for name in present:
                before = self._batched_state(name, n_batch)
                present[name] = options.last(self._label, name, known.get(name), before)
        kept = {name: self._state_to_keep(value) for name, value in present.items()}
        self._store_states(kept, options.detach)
        if not (compiling() or in_transform() or torch.jit.is_tracing()):
            self._note_batch(n_batch)

    def _store_states(self, states: dict[str, Tensor], detach: bool = True) -> None:
        if in_transform():  # values of a transform mean nothing once it has ended
            self._passed_state.update(states)
        elif compiling() or torch.jit.is_tracing():
            self._write_states(states)
        elif detach:
            self._buffers.update({name: _independent(value) for name, value in states.items()})
        else:
            self._buffers.update(states)

    def _write_states(self, states: dict[str, Tensor]) -> None:
        """Write states into the tensors that are there: the way that a graph can have them."""
        for name, value in states.items():
            present, value = self._buffers[name], value.detach()
            if present is None or present.shape != value.shape:
                raise ValueError(
                    f"{self._label}: the state {name} has the shape "
                    f"{None if present is None else tuple(present.shape)} but would become "
                    f"{tuple(value.shape)}, which a graph cannot change; call the module once with "
                    f"such a batch before"
                )
            tracing.write(self, present, value)

    def _noise(self, shape: Shape, like: Tensor) -> Tensor | None:
        """Return noise with the standard deviation `noise_std` after one second, or None for 0."""
        noise_std = self.noise_std
        if isinstance(noise_std, Tensor) and compiling():
            noise_std = self._noise_in_graph
        if isinstance(noise_std, Tensor) and in_transform():  # there may be one for each of many
            if not bool(underneath(noise_std).any()):
                return None
        else:
            noise_std = float(noise_std)
            if noise_std == 0.0:
                return None
        scale = noise_std * float(self.dt) ** 0.5
        return torch.randn(shape, dtype=like.dtype, device=like.device) * scale

    # -- what means one thing to torch and another to Rockpool --------------------------------

    def parameters(self, *args: Any, **kwargs: Any) -> Any:
        """Return the parameters: a nested dict by name; in torch mode, an iterator.

        Parameters
        ----------
        family : str, or list or tuple of str, optional
            In Rockpool mode: only parameters of these families.
        recurse : bool, optional
            In torch mode: whether to include those of submodules. Default: True.

        Returns
        -------
        TorchModuleParameters or iterator of nn.Parameter
            The module's own values, not copies.
        """
        if self._has_torch_api or "recurse" in kwargs:
            return nn.Module.parameters(self, *args, **kwargs)
        return super().parameters(*args, **kwargs)

    def state(self, family: Family = None) -> Any:
        """Return the states, by name; as `Module.state`."""
        for module in nn.Module.modules(self):
            in_use(module)
        return super().state(family)

    def modules(self, *args: Any, **kwargs: Any) -> Any:
        """Return the direct submodules by name; in torch mode, iterate over all modules inside."""
        if self._has_torch_api:
            return nn.Module.modules(self, *args, **kwargs)
        return super().modules()

    def __repr__(self, indent: str = "") -> str:
        return nn.Module.__repr__(self) if self._torch_repr else super().__repr__(indent)

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Reset the gradients of all parameters: to None, or else to zeros."""
        for parameter in nn.Module.parameters(self):
            if not parameter.is_leaf or parameter.grad is None:
                continue
            if set_to_none:
                parameter.grad = None
            else:
                parameter.grad = torch.zeros_like(parameter.grad)

    def requires_grad_(self, requires_grad: bool = True) -> Self:
        """Set whether all parameters are trained, and return the module."""
        for parameter in nn.Module.parameters(self):
            if parameter.is_leaf:  # else it stands in a parameter's place, with its own graph
                parameter.requires_grad_(requires_grad)
        return self

    def to_torch(self, use_torch_call: bool = True) -> Self:
        """Switch to torch mode: this module itself, and all modules inside.

        There is no copy and no way back: whoever holds the module gets its output alone from now
        on. ``copy.deepcopy(module).to_torch()`` is a module in torch mode beside this one.

        Parameters
        ----------
        use_torch_call : bool
            Whether a call gives the output alone. Default: True. Submodules go on returning
            ``(output, state, record)``, as the modules around them expect.

        Returns
        -------
        TorchModule
            This module, changed.
        """
        self.__dict__.update(_has_torch_api=True, _torch_repr=True, _torch_call=use_torch_call)
        for module in self._registered_modules.values():
            if not module._has_torch_api:  # type: ignore[attr-defined]
                module.to_torch(use_torch_call=False)  # type: ignore[attr-defined]
        return self

    @classmethod
    def from_torch(cls, obj: nn.Module, retain_torch_api: bool = False) -> None:
        """Turn a module of torch into a `TorchModule`, in place, with all modules inside it.

        Parameters
        ----------
        obj : nn.Module
            The module. It stays an instance of its class, gains the shape ``(None,)``, and has its
            parameters and persistent buffers as parameters and states. `reset_state` does not touch
            those: a running mean is no state of neurons. If the class of the module has a method
            ``reset_state``, or ``reset_states``, without arguments, that is called.
        retain_torch_api : bool
            Whether it goes on as before when called, instead of returning ``(output, state,
            record)``. Default: False. Modules inside it always do.

        Raises
        ------
        TypeError
            `obj` is not a module of torch.
        ValueError
            Its parameters are not known before the first call (a lazy module).
        """
        convert(obj, TorchModule, retain_torch_api)

    def _adopt(self, module: nn.Module) -> None:
        convert(module, TorchModule, retain_torch_api=True)

    # -- saving -----------------------------------------------------------------------------

    param_to_json = staticmethod(json_io.param_to_json)
    merge = staticmethod(json_io.merge)

    def to_json(self) -> dict[str, Any]:
        """Return parameters and simulation parameters as a nested dict of JSON texts.

        Functions are given as None. States are left out.
        """
        return json_io.tree_to_json(self)

    def json_to_param(self, json_params: dict[str, Any]) -> None:
        """Set parameters and simulation parameters from what `to_json` gave.

        Tensors are written into those that the module has, so that an optimiser goes on with them.

        Raises
        ------
        ValueError
            A name that the module does not know, or a parameter that is missing; another shape or
            kind of value, or one that the constructor refuses; another structure of the module.
            Nothing has been changed then.
        """
        json_io.set_from_json(self, json_params)

    def save(self, filename: str | PathLike[str]) -> None:
        """Write parameters and simulation parameters to a JSON file; see `load`.

        Where that fails, a file that was there is as before.
        """
        path = check_path(self._label, filename)
        text = json.dumps(self.to_json())
        with replacing(path, encoding="utf-8") as file:
            file.write(text)

    def load(self, filename: str | PathLike[str]) -> None:
        """Read parameters and simulation parameters from a JSON file that `save` wrote.

        Raises
        ------
        ValueError
            The file does not fit this module; see `json_to_param`. Nothing has been changed then.
        """
        with open(check_path(self._label, filename), encoding="utf-8") as file:
            try:
                text = file.read()
            except ValueError as error:  # no text at all
                raise ValueError(
                    f"{self._label}: {filename} is not a JSON file: {error}"
                ) from error
        self.json_to_param(json_io.parsed(self._label, str(filename), text, "file"))
