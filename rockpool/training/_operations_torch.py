"""What `losses` computes with, in torch."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from rockpool.nn.modules.torch._base.transforms import values_unknown
from rockpool.parameters import to_numpy

amax, cumprod, where = torch.amax, torch.cumprod, torch.where


def like(value: Any, array: Tensor) -> Tensor:
    """Return numbers in the type of a tensor, where it is."""
    return torch.as_tensor(value, dtype=array.dtype, device=array.device)


def floating(values: Tensor) -> Tensor:
    """Return values in a floating-point type."""
    return values if values.is_floating_point() else values.float()


def known(value: Any) -> np.ndarray | None:
    """Return values for a look at them; None where there is none, or where it had to be waited."""
    if not isinstance(value, Tensor):
        return np.asarray(value)
    if values_unknown(value) or torch.jit.is_tracing() or not value.is_cpu:
        return None
    return to_numpy(value)


def whole(value: Any, array: Tensor) -> Tensor:
    """Return whole numbers, where a tensor is."""
    return torch.as_tensor(value).to(array.device, torch.int64)


def log_softmax(scores: Tensor) -> Tensor:
    """Return the logarithm of the softmax over the last axis."""
    return torch.log_softmax(scores, -1)


def chosen(values: Tensor, labels: Tensor) -> Tensor:
    """Return one entry of the last axis each."""
    return values.gather(-1, labels.unsqueeze(-1)).squeeze(-1)
