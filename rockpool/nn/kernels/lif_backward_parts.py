"""What `rockpool.nn.kernels.lif_backward` does with one row of each array."""

from __future__ import annotations

from math import exp
from typing import Any, no_type_check

import numpy as np

from rockpool.nn.kernels.compiling import gradient_part
from rockpool.nn.kernels.parts import count_spikes, move

__all__ = [
    "ahp_backward",
    "count_row",
    "flush",
    "membrane_backward",
    "membrane_backward_periodic",
    "repeat",
    "single_synapse_step_back",
    "synapses_backward",
    "synapses_backward_only",
    "undo_reset",
]


@no_type_check
@gradient_part
def count_row(u: Any, threshold: Any, inverse: Any, exact: bool, limit: Any, count: Any) -> None:
    """Write the number of spikes, given the membrane before the reset."""
    for k in range(count.size):
        count[k] = count_spikes(u[k] * inverse[k] if exact else u[k] / threshold[k], limit)


@no_type_check
@gradient_part
def undo_reset(of_u: Any, threshold: Any, count: Any, given: Any, sum_threshold: Any) -> None:
    """Take back what a gradient of the membrane after the reset would do to spikes and threshold.

    What is left of it is a gradient of the membrane before the reset.
    """
    for k in range(of_u.size):
        given[k] += threshold[k] * of_u[k]
        sum_threshold[k] += count[k] * of_u[k]


@no_type_check
@gradient_part
def single_synapse_step_back(
    given: Any,
    u: Any,
    previous: Any,
    x: Any,
    alpha: Any,
    beta: Any,
    threshold: Any,
    inverse: Any,
    exact: bool,
    most: Any,
    width: Any,
    count: Any,
    grad_v: Any,
    grad_isyn: Any,
    later: Any,
    arriving: Any,
    sum_alpha: Any,
    sum_bias: Any,
    sum_threshold: Any,
    sum_beta: Any,
) -> None:
    """Do `membrane_backward` and `synapses_backward` in one go, for one synapse each."""
    for k in range(u.size):
        height = threshold[k]
        ratio = previous[k] * inverse[k] if exact else previous[k] / height
        fired_before = count_spikes(ratio, most)
        v_before = previous[k] - fired_before * height
        of_v = grad_v[k]
        of_spikes = (given[k] - height * of_v) * inverse[k]
        if u[k] < height - width:
            of_spikes = type(of_spikes)(0)
        of_u = of_v + of_spikes
        sum_threshold[k] -= count[k] * of_v + of_spikes * u[k] * inverse[k]
        sum_bias[k] += of_u
        sum_alpha[k] += of_u * v_before
        count[k] = fired_before
        grad_v[k] = of_u * alpha[k]
        of_current = of_u + grad_isyn[k]
        later[k] = of_current + beta[k] * later[k]
        sum_beta[k] += later[k] * x[k]
        of_input = of_current * beta[k]
        grad_isyn[k] = of_input
        arriving[k] = of_input


@no_type_check
@gradient_part
def _through_step_pwl(of_spikes: Any, u: Any, height: Any, inverse: Any, width: Any, _: Any) -> Any:
    """Return what the gradient of the spikes makes that of the membrane, with `StepPWL`."""
    of_u = of_spikes * inverse
    return type(of_u)(0) if u < height - width else of_u


@no_type_check
@gradient_part
def _through_periodic(
    of_spikes: Any, u: Any, height: Any, inverse: Any, width: Any, limit: Any
) -> Any:
    """Do what `_through_step_pwl` does, with `PeriodicExponential`."""
    distance = u - height
    if distance >= 0:
        period = np.floor((u - height / 2) / height)
        distance -= min(period, limit - 1) * height
    return of_spikes * (type(height)(exp(-abs(distance) / width)) * inverse)


