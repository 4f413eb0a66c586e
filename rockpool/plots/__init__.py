"""Pictures of spikes, traces, weights and networks; matplotlib is loaded at the first call."""

from rockpool.backends.lazy import attach

__getattr__, __dir__, __all__ = attach(__name__, __file__, backend="numpy")
