"""What the time loops share: parameters for a batch, and time steps put together."""

from __future__ import annotations

import torch
from torch import Tensor

Records = dict[str, Tensor]


def expand(shape: tuple[int, ...], *values: Tensor) -> tuple[Tensor, ...]:
    """Return values, each expanded to a shape."""
    return tuple(value.expand(shape) for value in values)


def stack(steps: list[Tensor], like: Tensor) -> Tensor:
    """Put (B, ...) tensors of all time steps together, (B, T, ...)."""
    return torch.stack(steps, 1) if steps else like.unsqueeze(1)[:, :0]
