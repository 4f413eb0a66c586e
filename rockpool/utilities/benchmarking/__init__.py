"""How long it takes to make layers and to evolve them: `benchmark_neurons`, and layers for it.

::

    times = benchmark_neurons(*lif_benchmark(), layer_sizes=[10, 100])
    plot_benchmark_results(*times)

``rockpool bench`` compares all back-ends from the command line.
"""

from rockpool.backends.lazy import attach

__getattr__, __dir__, __all__ = attach(__name__, __file__, backend="numpy")
