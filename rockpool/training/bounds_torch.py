"""A limit of parameters in torch after each step of an optimizer: `bound_after_steps`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from rockpool.nn.modules._limits import lower_bounds, most_of

__all__ = ["bound_after_steps"]


def bound_after_steps(net: Any, optimizer: Any) -> Any:
    """Limit the parameters of a network after each step of an optimizer; as `bound`."""
    if not isinstance(optimizer, torch.optim.Optimizer):
        raise TypeError(
            f"bound: for a network of torch the optimizer must be a torch.optim.Optimizer, got "
            f"{type(optimizer).__name__}"
        )

    def limit(*_: Any) -> None:
        with torch.no_grad():
            for value, least, most in _bounded(net, lower_bounds(net)):
                if isinstance(value, torch.nn.Parameter):
                    value.clamp_(min=least, max=most)

    optimizer.register_step_post_hook(limit)
    return optimizer


def _bounded(module: Any, least: dict[str, Any]) -> Iterator[tuple[Tensor, float, float | None]]:
    """Go through the parameters of a network that have a lower bound: values and both bounds."""
    for name, _ in module._attributes_of("Parameter"):
        if least[name] > -float("inf"):
            yield module._load_attribute(name), least[name], most_of(module, name)
    for name, child in module._registered_modules.items():
        yield from _bounded(child, least[name])
