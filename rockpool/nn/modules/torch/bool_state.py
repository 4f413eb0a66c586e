"""Latches that are set and reset by their input, in torch: `BooleanState`."""

from __future__ import annotations

from functools import partial
from types import MappingProxyType
from typing import Any, Unpack

import torch
from torch import Tensor

from rockpool.nn.description import Node
from rockpool.nn.models import checks
from rockpool.nn.modules.torch._base.checks import require_finite_input, same_in_and_out
from rockpool.nn.modules.torch.torch_module import (
    TorchModule,
    TorchModuleArguments,
    to_float_tensor,
)
from rockpool.parameters import Shape, SimulationParameter, State

__all__ = ["BooleanState"]


class BooleanState(TorchModule):
    """A layer of latches: a strong input sets or resets them, between which they hold.

    Where ``abs(x) > threshold``, the state becomes ``x > 0``; elsewhere it stays. Output and state
    are bools; no gradient passes.

    Parameters
    ----------
    shape : int or tuple of int
        Number of latches, ``N``, ``(N,)`` or ``(N, N)``.
    threshold : Tensor, optional
        Magnitude >= 0 that the input must exceed, shape (N,) or (); 1e-10.

    Examples
    --------
    >>> import torch
    >>> from rockpool.nn.modules import BooleanState
    >>> output, _, _ = BooleanState(1)(torch.tensor([[[0.0], [2.0], [0.0], [-1.0]]]))
    >>> output.flatten().tolist()
    [False, True, True, False]
    """

    _replaces_states = True
    _checks = MappingProxyType({"threshold": checks.non_negative})

    threshold: Any
    bool_state: Any

    def __init__(
        self,
        shape: int | tuple[int, ...],
        threshold: Tensor | None = None,
        *args: Any,
        **kwargs: Unpack[TorchModuleArguments],
    ) -> None:
        owner = type(self).__name__
        entries = same_in_and_out(owner, shape)
        if threshold is None:
            threshold = torch.tensor(1e-10)
        if not isinstance(threshold, Tensor):
            raise TypeError(f"{owner}: threshold must be a torch tensor, got {threshold!r}")
        size = entries[-1]
        shapes: list[int | Shape] = [(size,), ()]
        checks.shape_fits(owner, "threshold", [(size,), ()], threshold)
        checks.non_negative(owner, "threshold", threshold)
        super().__init__(*args, shape=entries, **kwargs)
        self.threshold = SimulationParameter(threshold, shape=shapes, cast_fn=to_float_tensor)
        self.bool_state = State(shape=(size,), init_func=partial(torch.zeros, dtype=torch.bool))

    @classmethod
    def _described_arguments(cls, node: Node) -> dict[str, Any]:
        arguments = super()._described_arguments(node)
        return {**arguments, "threshold": torch.as_tensor(arguments["threshold"])}

    def forward(self, data: Tensor) -> Tensor:
        """Return the states over time, bools."""
        data = self._input(data, self.threshold)
        start = self._batched_state("bool_state", data.shape[0])
        magnitude = data.abs()
        require_finite_input(self, data, magnitude)
        strong = magnitude > self.threshold
        # each time step shows what the latest strong input stated: look up when that was
        steps = torch.arange(1, data.shape[1] + 1, device=data.device).view(1, -1, 1)
        latest = torch.where(strong, steps, 0).cummax(1).values
        stated = torch.cat((start.unsqueeze(1), data > 0), 1)
        output = stated.gather(1, latest)
        last = torch.cat((start.unsqueeze(1), output), 1)[:, -1]
        self._keep_state({"bool_state": output}, bool_state=last)
        if self._record:
            self._record_dict = {"bool_state": output}
        return output
