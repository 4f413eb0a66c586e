"""Signals over time for the timed modules: sampled values (`TSContinuous`), events (`TSEvent`).

Times are in seconds. A series covers the time from its `t_start` to its `t_stop`; a periodic one
goes on for ever on both sides. Reading a series never changes it.
"""

from rockpool.backends.lazy import attach

__getattr__, __dir__, __all__ = attach(__name__, __file__, backend="numpy")
