"""Parts that several kernels have in common: what they do with one row, or with two."""

from __future__ import annotations

from math import ceil, frexp, sqrt
from typing import Any, no_type_check

import numpy as np

from rockpool.nn.kernels.compiling import gradient_part, inner, part

__all__ = [
    "AT_ONCE",
    "add",
    "add_product",
    "add_up",
    "clear",
    "copy",
    "count_spikes",
    "invert",
    "mark_steps",
    "move",
    "padded_rows",
    "squares_of_rows",
]

LINE = 64  # bytes that are cached together
# the largest number of double and of single precision
LARGEST = (float(np.finfo(np.float64).max), float(np.finfo(np.float32).max))
AT_ONCE = 64  # steps whose contributions to gradients of parameters are summed up in one go


@no_type_check
@inner
def padded_rows(n_rows: int, size: int, like: Any) -> Any:
    """Return empty rows of at least `size` numbers, of the type of another array.

    The first cache of a processor has room for few rows that lie a multiple of 4 KB apart, as the
    rows of 512 neurons may: a time step took a third longer. These lie an odd number of cache lines
    apart.
    """
    per_line = LINE // like.itemsize
    return np.empty((n_rows, (-(-size // per_line) | 1) * per_line), like.dtype)


@no_type_check
@inner
def mark_steps(n_steps: int) -> int:
    """Return the steps from one mark to the next: those of `lif_forward`, for `lif_backward`.

    With the square root of their number the marks and the steps between two of them take the
    least memory together; sums of gradients are moved at each mark.
    """
    return AT_ONCE * max(1, ceil(sqrt(3.0 * n_steps) / AT_ONCE))


@no_type_check
@part
def invert(threshold: Any, inverse: Any) -> bool:
    """Write the inverse of thresholds; say whether they are powers of two, as the usual 1 is.

    Then a product with the inverse is the quotient to the last bit, and faster. Where an inverse is
    too large for its type, the largest number stands for it: none of its products is NaN.
    """
    exact, largest = True, LARGEST[1 if inverse.itemsize == 4 else 0]
    for k in range(threshold.size):
        inverse[k] = 1 / threshold[k]
        exact = exact and frexp(threshold[k])[0] == 0.5 and inverse[k] <= largest
        inverse[k] = min(inverse[k], largest)
    return exact


@no_type_check
@part
def count_spikes(ratio: Any, limit: Any) -> Any:
    """Return the number of spikes, given the membrane as a multiple of the threshold; keep NaN."""
    count = np.floor(ratio)
    if count < 0:
        count = type(count)(0)
    return limit if count > limit else count


@no_type_check
@part
def copy(source: Any, target: Any) -> None:
    """Write `source` into `target` (a slice assignment takes long to compile)."""
    for k in range(target.size):
        target[k] = source[k]


@no_type_check
@part
def clear(target: Any) -> None:
    """Write zeros into `target`."""
    for k in range(target.size):
        target[k] = 0


@no_type_check
@part
def add(source: Any, target: Any) -> None:
    """Add `source` to `target`."""
    for k in range(target.size):
        target[k] += source[k]


@no_type_check
@part
def add_up(a: Any, b: Any, target: Any) -> None:
    """Write the sum of `a` and `b` into `target`."""
    for k in range(target.size):
        target[k] = a[k] + b[k]


@no_type_check
@part
def add_product(a: Any, b: Any, target: Any) -> None:
    """Add the products of the elements of `a` and `b` to `target`."""
    for k in range(target.size):
        target[k] += a[k] * b[k]


@no_type_check
@part
def move(source: Any, target: Any) -> None:
    """Add sums of a few steps to a gradient, and begin anew."""
    for k in range(target.size):
        target[k] += source[k]
        source[k] = 0


@no_type_check
@gradient_part
def squares(row: Any) -> float:
    """Return the sum of the squares of numbers, in any order and in double precision."""
    total = 0.0
    for k in range(row.size):
        total += np.float64(row[k]) * np.float64(row[k])
    return total


@no_type_check
@inner
def squares_of_rows(rows: Any) -> float:
    """Return the sum of the squares of numbers (B, N); it is finite if each of them is."""
    total = 0.0
    for b in range(rows.shape[0]):
        total += squares(rows[b])
    return total
