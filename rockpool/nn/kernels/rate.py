"""The rate neuron, compiled. See `rockpool.nn.models.rate` for the model."""

from __future__ import annotations

from math import tanh
from typing import Any, no_type_check

import numpy as np

from rockpool.nn.kernels.compiling import gradient_part, kernel, part, view
from rockpool.nn.kernels.parts import AT_ONCE, add, add_up, clear, copy, move

__all__ = ["RELU", "SIGMOID", "TANH", "rate_backward", "rate_forward"]

# the activation functions
RELU, TANH, SIGMOID = 0, 1, 2


@no_type_check
@kernel(over="output", w_rec=2, noise=3, x_record=3, rec_record=3)
def rate_forward(
    data: Any,
    w_rec: Any,
    gain: Any,
    bias: Any,
    threshold: Any,
    activation: int,
    noise: Any,
    x: Any,
    output: Any,
    x_record: Any,
    rec_record: Any,
) -> None:
    """Run rate neurons over time.

    Parameters
    ----------
    data : array (B, T, N)
        Input; of the type of the other arrays, or in single precision where they are in double.
    w_rec : array (N, N) or of size 0
        Recurrent weights. Rows of neurons whose activity is 0 are not read.
    gain : array (N,)
        Part of the way to its target that the state goes in one time step.
    bias, threshold : array (N,)
    activation : int
        `RELU`, `TANH` or `SIGMOID`.
    noise : array (B, T, N) or of size 0
        Added to the input.
    x : array (B, N)
        The state, changed in place.
    output : array (B, T, N)
        For the activity.
    x_record, rec_record : array (B, T, N) or of size 0
        For the state, which `rate_backward` needs, and the recurrent input.
    """
    data, noise, x, output = view(data), view(noise), view(x), view(output)
    x_record, rec_record = view(x_record), view(rec_record)
    n_batch, n_steps, n_out = output.shape
    recurrent, noisy = w_rec.size > 0, noise.size > 0
    rec_input = np.zeros(n_out, x.dtype)
    drive = np.empty(n_out, x.dtype)
    first = np.empty((1, n_out), x.dtype)

    for b in range(n_batch):
        state = x[b]
        if recurrent:
            activate(state, threshold, activation, first[0])
        for t in range(n_steps):
            add_up(data[b, t], bias, drive)
            if noisy:
                add(noise[b, t], drive)
            if recurrent:
                activity_before = output[b, t - 1] if t > 0 else first[0]
                recurrent_input(activity_before, w_rec, rec_input)
            approach(drive, rec_input, gain, state)
            activate(state, threshold, activation, output[b, t])
            if x_record.size > 0:
                copy(state, x_record[b, t])
            if rec_record.size > 0:
                copy(rec_input, rec_record[b, t])


@no_type_check
@part
def recurrent_input(activity: Any, w_rec: Any, rec_input: Any) -> None:
    """Write ``activity @ w_rec`` into `rec_input`."""
    for k in range(rec_input.size):
        rec_input[k] = 0
    for j in range(activity.size):
        value = activity[j]
        if value != 0:
            for k in range(rec_input.size):
                rec_input[k] += value * w_rec[j, k]


@no_type_check
@part
def approach(drive: Any, rec_input: Any, gain: Any, state: Any) -> None:
    """Do one time step of the states."""
    for k in range(state.size):
        change = (drive[k] - state[k]) + rec_input[k]
        state[k] = state[k] + gain[k] * change


@no_type_check
@part
def activate(state: Any, threshold: Any, activation: int, activity: Any) -> None:
    """Write the activation function of the state into `activity`."""
    zero, one, two = state.dtype.type(0), state.dtype.type(1), state.dtype.type(2)
    if activation == RELU:
        for k in range(state.size):
            above = state[k] - threshold[k]
            activity[k] = zero if above < zero else above
    elif activation == TANH:
        for k in range(state.size):
            activity[k] = tanh(state[k] - threshold[k])
    else:
        for k in range(state.size):
            activity[k] = (tanh(state[k] - threshold[k]) + one) / two


