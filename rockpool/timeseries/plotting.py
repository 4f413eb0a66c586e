"""With what time series are drawn, and arrays of NaN: small functions of Rockpool's interface."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["full_nan", "get_global_ts_plotting_backend", "set_global_ts_plotting_backend"]

_BACKENDS = ("matplotlib", None)


def get_global_ts_plotting_backend() -> str:
    """Return with what ``plot`` of a time series draws: always "matplotlib"."""
    return "matplotlib"


def set_global_ts_plotting_backend(backend: str | None, verbose: bool = True) -> None:
    """Choose with what time series are drawn: "matplotlib" or None, which is the same.

    Parameters
    ----------
    backend : str or None
        The choice.
    verbose : bool, default True
        Whether to print it.

    Raises
    ------
    ValueError
        Another one: holoviews, for instance, is not part of this package.
    """
    if backend not in _BACKENDS:
        raise ValueError(
            f"set_global_ts_plotting_backend: backend must be 'matplotlib' or None, got {backend!r}"
        )
    if verbose:
        print("Time series are drawn with matplotlib.")


def full_nan(shape: int | tuple[int, ...]) -> NDArray[np.float64]:
    """Return an array of NaN of a shape."""
    return np.full(shape, np.nan)
