"""Losses that look at the largest output over time: `PeakLoss`, `BinaryPeakLoss`."""

from __future__ import annotations

import torch
from torch import Tensor

from rockpool.nn.losses.base_loss import _Loss
from rockpool.nn.models import checks
from rockpool.nn.modules.torch._base.transforms import values_unknown
from rockpool.parameters import to_numpy

__all__ = ["BinaryPeakLoss", "PeakLoss"]


class _PeakLossBase(_Loss):
    """Settings of the losses, and what they share."""

    def __init__(
        self,
        max_interval: int,
        weight_nontarget: float | int,
        target_output: float | int,
        nontarget_output: float | int = 0.0,
    ) -> None:
        super().__init__()
        owner = type(self).__name__
        checks.integer(owner, "max_interval", max_interval, 1, "time step")
        self.max_interval = max_interval
        self.weight_nontarget = weight_nontarget
        self.target_output = target_output
        self.nontarget_output = nontarget_output

    def _peaks(self, courses: Tensor) -> Tensor:
        """Return for courses (B, T) the mean from the peak on; beyond the end the peak follows."""
        n_steps = courses.shape[1]
        peak = courses.detach().argmax(1, keepdim=True)
        ahead = torch.arange(self.max_interval, device=courses.device)
        steps = peak + ahead % (n_steps - peak)
        return courses.gather(1, steps).mean(1)

    def _total(self, target: Tensor, nontarget: Tensor) -> Tensor:
        return target + self.weight_nontarget * nontarget


def _check(owner: str, prediction: Tensor, target: Tensor, n_classes: int | None) -> None:
    """Raise a ValueError for tensors that do not fit each other."""
    if prediction.dim() != 3 or (n_classes is not None and prediction.shape[2] != n_classes):
        channels = "classes" if n_classes is None else n_classes
        raise ValueError(
            f"{owner}: prediction must have the shape (batch, time, {channels}), got "
            f"{tuple(prediction.shape)}"
        )
    if target.shape != prediction.shape[:1]:
        raise ValueError(
            f"{owner}: target must have one class for each of the {len(prediction)} batch "
            f"elements, got the shape {tuple(target.shape)}"
        )


def _require_classes(owner: str, target: Tensor, n_classes: int) -> None:
    """Require targets to be classes, where their values are known; bools are 0 and 1."""
    known = target.is_cpu and not torch.jit.is_tracing() and not values_unknown(target)
    if known and target.dtype is not torch.bool:
        checks.classes(owner, "target", to_numpy(target), n_classes)


class PeakLoss(_PeakLossBase):
    """A loss by which the output of the right class has a peak and the others stay silent.

    For each batch element, the output of its class is averaged over `max_interval` time steps from
    its largest value on (should they run over the end, they go on at the peak again). The loss is
    the mean squared distance of these averages from `target_output`, plus `weight_nontarget` times
    the mean squared distance of all other outputs from `nontarget_output`.

    Parameters
    ----------
    max_interval : int
        Number of time steps to average over, >= 1.
    weight_nontarget : float
        Weight of the part for the other classes.
    target_output, nontarget_output : float
        What the output is to be at the peak of the right class, and in the other classes. Default
        for the latter: 0.

    Attributes
    ----------
    loss, loss_target, loss_nontarget : Tensor
        The last loss, and its two parts before the weight.

    Raises
    ------
    ValueError
        `max_interval` is < 1; on a call, fewer than two classes, tensors that do not fit, or a
        target that is no class.
    TypeError
        `max_interval` is no int.

    Examples
    --------
    >>> import torch
    >>> from rockpool.nn.losses import PeakLoss
    >>> PeakLoss(2, 0.5, 1.0)(torch.zeros(3, 10, 4), torch.tensor([0, 3, 1])).item()
    1.0
    """

    def forward(self, prediction: Tensor, target: Tensor) -> Tensor:
        """Return the loss of an output (B, T, C) and the right classes (B,)."""
        owner = type(self).__name__
        _check(owner, prediction, target, None)
        n_classes = prediction.shape[2]
        if n_classes < 2:
            raise ValueError(f"{owner}: there must be two classes at least; see BinaryPeakLoss")
        _require_classes(owner, target, n_classes)
        chosen = torch.nn.functional.one_hot(target.long(), n_classes).bool()
        courses = prediction.transpose(1, 2)
        peaks = self._peaks(courses[chosen])
        self.loss_target = ((peaks - self.target_output) ** 2).mean()
        self.loss_nontarget = ((courses[~chosen] - self.nontarget_output) ** 2).mean()
        self.loss = self._total(self.loss_target, self.loss_nontarget)
        return self.loss


class BinaryPeakLoss(_PeakLossBase):
    """A loss as `PeakLoss`, for one output and targets 0 and 1.

    The output of positives is averaged at its peak as there. That of negatives is to be
    `nontarget_output` all the time. A batch without one of the two has no loss for it.

    Errors are as for `PeakLoss`.

    Parameters
    ----------
    max_interval, weight_nontarget, target_output, nontarget_output
        As for `PeakLoss`.

    Attributes
    ----------
    loss, loss_positives, loss_negatives : Tensor
        The last loss, and its two parts before the weight.
    """

    def forward(self, prediction: Tensor, target: Tensor) -> Tensor:
        """Return the loss of an output (B, T, 1) and targets (B,)."""
        owner = type(self).__name__
        _check(owner, prediction, target, 1)
        _require_classes(owner, target, 2)
        courses, positive = prediction[..., 0], target.bool()
        nothing = prediction.new_zeros(())
        self.loss_positives = self.loss_negatives = nothing
        if positive.any():
            peaks = self._peaks(courses[positive])
            self.loss_positives = ((peaks - self.target_output) ** 2).mean()
        if not positive.all():
            self.loss_negatives = ((courses[~positive] - self.nontarget_output) ** 2).mean()
        self.loss = self._total(self.loss_positives, self.loss_negatives)
        return self.loss
