"""matplotlib warns of itself while it is imported."""

from __future__ import annotations

import warnings

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import matplotlib.figure  # noqa: F401
