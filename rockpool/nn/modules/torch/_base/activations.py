"""Activation functions of rate neurons in torch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

__all__ = ["ACTIVATION_FUNCTIONS", "relu", "sigmoid", "tanh"]


def relu(x: Tensor, t: Tensor | float | int) -> Tensor:
    """Return ``max(x - t, 0)``; its slope at the threshold itself is 1, that of `RateJax` 0."""
    return torch.clamp(x - t, min=0.0)


def sigmoid(x: Tensor, t: Tensor | float | int) -> Tensor:
    """Return ``(tanh(x - t) + 1) / 2``."""
    return (torch.tanh(x - t) + 1.0) / 2.0


def tanh(x: Tensor, t: Tensor | float | int) -> Tensor:
    """Return ``tanh(x - t)``."""
    return torch.tanh(x - t)


ACTIVATION_FUNCTIONS: dict[str, Callable[[Tensor, Any], Tensor]] = {
    "relu": relu,
    "sigmoid": sigmoid,
    "tanh": tanh,
}
