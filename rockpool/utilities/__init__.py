"""What the package stands on: back-end management, lazy loading, parameter trees."""

from rockpool.utilities.lazy_loading import attach

__getattr__, __dir__, __all__ = attach(__name__, __file__)
