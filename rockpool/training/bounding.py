"""Parameters that stay in their range while they are trained: `bound`."""

from __future__ import annotations

from typing import Any

from rockpool.nn.modules.module import ModuleBase
from rockpool.parameters import is_jax_array, is_tensor
from rockpool.training.groups import every_parameter

__all__ = ["bound"]


def bound(net: Any, optimizer: Any) -> Any:
    """Keep time constants and thresholds in their range, after each step of an optimizer.

    Time constants are at least the time step of their module, thresholds at least 1e-3 (or what the
    user gave, where that was less).

    Parameters
    ----------
    net : module
        A network of torch or of jax, also a timed one.
    optimizer : object
        For torch: a ``torch.optim.Optimizer``. For jax: an optimizer of optax, for trees of
        parameters as ``net.parameters()`` gives them.

    Returns
    -------
    object
        The optimizer: of torch the one that was given, which limits the parameters at the end of
        its ``step()`` from now on; of optax another one.

    Raises
    ------
    TypeError
        `net` is no module of torch or jax, or `optimizer` is none for it.

    Examples
    --------
    >>> import torch
    >>> from rockpool.nn.modules import LIFTorch
    >>> from rockpool.training import bound
    >>> net = LIFTorch(2, tau_mem=2e-3)
    >>> optimizer = bound(net, torch.optim.SGD(net.parameters().astorch(), lr=1.0))
    >>> net.tau_mem.grad = torch.ones(())
    >>> _ = optimizer.step()
    >>> round(net.tau_mem.item(), 6)
    0.001
    """
    if not isinstance(net, ModuleBase):
        raise TypeError(f"bound: net must be a module, got {type(net).__name__}")
    found = [value for _, value, _ in every_parameter(net)]
    if hasattr(net, "to_torch") or (found and all(map(is_tensor, found))):
        from rockpool.training.bounds_torch import bound_after_steps

        return bound_after_steps(net, optimizer)
    if hasattr(net, "tree_flatten") or (found and all(map(is_jax_array, found))):
        from rockpool.training.bounds_jax import bounded_updates

        return bounded_updates(net, optimizer)
    raise TypeError(f"bound: net must be a module of torch or jax, got {type(net).__name__}")
