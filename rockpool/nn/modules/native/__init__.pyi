# backend: numpy
# files: euler_base noise shaped
from .euler import CubaLIEuler as CubaLIEuler
from .euler import CubaLIFEuler as CubaLIFEuler
from .euler import IFEuler as IFEuler
from .euler import LIEuler as LIEuler
from .euler import LIFEuler as LIFEuler
from .axes import Flatten as Flatten
from .axes import Scale as Scale
from .convolution import Conv1d as Conv1d
from .convolution import Conv2d as Conv2d
from .exp_syn import ExpSyn as ExpSyn
from .filter_bank import ButterFilter as ButterFilter  # backend: scipy
from .filter_bank import ButterMelFilter as ButterMelFilter  # backend: scipy
from .filter_bank import FilterBankBase as FilterBankBase  # backend: scipy
from .instant import Instant as Instant
from .instant import InstantMixin as InstantMixin
from .lif import LIF as LIF
from .lif import spike_subtract_threshold as spike_subtract_threshold
from .linear import Linear as Linear
from .linear import LinearMixin as LinearMixin
from .linear import kaiming as kaiming
from .linear import uniform_sqrt as uniform_sqrt
from .linear import unit_eigs as unit_eigs
from .linear import xavier as xavier
from .pooling import AvgPool2d as AvgPool2d
from .pooling import SumPool2d as SumPool2d
from .rate import H_ReLU as H_ReLU
from .rate import H_sigmoid as H_sigmoid
from .rate import H_tanh as H_tanh
from .rate import Rate as Rate
