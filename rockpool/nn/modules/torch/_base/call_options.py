"""What a call says to all modules inside: how long sequences are, whether states keep a graph."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, NamedTuple

import torch
from torch import Tensor

from rockpool.nn.kernels.switch import save_memory
from rockpool.nn.modules.torch._base.transforms import compiling, values_unknown

__all__ = ["CallOptions", "call_options", "lengths_of", "memory_is_low", "options_set"]


class CallOptions(NamedTuple):
    """The options of a call."""

    detach: bool = True  # states that are left behind have no graph
    lengths: Tensor | None = None  # time steps of each batch element, (B,); None: all there are
    n_steps: int = 0  # of the input, with lengths
    memory: str | None = None  # "low" or "full"; None: as `save_memory` says

    def cut(self, value: Any) -> Any:
        """Return outputs or records (B, T, ...), also in dicts, with zeros beyond each end."""
        if self.lengths is None:
            return value
        if isinstance(value, dict):
            return {key: self.cut(inner) for key, inner in value.items()}
        shape = (len(self.lengths), self.n_steps)
        if not isinstance(value, Tensor) or value.shape[:2] != shape:
            return value
        steps = torch.arange(self.n_steps, device=value.device)
        beyond = steps >= self.lengths.to(value.device).unsqueeze(1)
        return value.masked_fill(beyond.reshape(*shape, *[1] * (value.dim() - 2)), 0)

    def last(self, label: str, name: str, course: Tensor | None, before: Tensor) -> Tensor:
        """Return a state at each end, of its time course (B, T, ...) and what it was before."""
        lengths: Any = self.lengths
        if course is None or course.shape[:2] != (len(lengths), self.n_steps):
            raise ValueError(
                f"{label}: lengths need the state {name} over time, (B, T, ...) with B and T of "
                f"the input, {(len(lengths), self.n_steps)}; there is none"
            )
        lengths = lengths.to(course.device)
        values = torch.cat((before.to(course.dtype).unsqueeze(1), course), 1)
        return values[torch.arange(len(lengths), device=course.device), lengths]


_DEFAULT = CallOptions()
_current: ContextVar[CallOptions] = ContextVar("rockpool_torch_call_options", default=_DEFAULT)


def call_options() -> CallOptions:
    """Return the options of the call that is going on."""
    return _DEFAULT if compiling() else _current.get()


def memory_is_low() -> bool:
    """Whether what gradients need is to be computed again instead of kept."""
    memory = call_options().memory
    return save_memory._wanted() if memory is None else memory == "low"


@contextmanager
def options_set(label: str, options: CallOptions) -> Iterator[CallOptions]:
    """Set the options for the length of a call."""
    if compiling():
        raise NotImplementedError(
            f"{label}: lengths, detach=False and memory cannot be given to a compiled or exported "
            f"module"
        )
    token = _current.set(options)
    try:
        yield options
    finally:
        _current.reset(token)


def lengths_of(label: str, lengths: Any, n_batch: int, n_steps: int) -> Tensor:
    """Return the argument `lengths`, checked, as whole numbers (B,)."""
    tensor = torch.as_tensor(lengths)
    if tensor.is_floating_point() or tensor.is_complex() or tensor.dtype == torch.bool:
        raise TypeError(f"{label}: lengths must be whole numbers, got {lengths!r}")
    if tensor.shape != (n_batch,) and not (n_batch == 1 and tensor.dim() == 0):
        raise ValueError(
            f"{label}: lengths must be one number for each of {n_batch} batch elements, got the "
            f"shape {tuple(tensor.shape)}"
        )
    tensor = tensor.reshape(n_batch).long()
    if not values_unknown(tensor) and bool(((tensor < 0) | (tensor > n_steps)).any()):
        raise ValueError(
            f"{label}: lengths must be from 0 to the {n_steps} time steps of the input, got "
            f"{tensor.tolist()}"
        )
    return tensor
