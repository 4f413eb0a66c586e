"""The time loops of exponential synapses and leaky sums in torch."""

from __future__ import annotations

import torch
from torch import Tensor

from rockpool.nn.modules.torch._loops.steps import expand, stack


def leaky_sum(drive: Tensor, start: Tensor, decay: Tensor) -> tuple[Tensor, Tensor]:
    """Return ``y_t = decay y_{t-1} + drive_t`` for all t, (B, T, N), and its last value (B, N).

    The value before the first step, `start`, is (B, N), and the decay (N,) or ().
    """
    (decay,) = expand(start.shape, decay)
    value, values = start, []
    for drive_t in drive.unbind(1):
        value = torch.addcmul(drive_t, value, decay)
        values.append(value)
    return stack(values, value), value


def exp_syn_loop(
    x: Tensor, isyn: Tensor, beta: Tensor, noise: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """Run exponential synapses over time: ``isyn <- (isyn + x_t + noise_t) beta``.

    The decay in one time step, `beta`, is (N,) or (). The output is the currents.
    """
    return leaky_sum((x if noise is None else x + noise) * beta, isyn, beta)
