"""Calls that activation checkpointing repeats in a backward pass: they start where the first did.

``torch.utils.checkpoint`` runs a function a second time to have the values that gradients need. A
module with a state has gone on meanwhile. So what a module holds is remembered when it is first
used in such a function, put back when the function is run again, and what the module holds by then
comes back at the end of the backward pass. A *region* is what torch knows the function by: the
frame of a checkpoint without re-entry, or the context of an autograd function that calls modules
forward and again backward, as the checkpoint with re-entry is.
"""

import sys
import weakref
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.autograd import Variable
from torch.utils import checkpoint

from rockpool.nn.modules.torch._base.transforms import compiling, in_transform

__all__ = ["in_use"]

Buffers = dict[str, Tensor | None]

_MEMORY = "_rockpool_states"  # the attribute of a region: states at the start, by module
_MARK = "_state_of_first"  # whether a module has told of batches, once they are to be told of
_FRAME: Any = getattr(checkpoint, "_CheckpointFrame", ())
_FUNCTION: Any = getattr(torch.autograd.function, "BackwardCFunction", ())

# torch has no public questions for these
_graph_task = getattr(torch._C, "_current_graph_task_id", lambda: -1)
# False within the forward of an autograd function, in `inference_mode`, or where a user says so
_takes_tangents = getattr(torch._C, "_is_fwd_grad_enabled", lambda: False)
_hooks = torch._C._autograd
_top_hooks = getattr(_hooks, "_top_saved_tensors_default_hooks", lambda ignore_tracing: None)


class _SetAside(NamedTuple):
    """What a module held before a function was run again, and which run of which function it is."""

    region: Any
    graph_task: int
    buffers: Buffers
    mark: dict[str, bool]  # empty, or what is told of batches


def in_use(module: nn.Module) -> None:
    """Prepare a module whose states are about to be used; costs next to nothing as a rule."""
    if compiling():
        return
    graph_task, is_hooked = _graph_task(), _top_hooks(False) is not None
    if graph_task == -1:
        if "_set_aside" in module.__dict__:
            _put_back(module)  # a backward pass has failed
        if not is_hooked and (
            torch.is_grad_enabled() or torch.is_inference_mode_enabled() or _takes_tangents()
        ):
            return
    if in_transform():  # leaves the states as they are
        return
    first_runs, again = _regions()
    if again is not None:
        _start_again(module, again, graph_task)
    for region in (*first_runs, *(_checkpoints_around() if is_hooked else ())):
        memory = region.__dict__.setdefault(_MEMORY, weakref.WeakKeyDictionary())
        if module not in memory:
            memory[module] = {name: _copied(value) for name, value in _persistent(module)}


def _regions() -> tuple[list[Any], Any]:
    """Return the regions that are run for the first time around here, and the one run again.

    Python's stack knows them: autograd functions by their context, other regions that are run again
    by the hook that does so.
    """
    first_runs: list[Any] = []
    frame = sys._getframe(2)
    while frame is not None:
        code = frame.f_code
        if code.co_name in ("forward", "backward") and code.co_varnames[:1] not in ((), ("self",)):
            context = frame.f_locals.get(code.co_varnames[0])
            if isinstance(context, _FUNCTION):
                if code.co_name == "backward":
                    return first_runs, context
                first_runs.append(context)
        elif code.co_name == "unpack_hook" and isinstance(frame.f_locals.get("frame"), _FRAME):
            return first_runs, frame.f_locals["frame"]
        frame = frame.f_back  # type: ignore[assignment]
    return first_runs, None


def _checkpoints_around() -> list[Any]:
    """Return the checkpoints without re-entry whose function is being run, by their hooks."""
    hooks: list[Any] = []
    while (top := _top_hooks(False)) is not None:
        hooks.append(top)
        _hooks._pop_saved_tensors_default_hooks()
    for pack, unpack in reversed(hooks):
        _hooks._push_saved_tensors_default_hooks(pack, unpack)
    cells = [cell for _, unpack in hooks for cell in getattr(unpack, "__closure__", None) or ()]
    return [cell.cell_contents for cell in cells if isinstance(cell.cell_contents, _FRAME)]


def _start_again(module: nn.Module, region: Any, graph_task: int) -> None:
    """Give a module the states with which the region started, unless this run has done so."""
    start = getattr(region, _MEMORY, {}).get(module)
    if start is None:
        return
    aside: _SetAside | None = module.__dict__.get("_set_aside")
    if aside is not None and aside.region is region and aside.graph_task == graph_task:
        return
    own = module.__dict__
    if aside is None:
        mark = {_MARK: own[_MARK]} if _MARK in own else {}
        own["_set_aside"] = _SetAside(region, graph_task, dict(module._buffers), mark)
    else:
        own["_set_aside"] = aside._replace(region=region, graph_task=graph_task)
    own[_MARK] = True  # the first run has said all that is to be said
    module._buffers.update({name: _copied(value) for name, value in start.items()})
    if aside is None and graph_task != -1:
        engine: Any = Variable._execution_engine
        engine.queue_callback(lambda: _put_back(module))


def _put_back(module: nn.Module) -> None:
    aside: _SetAside | None = module.__dict__.pop("_set_aside", None)
    if aside is not None:
        module._buffers.update(aside.buffers)
        module.__dict__.pop(_MARK, None)
        module.__dict__.update(aside.mark)


def _persistent(module: nn.Module) -> list[tuple[str, Tensor | None]]:
    other = module._non_persistent_buffers_set
    return [(name, value) for name, value in module._buffers.items() if name not in other]


def _copied(value: Tensor | None) -> Tensor | None:
    """Return a copy; of a value that has a graph, itself, as that graph needs it."""
    return value if value is None or value.requires_grad else value.clone()
