"""The noise of the numpy modules, and of those that are derived from them."""

from __future__ import annotations

from typing import Any, Protocol, runtime_checkable

import numpy as np


@runtime_checkable
class _Noisy(Protocol):
    """What has noise: a module with these two settings."""

    noise_std: Any
    dt: Any
    _dtype: np.dtype[Any]


def drawn_noise(module: _Noisy, shape: tuple[int, ...]) -> np.ndarray:
    """Return noise ``noise_std sqrt(dt) z`` with ``z ~ N(0, 1)``, from numpy's global generator."""
    noise = module.noise_std * np.sqrt(module.dt) * np.random.randn(*shape)
    return np.asarray(noise, module._dtype)
