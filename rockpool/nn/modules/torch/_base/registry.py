"""How a torch module keeps what is assigned to it: for this package and for torch at once.

Every value stands in one place, where torch keeps it: parameters among the ``nn.Parameter``
objects, states among the persistent buffers, tensors that are not trained among the other buffers,
submodules among torch's. The registry knows what each of them is (its kind, family, shape and how
it is reset). What tools of torch take out of there themselves is not registered any longer, and
what comes back under its name is what it was: so they prune and parametrize modules.

A value that is assigned to a parameter is written into it, such that an optimiser goes on with it.
An ``nn.Parameter`` takes its place, as in torch, but is written into it as one value of a tree: so
layers that share a parameter go on sharing it. A tensor with a graph, which gradients pass through,
takes its place until the next value is assigned: that is written into the parameter that was there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from rockpool.nn.modules._limits import note_given
from rockpool.nn.modules._registry import AttributeRegistry, Family, RegisteredAttribute
from rockpool.nn.modules.module import Module
from rockpool.nn.modules.torch._base.data_parallel import (
    is_exchange_of_shards,
    keep_states_apart,
    neuron_states,
)
from rockpool.nn.modules.torch._base.parameter_tree import TorchModuleParameters
from rockpool.nn.modules.torch._base.recomputation import in_use
from rockpool.nn.modules.torch._base.transforms import compiling, has_graph, trainable
from rockpool.parameters import ParameterBase, ResetTo
from rockpool.typehints import ArrayLike, Self

Values = ArrayLike | Tensor | ParameterBase  # in which form a constructor takes numbers


def to_float_tensor(x: Any) -> Tensor:
    """Return numbers of any kind as a new float32 tensor, on the device they are on."""
    if isinstance(x, Tensor):
        return x.detach().to(torch.float32, copy=True)
    return torch.tensor(x, dtype=torch.float32)


class TorchRegistry(Module, nn.Module):  # type: ignore[misc]
    """A module of this package and of torch, as far as its contents go; see `TorchModule`."""

    # whether an evolution puts new tensors in the place of states, instead of writing into them
    _replaces_states: ClassVar[bool] = False
    # settings whose number is a tensor: one that is assigned becomes one, as the constructor's does
    _settings_as_tensors: ClassVar[frozenset[str]] = frozenset()

    _loads_state_dict: bool = False
    _replaced_parameters: dict[str, nn.Parameter]  # in whose place a tensor with a graph stands
    _taken_out: dict[str, RegisteredAttribute]  # what is known of attributes that were deleted

    def _setup_registry(self) -> None:
        super()._setup_registry()
        self.__dict__.update(_replaced_parameters={}, _taken_out={})

    def __setattr__(self, name: str, value: Any) -> None:
        if is_exchange_of_shards(self.__dict__.get("_parameters", {}).get(name), value):
            self._parameters[name] = value  # nobody has set it
            return
        if isinstance(value, nn.Module) and not isinstance(value, AttributeRegistry):
            self._require_no_cycle(name, value)
            self._adopt(value)
        entry = self.__dict__.get("_registered_attributes", {}).get(name)
        if entry is not None and not self._is_there(name, entry):
            self._take_out(name)
        super().__setattr__(name, value)

    def __delattr__(self, name: str) -> None:
        if name in self._registered_attributes:
            self._take_out(name)
        super().__delattr__(name)

    def _take_out(self, name: str) -> None:
        """Remember of an attribute that is no longer there what it was."""
        self._taken_out[name] = self._registered_attributes.pop(name)
        self._replaced_parameters.pop(name, None)

    def _is_there(self, name: str, entry: RegisteredAttribute) -> bool:
        if entry.kind == "Parameter":
            return name in self._parameters
        return name in self._buffers or hasattr(self, name)

    def _set_registered_attribute(self, name: str, value: Any) -> None:
        if self._loads_state_dict:  # torch has seen to the shape; a value may be a trained one
            self._put_attribute(name, value)
        else:
            super()._set_registered_attribute(name, value)

    def _attributes_of(self, *kinds: str) -> list[tuple[str, RegisteredAttribute]]:
        parameters, buffers = self._parameters, self._buffers
        return [
            (name, entry)
            for name, entry in self._registered_attributes.items()
            if (not kinds or entry.kind in kinds)
            and (name in buffers or name in parameters or self._is_there(name, entry))
        ]

    def _collect(self, kind: str, family: Family) -> dict[str, Any]:
        if self._modules or family is not None:
            return super()._collect(kind, family)
        buffers = self._buffers  # where the states are, which each call returns
        tree: dict[str, Any] = {}
        for name, entry in self._registered_attributes.items():
            if entry.kind != kind:
                continue
            value = buffers.get(name)
            if value is not None:
                tree[name] = value
            elif name in buffers or self._is_there(name, entry):
                tree[name] = self._load_attribute(name)
        return self._make_tree(tree)

    @property
    def _registered_modules(self) -> dict[str, Any]:  # type: ignore[override]
        modules = self._modules
        for name, module in modules.items():
            if getattr(module, "_name", None) != name:
                return self._numbered_anew()
        return dict(modules)  # type: ignore[arg-type]

    def _numbered_anew(self) -> dict[str, Any]:
        """Return the submodules; containers of torch put them there themselves, and take them out.

        So one can be new, or stand under another name than before.
        """
        found = {name: module for name, module in self._modules.items() if module is not None}
        for name, module in found.items():
            if not isinstance(module, AttributeRegistry):
                self._adopt(module)
            module.__dict__["_name"] = name
        return found

    def _adopt(self, module: nn.Module) -> None:
        """Turn a module of torch that has been assigned into one of this package, in place."""
        raise NotImplementedError

    def _convert_attribute(self, name: str, value: Any, entry: RegisteredAttribute) -> Any:
        if value is None:
            return value
        if entry.kind == "Parameter":
            return self._converted_parameter(name, value)
        if entry.kind == "State" and not isinstance(value, Tensor):
            raise TypeError(
                f"{self._label}: the state {name} must be a torch tensor, got {value!r}"
            )
        if entry.kind == "SimulationParameter" and isinstance(value, Tensor):
            whole = name in self._settings_as_tensors and not value.is_floating_point()
            return to_float_tensor(value) if whole else value.detach()
        if isinstance(value, (int, float, np.number)) and name in self._settings_as_tensors:
            present = self._buffers.get(name)
            return value if present is None else torch.full_like(present, float(value))
        return value

    def _known_attributes(self, given: Any, unknown: list[str], path: str = "") -> dict[str, Any]:
        known = super()._known_attributes(given, unknown, path)
        for name, value in known.items():
            present = self._parameters.get(name)
            if present is None or value is present or has_graph(value):
                continue
            # they are written into the parameters, and may be values of others of these
            if isinstance(value, Tensor):
                known[name] = value.detach().clone()
            elif isinstance(value, np.ndarray):
                known[name] = value.copy()
        return known

    def _converted_parameter(self, name: str, value: Any) -> Tensor:
        """Return a parameter or a tensor with a graph as such, other values in the right type."""
        present = self._parameters.get(name)
        if isinstance(value, nn.Parameter) and (
            present is not None or value.dtype == torch.float32
        ):
            return value
        if present is None:
            return nn.Parameter(to_float_tensor(value))
        if has_graph(value):
            return value.to(present)
        given = torch.as_tensor(value, dtype=present.dtype, device=present.device)
        return given.detach().clone()

    def _store_attribute(self, name: str, value: Any, entry: RegisteredAttribute) -> None:
        if entry.kind == "State":
            in_use(self)
        if isinstance(value, Tensor):
            value = trainable(value)
            if entry.kind == "Parameter" and not isinstance(value, nn.Parameter):
                self._store_in_parameter(name, value)
                return
        self._replaced_parameters.pop(name, None)
        homes: dict[str, dict[str, Any]] = {
            "parameter": self._parameters,
            "buffer": self._buffers,
            "plain": self.__dict__,
        }
        if isinstance(value, nn.Parameter):
            home = "parameter"
        elif isinstance(value, Tensor):
            home = "buffer"
        else:  # None leaves a parameter or buffer of torch empty
            empty = ["parameter", "buffer"] if value is None else []
            home = next((key for key in empty if name in homes[key]), "plain")
        self._modules.pop(name, None)
        for key, table in homes.items():
            if key == home:
                table[name] = value
            else:
                table.pop(name, None)
        if home == "buffer" and entry.kind != "State":
            self._non_persistent_buffers_set.add(name)
        else:
            self._non_persistent_buffers_set.discard(name)

    def _store_in_parameter(self, name: str, value: Tensor) -> None:
        """Write a value into a parameter, or put one with a graph in its place."""
        present = self._parameters.get(name)
        if has_graph(value):
            if isinstance(present, nn.Parameter):
                self._replaced_parameters[name] = present
            self._parameters[name] = value  # type: ignore[assignment]
            return
        parameter = self._replaced_parameters.pop(name, present)
        if not isinstance(parameter, nn.Parameter) or parameter.shape != value.shape:
            grad = present is None or present.requires_grad
            parameter = nn.Parameter(value, grad)
        elif parameter.is_inference():
            parameter = nn.Parameter(value, parameter.requires_grad)
        else:
            with torch.no_grad():
                parameter.copy_(value)
        self._parameters[name] = parameter

    def _stored(self, name: str) -> Tensor | None:
        """Return a parameter or buffer as torch keeps it; None where there is none."""
        parameter = self._parameters.get(name)
        return self._buffers.get(name) if parameter is None else parameter

    def _load_attribute(self, name: str) -> Any:
        stored: Any = self._parameters.get(name)
        if stored is None:
            stored = self._buffers.get(name)
        return getattr(self, name) if stored is None else stored

    def _all_or_nothing(self, evolve: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        if compiling():  # no graph would reach out of the block around it
            return evolve(*args, **kwargs)
        return super()._all_or_nothing(evolve, *args, **kwargs)

    def _snapshot(self, within_ours: bool = True) -> Any:
        unsaved, as_they_are = self._non_persistent_buffers_set, self._replaces_states
        if not self._buffers:
            states: dict[str, Any] = {}
        elif as_they_are and not unsaved:
            states = self._buffers.copy()
        else:
            states = {
                name: value if value is None or as_they_are else value.detach().clone()
                for name, value in self._buffers.items()
                if name not in unsaved
            }
        if not self._modules:  # as most members of a container
            return states, []
        return states, [
            (module, module._snapshot()) for module in self._registered_modules.values()
        ]

    def _put_back(self, snapshot: Any) -> None:
        states, modules = snapshot
        self._buffers.update(states)
        for module, inside in modules:
            module._put_back(inside)

    def _is_within(self, module: Any) -> bool:
        if not isinstance(module, nn.Module):
            return False
        return any(part is self for part in nn.Module.modules(module))

    def _check_submodule(self, name: str, module: Any) -> None:
        if not isinstance(module, TorchRegistry):
            raise ValueError(
                f"{self._label}: {name} must be a torch module, to be a part of one; got "
                f"{module.full_name.strip()}"
            )

    def _attribute_reset_value(self, name: str) -> Any:
        value, present = super()._attribute_reset_value(name), self._load_attribute(name)
        if isinstance(value, Tensor) and isinstance(present, Tensor):
            return value.to(present)
        return value

    def _batched_state(self, name: str, batch_size: int) -> Any:
        keep_states_apart()
        return super()._batched_state(name, batch_size)

    @property
    def _ddp_params_and_buffers_to_ignore(self) -> set[str]:
        # DistributedDataParallel asks for it, and has a function that sets it
        return neuron_states(self).union(self.__dict__.get("_ignored_by_ddp", ()))

    @_ddp_params_and_buffers_to_ignore.setter
    def _ddp_params_and_buffers_to_ignore(self, names: Iterable[str]) -> None:
        self.__dict__["_ignored_by_ddp"] = set(names)

    def _make_tree(self, tree: dict[str, Any]) -> TorchModuleParameters:
        return TorchModuleParameters(tree)

    def register_parameter(self, name: str, param: nn.Parameter | None) -> None:
        """Add a parameter, as torch does; it is entered into the tree.

        It has no family, but the one that was taken out under this name, if there was, or that the
        same object has under another name.
        """
        nn.Module.register_parameter(self, name, param)
        if param is not None and not self._came_back(name, param, "Parameter"):
            parameters, entries = self._parameters, self._registered_attributes
            others = (entries[key].family for key in entries if parameters.get(key) is param)
            family = next(others, None)
            self._register_attribute(name, param, "Parameter", family, ResetTo(param))

    def register_buffer(self, name: str, tensor: Tensor | None, persistent: bool = True) -> None:
        """Add a buffer, as torch does; a persistent one is a state, others are not trained."""
        nn.Module.register_buffer(self, name, tensor, persistent)
        kind = "State" if persistent else "SimulationParameter"
        if tensor is not None and not self._came_back(name, tensor, kind, "SimulationParameter"):
            # what tools of torch compute a parameter with is not reset with the state of neurons
            computes = f"{name.rpartition('_')[0]}_orig" in self._parameters
            self._register_attribute(
                name, tensor, kind, None, None if computes else ResetTo(tensor)
            )

    def _came_back(self, name: str, value: Tensor, *kinds: str) -> bool:
        """Register what comes back as what it was before; return False if it is something else."""
        entry = self._taken_out.pop(name, None)
        if entry is None or entry.kind not in kinds or entry.shape != value.shape:
            return False
        self._register_attribute(name, value, *entry.fields())
        return True

    def add_module(self, name: str, module: nn.Module | None) -> None:
        """Add a submodule, as torch does."""
        if isinstance(module, nn.Module):
            self._require_no_cycle(name, module)
        nn.Module.add_module(self, name, module)
        if module is not None:
            setattr(self, name, module)

    def _load_from_state_dict(self, state_dict: Any, prefix: str, *args: Any) -> None:
        for name in [name for name in self._replaced_parameters if prefix + name in state_dict]:
            self._parameters[name] = self._replaced_parameters.pop(name)
        for name, entry in self._registered_attributes.items():
            saved, present = state_dict.get(prefix + name), self._buffers.get(name)
            if entry.kind != "State" or saved is None or present is None:
                continue
            # states may be saved with or without a batch dimension
            if self._fits(entry, tuple(saved.shape)):
                self._buffers[name] = trainable(present.new_empty(saved.shape))
        self.__dict__["_loads_state_dict"] = True
        try:
            super()._load_from_state_dict(state_dict, prefix, *args)  # type: ignore[misc]
        finally:
            del self.__dict__["_loads_state_dict"]
        note_given(self, self._parameters)

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Self:
        # to another device or type; torch knows how for parameters, and only for those
        stand_ins = {name: self._parameters[name] for name in self._replaced_parameters}
        self._parameters.update(self._replaced_parameters)
        with torch.inference_mode(False):  # what is made there could not be trained
            super()._apply(fn, recurse)  # type: ignore[misc]
            for name, tensor in stand_ins.items():
                self._replaced_parameters[name] = self._parameters[name]  # type: ignore[assignment]
                self._parameters[name] = fn(tensor)  # type: ignore[arg-type, assignment]
        return self
