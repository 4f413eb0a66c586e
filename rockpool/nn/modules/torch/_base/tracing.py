"""States in graphs of ``torch.jit.trace``, ``torch.export`` and ``torch.compile``.

A graph writes a state into the tensor that is there. What traces a module for ``torch.jit`` runs it
for that, and more often to check the graph; all of these runs start where the module was.
"""

from __future__ import annotations

import sys
import weakref
from typing import Any

import torch
from torch import Tensor, nn

__all__ = ["TRACED", "before_call", "write"]

_set_state: Any = torch._C._set_tracing_state  # type: ignore[attr-defined]
TRACED = "_traced_states"  # of a module: what a trace wrote to, and what was there before


def write(module: nn.Module, present: Tensor, value: Tensor) -> None:
    """Write a state into a tensor, for a graph that is made; a trace leaves what was there."""
    tracing = torch._C._get_tracing_state() if torch.jit.is_tracing() else None
    if tracing is None:
        present.copy_(value)
        return
    before = _untraced(tracing, present.detach().clone)
    present.copy_(value)
    _untraced(tracing, lambda: _put_back([(present, before)]))
    module.__dict__.setdefault(TRACED, []).append((present, before))


def before_call(module: nn.Module) -> None:
    """Put back what the checks of ``torch.jit.trace`` have run on, now and when they end."""
    if torch.jit.is_tracing():
        return
    traced = module.__dict__.pop(TRACED)
    frame = sys._getframe()
    while frame is not None and frame.f_code.co_name != "_check_trace":
        frame = frame.f_back  # type: ignore[assignment]
    checked = None if frame is None else frame.f_locals.get("check_mod")
    if checked is not None:
        _put_back(traced)
        weakref.finalize(checked, _put_back, traced)


def _untraced(tracing: Any, function: Any) -> Any:
    _set_state(None)
    try:
        return function()
    finally:
        _set_state(tracing)


def _put_back(states: list[tuple[Tensor, Tensor]]) -> None:
    with torch.no_grad():
        for tensor, value in states:
            tensor.copy_(value)
