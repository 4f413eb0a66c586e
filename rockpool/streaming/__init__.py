"""Networks that answer each time step within microseconds, and networks in C: `stream`, `export_c`.

``plan.py`` says what a network is compiled to, ``layers.py`` what each model becomes; the engines
``numpy_engine.py`` and ``numba_engine.py`` execute it, and ``c_source.py`` writes it down in C.
"""

from rockpool.backends.lazy import attach

__getattr__, __dir__, __all__ = attach(__name__, __file__, backend="numpy")