@no_type_check
@kernel(over="output", w_rec=2, noise=3, grad_x_record=3, grad_rec_record=3, grad_w_rec=2)
def rate_backward(
    grad_output: Any,
    grad_x_record: Any,
    grad_rec_record: Any,
    data: Any,
    output: Any,
    x_record: Any,
    w_rec: Any,
    gain: Any,
    bias: Any,
    threshold: Any,
    activation: int,
    at_threshold: Any,
    noise: Any,
    x: Any,
    grad_x: Any,
    grad_data: Any,
    grad_w_rec: Any,
    grad_gain: Any,
    grad_bias: Any,
    grad_threshold: Any,
) -> None:
    """Compute the gradients of rate neurons.

    Parameters
    ----------
    grad_output : array (B, T, N), or (B, 1, N) where it is the same for all steps
        Gradient of the output.
    grad_x_record, grad_rec_record : array (B, T, N) or of size 0
        Gradients of the records.
    data, w_rec, gain, bias, threshold, activation, noise
        As for `rate_forward`.
    output, x_record : array (B, T, N)
        From `rate_forward`.
    at_threshold : float
        Slope of `RELU` at the threshold itself.
    x : array (B, N)
        The state before the first step.
    grad_x : array (B, N)
        Gradient of the last state; becomes that of the first.
    grad_data : array (B, T, N)
        For the gradient of the input.
    grad_w_rec : array (N, N) or of size 0
        For the gradient of the recurrent weights; it is added.
    grad_gain, grad_bias, grad_threshold : array (N,) of float64
        For the gradients of the other parameters; they are added.
    """
    grad_output, grad_x_record = view(grad_output), view(grad_x_record)
    grad_rec_record, data, output = view(grad_rec_record), view(data), view(output)
    x_record, noise, x = view(x_record), view(noise), view(x)
    grad_x, grad_data = view(grad_x), view(grad_data)
    n_batch, n_steps, n_out = output.shape
    recurrent, noisy = w_rec.size > 0, noise.size > 0
    rec_input = np.zeros(n_out, data.dtype)
    through = np.zeros(n_out, data.dtype)
    drive = np.empty(n_out, data.dtype)
    given = np.empty(n_out, data.dtype)
    feedback = np.zeros(n_out, data.dtype)
    first = np.zeros((1, n_out), data.dtype)
    sums = np.zeros((3, n_out), data.dtype)
    slope = data.dtype.type(at_threshold)
    changing = min(grad_output.shape[1] - 1, 1)  # 0: the gradient is the same for all steps

    for b in range(n_batch):
        of_state = grad_x[b]
        clear(feedback)
        if recurrent:
            activate(x[b], threshold, activation, first[0])
        for t in range(n_steps - 1, -1, -1):
            before = x_record[b, t - 1] if t > 0 else x[b]
            activity_before = output[b, t - 1] if t > 0 else first[0]
            add_up(grad_output[b, changing * t], feedback, given)
            activate_back(
                given, x_record[b, t], output[b, t], threshold, activation, slope,
                of_state, sums[2],
            )  # fmt: skip
            if grad_x_record.size > 0:
                add(grad_x_record[b, t], of_state)
            add_up(data[b, t], bias, drive)
            if noisy:
                add(noise[b, t], drive)
            if recurrent:
                recurrent_input(activity_before, w_rec, rec_input)
            approach_back(
                drive, rec_input, before, gain, of_state, grad_data[b, t], sums[0], sums[1]
            )
            if recurrent:
                copy(grad_data[b, t], through)
                if grad_rec_record.size > 0:
                    add(grad_rec_record[b, t], through)
                recurrent_back(activity_before, through, w_rec, grad_w_rec, feedback)
            if t % AT_ONCE == 0:
                move(sums[0], grad_gain)
                move(sums[1], grad_bias)
                move(sums[2], grad_threshold)
        if recurrent and n_steps > 0:
            activate_back(feedback, x[b], first[0], threshold, activation, slope, of_state, sums[2])
            move(sums[2], grad_threshold)


@no_type_check
@gradient_part
def activate_back(
    given: Any,
    state: Any,
    activity: Any,
    threshold: Any,
    activation: int,
    at_threshold: Any,
    of_state: Any,
    sum_threshold: Any,
) -> None:
    """Go back through the activation function: add to the gradients of state and threshold."""
    zero, one, two = state.dtype.type(0), state.dtype.type(1), state.dtype.type(2)
    if activation == RELU:
        for k in range(state.size):
            above = state[k] - threshold[k]
            slope = zero if above < zero else one
            if above == zero:
                slope = at_threshold
            of_state[k] += given[k] * slope
            sum_threshold[k] -= given[k] * slope
    elif activation == TANH:
        for k in range(state.size):
            part_of = given[k] * (one - activity[k] * activity[k])
            of_state[k] += part_of
            sum_threshold[k] -= part_of
    else:
        for k in range(state.size):
            part_of = given[k] * (two * activity[k] * (one - activity[k]))
            of_state[k] += part_of
            sum_threshold[k] -= part_of


@no_type_check
@gradient_part
def approach_back(
    drive: Any,
    rec_input: Any,
    before: Any,
    gain: Any,
    of_state: Any,
    of_input: Any,
    sum_gain: Any,
    sum_bias: Any,
) -> None:
    """Go back through one time step of the states."""
    for k in range(drive.size):
        gradient = of_state[k]
        arriving = gain[k] * gradient
        sum_gain[k] += gradient * ((drive[k] - before[k]) + rec_input[k])
        sum_bias[k] += arriving
        of_input[k] = arriving
        of_state[k] = gradient - arriving


@no_type_check
@gradient_part
def recurrent_back(activity: Any, through: Any, w_rec: Any, grad_w_rec: Any, feedback: Any) -> None:
    """Add to the gradient of the weights; write ``through @ w_rec.T`` into `feedback`."""
    for j in range(activity.size):
        total = through.dtype.type(0)
        for k in range(through.size):
            total += through[k] * w_rec[j, k]
        feedback[j] = total
        value = activity[j]
        if grad_w_rec.size > 0 and value != 0:
            for k in range(through.size):
                grad_w_rec[j, k] += value * through[k]
