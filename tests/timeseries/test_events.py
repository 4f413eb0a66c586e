"""Events in channels, and rasters: exact in their steps whatever floats do."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rockpool.timeseries import TSContinuous, TSEvent

rasters = st.integers(0, 2**32 - 1).flatmap(
    lambda seed: st.tuples(st.integers(1, 40), st.integers(1, 5)).map(
        lambda shape: np.random.default_rng(seed).poisson(0.7, shape)
    )
)
time_steps = st.sampled_from([1e-3, 1e-4, 2.5e-3, 0.1, 1 / 3, 1 / 44100, 1.0])


# -- TSEvent ---------------------------------------------------------------------------------


def test_events_have_times_and_channels():
    series = TSEvent([0.1, 0.2, 0.2], [0, 3, 1], t_stop=0.3)
    assert series.num_channels == 4
    assert len(series) == 3
    times, channels = series()
    np.testing.assert_array_equal(times, [0.1, 0.2, 0.2])
    np.testing.assert_array_equal(channels, [0, 3, 1])


def test_a_call_reads_from_the_start_until_before_the_end():
    series = TSEvent([0.1, 0.2, 0.3], [0, 1, 2], t_stop=0.4)
    assert series(0.1, 0.3)[0].tolist() == [0.1, 0.2]
    assert series(channels=[2, 0])[1].tolist() == [0, 2]
    assert series(channels=1)[0].tolist() == [0.2]
    assert series(channels=7)[0].size == 0


def test_a_call_of_a_periodic_series_repeats_it():
    times, channels = TSEvent([0.1, 0.1], [0, 2], t_start=0, t_stop=0.3, periodic=True)(0.3, 0.9)
    np.testing.assert_allclose(times, [0.4, 0.4, 0.7, 0.7])
    assert channels.tolist() == [0, 2, 0, 2]


@pytest.mark.parametrize(("channels", "expected"), [(None, [0, 0]), (3, [3, 3]), ([1, 0], [1, 0])])
def test_one_channel_may_stand_for_all_events(channels, expected):
    assert TSEvent([0.1, 0.2], channels, t_stop=0.3).channels.tolist() == expected


def test_events_need_to_know_when_they_end():
    with pytest.raises(TypeError, match="t_stop must be given"):
        TSEvent([0.1], [0])
    with pytest.raises(ValueError, match=r"t_stop must be > 0\.1 s"):
        TSEvent([0.1], [0], t_stop=0.1)
    for value in (np.nan, np.inf):
        with pytest.raises(ValueError, match=f"TSEvent: times must be finite, got {value}"):
            TSEvent([0.1, value], [0, 1], t_stop=1.0)
    assert TSEvent().t_stop == 0.0


@pytest.mark.parametrize(
    ("channels", "more", "error", "words"),
    [
        ([0], {}, ValueError, "as many as the 2 times"),
        ([0, -1], {}, ValueError, "channels must be >= 0, got -1"),
        ([0, 0.5], {}, TypeError, "channels must be integers"),
        ([0, 3], {"num_channels": 2}, ValueError, "num_channels must be at least 4"),
        ([0, 1], {"num_channels": 2.9}, TypeError, "num_channels must be a whole number, got 2.9"),
        ([0, 1], {"num_channels": np.nan}, TypeError, "num_channels must be a whole number"),
        ([0, 1], {"t_start": 0.15}, ValueError, "t_start must be finite and at most 0.1"),
    ],
)
def test_bad_arguments_of_events_are_named(channels, more, error, words):
    with pytest.raises(error, match=words):
        TSEvent([0.1, 0.2], channels, t_stop=0.3, **more)


def test_events_must_be_in_order():
    with pytest.raises(ValueError, match="must not decrease"):
        TSEvent([0.2, 0.1], [0, 1], t_stop=0.3)


# -- rasters ---------------------------------------------------------------------------------


def test_a_raster_entry_becomes_that_many_events_in_the_middle_of_the_step():
    series = TSEvent.from_raster([[1, 0], [0, 2]], dt=0.1)
    np.testing.assert_allclose(series.times, [0.05, 0.15, 0.15])
    assert series.channels.tolist() == [0, 1, 1]
    assert (series.t_stop, series.num_channels) == (0.2, 2)


def test_events_may_be_put_at_the_start_of_the_step():
    series = TSEvent.from_raster([1, 0, 2], dt=0.5, t_start=1, spikes_at_bin_start=True)
    assert series.times.tolist() == [1.0, 2.0, 2.0]


def test_a_raster_may_be_given_a_later_end_and_more_channels():
    series = TSEvent.from_raster(np.eye(2), dt=0.1, t_stop=0.5, num_channels=4, name="a")
    assert (series.t_stop, series.num_channels, series.name) == (0.5, 4, "a")


def test_an_empty_raster_keeps_its_channels():
    series = TSEvent.from_raster(np.zeros((3, 2)), dt=0.1)
    assert series.isempty()
    assert series.raster(0.1).shape == (3, 2)
    assert TSEvent.from_raster(np.zeros((0, 2)), dt=0.1).num_channels == 2


@pytest.mark.parametrize("entry", [-1, 1.5, np.nan, np.inf])
def test_a_raster_entry_must_be_a_number_of_events(entry):
    with pytest.raises(ValueError, match="whole, and not negative"):
        TSEvent.from_raster([[0, entry]], dt=0.1)


def test_a_raster_has_exactly_the_steps_asked_for():
    rng = np.random.default_rng(0)
    series = TSEvent.from_raster(rng.poisson(0.5, (2000, 2)), dt=1e-3)
    starts, lengths = rng.integers(0, 1500, 1000), rng.integers(0, 700, 1000)
    rows = [
        len(series.raster(1e-3, t_start=start * 1e-3, num_timesteps=length, add_events=True))
        for start, length in zip(starts, lengths, strict=True)
    ]
    assert rows == lengths.tolist()


@given(raster=rasters, dt=time_steps, start=st.integers(0, 100_000), at_start=st.booleans())
@settings(deadline=None, max_examples=50)
def test_a_raster_comes_back_as_it_was(raster, dt, start, at_start):
    t_start = start * dt
    series = TSEvent.from_raster(raster, dt, t_start=t_start, spikes_at_bin_start=at_start)
    np.testing.assert_array_equal(series.raster(dt, add_events=True), raster)
    again = series.raster(dt, t_start, num_timesteps=len(raster), add_events=True)
    np.testing.assert_array_equal(again, raster)


@given(
    raster=rasters,
    dt=time_steps,
    start=st.floats(0, 1e3),
    at_start=st.booleans(),
)
@settings(deadline=None, max_examples=50)
def test_a_raster_off_the_clock_comes_back_as_it_was(raster, dt, start, at_start):
    series = TSEvent.from_raster(raster, dt, t_start=start, spikes_at_bin_start=at_start)
    again = series.raster(dt, num_timesteps=len(raster), add_events=True)
    np.testing.assert_array_equal(again, raster)


@given(
    times=st.lists(st.floats(0, 0.099999), max_size=30).map(sorted),
    cuts=st.lists(st.integers(0, 100), max_size=5).map(sorted),
)
@settings(deadline=None, max_examples=100)
def test_the_pieces_of_a_stream_make_up_the_whole(times, cuts):
    series = TSEvent(times, 0, t_start=0, t_stop=0.1, num_channels=1)
    whole = series.raster(1e-3, add_events=True)
    edges = [0, *cuts, 100]
    pieces = [
        series.raster(1e-3, t_start=a * 1e-3, num_timesteps=b - a, add_events=True)
        for a, b in itertools.pairwise(edges)
    ]
    np.testing.assert_array_equal(np.concatenate(pieces), whole)
    assert whole.sum() == len(times)


@pytest.mark.parametrize("dt", [0.1, 1e-3, 1 / 3])
def test_an_event_on_an_edge_belongs_to_the_step_that_begins_there(dt):
    steps = np.arange(50)
    series = TSEvent(steps * dt, 0, t_stop=50 * dt)
    np.testing.assert_array_equal(series.raster(dt)[:, 0], np.ones(50, bool))


def test_an_event_a_microsecond_before_an_edge_belongs_to_the_step_that_ends_there():
    series = TSEvent([0.000999], 0, t_start=0, t_stop=0.002)
    assert series.raster(1e-3)[:, 0].tolist() == [True, False]


def test_a_raster_is_boolean_or_counts():
    series = TSEvent([0.01, 0.02], 0, t_start=0, t_stop=0.2)
    counts = series.raster(0.1, add_events=True)
    assert counts.dtype == np.int64
    assert counts.tolist() == [[2], [0]]
    with pytest.warns(UserWarning, match="several events fall into one time step of 0.1 s"):
        once = series.raster(0.1)
    assert once.dtype == bool
    assert once.tolist() == [[True], [False]]


def test_a_raster_may_reach_beyond_the_series():
    series = TSEvent([0.05], 0, t_start=0, t_stop=0.1)
    assert series.raster(0.1, t_start=-0.2, t_stop=0.3)[:, 0].tolist() == [0, 0, 1, 0, 0]


@pytest.mark.parametrize(("t_stop", "rows"), [(0.3, 3), (0.30000000000000004, 3), (0.31, 4)])
def test_a_raster_covers_the_time_that_is_asked_for(t_stop, rows):
    assert len(TSEvent(t_stop=1.0, num_channels=1).raster(0.1, 0.0, t_stop)) == rows


@pytest.mark.parametrize("kind", [list, tuple, np.array])
def test_a_raster_has_a_column_for_each_channel_asked_for(kind):
    series = TSEvent([0.05, 0.05], [0, 2], t_start=0, t_stop=0.1)
    assert series.raster(0.1, channels=kind([2, 1, 0, 2])).tolist() == [[True, False, True, True]]
    assert series.raster(0.1, channels=2).tolist() == [[True]]
    assert series.raster(0.1, channels=kind([])).shape == (1, 0)


def test_a_raster_of_a_channel_that_is_not_there_has_no_events():
    unsaid = TSEvent([0.05], 0, t_start=0, t_stop=0.1)
    assert unsaid.raster(0.1, channels=range(3)).tolist() == [[True, False, False]]
    said = TSEvent([0.05], 0, t_start=0, t_stop=0.1, num_channels=1)
    with pytest.warns(UserWarning, match="has 1 channels; there are no events in channel 2"):
        assert said.raster(0.1, channels=range(3)).tolist() == [[True, False, False]]


def test_a_periodic_raster_repeats():
    pattern = np.array([[1, 0], [0, 2], [0, 0]])
    series = TSEvent.from_raster(pattern, dt=0.1, periodic=True)
    np.testing.assert_array_equal(
        series.raster(0.1, t_start=0.4, num_timesteps=8, add_events=True),
        np.tile(pattern, (4, 1))[4:12],
    )
    before = series.raster(0.1, t_start=-0.2, num_timesteps=4, add_events=True)
    np.testing.assert_array_equal(before, np.tile(pattern, (2, 1))[1:5])


@pytest.mark.parametrize("channels", [[-1], [[0.5]]])
def test_a_raster_refuses_channels_that_are_none(channels):
    with pytest.raises((TypeError, ValueError), match="channels must be"):
        TSEvent(t_stop=1.0).raster(0.1, channels=channels)


@pytest.mark.parametrize("steps", [2.5, np.nan, np.inf, "2"])
def test_a_raster_has_a_whole_number_of_steps(steps):
    series = TSEvent([0.1], t_stop=1.0)
    with pytest.raises(TypeError, match=f"num_timesteps must be a whole number, got {steps!r}"):
        series.raster(0.1, num_timesteps=steps)
    assert series.raster(0.1, num_timesteps=2.0).shape == (2, 1)


def test_a_series_has_a_whole_number_of_channels():
    with pytest.raises(TypeError, match=r"num_channels must be a whole number, got 2\.9"):
        TSEvent.from_raster(np.eye(2), num_channels=2.9)
    with pytest.raises(TypeError, match=r"num_channels must be a whole number, got 2\.9"):
        TSContinuous(num_channels=2.9)


def test_a_raster_refuses_a_negative_number_of_steps():
    with pytest.raises(ValueError, match="num_timesteps must be >= 0, got -1"):
        TSEvent(t_stop=1.0).raster(0.1, num_timesteps=-1)


def test_channels_that_are_chosen() -> None:
    series = TSEvent([0.1, 0.2, 0.3], [0, 1, 2], t_stop=1.0)
    assert series.choose([False, False, True]).channels.tolist() == [2]
    assert series.choose([], remap=True).num_channels == 0
    assert not len(series.clip(0.0, 1.0, channels=[], remap_channels=True).times)
    with pytest.raises(TypeError, match="channels must be integers, got float64"):
        series.choose([1.5])
    with pytest.raises(ValueError, match="a mask of channels must have the length 3, got 2"):
        series.choose([True, False])


def test_a_function_of_times_returns_as_many() -> None:
    series = TSEvent([0.1, 0.2, 0.3], [0, 1, 2], t_stop=1.0)
    with pytest.raises(ValueError, match=r"as many times as it gets, 3, got the shape \(2,\)"):
        series.apply(lambda times: times[times > 0.15])
