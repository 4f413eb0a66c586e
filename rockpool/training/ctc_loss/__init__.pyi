# backend: numpy
from .jax_ctc import ctc_loss_jax as ctc_loss_jax  # backend: jax
from .numpy_ctc import ctc_loss_numpy as ctc_loss_numpy
from .torch_ctc import ctc_loss_torch as ctc_loss_torch  # backend: torch
