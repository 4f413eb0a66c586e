"""The leaky integrator."""

from __future__ import annotations

import torch
from torch import Tensor


class LeakyIntegrator:
    """``v_t = alpha v_{t-1} + x_t`` over data (N, T)."""

    @staticmethod
    def apply(inp: Tensor, alpha: Tensor, v_mem_init: Tensor) -> Tensor:
        for name, value, n_dim in (("inp", inp, 2), ("alpha", alpha, 1), ("init", v_mem_init, 1)):
            if value.ndim != n_dim or not value.is_contiguous() or value.dtype != torch.float32:
                raise ValueError(f"{name} must be contiguous float32 in {n_dim} dimensions")
        state, states = v_mem_init, []
        for step in inp.unbind(1):
            state = alpha * state + step
            states.append(state)
        return torch.stack(states, 1)
