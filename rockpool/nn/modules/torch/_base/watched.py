"""What is made of parameters, kept until their values change: `Watched`."""

from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from rockpool.nn.modules._kept import Kept
from rockpool.nn.modules.torch._base.data_parallel import memory_is_taken_back

__all__ = ["Watched"]

T = TypeVar("T")


class Watched(Kept):
    """Something that is made of the values of a few tensors, and made again once these change.

    What is written by way of ``.data`` or of an array in the same memory does not count up the
    version of a tensor, so that the values are compared. Those can be looked at of tensors on the
    CPU, in single or double precision, stored as they are and one after the other, whose memory is
    not taken back.
    """

    _place = staticmethod(Tensor.data_ptr)

    def get(self, make: Callable[[], T], arrays: tuple[Any, ...], *settings: Any) -> T | None:
        """Return what `make` gave for these values, or gives now; None for other tensors."""
        try:  # of those alone shape and place tell how the values lie in memory
            if not all(map(Tensor.is_contiguous, arrays)):
                return None
        except TypeError:  # one of them is None
            return None
        return super().get(make, arrays, *settings)

    @staticmethod
    def _view(array: Any) -> np.ndarray | None:
        plain = (
            type(array) in (Tensor, nn.Parameter)
            and array.device.type == "cpu"
            and array.dtype in (torch.float32, torch.float64)
            and array.layout is torch.strided
            and not array.is_neg()
            and not array.is_inference()
            and not memory_is_taken_back(array)
        )
        return array.detach().numpy() if plain else None
