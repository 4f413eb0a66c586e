"""The time loop of the neurons of NIR in torch."""

from typing import NamedTuple

from torch import Tensor

from rockpool.nn.models.euler import AHEAD, LATE, NONE, VALUE
from rockpool.nn.modules.torch._base.crossings import Crossing
from rockpool.nn.modules.torch._loops.steps import Records, expand, stack


class EulerState(NamedTuple):
    """State of neurons of NIR, (B, N) each; None where the model has it not."""

    vmem: Tensor  # membrane
    spikes: Tensor | None = None  # last spikes
    isyn: Tensor | None = None  # synaptic current


class EulerParameters(NamedTuple):
    """Constants and parameters, (N,) or () each, and rules of a step (see `models.euler`)."""

    a_mem: Tensor
    g_mem: Tensor
    leak: Tensor
    a_syn: Tensor
    g_syn: Tensor
    threshold: Tensor | None  # None where there are no spikes, as for the next two
    v_reset: Tensor | None
    w_rec: Tensor | None  # (N, N); None where the layer is not recurrent
    window: float  # of the surrogate gradient
    at_once: bool
    old: bool
    reset: int
    reset_delay: int
    strict: bool
    max_spikes: float
    delay: bool


def euler_loop(
    x: Tensor,
    state: EulerState,
    parameters: EulerParameters,
    noise: None = None,
    record: bool = False,
) -> tuple[Tensor, EulerState, Records]:
    """Run neurons of NIR over time.

    The output is spikes, or the membrane of neurons that have none; the records are the states.
    There is no noise.
    """
    p = _expanded(parameters, state.vmem)
    states = [state]
    for x_t in x.unbind(1):
        states.append(_step(x_t, states[-1], p)[0])
    final = states[-1]
    given = "vmem" if state.spikes is None else "spikes"
    output = _course(states[:-1] if p.delay else states[1:], given, state.vmem)
    if not record:
        return output, final, {}
    there = (name for name, value in state._asdict().items() if value is not None)
    return output, final, {name: _course(states[1:], name, state.vmem) for name in there}


def courses_before_reset(
    x: Tensor, state: EulerState, parameters: EulerParameters
) -> tuple[Tensor, Tensor | None, Tensor | None]:
    """Return the membrane before any reset, spikes and currents over time, as kernels do."""
    p = _expanded(parameters, state.vmem)
    states, reached = [], []
    for x_t in x.unbind(1):
        state, before = _step(x_t, state, p)
        states.append(state)
        reached.append(before)
    fired, currents = (
        None if getattr(state, name) is None else _course(states, name, state.vmem)
        for name in ("spikes", "isyn")
    )
    return stack(reached, state.vmem), fired, currents


def _course(states: list[EulerState], name: str, like: Tensor) -> Tensor:
    """Return one of the states over time, (B, T, N)."""
    return stack([getattr(state, name) for state in states], like)


def _expanded(p: EulerParameters, like: Tensor) -> EulerParameters:
    """Return parameters, but for the weights, expanded over the batch."""
    expanded = [
        value if value is None else expand(like.shape, value)[0]
        for value in (*p[:5], p.threshold, p.v_reset)
    ]
    return EulerParameters._make((*expanded, *p[7:]))


def _step(x: Tensor, state: EulerState, p: EulerParameters) -> tuple[EulerState, Tensor]:
    """Return the states after one time step of input (B, N), and the membrane before any reset."""
    current = x if p.w_rec is None or state.spikes is None else x + state.spikes @ p.w_rec
    isyn = None
    if state.isyn is not None:
        if p.at_once:
            isyn = (state.isyn + current) * p.a_syn
        else:
            isyn = state.isyn * p.a_syn + current * p.g_syn
        current = state.isyn if p.old else isyn
    reached = vmem = state.vmem * p.a_mem + current * p.g_mem + p.leak
    if state.spikes is None or p.threshold is None or p.v_reset is None:
        return EulerState(vmem, None, isyn), reached
    if p.reset_delay == LATE:
        vmem = reset(vmem, state.spikes, p.threshold, p.v_reset, p.reset)
    seen = vmem
    if p.reset_delay == AHEAD:
        above = state.vmem > p.threshold if p.strict else state.vmem >= p.threshold
        seen = vmem - above * (p.threshold - p.v_reset).detach()
    spikes = Crossing.apply(seen, p.threshold, p.v_reset, p.window, p.max_spikes, p.strict)
    if p.reset_delay != LATE:
        vmem = reset(vmem, spikes, p.threshold, p.v_reset, p.reset)
    return EulerState(vmem, spikes, isyn), reached


def reset(vmem: Tensor, spikes: Tensor, threshold: Tensor, v_reset: Tensor, how: int) -> Tensor:
    """Return the membrane after the reset by some spikes."""
    if how == NONE:
        return vmem
    if how == VALUE:
        return vmem * (1.0 - spikes) + spikes * v_reset
    return vmem - spikes * (threshold - v_reset)
