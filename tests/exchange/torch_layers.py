"""The layers of weights that the exporters on torch have in common."""

from typing import Any

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
    kernel: int | tuple[int, int],
    gain: float = 1.0,
    kind: type[torch.nn.Conv2d] = torch.nn.Conv2d,
    **how: Any,
) -> torch.nn.Conv2d:
    """A convolution with the weights of a seed, and biases of a tenth of them."""
    layer = kind(n_in, n_out, kernel, **how)
    layer.weight.data = torch.tensor(cases.weights(seed, *layer.weight.shape, gain=gain))
    if layer.bias is not None:
        layer.bias.data = torch.tensor(cases.weights(seed + 1, n_out, gain=gain / 10))
    return layer


class Named(torch.nn.Module):
    """Layers of weights and neurons by turns as attributes: fc1, lif1, fc2, lif2, ...

    So most users write their networks, and the nodes of the files are called by the attributes.
    """

    def __init__(self, network: torch.nn.Sequential) -> None:
        super().__init__()
        for i, layer in enumerate(network):
            setattr(self, f"{'lif' if i % 2 else 'fc'}{i // 2 + 1}", layer)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Call the layers in turn; of a layer that returns its state too, take the output."""
        for layer in self.children():
            y = layer(x)
            x = y[0] if isinstance(y, tuple) else y
        return x


class Inner(torch.nn.Module):
    """A network as an attribute: nodes are called net.0, net.1, ..."""

    def __init__(self, network: torch.nn.Sequential) -> None:
        super().__init__()
        self.net = network

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Call the network."""
        return self.net(x)


# What a network is wrapped in before it is exported
STYLES = {"plain": lambda network: network, "named": Named, "inner": Inner}
