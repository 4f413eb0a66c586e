"""Recordings of sensors and neurons in files, and small data sets that come with the package."""

from rockpool.backends.lazy import attach

__getattr__, __dir__, __all__ = attach(__name__, __file__, backend="numpy")
