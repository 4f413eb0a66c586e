"""The network of artificial neurons that `WaveSenseNet` is a spiking form of: `WaveNet`."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Integral
from typing import Any

import torch
from torch import Tensor, nn

from rockpool.nn.models import checks
from rockpool.nn.modules.torch.torch_module import TorchModule

__all__ = ["WaveBlock", "WaveNet"]


def require_counts(owner: str, **counts: Any) -> None:
    """Raise a TypeError or a ValueError for arguments that are no whole numbers >= 1, by name."""
    for name, value in counts.items():
        if not isinstance(value, Integral) or value < 1:
            error = ValueError if isinstance(value, Integral) else TypeError
            raise error(f"{owner}: {name} must be a whole number >= 1, got {value!r}")


class WaveBlock(nn.Module):
    r"""A gated, dilated, causal convolution, with a residual and a skip connection.

    .. math:: z = \tanh(w_f * x) \, \sigma(w_g * x)

    gives, through a convolution of width 1 for each, the skip output, and the residual output to
    which `x` is added.

    Parameters
    ----------
    n_channels_res : int
        Number of channels of input and residual output, >= 1.
    n_channels_skip : int
        Number of channels of the skip output, >= 1.
    kernel_size : int
        Number of time steps that a convolution takes into account, >= 1.
    dilation : int
        Distance between these in time steps, >= 1.
    bias : bool
        Whether the convolutions have biases. Default: False.

    Raises
    ------
    TypeError
        A number is no whole one.
    ValueError
        A number is < 1.

    References
    ----------
    A. van den Oord et al., WaveNet: a generative model for raw audio, arXiv:1609.03499 (2016).
    """

    def __init__(
        self,
        n_channels_res: int,
        n_channels_skip: int,
        kernel_size: int,
        dilation: int,
        bias: bool = False,
    ) -> None:
        require_counts(
            type(self).__name__,
            n_channels_res=n_channels_res,
            n_channels_skip=n_channels_skip,
            kernel_size=kernel_size,
            dilation=dilation,
        )
        super().__init__()
        self.past = (kernel_size - 1) * dilation

        def dilated() -> nn.Conv1d:
            return nn.Conv1d(
                n_channels_res, n_channels_res, kernel_size, dilation=dilation, bias=bias
            )

        self.conv_tanh = dilated()
        self.conv_sigmoid = dilated()
        self.conv_res = nn.Conv1d(n_channels_res, n_channels_res, 1, bias=bias)
        self.conv_skip = nn.Conv1d(n_channels_res, n_channels_skip, 1, bias=bias)

    def forward(self, data: Tensor) -> tuple[Tensor, Tensor]:
        """Return the residual output (B, n_channels_res, T) and the skip output."""
        padded = nn.functional.pad(data, (self.past, 0))
        gated = torch.tanh(self.conv_tanh(padded)) * torch.sigmoid(self.conv_sigmoid(padded))
        return self.conv_res(gated) + data, self.conv_skip(gated)


class WaveNet(nn.Module):
    """A network of dilated convolutions over time that classifies signals, without spikes.

    It is an ordinary network of torch, made a `TorchModule`: a call takes data (B, T,
    n_channels_in) and returns ``(output, state, record)`` with an output (B, T, n_classes).

    Parameters
    ----------
    n_classes, n_channels_in : int
        Number of output and input channels. Default: 2 and 64.
    n_channels_res, n_channels_skip, n_hidden : int
        Number of channels of the blocks, of their skip outputs and of the hidden layer. Default:
        16, 32 and 128.
    bias : bool
        Whether the convolutions have biases. Default: True.
    dilations : sequence of int
        Dilation of each `WaveBlock`, in time steps. Default: 1, 2, 4, 8, 16, twice.
    kernel_size : int
        Number of time steps that each convolution takes into account. Default: 2.

    Raises
    ------
    TypeError
        A number is no whole one.
    ValueError
        A number is < 1, or there are no dilations.

    References
    ----------
    As for `WaveBlock`.

    Examples
    --------
    >>> import torch
    >>> from rockpool.nn.networks import WaveNet
    >>> output, _, _ = WaveNet(n_classes=3, n_channels_in=4)(torch.zeros(2, 20, 4))
    >>> tuple(output.shape)
    (2, 20, 3)
    """

    def __init__(
        self,
        n_classes: int = 2,
        n_channels_in: int = 64,
        n_channels_res: int = 16,
        n_channels_skip: int = 32,
        n_hidden: int = 128,
        bias: bool = True,
        dilations: Sequence[int] = (1, 2, 4, 8, 16, 1, 2, 4, 8, 16),
        kernel_size: int = 2,
    ) -> None:
        owner = type(self).__name__
        dilations = checks.as_entries(dilations)
        if not dilations:
            raise ValueError(f"{owner}: dilations must have an entry for each block, got none")
        require_counts(
            owner,
            n_classes=n_classes,
            n_channels_in=n_channels_in,
            n_channels_res=n_channels_res,
            n_channels_skip=n_channels_skip,
            n_hidden=n_hidden,
            kernel_size=kernel_size,
        )
        for dilation in dilations:
            require_counts(owner, dilations=dilation)
        super().__init__()
        self.conv_in = nn.Conv1d(n_channels_in, n_channels_res, 1, bias=bias)
        self.blocks = nn.ModuleList(
            WaveBlock(n_channels_res, n_channels_skip, kernel_size, dilation, bias=bias)
            for dilation in dilations
        )
        self.conv_hidden = nn.Conv1d(n_channels_skip, n_hidden, 1, bias=bias)
        self.conv_out = nn.Conv1d(n_hidden, n_classes, 1, bias=bias)
        TorchModule.from_torch(self)

    def forward(self, data: Tensor) -> Tensor:
        """Return the output (B, T, n_classes)."""
        if data.dim() != 3:
            raise ValueError(
                f"WaveNet: the input must have the shape (batch, time, {self.conv_in.in_channels}),"
                f" got {tuple(data.shape)}"
            )
        data = torch.relu(self.conv_in(data.transpose(1, 2)))
        skips = []
        for block in self.blocks:
            data, skip = block(data)
            skips.append(skip)
        hidden = torch.relu(self.conv_hidden(torch.stack(skips).sum(0)))
        return self.conv_out(hidden).transpose(1, 2)
