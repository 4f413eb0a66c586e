"""Containers of torch modules: `TorchSequential`, `TorchResidual`, and so on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import torch
from torch import Tensor, nn

from rockpool.nn.combinators.ffwd_stack import FFwdStackMixin
from rockpool.nn.combinators.residual import ResidualMixin
from rockpool.nn.combinators.sequential import SequentialMixin
from rockpool.nn.combinators.wired import WiredMixin
from rockpool.nn.modules.module import ModuleBase
from rockpool.nn.modules.torch._base.recomputation import in_use
from rockpool.nn.modules.torch.torch_module import TorchModule

__all__ = ["TorchChainMixin", "TorchFFwdStack", "TorchResidual", "TorchSequential", "TorchWired"]

if TYPE_CHECKING:
    _Base = TorchModule
else:
    _Base = object


class TorchChainMixin(_Base):
    """What makes a combinator one of torch; to stand before the combinator's own mixin."""

    _member_names: tuple[str, ...]
    _records_always: ClassVar[bool] = True
    _passes_states: ClassVar[bool] = True
    _other_arguments: ClassVar[int] = 1  # `retain_torch_api`

    @classmethod
    def _as_member(cls, argument: Any) -> ModuleBase | None:
        """Return a module; one of torch alone is converted, in place."""
        if isinstance(argument, nn.Module) and not isinstance(argument, TorchModule):
            TorchModule.from_torch(argument, retain_torch_api=True)
        return argument if isinstance(argument, ModuleBase) else None

    @property
    def _members(self) -> list[tuple[str, Any]]:
        modules = self._modules  # where the attributes are found, sooner
        return [(name, modules[name]) for name in self._member_names]

    def evolve(
        self, input_data: Any, record: bool = False, *args: Any, **kwargs: Any
    ) -> tuple[Tensor, dict[str, Any], dict[str, Any]]:
        """Evolve the modules one after the other; see the mixin of the combinator."""
        return TorchModule.evolve(self, input_data, record, *args, **kwargs)

    def forward(self, data: Tensor) -> Tensor:
        """Return the output of the modules, one after the other."""
        output, new_state, records = super().evolve(data, record=self._record)
        self.__dict__.update(_record_dict=records, _passed_state=new_state)
        return output

    def _through(
        self, name: str, data: Any, record: bool
    ) -> tuple[Tensor, dict[str, Any], dict[str, Any]]:
        # not a call: in torch mode that of a member may return the output alone
        member: Any = self._modules[name]
        if type(member).evolve is not TorchModule.evolve:  # which does so itself
            in_use(member)
        found: Any = member.evolve(data, record=record)
        return self._triple(name, found)  # type: ignore[operator]  # no tensor


class TorchSequential(TorchChainMixin, SequentialMixin, TorchModule):  # type: ignore[misc]
    """Torch modules, one after the other; made by ``Sequential``, with its arguments.

    Modules of torch alone are turned into `TorchModule` objects, in place.
    """


class TorchResidual(TorchChainMixin, ResidualMixin, TorchModule):  # type: ignore[misc]
    """Torch modules, their input added to the output; made by ``Residual``, with its arguments.

    Modules of torch alone are treated as by `TorchSequential`.
    """

    def _added(self, output: Tensor, data: Tensor) -> Tensor:
        data = self._alike(self._shaped(data), output)
        return output + (data.to(output.dtype) if output.is_floating_point() else data)


class TorchFFwdStack(TorchChainMixin, FFwdStackMixin, TorchModule):  # type: ignore[misc]
    """Torch modules with weights between them; made by ``FFwdStack``, with its arguments.

    Modules of torch alone are treated as by `TorchSequential`.
    """

    _default_weights: ClassVar[Any] = staticmethod(torch.zeros)


class TorchWired(TorchChainMixin, WiredMixin, TorchModule):  # type: ignore[misc]
    """Torch modules, connected by edges; made by ``Wired``, with its arguments.

    Modules of torch alone are treated as by `TorchSequential`.
    """

    def _in_type_of(self, other: Tensor, data: Tensor) -> Tensor:
        return data.to(other.dtype) if other.is_floating_point() else data
