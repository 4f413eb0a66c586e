"""Containers of modules: one after the other, with a residual connection, or with weights."""

from rockpool.backends.lazy import attach

__getattr__, __dir__, __all__ = attach(__name__, __file__, backend="numpy")
