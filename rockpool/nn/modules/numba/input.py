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
    size_in, own = module._shape[0], module._dtype
    if type(data) is np.ndarray and data.ndim == 3 and data.shape[2] == size_in:
        in_order = data.flags.carray
        if in_order and (data.dtype is own or data.dtype is _SINGLE):
            return data  # as it mostly is
    array = checks.real_input(module._label, data)
    kind = _SINGLE if array.dtype == _SINGLE else own
    shape = module._batch_shape(array.shape)
    return kernel_array(array.reshape(shape), kind, (*shape[:2], size_in))
