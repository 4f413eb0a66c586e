"""Arithmetic of time steps: whole steps in a duration, and the step that several have in common.

Durations and time steps are floats in seconds, so that 0.3 / 0.1 is a little less than 3. All of
this comes back to whole numbers first, and does the rest with those.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from decimal import ROUND_HALF_EVEN, Context, Decimal
from typing import Any

import numpy as np

__all__ = [
    "checked_time_step",
    "common_time_step",
    "covering_steps",
    "gcd",
    "is_multiple",
    "lcm",
    "whole_number",
    "whole_steps",
]

# Time steps that differ are compared as multiples of this: 1 s has 10**7 of it.
_UNITS_PER_SECOND = 10**7

# Twelve digits keep every time step that a person writes, and drop the noise of binary fractions,
# as in 0.1 + 0.2.
_TWELVE_DIGITS = Context(prec=12, rounding=ROUND_HALF_EVEN)


def checked_time_step(owner: str, dt: Any) -> float:
    """Return a time step in seconds as a float.

    A TypeError says that it is no number, a ValueError that it is not > 0 or is infinite; both name
    the `owner`, who asks.
    """
    try:
        step = None if isinstance(dt, bool | np.bool_) else float(dt)
    except (TypeError, ValueError):
        step = None
    if step is None:
        raise TypeError(f"{owner}: dt must be a number of seconds, got {dt!r}")
    if not 0 < step < math.inf:
        raise ValueError(f"{owner}: dt must be > 0 s, got {dt}")
    return step


def whole_number(owner: str, name: str, value: Any) -> int:
    """Return a whole number as an int; anything else is a TypeError, which names the argument."""
    try:
        number = int(value)
    except (TypeError, ValueError, OverflowError):
        number = None
    if number is None or number != value:
        raise TypeError(f"{owner}: {name} must be a whole number, got {value!r}")
    return number


def whole_steps(duration: float | int, dt: float | int) -> int:
    """Return how many whole time steps fit in a duration, ``floor(duration / dt)``.

    A step that lacks less than a thousandth counts as whole: 0.3 s are 3 steps of 0.1 s, and 0.7 s
    in single precision are 700 of 1 ms.
    """
    return math.floor(duration / dt + 1e-3)


def covering_steps(duration: float | int, dt: float | int) -> int:
    """Return how many time steps it takes to cover a duration, ``ceil(duration / dt)``.

    An excess of less than a millionth of a step does not count.
    """
    return math.ceil(duration / dt - 1e-6)


def gcd(a: float | int, b: float | int) -> Decimal:
    """Greatest common divisor of two decimal numbers, ``gcd(1.5, 1) == 0.5``.

    They are taken to twelve significant digits; their signs do not matter. Where one is 0 it is the
    other one.
    """
    x, y = _decimal(a), _decimal(b)
    while y:
        x, y = y, x % y
    return x


def lcm(a: float | int, b: float | int) -> Decimal:
    """Least common multiple of two decimal numbers, as for `gcd`: ``lcm(0.002, 0.003) == 0.006``.

    It is 0 where one of them is 0.
    """
    divisor = gcd(a, b)
    if not divisor:
        return Decimal(0)
    return _decimal(a) / divisor * _decimal(b)


def is_multiple(
    a: float | int, b: float | int, tol_rel: float | int = 1e-5, tol_abs: float | int = 1e-6
) -> bool:
    """Whether `a` is within ``tol_abs + tol_rel * b`` of a whole multiple of `b`.

    Of 0, only 0 is a multiple.
    """
    x, y = _decimal(a), _decimal(b)
    if not y:
        return float(x) <= tol_abs
    remainder = x % y
    distance = min(remainder, y - remainder)
    return float(distance) <= tol_abs + tol_rel * float(y)


def common_time_step(time_steps: Iterable[float], owner: str) -> float:
    """Return the least common multiple of time steps in seconds, at least one, each > 0.

    It is the largest one itself where that is a multiple of the others, else counted in whole
    multiples of 0.1 microseconds.

    Raises
    ------
    ValueError
        The largest is not a multiple of the others, and one is not a multiple of 0.1
        microseconds; or the least common multiple is more than 100 times the largest.
    """
    steps = sorted({float(step) for step in time_steps})
    largest = steps[-1]
    ratios = [largest / step for step in steps]
    if all(abs(ratio - round(ratio)) <= 1e-9 * ratio for ratio in ratios):
        return largest
    counts = [round(step * _UNITS_PER_SECOND) for step in steps]
    for step, count in zip(steps, counts, strict=True):
        if count == 0 or abs(step * _UNITS_PER_SECOND - count) > 1e-5:
            raise ValueError(
                f"{owner}: time steps that differ must be multiples of 1e-07 s, got dt = {step} s "
                f"among {', '.join(map(str, steps))}"
            )
    multiple = math.lcm(*counts)
    if multiple > 100 * max(counts):
        raise ValueError(
            f"{owner}: the least common multiple of the time steps {', '.join(map(str, steps))} s "
            f"is {multiple / _UNITS_PER_SECOND} s, more than 100 times the largest of them"
        )
    return multiple / _UNITS_PER_SECOND


def _decimal(number: float | int) -> Decimal:
    return abs(_TWELVE_DIGITS.create_decimal(str(number)))
