"""Neurons of NIR over time in torch, on CPU tensors, by compiled kernels. Needs numba.

The kernels know of the membrane before any reset, the spikes and the currents over time. What else
is asked for follows from these, by operations of torch: so it has its gradients.
"""

from functools import partial
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.autograd import Function

from rockpool.nn.kernels.compiling import call
from rockpool.nn.kernels.euler import euler_forward
from rockpool.nn.kernels.euler_backward import euler_backward
from rockpool.nn.models.euler import LATE
from rockpool.nn.modules.torch._kernels.arrays import (
    array,
    arrays,
    broadcasts,
    copied,
    empty,
    gradient_array,
    outputs,
    reduced,
    zeros_like,
)
from rockpool.nn.modules.torch._kernels.gradients import (
    by_operations,
    keep,
    only_needed,
    run,
    second_order,
)
from rockpool.nn.modules.torch._loops.euler import (
    EulerParameters,
    EulerState,
    courses_before_reset,
    reset,
)
from rockpool.nn.modules.torch._loops.steps import Records

__all__ = ["euler"]


class _Settings(NamedTuple):
    """What goes in besides tensors."""

    rules: tuple[Any, ...]
    window: float


class _Inputs(NamedTuple):
    """All tensors that go in, or their gradients, or whether those are needed."""

    x: Tensor
    vmem: Tensor
    spikes: Tensor | None
    isyn: Tensor | None
    a_mem: Tensor
    g_mem: Tensor
    leak: Tensor
    a_syn: Tensor | None
    g_syn: Tensor | None
    threshold: Tensor | None
    v_reset: Tensor | None
    w_rec: Tensor | None


class _Results(NamedTuple):
    """All that comes out, (B, T, N), or the gradients of that; None where there is nothing."""

    reached: Tensor
    fired: Tensor | None
    currents: Tensor | None


def euler(
    x: Tensor,
    state: EulerState,
    parameters: EulerParameters,
    noise: None = None,
    record: bool = False,
) -> tuple[Tensor, EulerState, Records]:
    """Run neurons of NIR over time; as `euler_loop`."""
    p = parameters
    synapse = (p.a_syn, p.g_syn) if state.isyn is not None else (None, None)
    inputs = _Inputs._make((x, *state, *p[:3], *synapse, p.threshold, p.v_reset, p.w_rec))
    results = _Results(*run(_Euler, _Settings(tuple(p[9:]), p.window), *inputs))
    given = results.reached if results.fired is None else results.fired
    if p.delay:
        first = state.vmem if state.spikes is None else state.spikes
        given = torch.cat([first.unsqueeze(1), given], 1)[:, :-1]
    if not x.shape[1]:
        return given, state, {}
    final = EulerState(
        _after_reset(results, state, p, last=True)[:, 0],
        None if results.fired is None else results.fired[:, -1],
        None if results.currents is None else results.currents[:, -1],
    )
    if not record:
        return given, final, {}
    courses = EulerState(_after_reset(results, state, p), results.fired, results.currents)
    named = courses._asdict().items()
    return given, final, {name: course for name, course in named if course is not None}


def _after_reset(
    results: _Results, state: EulerState, p: EulerParameters, last: bool = False
) -> Tensor:
    """Return the membrane after the reset, (B, T, N); of the last step alone, (B, 1, N)."""
    reached, fired = results.reached, results.fired
    if fired is None or state.spikes is None or p.threshold is None or p.v_reset is None:
        return reached[:, -1:] if last else reached
    if p.reset_delay == LATE:
        fired = torch.cat([state.spikes.unsqueeze(1), fired], 1)[:, :-1]
    if last:
        reached, fired = reached[:, -1:], fired[:, -1:]
    return reset(reached, fired, p.threshold, p.v_reset, p.reset)


