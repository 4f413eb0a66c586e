"""What a network costs: synaptic operations, sparsity, parameters and memory, by `profile`."""

from rockpool.backends.lazy import attach

__getattr__, __dir__, __all__ = attach(__name__, __file__, backend="numpy")
