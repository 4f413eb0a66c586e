"""The public utilities of the package's interface; what they stand on is in `rockpool.backends`."""

from rockpool.backends.lazy import attach

__getattr__, __dir__, __all__ = attach(__name__, __file__)
