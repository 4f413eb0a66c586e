"""The time loop of conversion from analog signals to up and down events in torch."""

from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.autograd import Function

from rockpool.nn.modules.torch._base.transforms import in_transform
from rockpool.nn.modules.torch._loops.steps import Records

__all__ = ["UpDownParameters", "updown_loop"]


class UpDownParameters(NamedTuple):
    """What converts signals: thresholds (1, N), and the time steps that an event occupies."""

    thr_up: Tensor
    thr_down: Tensor
    n_ref_steps: int


def _whole_steps(y: Tensor) -> Tensor:
    return torch.floor(y).clamp(min=0.0)


class _Count(Function):
    """``max(floor(y), 0)``, with the gradient 1 where ``y >= 0.5`` and 0 elsewhere."""

    @staticmethod
    def forward(ctx: Any, y: Tensor) -> Tensor:
        ctx.save_for_backward(y)
        return _whole_steps(y)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        (y,) = ctx.saved_tensors
        return grad.masked_fill(y < 0.5, 0.0)


class _CountTransformable(Function):
    """The same in the form that the transforms of ``torch.func`` ask for."""

    generate_vmap_rule = True
    backward = staticmethod(_Count.backward)

    @staticmethod
    def forward(y: Tensor) -> Tensor:
        return _whole_steps(y)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Any) -> None:
        ctx.save_for_backward(*inputs)


def updown_loop(
    x: Tensor,
    reference: Tensor,
    parameters: UpDownParameters,
    noise: None = None,
    record: bool = False,
) -> tuple[Tensor, Tensor, Records]:
    """Return the numbers of steps up and down of signals, the last references, and all of them.

    Signals are (B, T, N), with T > 0, and references (B, N); the numbers (B, T, N, 2). The record
    ``analog_value``, (B, T, N), is where each time step started from.
    """
    thr_up, thr_down, n_ref_steps = parameters
    count = _CountTransformable.apply if in_transform() else _Count.apply
    wait = torch.zeros_like(reference, dtype=torch.int64)  # time steps still without events
    events, references = [], []
    for x_t in x.unbind(1):
        references.append(reference)
        up = count((x_t - reference) / thr_up)
        down = count((reference - x_t) / thr_down)
        if n_ref_steps == 0:
            reference = reference + up * thr_up - down * thr_down
        else:
            up = up.clamp(max=1.0).masked_fill(wait > 0, 0.0)
            down = down.clamp(max=1.0).masked_fill(wait > 0, 0.0)
            wait = wait.masked_fill(up + down > 0, int(n_ref_steps))
            reference = torch.where(wait > 0, x_t, reference)
            wait = wait - 1
        events.append(torch.stack((up, down), -1))
    records = {"analog_value": torch.stack(references, 1)} if record else {}
    return torch.stack(events, 1), reference, records
