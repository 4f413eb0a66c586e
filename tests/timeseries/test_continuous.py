"""Values sampled over time, read at any time."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rockpool.timeseries import TSContinuous

time_steps = st.sampled_from([1e-3, 1e-4, 2.5e-3, 0.1, 1 / 3, 1 / 44100, 1.0])


@pytest.fixture
def ramp() -> TSContinuous:
    """0, 1, 2, 3, each for 0.1 s."""
    return TSContinuous.from_clocked(np.arange(4.0), dt=0.1)


def test_clocked_samples_each_last_one_time_step(ramp):
    np.testing.assert_allclose(ramp.times, [0.0, 0.1, 0.2, 0.3])
    assert (ramp.t_start, ramp.t_stop, ramp.duration) == (0.0, 0.4, 0.4)
    assert ramp.samples.shape == (4, 1)
    assert ramp.num_channels == 1
    assert len(ramp) == 4


def test_a_call_returns_a_row_of_all_channels_for_each_time():
    series = TSContinuous.from_clocked([[1, 2], [3, 4]], dt=0.5, t_start=1.0)
    np.testing.assert_array_equal(series([1.0, 1.4, 1.5, 2.0]), [[1, 2], [1, 2], [3, 4], [3, 4]])
    assert series([]).shape == (0, 2)
    assert series(1.2).shape == (1, 2)


def test_the_last_sample_holds_until_the_end(ramp):
    np.testing.assert_array_equal(ramp([0.35, 0.399, 0.4])[:, 0], [3, 3, 3])


@pytest.mark.parametrize("times", [-0.1, 0.41, [0.1, 0.5], [-1e-6, 0.1]])
def test_times_outside_are_an_error_that_names_both_ranges(ramp, times):
    with pytest.raises(ValueError, match=r"from 0 to 0\.4 s, asked for"):
        ramp(times)


@given(dt=time_steps, start=st.integers(0, 10_000), length=st.integers(1, 300))
@settings(deadline=None, max_examples=50)
def test_a_sample_is_found_at_its_time_however_that_was_computed(dt, start, length):
    series = TSContinuous.from_clocked(np.arange(length), dt, t_start=start * dt)
    k = np.arange(length)
    for times in (dt * (start + k), start * dt + dt * k, (start + k) / (1 / dt)):
        np.testing.assert_array_equal(series(times)[:, 0], k)


@pytest.mark.parametrize(
    ("time", "value"), [(0.0, 0), (0.4, 0), (0.45, 0), (4.05, 0), (-0.05, 3), (0.75, 3), (-0.4, 0)]
)
def test_a_periodic_series_repeats_on_both_sides(time, value):
    series = TSContinuous.from_clocked(np.arange(4.0), dt=0.1, periodic=True)
    assert series(time) == value


def test_each_step_of_a_periodic_series_is_found_over_many_periods():
    series = TSContinuous.from_clocked(np.arange(7), dt=0.1, periodic=True)
    steps = np.arange(-700, 7000)
    np.testing.assert_array_equal(series(0.1 * steps)[:, 0], steps % 7)


def test_samples_without_a_clock_end_with_the_last():
    series = TSContinuous([0, 1, 2], [1, 2, 3])
    assert series.t_stop == 2.0
    np.testing.assert_array_equal(series([0, 0.5, 1.99, 2])[:, 0], [1, 1, 2, 3])


def test_the_outer_samples_hold_to_the_limits():
    series = TSContinuous([0, 1], [5, 7], t_start=-1, t_stop=4)
    np.testing.assert_array_equal(series([-1, -0.5, 3])[:, 0], [5, 5, 7])
    series = TSContinuous([0, 1], [5, 7], t_start=-1, t_stop=4, interp_kind="linear")
    np.testing.assert_array_equal(series([-1, -0.5, 0.5, 3])[:, 0], [5, 5, 6, 7])


def test_linear_interpolation_goes_between_the_samples():
    series = TSContinuous([0, 1, 3], [[1, 0], [2, 10], [4, 30]], interp_kind="linear")
    np.testing.assert_allclose(series([0.5, 2, 3]), [[1.5, 5], [3, 20], [4, 30]])


def test_linear_interpolation_holds_the_last_clocked_sample():
    series = TSContinuous.from_clocked([0, 2], dt=1.0, interp_kind="linear")
    np.testing.assert_allclose(series([0.5, 1.0, 1.5])[:, 0], [1, 2, 2])


def test_linear_interpolation_of_a_periodic_series_goes_from_the_last_to_the_first():
    series = TSContinuous.from_clocked([0, 1, 4], dt=1.0, interp_kind="linear", periodic=True)
    np.testing.assert_allclose(series([2.5, -0.5, 3.0, 3.5])[:, 0], [2, 2, 0, 0.5])


def test_of_two_samples_at_one_time_the_later_counts():
    assert TSContinuous([0, 1, 1, 2], [1, 2, 3, 4])(1.0) == 3


def test_a_series_without_samples_keeps_its_channels():
    series = TSContinuous.from_clocked(np.zeros((0, 3)), dt=0.1, t_start=2.0)
    assert series.isempty()
    assert series.num_channels == 3
    assert (series.t_start, series.t_stop) == (2.0, 2.0)
    with pytest.raises(ValueError, match="no samples to read"):
        series(2.0)
    assert TSContinuous(num_channels=2).num_channels == 2


def test_a_series_does_not_share_memory_with_its_input():
    samples = np.ones((3, 1))
    series = TSContinuous.from_clocked(samples, dt=1.0)
    samples[:] = 7
    np.testing.assert_array_equal(series.samples, np.ones((3, 1)))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"times": [0, 2, 1], "samples": [1, 2, 3]}, "must not decrease"),
        ({"times": [0, np.nan], "samples": [1, 2]}, "must be finite"),
        ({"times": [[0, 1]], "samples": [1, 2]}, "1-D"),
        ({"times": [0, 1], "samples": [1, 2, 3]}, r"the shape \(2, channels\)"),
        ({"times": [0, 1]}, r"the shape \(2, channels\)"),
        ({"times": [0, 1], "samples": [1, 2], "num_channels": 3}, "num_channels is 3"),
        ({"times": [0, 1], "samples": [1, 2], "t_stop": 0.5}, "t_stop must be finite and at least"),
        ({"times": [0, 1], "samples": [1, 2], "t_start": 0.5}, "t_start must be finite and at mo"),
        ({"times": [0, 1], "samples": [1, 2], "t_stop": np.inf}, "t_stop must be finite"),
        ({"times": [0], "samples": [1], "periodic": True}, "periodic series needs t_stop > t_st"),
        (
            {"times": [0, 1], "samples": [1, 2], "interp_kind": "cubic"},
            "'previous', 'linear', 'next' or 'nearest'",
        ),
    ],
)
def test_bad_arguments_of_samples_are_named(arguments, words):
    with pytest.raises(ValueError, match=words):
        TSContinuous(**arguments)
