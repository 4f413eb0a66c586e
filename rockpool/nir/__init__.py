"""Networks in files of NIR, the exchange format: `from_nir` and `to_nir`."""

from rockpool.backends.lazy import attach

__getattr__, __dir__, __all__ = attach(__name__, __file__, backend="nir")
