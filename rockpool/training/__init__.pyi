# files: groups bounding bounds_jax bounds_torch _operations_torch _operations_jax
from . import adversarial_jax as adversarial_jax  # backend: jax
from . import ctc_loss as ctc_loss
from . import encoders as encoders  # backend: numpy
from . import init as init  # backend: numpy
from . import jax_debug as jax_debug  # backend: jax
from . import jax_loss as jax_loss  # backend: jax
from . import losses as losses  # backend: numpy
from . import torch_loss as torch_loss  # backend: torch
from .bounding import bound as bound  # backend: numpy
from .groups import parameter_groups as parameter_groups  # backend: numpy
