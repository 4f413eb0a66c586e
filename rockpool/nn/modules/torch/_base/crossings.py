"""Spikes of neurons with a reset potential, and their surrogate gradient: `Crossing`."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function

from rockpool.nn.modules.torch._base.transforms import in_transform

__all__ = ["Crossing"]


def _count(
    v: Tensor, threshold: Tensor, v_reset: Tensor, max_spikes: float | int, strict: bool
) -> Tensor:
    """Return how often a membrane passes the threshold, if each time takes it down to a reset."""
    reached = v > threshold if strict else v >= threshold
    if max_spikes == 1.0:
        return reached.to(v.dtype)
    times = (v - v_reset) / (threshold - v_reset)
    times = times.ceil() - 1.0 if strict else times.floor()
    return torch.where(reached, times.clamp(1.0, max_spikes), torch.zeros_like(v))


def _gradients(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
    v, threshold, v_reset = ctx.saved_tensors
    span = threshold - v_reset
    grad_v = (grad / span).masked_fill(v < threshold - ctx.window, 0.0)
    above = (v - v_reset) / span
    return grad_v, -grad_v * above, grad_v * (above - 1.0), None, None, None


def _moved(ctx: Any, v_dot: Any, threshold_dot: Any, v_reset_dot: Any, *_: Any) -> Tensor:
    """Return the tangent of the number of spikes, of those of which there are any."""
    v, threshold, v_reset = ctx.saved_tensors
    span = threshold - v_reset
    above = (v - v_reset) / span
    moved = torch.zeros_like(v) if v_dot is None else v_dot
    if threshold_dot is not None:
        moved = moved - threshold_dot * above
    if v_reset_dot is not None:
        moved = moved + v_reset_dot * (above - 1.0)
    return (moved / span).masked_fill(v < threshold - ctx.window, 0.0)


class _Transformable(Function):
    """The same function, in the form that the transforms of ``torch.func`` ask for."""

    generate_vmap_rule = True

    @staticmethod
    def forward(
        v: Tensor,
        threshold: Tensor,
        v_reset: Tensor,
        window: float | int,
        max_spikes: float | int,
        strict: bool,
    ) -> Tensor:
        return _count(v, threshold, v_reset, max_spikes, strict)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Any) -> None:
        ctx.save_for_backward(*inputs[:3])
        ctx.save_for_forward(*inputs[:3])
        ctx.window = inputs[3]

    backward = staticmethod(_gradients)
    jvp = staticmethod(_moved)


class Crossing(Function):
    """The number of spikes, with a piecewise linear surrogate gradient as that of `StepPWL`.

    ``Crossing.apply(v, threshold, v_reset, window, max_spikes, strict)``; with the distance
    ``d = threshold - v_reset`` and the window w, ``∂S/∂v = [v >= threshold - w] / d``, the
    gradients of threshold and reset are those of ``S((v - v_reset) / d)``.
    """

    @staticmethod
    def forward(
        ctx: Any,
        v: Tensor,
        threshold: Tensor,
        v_reset: Tensor,
        window: float | int,
        max_spikes: float | int,
        strict: bool,
    ) -> Tensor:
        ctx.save_for_backward(v, threshold, v_reset)
        ctx.save_for_forward(v, threshold, v_reset)
        ctx.window = window
        return _count(v, threshold, v_reset, max_spikes, strict)

    backward = staticmethod(_gradients)
    jvp = staticmethod(_moved)

    @classmethod
    def apply(cls, *args: Any, **kwargs: Any) -> Any:
        """Return the number of spikes; gradients are those of the surrogate."""
        return _Transformable.apply(*args) if in_transform() else super().apply(*args)
