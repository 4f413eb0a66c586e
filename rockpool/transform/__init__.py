"""Networks with other values: quantised, dropped, or off by chance; the files say for what.

``torch_transform`` trains through quantisation in torch, ``param_transformer``, ``quantize`` and
``dropout`` evolve a module of numpy or jax with changed parameters, ``mismatch`` draws the
deviations of analog hardware, ``quantize_methods`` gives integers for hardware, and
`quantize_network` quantises a network that has been trained, of any back-end.
"""

from rockpool.backends.lazy import attach

__getattr__, __dir__, __all__ = attach(__name__, __file__, backend="numpy")