class _Euler(Function):
    @staticmethod
    def forward(ctx: Any, settings: _Settings, *tensors: Any) -> Any:
        """Run the kernel; what the gradients need is kept in `ctx`, unless that is None."""
        p = _Inputs(*tensors)
        shape, state = p.x.shape, {"vmem": p.vmem, "spikes": p.spikes, "isyn": p.isyn}
        reached = empty(shape, p.x)
        fired = None if p.spikes is None else empty(shape, p.x)
        currents = None if p.isyn is None else empty(shape, p.x)
        call(
            euler_forward,
            x=array(p.x),
            rules=_rules(settings, p.x),
            **_per_neuron(p),
            **arrays(w_rec=p.w_rec),
            **{name: copied(value).numpy() for name, value in state.items() if value is not None},
            **outputs(reached=reached, fired=fired, currents=currents),
        )
        keep(ctx, settings, reached, fired, currents, *tensors)
        return reached, fired, currents

    @staticmethod
    def backward(ctx: Any, *grads: Tensor | None) -> Any:
        reached, fired, currents, *tensors = ctx.saved_tensors
        inputs, needed = _Inputs(*tensors), ctx.needs_input_grad[1:]
        if by_operations(grads):
            function = partial(_loop, ctx.settings)
            return None, *second_order(function, inputs, needed, grads)
        results = _Results(reached, fired, currents)
        given = _Results._make(grads)
        found = _gradients(ctx.settings, inputs, _Inputs._make(needed), results, given)
        return None, *only_needed(found, needed)


def _rules(settings: _Settings, like: Tensor) -> np.ndarray:
    return np.array(settings.rules, array(like).dtype)


def _per_neuron(p: _Inputs) -> dict[str, np.ndarray]:
    """Return the constants and parameters that there are."""
    return broadcasts(
        p.x.shape[2:],
        a_mem=p.a_mem,
        g_mem=p.g_mem,
        leak=p.leak,
        a_syn=p.a_syn,
        g_syn=p.g_syn,
        threshold=p.threshold,
        v_reset=p.v_reset,
    )


def _loop(settings: _Settings, *tensors: Any) -> _Results:
    """Return what the kernel returns, by the loop in torch."""
    p = _Inputs(*tensors)
    nothing = torch.zeros_like(p.a_mem)
    synapse = (p.a_syn, p.g_syn) if p.a_syn is not None else (nothing, nothing)
    parameters = EulerParameters._make(
        (*p[4:7], *synapse, p.threshold, p.v_reset, p.w_rec, settings.window, *settings.rules)
    )
    return _Results(*courses_before_reset(p.x, EulerState(*p[1:4]), parameters))


def _gradients(
    settings: _Settings, p: _Inputs, need: Any, results: _Results, given: Any
) -> _Inputs:
    """Return the gradients of all inputs, given those of the results."""
    of_x = empty(p.x.shape, p.x)
    states = {"vmem": p.vmem, "spikes": p.spikes, "isyn": p.isyn}
    of_state = {n: gradient_array(None, value) for n, value in states.items() if value is not None}
    per_neuron = _per_neuron(p)
    of_neuron = {name: np.zeros(p.x.shape[2]) for name in per_neuron}
    of_w_rec = zeros_like(p.w_rec) if p.w_rec is not None and need.w_rec else None
    given_by_name = {
        f"grad_{name}": gradient_array(gradient, result)
        for (name, result), gradient in zip(results._asdict().items(), given, strict=True)
        if result is not None
    }
    known = {name: value for name, value in per_neuron.items() if name != "leak"}
    call(
        euler_backward,
        **given_by_name,
        x=array(p.x),
        rules=_rules(settings, p.x),
        window=settings.window,
        **known,
        **arrays(w_rec=p.w_rec, **states, **results._asdict()),
        **{f"grad_{name}": value for name, value in of_state.items()},
        **{f"grad_{name}": value for name, value in of_neuron.items()},
        **outputs(grad_x=of_x, grad_w_rec=of_w_rec),
    )
    found: dict[str, Any] = dict.fromkeys(_Inputs._fields)
    found |= {name: torch.from_numpy(value) for name, value in of_state.items()}
    found |= {name: reduced(value, getattr(p, name)) for name, value in of_neuron.items()}
    return _Inputs(**{**found, "x": of_x, "w_rec": of_w_rec})
