"""What all time series have in common."""

import copy
import pickle
import warnings

import numpy as np
import pytest

from rockpool.timeseries import TimeSeries, TSContinuous, TSEvent


@pytest.fixture
def ramp() -> TSContinuous:
    """0, 1, 2, 3, each for 0.1 s."""
    return TSContinuous.from_clocked(np.arange(4.0), dt=0.1)


def test_contains_includes_both_limits(ramp):
    assert ramp.contains([0, 0.4]) is True
    assert ramp.contains(0.1 + 0.3) is True
    assert ramp.contains([0.1, 0.41]) is False
    assert ramp.contains([]) is True


def test_a_periodic_series_contains_all_times():
    assert TSContinuous.from_clocked([1, 2], dt=1.0, periodic=True).contains([-100, 1e6]) is True


@pytest.mark.parametrize("time", [np.nan, np.inf, -np.inf])
def test_a_periodic_series_has_no_value_at_no_time(time):
    series = TSContinuous([0, 1], [1, 2], periodic=True)
    assert not series.contains(time)
    with pytest.raises(ValueError, match="has values from 0 to 1 s, asked for"):
        series([0.5, time])


def test_a_plain_series_has_times_and_limits():
    series = TimeSeries([1, 2, 3], t_stop=5, name="clicks")
    assert (series.t_start, series.t_stop, series.name) == (1.0, 5.0, "clicks")
    assert not series.isempty()


@pytest.mark.parametrize(
    ("series", "text"),
    [
        (
            TSContinuous.from_clocked([1, 2], dt=0.1, name="x"),
            "TSContinuous 'x' from 0 to 0.2 s, 2 time points, 1 channels",
        ),
        (
            TSEvent([0.1], [2], t_stop=1, periodic=True),
            "periodic TSEvent 'unnamed' from 0.1 to 1 s, 1 time points, 3 channels",
        ),
        (TimeSeries([0, 1]), "TimeSeries 'unnamed' from 0 to 1 s, 2 time points, 0 channels"),
    ],
)
def test_repr_says_what_it_is(series, text):
    assert repr(series) == text


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, lambda s: s.copy()])
def test_a_copy_equals_the_original(duplicate):
    series = TSEvent([0.1, 0.2], [0, 1], t_stop=0.3, num_channels=4)
    other = duplicate(series)
    assert repr(other) == repr(series)
    np.testing.assert_array_equal(other.times, series.times)


def test_a_series_can_be_pickled(ramp):
    again = pickle.loads(pickle.dumps(ramp))
    np.testing.assert_array_equal(again([0.05, 0.25]), ramp([0.05, 0.25]))


@pytest.mark.parametrize("dt", [0, -1e-3, np.nan, np.inf])
@pytest.mark.parametrize("make", [TSContinuous.from_clocked, TSEvent.from_raster])
def test_a_time_step_must_be_positive(make, dt):
    with pytest.raises(ValueError, match=r"dt must be > 0 s, got"):
        make(np.ones((3, 2)), dt)


@pytest.mark.parametrize("make", [TSContinuous.from_clocked, TSEvent.from_raster])
def test_a_batch_is_no_time_series(make):
    with pytest.raises(ValueError, match=r"\(T,\) or \(T, channels\), got \(2, 3, 4\)"):
        make(np.ones((2, 3, 4)), 1e-3)


def test_series_draw_themselves_with_matplotlib(ramp):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of matplotlib itself, while it is imported
        from matplotlib.figure import Figure
    axes = Figure().add_subplot()
    (line,) = ramp.plot(axes)
    assert line.get_drawstyle() == "steps-post"
    assert line.get_xdata()[-1] == ramp.t_stop  # until which the last sample lasts
    for kind, style in {"next": "steps-pre", "nearest": "steps-mid", "linear": "default"}.items():
        (line,) = TSContinuous([0, 1, 2], [1, 3, 2], interp_kind=kind).plot(axes)
        assert line.get_drawstyle() == style
    points = TSEvent([0.1, 0.2], [0, 3], t_stop=1).plot(axes)
    np.testing.assert_allclose(points.get_offsets(), [[0.1, 0], [0.2, 3]])
    assert axes.get_xlabel() == "Time (s)"


def test_a_plot_of_events_shows_all_channels_from_0_on_and_what_is_there():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of matplotlib itself, while it is imported
        from matplotlib.figure import Figure
    axes = Figure().add_subplot()
    TSEvent([0.1, 0.2], [5, 6], t_stop=1, num_channels=9).plot(axes)
    assert axes.get_ylim() == (-0.5, 8.5)
    TSEvent([0.1], [2], t_stop=1).plot(axes)
    assert axes.get_ylim() == (-0.5, 8.5)
    empty = Figure().add_subplot()
    TSEvent(num_channels=3).plot(empty)
    assert empty.get_ylim() == (-0.5, 2.5)
