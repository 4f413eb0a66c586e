"""The time loop of rate neurons in torch."""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from rockpool.nn.modules.torch._loops.exp_syn import leaky_sum
from rockpool.nn.modules.torch._loops.steps import Records, expand, stack


class RateParameters(NamedTuple):
    """Parameters of rate neurons."""

    gain: Tensor  # dt / tau, (N,) or ()
    bias: Tensor  # (N,) or ()
    threshold: Tensor  # (N,) or ()
    w_rec: Tensor | None  # (N, N); None where the layer is not recurrent
    act_fn: Callable[[Tensor, Tensor], Tensor]  # (x, threshold) -> activation


def rate_loop(
    x: Tensor,
    state: Tensor,
    parameters: RateParameters,
    noise: Tensor | None = None,
    record: bool = False,
    sums: Callable[[Tensor, Tensor, Tensor], tuple[Tensor, Tensor]] = leaky_sum,
) -> tuple[Tensor, Tensor, Records]:
    """Run rate neurons over time.

    The noise is added to the input. The output is the activation, the state `x` is (B, N), and the
    records are ``x`` and ``rec_input``. Neurons without recurrent weights are leaky sums, which
    `sums` does.
    """
    p = parameters
    drive = (x + p.bias if noise is None else x + noise + p.bias) * p.gain
    if p.w_rec is None:
        states, state = sums(drive, state, 1.0 - p.gain)
        records = {"rec_input": torch.zeros_like(states), "x": states} if record else {}
        return p.act_fn(states, p.threshold), state, records

    gain, decay, threshold = expand(state.shape, p.gain, 1.0 - p.gain, p.threshold)
    activation = p.act_fn(state, threshold)
    outputs, state_list, rec_inputs = [], [], []
    for drive_t in drive.unbind(1):
        rec_input = activation @ p.w_rec
        state = torch.addcmul(torch.addcmul(drive_t, rec_input, gain), state, decay)
        activation = p.act_fn(state, threshold)
        outputs.append(activation)
        if record:
            state_list.append(state)
            rec_inputs.append(rec_input)
    records = (
        {"rec_input": stack(rec_inputs, state), "x": stack(state_list, state)} if record else {}
    )
    return stack(outputs, state), state, records
