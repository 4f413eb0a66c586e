"""Every module of every back-end, in one flat name space; each loads its own back-end only."""

from rockpool.backends.lazy import attach

__getattr__, __dir__, __all__ = attach(__name__, __file__)
