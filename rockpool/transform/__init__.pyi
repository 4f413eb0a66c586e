# backend: numpy
# files: dropout param_transformer post_training quantize quantize_methods
from . import base_jax as base_jax  # backend: jax
from . import dropout_jax as dropout_jax  # backend: jax
from . import mismatch as mismatch  # backend: jax
from . import quantize_jax as quantize_jax  # backend: jax
from . import torch_transform as torch_transform  # backend: torch
from .base_jax import JaxParameterTransformerMixin as JaxParameterTransformerMixin  # backend: jax
from .dropout_jax import JaxDropout as JaxDropout  # backend: jax
from .mismatch import mismatch_generator as mismatch_generator  # backend: jax
from .post_training import Quantized as Quantized
from .post_training import SilentLayerError as SilentLayerError
from .post_training import quantize_network as quantize_network
from .quantize_jax import JaxStochasticQuantize as JaxStochasticQuantize  # backend: jax
