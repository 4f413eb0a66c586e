"""The CTC loss in torch: `ctc_loss_torch`."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn.functional import pad

from rockpool.training.ctc_loss.numpy_ctc import check_input, check_length, may_skip, with_blanks

__all__ = ["ctc_loss_torch"]


def ctc_loss_torch(
    label: Sequence[int] | Tensor, log_prob: Tensor, seq_length: int, big_num: float | int = 1e10
) -> Tensor:
    """Return ``-log p(label)`` under connectionist temporal classification.

    As `ctc_loss_numpy`, of Tensors, with gradients.

    Parameters and errors are those of `ctc_loss_numpy`.
    """
    owner = "ctc_loss_torch"
    labels = label.detach().cpu().numpy() if isinstance(label, Tensor) else label
    extended = with_blanks(owner, labels)
    check_input(owner, extended, tuple(log_prob.shape))
    check_length(owner, int(seq_length), len(log_prob))
    cannot_skip = torch.as_tensor(~may_skip(extended), device=log_prob.device)
    emissions = log_prob[:, torch.as_tensor(extended, device=log_prob.device)]

    alpha = pad(emissions[0, :2], (0, len(extended) - 2), value=-big_num)
    for emission in emissions[1 : int(seq_length)]:
        one = pad(alpha[:-1], (1, 0), value=-big_num)
        two = pad(alpha[:-2], (2, 0), value=-big_num).masked_fill(cannot_skip, -big_num)
        reached = torch.logsumexp(torch.stack([alpha, one, two]), dim=0)
        alpha = torch.clamp(reached + emission, min=-big_num)
    return -torch.logaddexp(alpha[-1], alpha[-2])
