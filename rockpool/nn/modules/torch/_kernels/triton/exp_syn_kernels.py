"""Exponential synapses and leaky sums in Triton, forward and backward.

Arrays over time are (B, T, N). All but input and gradients of the output are contiguous.
"""

from __future__ import annotations

import triton
import triton.language as tl

from rockpool.nn.modules.torch._kernels.triton.parts import add_to, keep_sum

__all__ = ["leaky_sum_backward", "leaky_sum_forward"]


@triton.jit
def leaky_sum_forward(  # type: ignore[no-untyped-def]
    x,
    x_batch,
    x_step,
    x_channel,
    decay,  # (N,)
    value,  # (B, N), changed
    output,
    n_out,
    n_steps,
    AT_ONCE: tl.constexpr,  # input decays in the step in which it arrives
    BLOCK: tl.constexpr,
    STAGES: tl.constexpr,
):
    """Add up input over time."""
    n_blocks = tl.cdiv(n_out, BLOCK)
    b = (tl.program_id(0) // n_blocks).to(tl.int64)
    n = (tl.program_id(0) % n_blocks) * BLOCK + tl.arange(0, BLOCK)
    here = n < n_out
    factor = tl.load(decay + n, mask=here, other=0.0)
    y = tl.load(value + b * n_out + n, mask=here, other=0.0)
    x += b * x_batch
    far = n.to(tl.int64) * x_channel
    at = b * n_steps * n_out
    for _ in tl.range(0, n_steps, num_stages=STAGES):
        arriving = tl.load(x + far, mask=here, other=0.0)
        y = (y + arriving) * factor if AT_ONCE else y * factor + arriving
        tl.store(output + at + n, y, mask=here)
        x += x_step
        at += n_out
    tl.store(value + b * n_out + n, y, mask=here)


@triton.jit
def leaky_sum_backward(  # type: ignore[no-untyped-def]
    grad_output,
    output_batch,
    output_step,
    output_channel,
    x,  # None where the input does not decay at once
    x_batch,
    x_step,
    x_channel,
    decay,
    start,  # (B, N)
    output,
    grad_value,  # of the last value, which becomes that of the first
    grad_x,
    sums,  # of gradients of the decay, (B, N) of float64: added to
    n_out,
    n_steps,
    BLOCK: tl.constexpr,
    STAGES: tl.constexpr,
):
    """Go back through time."""
    n_blocks = tl.cdiv(n_out, BLOCK)
    b = (tl.program_id(0) // n_blocks).to(tl.int64)
    n = (tl.program_id(0) % n_blocks) * BLOCK + tl.arange(0, BLOCK)
    here = n < n_out
    factor = tl.load(decay + n, mask=here, other=0.0)
    first = tl.load(start + b * n_out + n, mask=here, other=0.0)
    of_y = tl.load(grad_value + b * n_out + n, mask=here, other=0.0)
    total = tl.zeros_like(of_y)
    lost = total

    last = b * 0 + n_steps - 1
    at = (b * n_steps + last) * n_out
    grad_output += b * output_batch + last * output_step
    far_output = n.to(tl.int64) * output_channel
    if x is not None:
        x += b * x_batch + last * x_step
        far = n.to(tl.int64) * x_channel
    left = n_steps
    for _ in tl.range(0, n_steps, num_stages=STAGES):
        of_y = of_y + tl.load(grad_output + far_output, mask=here, other=0.0)
        at_previous = tl.maximum(at - n_out, b * n_steps * n_out)
        previous = tl.load(output + at_previous + n, mask=here, other=0.0)
        previous = tl.where(left > 1, previous, first)
        if x is not None:
            previous = previous + tl.load(x + far, mask=here, other=0.0)
            x -= x_step
        total, lost = add_to(total, lost, of_y * previous)
        if x is None:
            tl.store(grad_x + at + n, of_y, mask=here)
            of_y = of_y * factor
        else:
            of_y = of_y * factor
            tl.store(grad_x + at + n, of_y, mask=here)
        grad_output -= output_step
        at -= n_out
        left -= 1
    tl.store(grad_value + b * n_out + n, of_y, mask=here)
    keep_sum(sums + b * n_out + n, total, here)
