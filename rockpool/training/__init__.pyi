from . import adversarial_jax as adversarial_jax  # backend: jax
from . import ctc_loss as ctc_loss
from . import jax_debug as jax_debug  # backend: jax
from . import jax_loss as jax_loss  # backend: jax
from . import torch_loss as torch_loss  # backend: torch
