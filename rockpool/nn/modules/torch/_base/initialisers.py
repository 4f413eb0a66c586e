"""Initial values of weights and biases, drawn with torch's random numbers.

Each function takes a shape and returns a float32 tensor. `torch.manual_seed` fixes what is drawn.
The limits ``sqrt(6 / n)`` are those of K. He, X. Zhang, S. Ren, J. Sun, Delving deep into
rectifiers, ICCV (2015).
"""

from __future__ import annotations

import math

import torch

from rockpool.nn.models.weights import Spiking, uniform_about

Shape = tuple[int, ...]


def _uniform(shape: Shape, limit: float | int) -> torch.Tensor:
    return torch.empty(shape, dtype=torch.float32).uniform_(-limit, limit)


def kaiming_columns(shape: Shape) -> torch.Tensor:
    """Draw from U(-a, a) with ``a = sqrt(6 / shape[-1])``, for weights of shape (to, from)."""
    return _uniform(shape, math.sqrt(6.0 / shape[-1]))


def kaiming_rows(shape: Shape) -> torch.Tensor:
    """Draw from U(-a, a) with ``a = sqrt(6 / shape[0])``, for weights of shape (from, to)."""
    return _uniform(shape, math.sqrt(6.0 / shape[0]))


def kaiming_kernels(shape: Shape) -> torch.Tensor:
    """Draw from U(-a, a) with ``a = sqrt(6 / n)`` for the ``n`` weights of each output.

    The shape of the weights is (to, from, *kernel).
    """
    return _uniform(shape, math.sqrt(6.0 / math.prod(shape[1:])))


def spiking_columns(shape: Shape) -> torch.Tensor:
    """Draw weights (from, to) for LIF neurons with their default values, at about 50 Hz."""
    drawn = _uniform(shape, 1.0).numpy()
    return torch.from_numpy(uniform_about(drawn, Spiking().total())).float()


def uniform_sqrt(shape: Shape) -> torch.Tensor:
    """Draw from U(-a, a) with ``a = sqrt(1 / shape[0])``, where the shape may also be ()."""
    return _uniform(shape, math.sqrt(1.0 / shape[0]) if shape else 1.0)


def unit_eigs(shape: Shape) -> torch.Tensor:
    """Draw from N(0, 1 / shape[0]): eigenvalues of a square matrix lie near the unit disc."""
    return torch.randn(shape, dtype=torch.float32) / math.sqrt(shape[0])
