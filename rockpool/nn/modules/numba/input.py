"""Input data for the kernels."""

from __future__ import annotations

import numpy as np

from rockpool.nn.kernels.compiling import kernel_array
from rockpool.nn.models import checks
from rockpool.nn.modules.module import Module
from rockpool.typehints import ArrayLike

_SINGLE = np.dtype(np.float32)


def batched_input(module: Module, data: ArrayLike) -> np.ndarray:
    """Return input of a module as (B, T, Nin), without a copy where it is that already.

    It is as `Module._auto_batch` gives it, but not free to be edited, and single precision stays
    single precision: the kernels convert each number as they read it.
    """
    array = checks.real_input(module._label, data)
    size_in, kind = module._shape[0], _SINGLE if array.dtype == _SINGLE else module._dtype
    if array.ndim == 3 and array.shape[2] == size_in and array.dtype is kind and array.flags.carray:
        return array
    if array.ndim == 0:
        return module._auto_batch(array)[0]
    shape = module._batch_shape(array.shape)
    return kernel_array(array.reshape(shape), kind, (*shape[:2], size_in))
