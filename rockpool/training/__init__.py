"""Training: rates, bounds, initial weights, losses, encoders, regularisers and attacks.

``jax_loss``, ``adversarial_jax`` and ``jax_debug`` are for jax, ``torch_loss`` is for torch, and
``ctc_loss`` has a function for each of numpy, jax and torch.
"""

from rockpool.backends.lazy import attach

__getattr__, __dir__, __all__ = attach(__name__, __file__)
