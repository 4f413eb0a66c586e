# backend: torch
# files: initial_weights kept lowering makers potentials wiring
from .synnet import SynNet as SynNet
from .wavenet import WaveBlock as WaveBlock
from .wavenet import WaveNet as WaveNet
from .wavesense import WaveSenseBlock as WaveSenseBlock
from .wavesense import WaveSenseNet as WaveSenseNet
from .wiring_jax import JaxPotentials as JaxPotentials  # backend: jax
from .wiring_jax import JaxWaveSense as JaxWaveSense  # backend: jax
from .wiring_torch import TorchPotentials as TorchPotentials
from .wiring_torch import TorchWaveSense as TorchWaveSense
