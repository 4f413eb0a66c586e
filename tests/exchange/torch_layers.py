"""The layers of weights that the exporters on torch have in common."""

from collections import OrderedDict

import cases
import torch


def linear(
    seed: int,
    n_out: int,
    n_in: int,
    gain: float = 1.0,
    bias: float | None = None,
    kind: type[torch.nn.Linear] = torch.nn.Linear,
) -> torch.nn.Linear:
    """A linear layer with the weights of a seed; bias is the largest of its biases, if it has any."""
    layer = kind(n_in, n_out, bias=bias is not None)
    layer.weight.data = torch.tensor(cases.weights(seed, n_out, n_in, gain=gain))
    if bias is not None:
        layer.bias.data = torch.tensor(cases.weights(seed + 50, n_out, gain=bias))
    return layer


def conv2d(
    seed: int,
    n_out: int,
    n_in: int,
    kernel: int,
    gain: float = 1.0,
    kind: type[torch.nn.Conv2d] = torch.nn.Conv2d,
    **how: int | bool,
) -> torch.nn.Conv2d:
    """A convolution with the weights of a seed, and biases of a tenth of them."""
    layer = kind(n_in, n_out, kernel, **how)
    layer.weight.data = torch.tensor(cases.weights(seed, n_out, n_in, kernel, kernel, gain=gain))
    if layer.bias is not None:
        layer.bias.data = torch.tensor(cases.weights(seed + 1, n_out, gain=gain / 10))
    return layer


def named(layers: list[torch.nn.Module]) -> OrderedDict[str, torch.nn.Module]:
    """Names as a user gives them, fc1, lif1, fc2, lif2, ..., for layers of weights and neurons by turns."""
    names = (f"{kind}{i}" for i in range(1, len(layers)) for kind in ("fc", "lif"))
    return OrderedDict(zip(names, layers, strict=False))
