# backend: torch
# files: euler_base_torch lif_base_torch
from .ahp_lif_torch import aLIFTorch as aLIFTorch
from .axes_torch import FlattenTorch as FlattenTorch
from .axes_torch import ScaleTorch as ScaleTorch
from .bool_state import BooleanState as BooleanState
from .convolution_torch import Conv1dTorch as Conv1dTorch
from .convolution_torch import Conv2dTorch as Conv2dTorch
from .dropout import TimeStepDropout as TimeStepDropout
from .dropout import UnitDropout as UnitDropout
from .euler_torch import CubaLIEulerTorch as CubaLIEulerTorch
from .euler_torch import CubaLIFEulerTorch as CubaLIFEulerTorch
from .euler_torch import IFEulerTorch as IFEulerTorch
from .euler_torch import LIEulerTorch as LIEulerTorch
from .euler_torch import LIFEulerTorch as LIFEulerTorch
from .exp_syn_torch import ExpSynTorch as ExpSynTorch
from .instant import InstantTorch as InstantTorch
from .lif_bitshift_torch import LIFBitshiftTorch as LIFBitshiftTorch
from .lif_neuron_torch import LIFNeuronTorch as LIFNeuronTorch
from .lif_torch import LIFTorch as LIFTorch
from .linear_torch import LinearTorch as LinearTorch
from .lowpass import LowPass as LowPass
from .pooling_torch import AvgPool2dTorch as AvgPool2dTorch
from .pooling_torch import SumPool2dTorch as SumPool2dTorch
from .nir import from_nir as from_nir  # backend: nir
from .nir import to_nir as to_nir  # backend: nir
from .rate_torch import RateTorch as RateTorch
from .torch_module import TorchModule as TorchModule
from .torch_module import TorchModuleParameters as TorchModuleParameters
from .updown_torch import UpDownTorch as UpDownTorch
