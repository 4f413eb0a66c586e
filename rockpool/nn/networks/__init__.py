"""Networks that come ready made, for classes of signals over time; in torch."""

from rockpool.backends.lazy import attach

__getattr__, __dir__, __all__ = attach(__name__, __file__, backend="torch")
