"""Spiking neurons with sparse recurrent weights, on `scipy.sparse`."""

from rockpool.utilities.backend_management import register_backend
from rockpool.utilities.lazy_loading import attach

register_backend("sparse", ["scipy.sparse"], extra="rockpool-sparse[sparse]")
__getattr__, __dir__, __all__ = attach(__name__, __file__, backend="sparse")
