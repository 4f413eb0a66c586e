"""One network on several back-ends, compared spike for spike: `verify`."""

from rockpool.backends.lazy import attach

__getattr__, __dir__, __all__ = attach(__name__, __file__, backend="numpy")
