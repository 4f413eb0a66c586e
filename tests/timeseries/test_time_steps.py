"""Arithmetic of time steps, exact where floats are not."""

from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rockpool.timeseries.time_steps import (
    checked_time_step,
    common_time_step,
    covering_steps,
    gcd,
    is_multiple,
    lcm,
    whole_steps,
)


@pytest.mark.parametrize(
    ("duration", "dt", "steps"),
    [(0.3, 0.1, 3), (0.35, 0.1, 3), (np.float32(0.7), 1e-3, 700), (0.0, 0.1, 0), (-0.05, 0.1, -1)],
)
def test_whole_steps_are_rounded_down(duration, dt, steps):
    assert whole_steps(duration, dt) == steps


@pytest.mark.parametrize(
    ("duration", "dt", "steps"), [(0.3, 0.1, 3), (0.31, 0.1, 4), (0.1 + 0.2, 0.1, 3), (0, 0.1, 0)]
)
def test_covering_steps_are_rounded_up(duration, dt, steps):
    assert covering_steps(duration, dt) == steps


@given(st.integers(0, 10**8), st.sampled_from([1e-3, 1e-4, 2.5e-3, 0.1, 1 / 3, 1 / 44100]))
@settings(deadline=None, max_examples=200)
def test_a_whole_number_of_steps_stays_it(steps, dt):
    assert whole_steps(steps * dt, dt) == steps
    assert covering_steps(steps * dt, dt) == steps


@pytest.mark.parametrize(
    ("a", "b", "divisor", "multiple"),
    [
        (4, 6, "2", "12"),
        (-4, 6, "2", "12"),
        (1e-3, 2e-3, "0.001", "0.002"),
        (0.1, 0.3, "0.1", "0.3"),
        (0.1 + 0.2, 0.1, "0.1", "0.3"),
        (1.5, 1, "0.5", "3"),
        (0, 3, "3", "0"),
        (0, 0, "0", "0"),
        (np.float64(1e-4), np.int64(1), "0.0001", "1"),
    ],
)
def test_gcd_and_lcm_are_those_of_decimal_numbers(a, b, divisor, multiple):
    assert gcd(a, b) == Decimal(divisor)
    assert lcm(a, b) == Decimal(multiple)


@pytest.mark.parametrize(
    ("a", "b", "answer"),
    [
        (0.3, 0.1, True),
        (0.1, 0.3, False),
        (0, 1, True),
        (-2, 1, True),
        (1.0000001, 1, True),
        (0.9999999, 1, True),
        (1.1, 1, False),
        (1, 0, False),
        (0, 0, True),
    ],
)
def test_is_multiple(a, b, answer):
    assert is_multiple(a, b) is answer


def test_the_tolerances_of_is_multiple_can_be_set():
    assert not is_multiple(1.01, 1)
    assert is_multiple(1.01, 1, tol_rel=0.02)
    assert is_multiple(1.01, 1, tol_abs=0.02)
    assert not is_multiple(1.0000001, 1, tol_rel=0, tol_abs=0)


@pytest.mark.parametrize(
    ("steps", "common"),
    [
        ([1e-3], 1e-3),
        ([1e-3, 1e-3], 1e-3),
        ([1e-3, 2e-3, 3e-3], 6e-3),
        ([1e-3, 1.5e-3], 3e-3),
        ([1e-3, 7e-3, 11e-3], 77e-3),
        ([1 / 44100, 1 / 44100], 1 / 44100),
        ([1 / 44100, 4 / 44100, 2 / 44100], 4 / 44100),
        ([97e-3, 99e-3], 9.603),
        ([1e-3, 1 / 3000], 1e-3),
    ],
)
def test_the_common_time_step_is_the_least_common_multiple(steps, common):
    assert common_time_step(steps, "Net") == common


@given(st.lists(st.integers(1, 12), min_size=1, max_size=4))
@settings(deadline=None)
def test_the_common_time_step_holds_whole_numbers_of_all(counts):
    steps = [count * 1e-4 for count in counts]
    try:
        common = common_time_step(steps, "Net")
    except ValueError:
        assert np.lcm.reduce(counts) > 100 * max(counts)
        return
    for count in counts:
        ratio = Fraction(common).limit_denominator(10**7) / Fraction(count, 10**4)
        assert ratio.denominator == 1


@pytest.mark.parametrize(
    ("steps", "words"),
    [
        ([1e-3, 1.00005e-3], r"Net: time steps that differ must be multiples of 1e-07 s, got"),
        ([2e-3, 3e-8], "multiples of 1e-07 s, got dt = 3e-08 s"),
        ([101e-3, 103e-3], "more than 100 times the largest"),
    ],
)
def test_time_steps_that_do_not_go_together_are_an_error(steps, words):
    with pytest.raises(ValueError, match=words):
        common_time_step(steps, "Net")


@pytest.mark.parametrize(("dt", "step"), [(1, 1.0), (np.float32(0.5), 0.5), (np.array(2e-3), 2e-3)])
def test_a_time_step_becomes_a_float(dt, step):
    checked = checked_time_step("Net", dt)
    assert type(checked) is float
    assert checked == step


@pytest.mark.parametrize("dt", [0, -1e-3, np.nan, np.inf])
def test_a_time_step_must_be_positive(dt):
    with pytest.raises(ValueError, match="Net: dt must be > 0 s, got"):
        checked_time_step("Net", dt)


@pytest.mark.parametrize("dt", [None, "soon", [1, 2], True, np.True_])
def test_a_time_step_must_be_a_number(dt):
    with pytest.raises(TypeError, match="Net: dt must be a number of seconds, got"):
        checked_time_step("Net", dt)