def _membrane_backward(through_spikes: Any) -> Any:
    """Return the part for the membrane, with a surrogate."""

    @no_type_check
    @gradient_part
    def membrane_backward(
        given: Any,
        u: Any,
        previous: Any,
        alpha: Any,
        threshold: Any,
        inverse: Any,
        exact: bool,
        most: Any,
        limit: Any,
        width: Any,
        count: Any,
        grad_v: Any,
        grad_u: Any,
        sum_alpha: Any,
        sum_bias: Any,
        sum_threshold: Any,
    ) -> None:
        """Go back through reset, spikes and leak of the membrane.

        `count` goes from the spikes of this step to those of the step before, `grad_v` from the
        gradient of the membrane after this step to that after the step before.
        """
        for k in range(u.size):
            height = threshold[k]
            ratio = previous[k] * inverse[k] if exact else previous[k] / height
            fired_before = count_spikes(ratio, most)
            v_before = previous[k] - fired_before * height
            of_v = grad_v[k]
            of_spikes = through_spikes(
                given[k] - height * of_v, u[k], height, inverse[k], width, limit
            )
            of_u = of_v + of_spikes
            sum_threshold[k] -= count[k] * of_v + of_spikes * u[k] * inverse[k]
            sum_bias[k] += of_u
            sum_alpha[k] += of_u * v_before
            count[k] = fired_before
            grad_u[k] = of_u
            grad_v[k] = of_u * alpha[k]

    return membrane_backward


membrane_backward = _membrane_backward(_through_step_pwl)
membrane_backward_periodic = _membrane_backward(_through_periodic)


@no_type_check
@gradient_part
def ahp_backward(
    grad_u: Any,
    fired_before: Any,
    w_ahp: Any,
    gamma: Any,
    grad_iahp: Any,
    later: Any,
    feedback: Any,
    sum_w_ahp: Any,
    sum_gamma: Any,
) -> None:
    """Go back through the after-spike current; `feedback` gets the gradient of its spikes."""
    for k in range(grad_u.size):
        of_current = grad_u[k] + grad_iahp[k]
        later[k] = of_current + gamma[k] * later[k]
        arriving = of_current * gamma[k]
        grad_iahp[k] = arriving
        feedback[k] = w_ahp[k] * arriving
        sum_w_ahp[k] += fired_before[k] * arriving
        sum_gamma[k] += fired_before[k] * w_ahp[k] * later[k]


@no_type_check
@gradient_part
def synapses_backward(
    gradient: Any,
    x: Any,
    beta: Any,
    grad_isyn: Any,
    later: Any,
    arriving: Any,
    sum_beta: Any,
) -> None:
    """Go back through the synapses.

    `grad_isyn` goes from the gradient of the currents after this step to that after the step
    before, which is the gradient of the input as well.
    """
    for k in range(beta.size):
        of_current = gradient[k] + grad_isyn[k]
        later[k] = of_current + beta[k] * later[k]
        sum_beta[k] += later[k] * x[k]
        of_input = of_current * beta[k]
        grad_isyn[k] = of_input
        arriving[k] = of_input


@no_type_check
@gradient_part
def synapses_backward_only(gradient: Any, beta: Any, grad_isyn: Any, arriving: Any) -> None:
    """Do what `synapses_backward` does, without the gradient of the decays."""
    for k in range(beta.size):
        of_input = (gradient[k] + grad_isyn[k]) * beta[k]
        grad_isyn[k] = of_input
        arriving[k] = of_input


@no_type_check
@gradient_part
def flush(sums: Any, alpha: Any, bias: Any, threshold: Any, w_ahp: Any, gamma: Any) -> None:
    """Add the sums of a few steps to the gradients of the parameters, and begin anew."""
    move(sums[0], alpha)
    move(sums[1], bias)
    move(sums[2], threshold)
    if gamma.size > 0:
        move(sums[3], w_ahp)
        move(sums[4], gamma)


@no_type_check
@gradient_part
def repeat(source: Any, target: Any) -> None:
    """Write the value of each neuron to all of its synapses."""
    n_synapses = target.size // source.size
    for n in range(source.size):
        for s in range(n_synapses):
            target[n * n_synapses + s] = source[n]
