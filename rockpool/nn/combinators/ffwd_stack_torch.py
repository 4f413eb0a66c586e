"""Torch modules with weights between them: `TorchFFwdStack`."""

from __future__ import annotations

from typing import Any, ClassVar

import torch

from rockpool.nn.combinators.ffwd_stack import FFwdStackMixin
from rockpool.nn.combinators.sequential_torch import TorchChainMixin
from rockpool.nn.modules.torch.torch_module import TorchModule

__all__ = ["TorchFFwdStack"]


class TorchFFwdStack(TorchChainMixin, FFwdStackMixin, TorchModule):  # type: ignore[misc]
    """Torch modules with weights between them; made by ``FFwdStack``.

    Parameters
    ----------
    *modules : TorchModule, or dict of TorchModule by name
        The modules, in the order of evolution; at least two.
    weight_init_func : callable
        ``weight_init_func((size_out, size_in))`` gives the weights from one module to the next.
    **kwargs
        Keyword arguments of `TorchModule`, but for the shape and the spiking flags.
    """

    _default_weights: ClassVar[Any] = staticmethod(torch.zeros)
