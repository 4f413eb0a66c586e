"""Operations of autograd that call kernels: how they run, and their gradients' own gradients."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function

__all__ = ["by_operations", "keep", "only_needed", "run", "second_order"]

# torch has no public question for gradients that stand for many, as `is_grads_batched` makes them
_is_batched = getattr(torch._C._functorch, "is_legacy_batchedtensor", lambda tensor: False)


def run(function: type[Function], settings: Any, *tensors: Tensor | None) -> Any:
    """Apply a function of autograd, without a graph where no gradients will be asked for."""
    if torch.is_grad_enabled() and any(t is not None and t.requires_grad for t in tensors):
        return function.apply(settings, *tensors)
    return function.forward(None, settings, *tensors)


def keep(ctx: Any, settings: Any, *tensors: Tensor | None) -> None:
    """Keep what the gradients need in the context of a function that `run` runs, if it has one."""
    if ctx is not None:
        ctx.settings = settings
        ctx.save_for_backward(*tensors)
        ctx.set_materialize_grads(False)


def by_operations(grads: Iterable[Tensor | None]) -> bool:
    """Whether gradients are to be computed by operations of torch, given those of the results.

    That is so where they are to have gradients themselves, or stand for many at once.
    """
    return torch.is_grad_enabled() or any(q is not None and _is_batched(q) for q in grads)


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

    The function is made of operations of torch and takes `inputs` one by one; `grads` are the
    gradients of its results. Those inputs that are not needed get None.
    """
    again = torch.is_grad_enabled()
    with torch.enable_grad():
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
        found = torch.autograd.grad(results, wanted, given, create_graph=again, allow_unused=True)
    left = iter(found)
    return [next(left) if need else None for need in needed]
