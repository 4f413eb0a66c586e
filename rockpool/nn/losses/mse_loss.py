"""The mean squared error: `MSELoss`."""

from __future__ import annotations

from torch import Tensor
from torch.nn.functional import mse_loss

from rockpool.nn.losses.base_loss import _Loss

__all__ = ["MSELoss"]


class MSELoss(_Loss):
    """The mean of the squared differences between prediction and target.

    Examples
    --------
    >>> import torch
    >>> from rockpool.nn.losses import MSELoss
    >>> MSELoss()(torch.ones(2, 5, 3), torch.zeros(2, 5, 3)).item()
    1.0
    """

    def forward(self, prediction: Tensor, target: Tensor) -> Tensor:
        """Return the loss of two tensors of the same shape."""
        return mse_loss(prediction, target)
