"""What is wrong with the back-ends of this installation, and the command that mends it."""

from rockpool.utilities.lazy_loading import attach

__getattr__, __dir__, __all__ = attach(__name__, __file__)
