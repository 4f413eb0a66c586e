"""Tensors as the numpy arrays that graphs hold."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor


def to_array(tensor: Tensor, *shape: int) -> np.ndarray:
    """Return a numpy copy of the values of a tensor, repeated to a shape if one is given."""
    values = tensor.detach().expand(shape) if shape else tensor.detach()
    if values.dtype == torch.bfloat16:  # numpy has no such type
        values = values.float()
    return values.cpu().numpy().copy()
