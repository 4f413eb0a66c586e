"""Whether gradients will be asked for, and gradients that can be differentiated again."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import torch
from torch import Tensor

__all__ = ["needs_graph", "only_needed", "second_order"]


def needs_graph(tensors: Iterable[Tensor | None]) -> bool:
    """Whether gradients will be asked for."""
    return torch.is_grad_enabled() and any(t is not None and t.requires_grad for t in tensors)


def only_needed(
    gradients: Iterable[Tensor | None], needed: Iterable[bool]
) -> Iterator[Tensor | None]:
    """Yield gradients, None in place of those that are not needed."""
    return (value if need else None for value, need in zip(gradients, needed, strict=True))


def second_order(
    function: Callable[..., Sequence[Tensor | None]],
    inputs: Sequence[Tensor | None],
    needed: Sequence[bool],
    grads: Sequence[Tensor | None],
) -> list[Tensor | None]:
    """Return gradients of a function that can be differentiated again.

    Parameters
    ----------
    function : callable
        Takes `inputs` one by one; made of operations of torch.
    inputs : sequence of (Tensor or None)
        Where it is differentiated.
    needed : sequence of bool
        The inputs whose gradients are needed.
    grads : sequence of (Tensor or None)
        Gradients of its results.

    Returns
    -------
    list of (Tensor or None)
        Gradients of the inputs, None for those that are not needed.
    """
    # a view of each, such that no gradient takes a way around through what the inputs came from
    views = [None if value is None else value.view_as(value) for value in inputs]
    pairs = [
        (result, gradient)
        for result, gradient in zip(function(*views), grads, strict=True)
        if result is not None and gradient is not None and result.requires_grad
    ]
    wanted: Any = [view for view, need in zip(views, needed, strict=True) if need]
    found: Any = [None] * len(wanted)
    if pairs:
        results, given = zip(*pairs, strict=True)
        found = torch.autograd.grad(results, wanted, given, create_graph=True, allow_unused=True)
    left = iter(found)
    return [next(left) if need else None for need in needed]
