"""Modules for JAX."""

from rockpool.utilities.lazy_loading import attach

__getattr__, __dir__, __all__ = attach(__name__, __file__, backend="jax")
