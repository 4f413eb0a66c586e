"""Spiking-neural-network modules for many computational back-ends; you pay for those you use."""

from rockpool.utilities.lazy_loading import attach

__getattr__, __dir__, __all__ = attach(__name__, __file__)
