"""How a torch module keeps what is assigned to it: for this package and for torch at once.

Every value stands in one place, where torch keeps it: parameters among the ``nn.Parameter``
objects, states among the persistent buffers, tensors that are not trained among the other buffers.
The registry knows what each of them is (its kind, family, shape and how it is reset).
"""

from __future__ import annotations

from typing import Any

import torch
from numpy.typing import ArrayLike
from torch import Tensor, nn

from rockpool.nn.modules._registry import AttributeRegistry, RegisteredAttribute
from rockpool.nn.modules.module import Module
from rockpool.nn.modules.torch._base.parameter_tree import ParameterName, TorchModuleParameters
from rockpool.nn.modules.torch._base.recomputation import in_use
from rockpool.nn.modules.torch._base.transforms import compiling
from rockpool.parameters import ParameterBase, ResetTo

Values = ArrayLike | Tensor | ParameterBase  # in which form a constructor takes numbers


def to_float_tensor(x: Any) -> Tensor:
    """Return numbers of any kind as a new float32 tensor, on the device they are on."""
    if isinstance(x, Tensor):
        return x.detach().to(torch.float32, copy=True)
    return torch.tensor(x, dtype=torch.float32)


class TorchRegistry(Module, nn.Module):  # type: ignore[misc]
    """A module of this package and of torch, as far as its contents go; see `TorchModule`."""

    def __setattr__(self, name: str, value: Any) -> None:
        if isinstance(value, nn.Module) and not isinstance(value, AttributeRegistry):
            self._adopt(value)
        super().__setattr__(name, value)

    def _adopt(self, module: nn.Module) -> None:
        """Turn a module of torch that has been assigned into one of this package, in place."""
        raise NotImplementedError

    def _convert_attribute(self, name: str, value: Any, entry: RegisteredAttribute) -> Any:
        if value is None:
            return value
        if entry.kind == "Parameter":
            present = self._parameters.get(name)
            if isinstance(value, nn.Parameter) and (
                present is not None or value.dtype == torch.float32
            ):
                return value
            if present is None:
                return nn.Parameter(to_float_tensor(value))
            tensor = torch.as_tensor(value).detach().to(present, copy=True)
            return nn.Parameter(tensor, present.requires_grad)
        if entry.kind == "State" and not isinstance(value, Tensor):
            raise TypeError(
                f"{self._label}: the state {name} must be a torch tensor, got {value!r}"
            )
        if entry.kind == "SimulationParameter" and isinstance(value, Tensor):
            return value.detach()
        return value

    def _store_attribute(self, name: str, value: Any, entry: RegisteredAttribute) -> None:
        if entry.kind == "State":
            in_use(self)
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
        for key, table in homes.items():
            if key == home:
                table[name] = value
            else:
                table.pop(name, None)
        if home == "buffer" and entry.kind != "State":
            self._non_persistent_buffers_set.add(name)
        else:
            self._non_persistent_buffers_set.discard(name)

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

    def _make_tree(self, tree: dict[str, Any]) -> TorchModuleParameters:
        if compiling():  # no graph can have these names
            return TorchModuleParameters(tree)
        return TorchModuleParameters({ParameterName(name): tree[name] for name in tree})

    def register_parameter(self, name: str, param: nn.Parameter | None) -> None:
        """Add a parameter, as torch does; it is entered into the tree, without a family."""
        nn.Module.register_parameter(self, name, param)
        if param is not None:
            self._register_attribute(name, param, "Parameter", None, ResetTo(param))

    def register_buffer(self, name: str, tensor: Tensor | None, persistent: bool = True) -> None:
        """Add a buffer, as torch does; a persistent one is a state, others are not trained."""
        nn.Module.register_buffer(self, name, tensor, persistent)
        if tensor is not None:
            kind = "State" if persistent else "SimulationParameter"
            self._register_attribute(name, tensor, kind, None, ResetTo(tensor))

    def add_module(self, name: str, module: nn.Module | None) -> None:
        """Add a submodule, as torch does."""
        nn.Module.add_module(self, name, module)
        if module is not None:
            setattr(self, name, module)

    def _load_from_state_dict(self, state_dict: Any, prefix: str, *args: Any) -> None:
        for name, entry in self._registered_attributes.items():
            saved, present = state_dict.get(prefix + name), self._buffers.get(name)
            if entry.kind != "State" or saved is None or present is None:
                continue
            # states may be saved with or without a batch dimension
            if saved.shape == entry.shape or (
                self._keep_batch_state and saved.shape[1:] == entry.shape
            ):
                self._buffers[name] = present.new_empty(saved.shape)
        super()._load_from_state_dict(state_dict, prefix, *args)  # type: ignore[misc]
