"""Rate neurons without recurrent weights in torch, whose leaky sums are kernels of Triton.

Gain, bias and activation are operations of torch on all time steps at once. Needs triton.
"""

from __future__ import annotations

from functools import partial

from rockpool.nn.modules.torch._kernels.triton.exp_syn import leaky_sum
from rockpool.nn.modules.torch._loops.rate import rate_loop

__all__ = ["rate"]

rate = partial(rate_loop, sums=leaky_sum)
