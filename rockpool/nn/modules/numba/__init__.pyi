# backend: numba
# files: input
from .exp_syn_numba import ExpSynNumba as ExpSynNumba
from .lif_numba import LIFNumba as LIFNumba
from .rate_numba import RateNumba as RateNumba
