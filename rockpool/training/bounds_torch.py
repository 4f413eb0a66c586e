"""Bounds of parameters in torch: a cost beyond them, a limit at them, a limit after each step."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from rockpool.nn.modules._limits import lower_bounds

__all__ = ["bound_after_steps", "bounds_clip", "bounds_cost", "make_bounds"]

Tree = Any

LARGEST_VIOLATION = 2.0**31


def make_bounds(params: Tree) -> tuple[Tree, Tree]:
    """Return bounds for parameters, none of them bound yet: to be edited.

    Parameters
    ----------
    params : nested dict
        Parameters, such as ``module.parameters()``.

    Returns
    -------
    lower_bounds, upper_bounds : nested dict
        Of the same structure, with ``-inf`` and ``inf`` for each parameter.

    Examples
    --------
    >>> lower, upper = make_bounds({"tau_mem": torch.tensor(0.02), "bias": torch.zeros(2)})
    >>> lower["tau_mem"] = 1e-3
    >>> lower
    {'tau_mem': 0.001, 'bias': -inf}
    """
    return _filled(params, -float("inf")), _filled(params, float("inf"))


def _filled(tree: Tree, value: float) -> Tree:
    if isinstance(tree, dict):
        return {name: _filled(branch, value) for name, branch in tree.items()}
    return value


def bounds_cost(params: Tree, lower_bounds: Tree, upper_bounds: Tree) -> Tensor:
    """Return a cost for parameters beyond their bounds: a regulariser, to be added to a loss.

    Each value ``p`` below a lower bound adds ``exp(lower - p)``, each one above an upper bound
    ``exp(p - upper)``. NaNs are ignored. A violation is limited to 2**31.

    Parameters
    ----------
    params : nested dict of tensors
        The parameters.
    lower_bounds, upper_bounds : nested dict
        Bounds of each, as `make_bounds` gives them: numbers, or tensors that broadcast.

    Returns
    -------
    Tensor
        The cost, a scalar.

    Raises
    ------
    KeyError
        The trees have different structures.
    """
    total = torch.zeros(())
    for p, lower, upper in _together("bounds_cost", params, lower_bounds, upper_bounds):
        for excess in (lower - p, p - upper):
            total = total.to(p.device) + _exponential(excess)
    return total


def _exponential(excess: Tensor) -> Tensor:
    """Return the sum of ``exp(excess)`` where that is positive."""
    beyond = excess > 0  # NaN is not
    counted = torch.where(beyond, excess, torch.zeros_like(excess))
    return torch.where(beyond, counted.clamp(max=LARGEST_VIOLATION).exp(), counted).sum()


def bounds_clip(params: Tree, lower_bounds: Tree, upper_bounds: Tree) -> Tree:
    """Return parameters that are limited to their bounds, as new tensors in a nested dict.

    They have no graph: ``net.set_attributes(bounds_clip(net.parameters(), lower, upper))`` after a
    step of an optimizer writes them into the parameters that it has. Parameters and errors are as
    for `bounds_cost`.
    """
    list(_together("bounds_clip", params, lower_bounds, upper_bounds))
    return _clipped(params, lower_bounds, upper_bounds)


def _clipped(params: Tree, lower: Tree, upper: Tree) -> Tree:
    if isinstance(params, dict):
        return {name: _clipped(params[name], lower[name], upper[name]) for name in params}
    value = params.detach()
    low, high = (torch.as_tensor(limit).to(value) for limit in (lower, upper))
    return value.maximum(low).minimum(high)


def _together(
    owner: str, params: Tree, lower: Tree, upper: Tree, path: str = ""
) -> Iterator[tuple[Tensor, Any, Any]]:
    """Go through three trees of the same structure at once."""
    if not isinstance(params, dict):
        if isinstance(lower, dict) or isinstance(upper, dict):
            raise KeyError(f"{owner}: the bounds have names below {path or 'a parameter'}")
        yield params, lower, upper
        return
    for what, bounds in (("lower_bounds", lower), ("upper_bounds", upper)):
        names = set(bounds) if isinstance(bounds, dict) else set()
        if names != set(params):
            odd = sorted(map(str, names ^ set(params)))
            raise KeyError(
                f"{owner}: {what} must have the structure of params; they differ in "
                f"{', '.join(path + name for name in odd)}"
            )
    for name, value in params.items():
        yield from _together(owner, value, lower[name], upper[name], f"{path}{name}.")


def bound_after_steps(net: Any, optimizer: Any) -> Any:
    """Limit the parameters of a network after each step of an optimizer; as `bound`."""
    if not isinstance(optimizer, torch.optim.Optimizer):
        raise TypeError(
            f"bound: for a network of torch the optimizer must be a torch.optim.Optimizer, got "
            f"{type(optimizer).__name__}"
        )

    def limit(*_: Any) -> None:
        with torch.no_grad():
            for value, least in _bounded(net, lower_bounds(net)):
                if isinstance(value, torch.nn.Parameter):
                    value.clamp_(min=least)

    optimizer.register_step_post_hook(limit)
    return optimizer


def _bounded(module: Any, least: dict[str, Any]) -> Iterator[tuple[Tensor, float]]:
    """Go through the parameters of a network that have a lower bound."""
    for name, _ in module._attributes_of("Parameter"):
        if least[name] > -float("inf"):
            yield module._load_attribute(name), least[name]
    for name, child in module._registered_modules.items():
        yield from _bounded(child, least[name])
