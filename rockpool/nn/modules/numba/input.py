"""Input data for the kernels."""

from __future__ import annotations

import numpy as np

from rockpool.nn.kernels.compiling import kernel_array
from rockpool.nn.models import checks
from rockpool.nn.modules.module import Module
from rockpool.typehints import ArrayLike


def batched_input(module: Module, data: ArrayLike) -> np.ndarray:
    """Return input of a module as (B, T, Nin), without a copy where it is that already.

    It is as `Module._auto_batch` gives it, but not free to be edited, and single precision stays
    single precision: the kernels convert each number as they read it.
    """
    array = checks.real_input(module._label, data)
    if array.ndim == 0:
        return module._auto_batch(array)[0]
    kind = np.float32 if np.float32 in (array.dtype, module._dtype) else np.float64
    shape = module._batch_shape(array.shape)
    return kernel_array(array.reshape(shape), kind, (*shape[:2], module.size_in))
