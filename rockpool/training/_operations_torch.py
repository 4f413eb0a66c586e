"""What `losses` computes with, in torch."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

amax, cumprod, where = torch.amax, torch.cumprod, torch.where


def like(value: Any, array: Tensor) -> Tensor:
    """Return numbers in the type of a tensor, where it is."""
    return torch.as_tensor(value).to(array)


def whole(value: Any, array: Tensor) -> Tensor:
    """Return whole numbers, where a tensor is."""
    return torch.as_tensor(value).to(array.device, torch.int64)


def log_softmax(scores: Tensor) -> Tensor:
    """Return the logarithm of the softmax over the last axis."""
    return torch.log_softmax(scores, -1)


def chosen(values: Tensor, labels: Tensor) -> Tensor:
    """Return one entry of the last axis each."""
    return values.gather(-1, labels.unsqueeze(-1)).squeeze(-1)
