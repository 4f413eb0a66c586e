"""Spike generation with surrogate gradients: `StepPWL`, `PeriodicExponential`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch.autograd import Function

from rockpool.nn.modules.torch._base.transforms import in_transform, values_unknown

MAX_SPIKES_PER_DT = 2.0**16


def spike_function(owner: str, spike_generation_fn: Any) -> Callable[..., torch.Tensor]:
    """Return what is called for spikes: the ``apply`` of an autograd function, or a function."""
    function = getattr(spike_generation_fn, "apply", spike_generation_fn)
    if not callable(function):
        raise TypeError(
            f"{owner}: spike_generation_fn must be a torch.autograd.Function or a function "
            f"(vmem, threshold, window, max_spikes) -> spikes, got {spike_generation_fn!r}"
        )
    return function


def spike_settings(
    spike_fn: Callable[..., torch.Tensor], window: torch.Tensor, max_spikes: torch.Tensor
) -> tuple[Callable[..., torch.Tensor], Any, Any]:
    """Return a spike function, its window and its largest number of spikes, ready for a time loop.

    Our own functions take plain numbers, which is faster; others get tensors, as they always did.
    """
    if values_unknown(window) or window.is_cuda:
        return spike_fn, window, max_spikes
    owner = getattr(spike_fn, "__self__", None)
    if not (isinstance(owner, type) and issubclass(owner, SpikeFunction)):
        return spike_fn, window, max_spikes
    return spike_fn, float(window), float(max_spikes)


def _count_spikes(
    x: torch.Tensor, threshold: Any = 1.0, window: Any = 0.5, max_spikes_per_dt: Any = 2.0**16
) -> torch.Tensor:
    """Return the number of spikes ``min([x >= threshold] floor(x / threshold), max)``."""
    # below the threshold the quotient is below 1, so that the lower bound stands for the bracket
    spikes = torch.div(x, threshold).floor_()
    if in_transform():  # where there is no clamp in place, and the limits may be those of many
        return torch.minimum(spikes.clamp(min=0.0), torch.as_tensor(max_spikes_per_dt).to(spikes))
    if isinstance(max_spikes_per_dt, torch.Tensor):
        return torch.minimum(spikes.clamp_(min=0.0), max_spikes_per_dt.to(spikes))
    return spikes.clamp_(0.0, max_spikes_per_dt)


class SpikeFunction(Function):
    """Common part of the spike functions; a subclass has ``backward`` and ``transformable``.

    ``apply(x, threshold=1.0, window=0.5, max_spikes_per_dt=2**16)`` returns the number of spikes in
    this time step, a tensor of the shape of `x`.
    """

    transformable: type[Function]  # the same function, for the transforms of torch.func

    @staticmethod
    def forward(
        ctx: Any,
        x: torch.Tensor,
        threshold: Any = 1.0,
        window: Any = 0.5,
        max_spikes_per_dt: Any = MAX_SPIKES_PER_DT,
    ) -> torch.Tensor:
        _remember(ctx, x, threshold, window, max_spikes_per_dt)
        return _count_spikes(x, threshold, window, max_spikes_per_dt)

    @classmethod
    def apply(
        cls,
        x: torch.Tensor,
        threshold: Any = 1.0,
        window: Any = 0.5,
        max_spikes_per_dt: Any = MAX_SPIKES_PER_DT,
    ) -> Any:
        """Return the number of spikes; gradients are those of the surrogate."""
        # torch serves a function with `setup_context` in its transforms, but calls it at twice the
        # cost of a whole time step
        function = cls.transformable.apply if in_transform() else super().apply
        return function(x, threshold, window, max_spikes_per_dt)


def _remember(ctx: Any, x: Any, threshold: Any, window: Any, max_spikes_per_dt: Any) -> None:
    if not isinstance(threshold, torch.Tensor):
        threshold = torch.as_tensor(threshold, dtype=x.dtype, device=x.device)
    # a transform knows the tensors that are saved, and none that is kept in another way
    ctx.settings = [None if isinstance(v, torch.Tensor) else v for v in (window, max_spikes_per_dt)]
    tensors = [v for v in (window, max_spikes_per_dt) if isinstance(v, torch.Tensor)]
    ctx.save_for_backward(x, threshold, *tensors)
    ctx.save_for_forward(x, threshold, *tensors)


def _remembered(ctx: Any) -> tuple[torch.Tensor, torch.Tensor, Any, Any]:
    x, threshold, *tensors = ctx.saved_tensors
    left = iter(tensors)
    window, max_spikes_per_dt = (next(left) if v is None else v for v in ctx.settings)
    return x, threshold, window, max_spikes_per_dt


class _Transformable(Function):
    """A spike function in the form that the transforms of ``torch.func`` ask for."""

    generate_vmap_rule = True

    @staticmethod
    def forward(
        x: torch.Tensor,
        threshold: Any = 1.0,
        window: Any = 0.5,
        max_spikes_per_dt: Any = MAX_SPIKES_PER_DT,
    ) -> torch.Tensor:
        return _count_spikes(x, threshold, window, max_spikes_per_dt)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Any) -> None:
        _remember(ctx, *inputs)


def _step_pwl_backward(ctx: Any, grad: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
    x, threshold, window, _ = _remembered(ctx)
    grad_x = (grad / threshold).masked_fill(x < threshold - window, 0.0)
    grad_threshold = -grad_x * x / threshold if ctx.needs_input_grad[1] else None
    return grad_x, grad_threshold, None, None


def _step_pwl_forward(ctx: Any, x_dot: Any, threshold_dot: Any, *_: Any) -> torch.Tensor:
    x, threshold, window, _ = _remembered(ctx)
    moved = _moved(x, threshold, x_dot, threshold_dot)
    return (moved / threshold).masked_fill(x < threshold - window, 0.0)


def _moved(x: torch.Tensor, threshold: torch.Tensor, x_dot: Any, threshold_dot: Any) -> Any:
    """Return how much nearer the next spike comes, in units of x, with tangents or without."""
    moved = torch.zeros_like(x) if x_dot is None else x_dot
    return moved if threshold_dot is None else moved - threshold_dot * x / threshold


def _periodic_exponential_backward(ctx: Any, grad: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
    x, threshold, window, max_spikes_per_dt = _remembered(ctx)
    distance = _distance(x, threshold, max_spikes_per_dt)
    grad_x = grad * torch.exp(-distance.abs() / window) / threshold
    grad_threshold = -grad_x * x / threshold if ctx.needs_input_grad[1] else None
    return grad_x, grad_threshold, None, None


def _periodic_exponential_forward(
    ctx: Any, x_dot: Any, threshold_dot: Any, *_: Any
) -> torch.Tensor:
    x, threshold, window, max_spikes_per_dt = _remembered(ctx)
    distance = _distance(x, threshold, max_spikes_per_dt)
    moved: torch.Tensor = _moved(x, threshold, x_dot, threshold_dot)
    return moved * torch.exp(-distance.abs() / window) / threshold


def _distance(x: torch.Tensor, threshold: torch.Tensor, max_spikes_per_dt: Any) -> torch.Tensor:
    """Return how far x is from the nearest multiple of the threshold; below it, from itself."""
    half = threshold / 2
    period = torch.floor((x - half) / threshold)
    highest = max_spikes_per_dt - 1
    if isinstance(highest, torch.Tensor):
        period = torch.minimum(period, highest.to(period))
    else:
        period = period.clamp(max=highest)
    return x - threshold - torch.where(x < threshold, 0.0, period) * threshold


class _StepPWLTransformable(_Transformable):
    backward = staticmethod(_step_pwl_backward)
    jvp = staticmethod(_step_pwl_forward)


class _PeriodicExponentialTransformable(_Transformable):
    backward = staticmethod(_periodic_exponential_backward)
    jvp = staticmethod(_periodic_exponential_forward)


class StepPWL(SpikeFunction):
    """Spikes by repeated threshold crossing, with a piecewise linear surrogate gradient.

    ``S(x, θ) = min([x >= θ] floor(x / θ), max_spikes_per_dt)`` and, with the window w,
    ``∂S/∂x = [x >= θ - w] / θ`` and ``∂S/∂θ = -[x >= θ - w] x / θ²``. There is no upper limit to
    the support of the gradient, and the maximum number of spikes does not stop it.

    ``StepPWL.apply(x, threshold=1.0, window=0.5, max_spikes_per_dt=2**16)``

    The idea of a surrogate for the derivative of a spike: Neftci, Mostafa and Zenke, Surrogate
    gradient learning in spiking neural networks, IEEE Signal Processing Magazine 36 (2019).
    """

    backward = staticmethod(_step_pwl_backward)
    jvp = staticmethod(_step_pwl_forward)
    transformable = _StepPWLTransformable


class PeriodicExponential(SpikeFunction):
    """Spikes by repeated threshold crossing, with a periodic exponential surrogate gradient.

    ``S(x, θ)`` as in `StepPWL`. The gradient is largest where one more spike is about to come: with
    the window w and ``n = min(floor((x - θ/2) / θ), max_spikes_per_dt - 1)``, let
    ``u = x - θ/2 - n θ`` (for x < θ: ``u = x - θ/2``); then
    ``∂S/∂x = exp(-|u - θ/2| / w) / θ`` and ``∂S/∂θ = -∂S/∂x · x / θ``.

    ``PeriodicExponential.apply(x, threshold=1.0, window=0.5, max_spikes_per_dt=2**16)``

    Shrestha and Orchard, SLAYER: Spike layer error reassignment in time, NeurIPS (2018), for the
    exponential form.
    """

    backward = staticmethod(_periodic_exponential_backward)
    jvp = staticmethod(_periodic_exponential_forward)
    transformable = _PeriodicExponentialTransformable


# by the names under which a description knows them; all of them give the same spikes
SPIKE_FUNCTIONS: dict[str, type[SpikeFunction]] = {
    function.__name__: function for function in (StepPWL, PeriodicExponential)
}
