"""Handwritten digits, 1797 images of 8 x 8 pixels (DIGITS.md says where they come from)."""

from __future__ import annotations

import io
from importlib import resources

import numpy as np
from numpy.typing import NDArray

from rockpool.nn.models import checks

__all__ = ["load_digit_spikes", "load_digits"]


def load_digits() -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Load the handwritten digits.

    The images are bitmaps of 32 x 32 pixels, of which each block of 4 x 4 became one number: how
    many of its 16 pixels are ink.

    Returns
    -------
    images : ndarray of uint8 (1797, 8, 8)
        Ink of each image, row by row, from 0 (paper) to 16.
    labels : ndarray of uint8 (1797,)
        The digit, from 0 to 9.

    References
    ----------
    E. Alpaydin and C. Kaynak (1998), Optical Recognition of Handwritten Digits, UCI Machine
    Learning Repository, https://doi.org/10.24432/C50P49 (CC BY 4.0).
    """
    # Read through the importer, so that the package may lie in a zip file
    file = resources.files(__package__).joinpath("digits.npz")
    with np.load(io.BytesIO(file.read_bytes()), allow_pickle=False) as arrays:
        return arrays["images"], arrays["labels"]


def load_digit_spikes(
    n_steps: int = 40, seed: int = 0
) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    """Load the digits as random spike trains: the more ink a pixel has, the more spikes.

    Parameters
    ----------
    n_steps : int
        Number of time steps that a digit is shown, >= 1. Default: 40.
    seed : int
        Seed of the random numbers. Default: 0.

    Returns
    -------
    spikes : ndarray of float32 (1797, n_steps, 64)
        0 or 1; a pixel of ink ``i`` spikes in a time step with the probability ``i / 32``.
    labels : ndarray of uint8 (1797,)
        The digit, from 0 to 9.

    Raises
    ------
    ValueError
        `n_steps` < 1, or `seed` < 0.
    TypeError
        `seed` is no int.
    """
    if n_steps < 1:
        raise ValueError(f"load_digit_spikes: n_steps must be >= 1, got {n_steps!r}")
    checks.seed("load_digit_spikes", seed)
    images, labels = load_digits()
    chance = images.reshape(len(images), 1, 64) / np.float32(32)
    drawn = np.random.default_rng(seed).random((len(images), n_steps, 64), dtype=np.float32)
    return (drawn < chance).astype(np.float32), labels
