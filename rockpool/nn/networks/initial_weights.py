"""Initial weights that are scaled to the synapses behind them: `ScaledKaiming`."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from rockpool.nn.modules.torch._base.initialisers import kaiming_rows

__all__ = ["ScaledKaiming"]


class ScaledKaiming:
    """Draw weights (from, to) from U(±√(6 / Nin)), times a factor for each column.

    Neurons with slow synapses add up many inputs, so that their weights begin smaller:
    ``dt / tau_syn`` makes the integral of a synaptic current the same for all of them.

    Parameters
    ----------
    factor : float or sequence of float
        The factor, of all columns or of each.
    """

    def __init__(self, factor: Any) -> None:
        self.factor = torch.as_tensor(factor, dtype=torch.float32)

    def __call__(self, shape: tuple[int, ...]) -> Tensor:
        """Return weights of a shape."""
        return kaiming_rows(shape) * self.factor
