"""Spiking-neural-network modules for many computational back-ends; you pay for those you use."""

from rockpool.backends.lazy import attach

__getattr__, __dir__, __all__ = attach(__name__, __file__)
