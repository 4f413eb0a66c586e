"""The integrate-and-fire neuron."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor


class _Spikes(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, v: Tensor, threshold: Tensor, surrogate: Callable, most: int) -> Tensor:
        ctx.save_for_backward(v, threshold)
        ctx.surrogate = surrogate
        return torch.floor(v / threshold).clamp(0, most)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        v, threshold = ctx.saved_tensors
        return grad * ctx.surrogate(v.unsqueeze(1), threshold.unsqueeze(1))[:, 0], None, None, None


class IntegrateAndFire:
    """Leaky neurons that subtract something with each spike, over data (N, T)."""

    @staticmethod
    def apply(
        inp: Tensor,
        alpha: Tensor,
        v_mem_init: Tensor,
        threshold: Tensor,
        membrane_subtract: Tensor,
        min_v_mem: Tensor | None,
        surrogate_grad_fn: Callable,
        max_num_spikes_per_bin: int | None = None,
    ) -> tuple[Tensor, Tensor]:
        flat = (alpha, v_mem_init, threshold, membrane_subtract)
        if inp.ndim != 2 or any(value.shape != inp.shape[:1] for value in flat):
            raise ValueError("wrong shapes")
        if not all(value.is_contiguous() for value in (inp, *flat)) or min_v_mem is not None:
            raise ValueError("wrong layout")
        most = 2**31 - 1 if max_num_spikes_per_bin is None else max_num_spikes_per_bin
        state, spikes, before = v_mem_init, [], []
        for step in inp.unbind(1):
            state = alpha * state + step
            fired = _Spikes.apply(state, threshold, surrogate_grad_fn, most)
            before.append(state)
            spikes.append(fired)
            state = state - fired * membrane_subtract
        return torch.stack(spikes, 1), torch.stack(before, 1)
