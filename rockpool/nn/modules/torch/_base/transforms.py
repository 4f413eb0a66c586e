"""What goes on around a call: a transform of ``torch.func``, a compiler, a CUDA graph capture.

And what tensors have from there: a graph, the mark of inference mode.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

import torch

F = TypeVar("F", bound=Callable[..., Any])

# torch has no public question for this one; a torch without it counts as eager
_transforms_active = getattr(torch._C, "_are_functorch_transforms_active", None)
_is_wrapped = getattr(torch._C._functorch, "is_functorch_wrapped_tensor", lambda tensor: True)
_is_compiling = getattr(torch.compiler, "is_compiling", None)  # not in the oldest torch we take


def compiling() -> bool:
    """Whether ``torch.compile`` is going through the call."""
    if sys.modules.get("torch._dynamo") is None:  # all that makes graphs imports it
        return False
    return _is_compiling is not None and _is_compiling()


def in_transform() -> bool:
    """Whether ``torch.func.grad``, ``vmap``, ``jvp`` or the like is being applied right now."""
    return _transforms_active is not None and _transforms_active()


def has_graph(value: Any) -> bool:
    """Whether `value` is a tensor that was computed from others which gradients can reach."""
    if not isinstance(value, torch.Tensor):
        return False
    return value.grad_fn is not None or (in_transform() and _is_wrapped(value))


def trainable(tensor: torch.Tensor) -> torch.Tensor:
    """Return a tensor that can take part in training: a copy, of one of inference mode."""
    if not tensor.is_inference():
        return tensor
    with torch.inference_mode(False):
        copied = tensor.detach().clone()
        if isinstance(tensor, torch.nn.Parameter):
            return torch.nn.Parameter(copied, tensor.requires_grad)
        return copied


def underneath(tensor: torch.Tensor) -> torch.Tensor:
    """Return the tensor whose values `tensor` has within transforms of ``torch.func``: of all."""
    functorch = torch._C._functorch
    while functorch.is_functorch_wrapped_tensor(tensor):
        tensor = functorch.get_unwrapped(tensor)
    return tensor


def values_unknown(tensor: torch.Tensor) -> bool:
    """Whether the values of `tensor` cannot be looked at now (traced, transformed, captured)."""
    if compiling() or in_transform() or tensor.is_meta:
        return True
    return tensor.is_cuda and torch.cuda.is_current_stream_capturing()


def no_dynamo(function: F) -> F:
    """Keep compilers of torch out of a function: it runs as it is, what is around it is compiled.

    A compiler unrolls a loop over time, takes minutes over it and gains next to nothing.
    """
    disabled: list[Callable[..., Any]] = []

    @wraps(function)
    def run(*args: Any, **kwargs: Any) -> Any:
        compiler = sys.modules.get("torch._dynamo")  # takes seconds to import: not for this
        if compiler is None:
            return function(*args, **kwargs)
        if not disabled:
            disabled.append(compiler.disable(function))
        return disabled[0](*args, **kwargs)

    return run  # type: ignore[return-value]
