"""Layers with axes in double precision, on any back-end."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

import rockpool
from rockpool.parameters import to_numpy

BACKENDS = ("numpy", "torch", "jax")


def double(layer: Any, backend: str) -> Any:
    return rockpool.convert(layer, backend, dtype="float64")


def answer(layer: Any, data: np.ndarray) -> np.ndarray:
    """What a layer gives, of any back-end, in double precision."""
    is_torch = isinstance(layer, torch.nn.Module)
    output, state, record = layer(torch.from_numpy(data) if is_torch else data)
    assert not state and not record
    return to_numpy(output)
