"""The exponential synapse (ExpSyn), and the decay factor that all models share.

Each time step does ``isyn <- (isyn + x_t) exp(-dt / tau)``; the output is `isyn`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from rockpool.nn.models import checks
from rockpool.nn.models.model import Model, ParameterSpec, SettingSpec, Shape, StateSpec

__all__ = ["EXP_SYN", "decay"]


def decay(dt: Any, tau: Any, dtype: DTypeLike = np.float64) -> Any:
    """Return ``exp(-dt / tau)``, computed in float64 and cast once.

    Single-precision `exp` differs in its last bit from one library to another, and a difference in
    the last bit moves spikes. Computed in this way, a decay is the same number on every back-end.

    Parameters
    ----------
    dt : float
        Time step in seconds.
    tau : array_like
        Time constants in seconds.
    dtype : dtype
        Type of the result; float64 by default.

    Returns
    -------
    np.ndarray
        In the shape of `tau`.
    """
    return np.exp(-float(dt) / np.asarray(tau, dtype=np.float64)).astype(dtype)


def module_shape(owner: str, shape: Any) -> Shape:
    """Return the shape argument ``N`` or ``(N,)`` as ``(N,)``.

    Raises
    ------
    ValueError
        More than one entry, or an entry < 1.
    TypeError
        Not ints.
    """
    entries = checks.shape_entries(owner, shape)
    if len(entries) > 1:
        raise ValueError(f"{owner}: shape must be N or (N,), got {entries}")
    return entries


EXP_SYN = Model(
    name="ExpSyn",
    title="exponential synapse",
    module_shape=module_shape,
    dimensions=lambda shape: {"N": shape[-1]},
    attributes=(
        SettingSpec("dt", 1e-3, "s", checks.time_step),
        SettingSpec("max_window_length", 1e6, check=checks.whole_count),
        SettingSpec("noise_std", 0.0, check=checks.noise_level),
        ParameterSpec("tau", "taus", (("N",), ()), 10e-3, "s", checks.time_constant),
        StateSpec("isyn", ("N",)),
    ),
    equations="isyn <- (isyn + x_t) * exp(-dt / tau)",
    source="P. Dayan, L. F. Abbott, Theoretical Neuroscience, MIT Press (2001), chapter 5.8",
    classes={
        "numpy": "ExpSyn",
        "numba": "ExpSynNumba",
        "torch": "ExpSynTorch",
        "jax": "ExpSynJax",
        "nest": "ExpSynNest",
        "sinabs-exodus": "ExpSynExodus",
    },
)
