"""Decay factors and their two other spellings: time constants and bit-shifts.

A decay factor ``a = exp(-dt / tau)`` is also ``a = 1 - 2**-dash``. Each function takes any number
of tensors and returns a tuple with one tensor for each. All are differentiable; they compute in
float64 and cast once to the type of what they are given, so that a decay is the same number as on
every other back-end.
"""

from __future__ import annotations

from math import log

import torch

__all__ = [
    "bitshift_to_decay",
    "bitshift_to_tau",
    "decay_to_bitshift",
    "decay_to_tau",
    "tau_to_bitshift",
    "tau_to_decay",
]


def precise(value: torch.Tensor | float | int) -> torch.Tensor:
    """Return `value` in float64, where its device has that."""
    tensor = torch.as_tensor(value)
    return tensor if tensor.device.type == "mps" else tensor.double()


def _like(result: torch.Tensor, value: torch.Tensor | float | int) -> torch.Tensor:
    """Cast `result` to the floating type of `value` (to the default type for a number)."""
    if isinstance(value, torch.Tensor) and value.is_floating_point():
        return result.to(value.dtype)
    return result.to(torch.get_default_dtype())


def decay(dt: float | int, tau: torch.Tensor | float | int) -> torch.Tensor:
    """Return the decay factor ``exp(-dt / tau)`` of one tensor of time constants."""
    exact = precise(tau)
    # a true quotient, as in numpy: torch makes a product with the reciprocal of -dt / tau
    step = torch.tensor(-dt, dtype=exact.dtype)
    return _like(torch.exp(torch.div(step, exact)), tau)


def tau_to_decay(dt: float | int, *taus: torch.Tensor | float) -> tuple[torch.Tensor, ...]:
    """Return the decay factors ``exp(-dt / tau)``; `dt` and `taus` in seconds."""
    return tuple(decay(dt, tau) for tau in taus)


def decay_to_tau(dt: float | int, *decays: torch.Tensor | float) -> tuple[torch.Tensor, ...]:
    """Return the time constants ``-dt / ln(decay)`` in seconds."""
    return tuple(_like(-dt / torch.log(precise(a)), a) for a in decays)


def tau_to_bitshift(dt: float | int, *taus: torch.Tensor | float) -> tuple[torch.Tensor, ...]:
    """Return the bit-shifts ``-log2(1 - exp(-dt / tau))``, not rounded."""
    return tuple(_like(-torch.log2(-torch.expm1(-dt / precise(tau))), tau) for tau in taus)


def bitshift_to_tau(dt: float | int, *dashes: torch.Tensor | float) -> tuple[torch.Tensor, ...]:
    """Return the time constants ``-dt / ln(1 - 2**-dash)`` in seconds."""
    return tuple(_like(-dt / torch.log1p(-torch.exp2(-precise(d))), d) for d in dashes)


def decay_to_bitshift(*decays: torch.Tensor | float) -> tuple[torch.Tensor, ...]:
    """Return the bit-shifts ``-log2(1 - decay)``, not rounded."""
    return tuple(_like(-torch.log2(1.0 - precise(a)), a) for a in decays)


def bitshift_to_decay(*dashes: torch.Tensor | float) -> tuple[torch.Tensor, ...]:
    """Return the decay factors ``1 - 2**-dash``."""
    return tuple(_like(1.0 - torch.exp2(-precise(d)), d) for d in dashes)


def decay_slope(dt: float | int, tau: torch.Tensor) -> torch.Tensor:
    """Return the derivative of ``exp(-dt / tau)`` by `tau`, in float64."""
    exact = precise(tau)
    return torch.exp(-dt / exact) * dt / exact**2


def bitshift_slope(dash: torch.Tensor) -> torch.Tensor:
    """Return the derivative of ``1 - 2**-dash`` by `dash`, in float64."""
    return torch.exp2(-precise(dash)) * log(2.0)


def gain(dt: float | int, tau: torch.Tensor) -> torch.Tensor:
    """Return the gain ``dt / tau`` of one step of Euler integration, of one tensor."""
    return _like(dt / precise(tau), tau)
