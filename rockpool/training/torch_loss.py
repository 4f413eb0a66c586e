"""Regularisers that keep parameters of torch modules within bounds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor

from rockpool.nn.modules.torch.torch_module import TorchModule
from rockpool.training._operations_torch import like

__all__ = [
    "ParameterBoundaryRegularizer",
    "bounds_clip",
    "bounds_cost",
    "make_bounds",
    "summed_exp_boundary_loss",
]

Tree = dict[str, Any]
Bound = Any  # a number, or a tensor that broadcasts; None for none

# Beyond it, the exponential of a violation is infinite in single precision
LARGEST_VIOLATION = 2.0**31


def summed_exp_boundary_loss(
    data: Tensor, lower_bound: Bound = None, upper_bound: Bound = None
) -> Tensor:
    """Return a cost for values beyond bounds: a regulariser, to be added to a loss.

    Each value x below the lower bound adds ``exp(lower_bound - x)``, each one above the upper bound
    ``exp(x - upper_bound)``. NaNs are ignored.

    Parameters
    ----------
    data : Tensor
        The values, of any shape.
    lower_bound, upper_bound : float or Tensor, optional
        The bounds, also 0, of a shape that broadcasts with the data. Default: None, no bound.

    Returns
    -------
    Tensor
        The cost, a scalar.

    Examples
    --------
    >>> import torch
    >>> round(summed_exp_boundary_loss(torch.tensor([0.1, 1.0, 2.0]), 0.5, 1.5).item(), 4)
    3.1405
    """
    cost = data.new_zeros(())
    if lower_bound is not None:
        cost = cost + _exponential_excess(like(lower_bound, data) - data)
    if upper_bound is not None:
        cost = cost + _exponential_excess(data - like(upper_bound, data))
    return cost


def _exponential_excess(excess: Tensor) -> Tensor:
    """Return the sum of ``exp(excess)`` where that is positive."""
    excess = excess[excess > 0]  # NaN is not
    return torch.exp(excess.clamp(max=LARGEST_VIOLATION)).sum()


class ParameterBoundaryRegularizer(TorchModule):
    """A module that gives the cost of values beyond bounds, by `summed_exp_boundary_loss`.

    Parameters
    ----------
    lower_bound, upper_bound : float, optional
        The bounds. Default: none.

    Examples
    --------
    >>> import torch
    >>> regularizer = ParameterBoundaryRegularizer(lower_bound=0.0)
    >>> regularizer(torch.tensor([1.0, 2.0]))[0].item()
    0.0
    """

    def __init__(
        self,
        lower_bound: Bound = None,
        upper_bound: Bound = None,
        *args: Any,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, shape=(None,), **kwargs)
        self.lower_bound = lower_bound
        self.upper_bound = upper_bound

    def forward(self, data: Tensor) -> Tensor:
        """Return the cost of values of any shape, a scalar."""
        return summed_exp_boundary_loss(data, self.lower_bound, self.upper_bound)


def make_bounds(params: Tree) -> tuple[Tree, Tree]:
    """Return bounds for parameters, none of them bound yet: to be edited.

    Parameters
    ----------
    params : dict
        Parameters by name, nested, such as ``module.parameters()``.

    Returns
    -------
    lower_bounds, upper_bounds : dict
        Trees of the same structure, with ``-inf`` and ``inf`` at the leaves.

    Examples
    --------
    >>> from rockpool.nn.modules import LIFTorch
    >>> lower, upper = make_bounds(LIFTorch(2).parameters())
    >>> lower["tau_mem"] = 1e-3
    >>> lower
    {'tau_mem': 0.001, 'tau_syn': -inf, 'bias': -inf, 'threshold': -inf}
    """
    return _filled(params, -float("inf")), _filled(params, float("inf"))


def _filled(tree: Any, value: float | int) -> Any:
    if isinstance(tree, dict):
        return {str(name): _filled(branch, value) for name, branch in tree.items()}
    return value


def bounds_cost(params: Tree, lower_bounds: Tree, upper_bounds: Tree) -> Tensor:
    """Return a cost for parameters beyond their bounds, as `summed_exp_boundary_loss` does.

    Parameters
    ----------
    params : dict
        The parameters by name, nested.
    lower_bounds, upper_bounds : dict
        Bounds at each leaf, as `make_bounds` gives them: numbers, or tensors or lists that
        broadcast. What they leave out, or have None for, a parameter or all of a module, has no
        bound.

    Returns
    -------
    Tensor
        The cost, a scalar.

    Raises
    ------
    KeyError
        There is a bound for something that is no parameter.
    """
    _check_bounds("bounds_cost", params, lower_bounds, upper_bounds)
    costs = [
        summed_exp_boundary_loss(value, lower, upper)
        for value, lower, upper in _bounded(params, lower_bounds, upper_bounds)
    ]
    return torch.stack(costs).sum() if costs else torch.zeros(())


def bounds_clip(params: Tree, lower_bounds: Tree, upper_bounds: Tree) -> Tree:
    """Return parameters that are limited to their bounds; to be applied after an update.

    Parameters and errors are as for `bounds_cost`. The result is for
    ``module.set_attributes``; it has no gradients.
    """
    _check_bounds("bounds_clip", params, lower_bounds, upper_bounds)

    def clipped(value: Tensor, lower: Bound, upper: Bound) -> Tensor:
        value = value.detach()
        if lower is not None:
            value = torch.maximum(value, like(lower, value))
        return value if upper is None else torch.minimum(value, like(upper, value))

    return _mapped(clipped, params, lower_bounds, upper_bounds)


def _mapped(function: Callable[..., Any], params: Any, lower: Any, upper: Any) -> Any:
    if not isinstance(params, dict):
        return function(params, lower, upper)
    return {
        str(name): _mapped(function, value, _inner(lower, name), _inner(upper, name))
        for name, value in params.items()
    }


def _bounded(params: Any, lower: Any, upper: Any) -> Iterator[tuple[Tensor, Bound, Bound]]:
    """Yield each parameter with its bounds."""
    if not isinstance(params, dict):
        yield params, lower, upper
        return
    for name, value in params.items():
        yield from _bounded(value, _inner(lower, name), _inner(upper, name))


def _inner(bounds: Tree | None, name: str) -> Any:
    return None if bounds is None else bounds.get(name)


def _check_bounds(owner: str, params: Tree, lower_bounds: Tree, upper_bounds: Tree) -> None:
    for argument, bounds in (("lower_bounds", lower_bounds), ("upper_bounds", upper_bounds)):
        _check_branch(f"{owner}: {argument}", params, bounds, "")


def _check_branch(owner: str, params: Any, bounds: Any, place: str) -> None:
    """Raise a KeyError where bounds have a name that parameters have not."""
    if isinstance(params, dict) != isinstance(bounds, dict):
        what = "parameters by name" if isinstance(params, dict) else "one parameter"
        raise KeyError(f"{owner} must have the structure of params, but {place!r} is {what} there")
    if not isinstance(params, dict):
        return
    for name, bound in bounds.items():
        inner = f"{place}.{name}" if place else name
        if name not in params:
            known = ", ".join(map(str, params))
            raise KeyError(f"{owner} has {inner!r}, which is no parameter; there are {known}")
        if bound is not None:
            _check_branch(owner, params[name], bound, inner)
