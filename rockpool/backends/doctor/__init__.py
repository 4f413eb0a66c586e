"""What is wrong with the back-ends of this installation, and the command that fixes it."""

from rockpool.backends.lazy import attach

__getattr__, __dir__, __all__ = attach(__name__, __file__)
