"""What the kernels of Triton have in common."""

from __future__ import annotations

import triton
import triton.language as tl

__all__ = ["add_to", "count_spikes", "in_order", "keep_sum"]


@triton.jit
def count_spikes(u, threshold, most):  # type: ignore[no-untyped-def]
    """Return the number of spikes of a membrane before the reset; keep NaN."""
    # the plain quotient of single precision is not rounded as that of numpy
    ratio = u / threshold if u.dtype == tl.float64 else tl.div_rn(u, threshold)
    count = tl.floor(ratio)
    count = tl.where(count < 0, 0.0, count)
    return tl.where(count > most, most, count)


@triton.jit
def in_order(currents, S: tl.constexpr, WIDTH: tl.constexpr):  # type: ignore[no-untyped-def]
    """Return the sum over the S synapses of each neuron, added up from the first to the last."""
    if S <= 2:
        return tl.sum(currents, axis=1)
    synapse = tl.arange(0, WIDTH)[None, :]
    total = tl.sum(tl.where(synapse == 0, currents, 0.0), axis=1)
    for s in tl.static_range(1, S):
        total = total + tl.sum(tl.where(synapse == s, currents, 0.0), axis=1)
    return total


@triton.jit
def add_to(total, lost, term):  # type: ignore[no-untyped-def]
    """Return a sum with one more term, and what rounding has lost of it so far."""
    term = term - lost
    larger = total + term
    return larger, (larger - total) - term


@triton.jit
def keep_sum(sums, total, mask):  # type: ignore[no-untyped-def]
    """Add the sums of some time steps to those in memory, which are in double precision."""
    tl.store(sums, tl.load(sums, mask=mask, other=0.0) + total.to(tl.float64), mask=mask)
