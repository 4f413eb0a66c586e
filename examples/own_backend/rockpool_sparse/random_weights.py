"""Random sparse weights."""

from __future__ import annotations

import numpy as np
from scipy import sparse

__all__ = ["random_weights"]


def random_weights(
    shape: tuple[int, int], density: float = 0.1, gain: float = 1.0, seed: int | None = None
) -> sparse.csr_array:
    """Draw weights of which most are absent.

    Parameters
    ----------
    shape : tuple of int
        ``(Nout, Nin)``: from each neuron to each input channel.
    density : float
        Part of the weights that are there, between 0 and 1. Default: 0.1.
    gain : float
        The weights are normal with a standard deviation of ``gain / sqrt(density Nout)``, so that
        the sum over a channel has one of `gain`. Default: 1.
    seed : int, optional
        Seed of the random numbers.

    Returns
    -------
    scipy.sparse.csr_array
        The weights, of the given shape.

    Raises
    ------
    ValueError
        The density is not between 0 and 1.
    """
    if not 0 < density <= 1:
        raise ValueError(f"random_weights: density must be > 0 and <= 1, got {density!r}")
    rng = np.random.default_rng(seed)
    scale = gain / np.sqrt(density * shape[0])
    drawn = sparse.random(
        *shape, density, "csr", random_state=rng, data_rvs=lambda n: rng.normal(0.0, scale, n)
    )
    return sparse.csr_array(drawn)
