"""Containers of modules: one after the other, with a residual connection, or with weights."""

from rockpool.utilities.lazy_loading import attach

__getattr__, __dir__, __all__ = attach(__name__, __file__, backend="numpy")
