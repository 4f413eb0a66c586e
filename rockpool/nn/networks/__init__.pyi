# backend: torch
# files: initial_weights
from .synnet import SynNet as SynNet
from .wavenet import WaveBlock as WaveBlock
from .wavenet import WaveNet as WaveNet
from .wavesense import WaveSenseBlock as WaveSenseBlock
from .wavesense import WaveSenseNet as WaveSenseNet
