"""Torch modules with weights between them: `TorchFFwdStack`."""

from __future__ import annotations

from typing import Any, ClassVar

import torch

from rockpool.nn.combinators.ffwd_stack import FFwdStackMixin
from rockpool.nn.combinators.sequential_torch import TorchChainMixin
from rockpool.nn.modules.torch.torch_module import TorchModule

__all__ = ["TorchFFwdStack"]


class TorchFFwdStack(TorchChainMixin, FFwdStackMixin, TorchModule):  # type: ignore[misc]
    """Torch modules with weights between them; made by ``FFwdStack``, with its arguments.

    Modules of torch alone are turned into `TorchModule` objects, in place.
    """

    _default_weights: ClassVar[Any] = staticmethod(torch.zeros)
