"""Any function as a module, in torch: `InstantTorch`."""

from __future__ import annotations

from collections.abc import Callable
from types import MappingProxyType
from typing import Any, Unpack

from torch import Tensor

from rockpool.nn.description import Node
from rockpool.nn.models import checks
from rockpool.nn.modules._described import described_function
from rockpool.nn.modules.torch.torch_module import TorchModule, TorchModuleArguments
from rockpool.parameters import SimulationParameter

__all__ = ["InstantTorch"]


def identity(x: Tensor) -> Tensor:
    """Return `x`."""
    return x


class InstantTorch(TorchModule):
    """A module that applies a function to its input, without time or state.

    Parameters
    ----------
    shape : int or tuple of int
        ``N`` or ``(Nin, Nout)``: the function turns Nin channels into Nout.
    function : callable
        Called with a tensor of shape (B, T, Nin). Default: the identity.

    Examples
    --------
    >>> import torch
    >>> from rockpool.nn.modules import InstantTorch
    >>> output, _, _ = InstantTorch(2, torch.tanh)(torch.zeros(3, 2))
    >>> tuple(output.shape)
    (1, 3, 2)
    """

    _checks = MappingProxyType({"function": checks.function})

    function: Any

    def __init__(
        self,
        shape: int | tuple[int, ...] | None = None,
        function: Callable[[Tensor], Any] = identity,
        *args: Any,
        **kwargs: Unpack[TorchModuleArguments],
    ) -> None:
        owner = type(self).__name__
        if shape is None:
            raise ValueError(f"{owner}: shape must be given: N or (Nin, Nout)")
        entries = checks.shape_entries(owner, shape)
        checks.function(owner, "function", function)
        super().__init__(*args, shape=entries, **kwargs)
        self.function = SimulationParameter(function)

    def _describe(self) -> Node:
        return described_function(self, identity)

    @classmethod
    def _described_arguments(cls, node: Node) -> dict[str, Any]:
        function = node.settings["function"]
        return {"shape": node.shape, "function": identity if function == "identity" else function}

    def forward(self, data: Tensor) -> Any:
        """Return ``function(data)``; the function gets (B, T, Nin)."""
        data, _ = self._auto_batch(data)
        return self.function(data)
