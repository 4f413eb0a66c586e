# backend: numba
# files: input
from .euler_numba import CubaLIEulerNumba as CubaLIEulerNumba
from .euler_numba import CubaLIFEulerNumba as CubaLIFEulerNumba
from .euler_numba import IFEulerNumba as IFEulerNumba
from .euler_numba import LIEulerNumba as LIEulerNumba
from .euler_numba import LIFEulerNumba as LIFEulerNumba
from .exp_syn_numba import ExpSynNumba as ExpSynNumba
from .lif_numba import LIFNumba as LIFNumba
from .rate_numba import RateNumba as RateNumba
