"""Modules that run on sinabs and sinabs-exodus."""

from rockpool.backends.lazy import attach

__getattr__, __dir__, __all__ = attach(__name__, __file__, backend="sinabs")
