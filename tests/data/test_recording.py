"""A recording in memory: exact rasters, series, and what is refused."""

from __future__ import annotations

import tracemalloc
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from rockpool.data import Recording, RecordingWarning
from rockpool.timeseries import TSEvent


def spikes(times: Any, channels: Any = 0, **known: Any) -> Recording:
    times = np.asarray(times, dtype=np.int64)
    events = np.zeros(len(times), dtype=[("t", "i8"), ("channel", "i8")])
    events["t"], events["channel"] = times, channels
    return Recording(events, **known)


def sensor(number: int, seed: int = 0, **known: Any) -> Recording:
    rng = np.random.default_rng(seed)
    events = np.zeros(number, dtype=[("t", "i8"), ("x", "i2"), ("y", "i2"), ("p", "u1")])
    for name, most in (("t", 10_000), ("x", 5), ("y", 4), ("p", 2)):
        events[name] = rng.integers(0, most, number)
    return Recording(events, **known)


# --- bins ------------------------------------------------------------------------------------------


def test_the_last_bin_is_kept_and_an_event_on_an_edge_is_the_next_bins() -> None:
    recording = spikes([0, 999, 1000, 1999, 2000, 2500, 3000])
    assert recording.raster(1e-3).ravel().tolist() == [2, 2, 2, 1]


def test_bins_begin_at_the_start_and_not_at_the_first_event() -> None:
    recording = spikes([20_004])
    assert recording.raster(1e-3).ravel().nonzero()[0].tolist() == [20]
    assert recording.raster(1e-3, t_start=0.02).ravel().tolist() == [1]
    assert recording.raster(1e-3, t_start=20.004e-3).ravel().tolist() == [1]


@pytest.mark.parametrize("dt", [1e-3, 1e-4, 7e-6, 1 / 3000, 3e-7, 0.1 * 3, Fraction(1, 7000)])
@pytest.mark.parametrize("t_start", [0, 1e-3, 12.5e-7, 1 / 3])
@pytest.mark.parametrize("unit", ["us", "ns"])
def test_each_event_is_in_the_bin_of_exact_arithmetic(dt: Any, t_start: Any, unit: Any) -> None:
    ticks = 10**6 if unit == "us" else 10**9
    width = {1 / 3000: Fraction(1, 3000), 0.1 * 3: Fraction(3, 10)}.get(dt, Fraction(str(dt)))
    start = {1 / 3: Fraction(1, 3)}.get(t_start, Fraction(str(t_start)))
    rng = np.random.default_rng(1)
    numbers = rng.integers(0, 50, 200)
    # On the edges, a tick before and after them, and anywhere
    edges = [int((start + k * width) * ticks // 1) + late for k in range(50) for late in (-1, 0, 1)]
    times = [*edges, *(edges[3 * k] + int(k) for k in numbers)]
    times = [time for time in times if time >= start * ticks]
    wanted = [int((Fraction(time, ticks) - start) // width) for time in times]
    found = spikes(times, unit=unit).raster(dt, t_start=t_start).ravel()
    assert np.array_equal(found, np.bincount(wanted))


def test_a_time_step_whose_edges_do_not_fit_into_64_bits_is_exact_too() -> None:
    recording = spikes(np.arange(0, 10**6, 1000))
    counts = recording.raster(Fraction(1, 10**3) + Fraction(1, 10**40))
    assert counts.sum() == 1000 and counts[0] == 2  # the edge is just after the event


@pytest.mark.parametrize("dt", [0.001, Decimal("0.001"), Fraction(1, 1000), np.float32(0.001)])
def test_a_time_step_is_the_number_that_is_written(dt: Any) -> None:
    recording = spikes(np.arange(100) * 1000)
    assert np.array_equal(recording.raster(dt).ravel(), np.ones(100))


def test_order_does_not_matter() -> None:
    recording = sensor(5000)
    ordered = Recording(np.sort(recording.events, order="t"), sensor_size=(4, 5))
    backward = Recording(ordered.events[::-1], sensor_size=(4, 5))
    assert recording.raster(1e-3).sum() == 5000
    for other in (ordered, backward):
        assert np.array_equal(recording.raster(1e-3), other.raster(1e-3))


@pytest.mark.parametrize("t_start", [0, 1e-3, 0.0105])
@pytest.mark.parametrize("duration", [None, 0, 0.9e-3, 2.5e-3, 0.5])
def test_the_sum_is_the_number_of_events_in_range(t_start: float, duration: float | None) -> None:
    recording = sensor(5000)
    counts = recording.raster(1e-3, duration, t_start)
    stop = 1.0 if duration is None else t_start + duration
    assert counts.sum() == len(recording.between(t_start, stop))
    times = recording.events["t"] / 1e6
    assert counts.sum() == np.count_nonzero((times >= t_start) & (times < stop - 1e-12))
    if duration is not None:
        assert len(counts) == int(np.ceil(round(duration * 1e3, 6)))


def test_a_recording_that_says_its_end_has_empty_bins_up_to_it() -> None:
    assert len(spikes([500], t_stop=0.01).raster(1e-3)) == 10
    assert len(spikes([], t_stop=0.01, n_channels=2).raster(1e-3)) == 10
    assert spikes([10_000], t_stop=0.01).raster(1e-3).sum() == 1  # an event at the end itself
    assert spikes([]).raster(1e-3).shape == (0, 0)


def test_events_before_0_are_told_of_and_can_be_had() -> None:
    recording = spikes([-1500, -1, 0, 10])
    with pytest.warns(RecordingWarning, match="2 events before the time 0 are left out"):
        assert recording.raster(1e-3).sum() == 2
    assert recording.raster(1e-3, t_start=-2e-3).ravel().tolist() == [1, 1, 2]


def test_counts_do_not_overflow() -> None:
    recording = spikes(np.zeros(200_000), 1)
    counts = recording.raster(1e-3)
    assert counts.dtype == np.int32 and counts.tolist() == [[0, 200_000]]
    assert recording.raster(1e-3, dtype=np.float32).tolist() == [[0, 200_000]]
    for dtype in (np.int16, np.uint8, np.float16):
        with pytest.raises(ValueError, match="there is a count of 200000, too large for"):
            recording.raster(1e-3, dtype=dtype)


def test_a_raster_of_a_sensor_has_its_axes() -> None:
    recording = sensor(1000, sensor_size=(6, 7))
    counts = recording.raster(1e-3, sensor=True)
    assert counts.shape == (10, 2, 6, 7)
    assert np.array_equal(counts.reshape(10, -1), recording.raster(1e-3))
    wanted = np.zeros(counts.shape, dtype=int)
    for t, x, y, p in recording.events.tolist():
        wanted[t // 1000, p, y, x] += 1
    assert np.array_equal(counts, wanted)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"dt": 0}, "dt must be > 0 s, got 0"),
        ({"dt": float("nan")}, "dt must be finite"),
        ({"dt": 1e-3, "duration": -1}, "duration must be >= 0 s, got -1"),
        ({"dt": 1e-3, "t_start": float("inf")}, "t_start must be finite"),
        ({"dt": 1e-3, "sensor": True}, "sensor=True needs events with x, y and p"),
        ({"dt": 1e-3, "dtype": bool}, "dtype must be one of numbers, got bool"),
        ({"dt": 1e-9, "duration": 1e6}, "would take more than 64 GiB; give duration"),
    ],
)
def test_what_is_wrong_with_a_raster_is_said(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        spikes([0]).raster(**arguments)
    with pytest.raises(TypeError, match="dt must be a number of seconds, got '1 ms'"):
        spikes([0]).raster("1 ms")


def test_a_raster_takes_little_more_than_itself() -> None:
    recording = sensor(2_000_000)
    tracemalloc.start()
    counts = recording.raster(1e-5)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < counts.nbytes + 2**25


# --- series and pieces -----------------------------------------------------------------------------


def test_a_series_has_the_events_in_the_order_of_their_times() -> None:
    recording = spikes([3000, 1000, 2000], [2, 0, 1], n_channels=4, t_stop=0.01, source="a/b.npz")
    series = recording.to_tsevent()
    assert isinstance(series, TSEvent) and series.name == "b.npz"
    assert series.times.tolist() == [1e-3, 2e-3, 3e-3] and series.channels.tolist() == [0, 1, 2]
    assert (series.t_start, series.t_stop, series.num_channels) == (0, 0.01, 4)
    assert np.array_equal(series.raster(1e-3, add_events=True), recording.raster(1e-3))


def test_a_series_ends_after_the_last_event_and_begins_before_the_first() -> None:
    series = spikes([-5, 10]).to_tsevent("name")
    assert series.t_start == -5e-6 and series.t_stop > 1e-5 and series.name == "name"
    late = spikes([2**60], unit="ns").to_tsevent()
    assert late.t_stop > late.times[-1]
    assert len(spikes([]).to_tsevent()) == 0


def test_channels_of_a_sensor_are_those_of_its_raster() -> None:
    recording = sensor(100)
    series = recording.to_tsevent()
    assert series.num_channels == recording.n_channels == 2 * 4 * 5
    assert np.array_equal(np.sort(series.channels), np.sort(recording.channels))


def test_a_piece_keeps_what_is_known() -> None:
    recording = spikes([0, 1000, 2000], [0, 1, 2], n_channels=5, info={"label": 3})
    piece = recording.between(1e-3, 2e-3)
    assert piece.events["t"].tolist() == [1000]
    assert (piece.n_channels, piece.info, piece.t_stop) == (5, {"label": 3}, 2e-3)


def test_it_says_what_it_is() -> None:
    said = repr(spikes([1000, 2000], [0, 1], source="/a/b.h5", format="sonata"))
    assert said == "<Recording: 2 events, 2 channels, 0.001 to 0.002 s, sonata 'b.h5'>"
    assert repr(spikes([])) == "<Recording: 0 events, 0 channels, no time>"
    assert "sensor of 4 x 5 pixels" in repr(sensor(100))


# --- what is refused -------------------------------------------------------------------------------


def events(**fields: Any) -> np.ndarray:
    array = np.zeros(1, dtype=[(name, type(value)) for name, value in fields.items()])
    for name, value in fields.items():
        array[name] = value
    return array


@pytest.mark.parametrize(
    ("array", "known", "message"),
    [
        (events(t=2**62, channel=0), {}, r"t must be from -\d+ to \d+, got 4611686018427387904"),
        (events(t=0, channel=-1), {}, "channel must be from 0 to"),
        (events(t=0, x=0, y=0, p=2), {}, "p must be from 0 to 1, got 2 to 2"),
        (events(t=0, x=2**15, y=0, p=0), {}, "x must be from 0 to 32767"),
        (events(t=0, channel=3), {"n_channels": 3}, "n_channels must be at least 4"),
        (events(t=0, channel=3), {"n_channels": 4.5}, "n_channels must be whole, got 4.5"),
        (events(t=0, channel=3), {"time_origin": 1.7}, "time_origin must be whole, got 1.7"),
        (events(t=0, x=5, y=2, p=0), {"sensor_size": (9, 9.9)}, "sensor_size must be whole, got"),
        (events(t=0, channel=3), {"sensor_size": (2, 2)}, "sensor_size is for events with x, y"),
        (events(t=0, x=5, y=2, p=0), {"sensor_size": (9, 5)}, r"sensor_size \(9, 5\) is too small"),
        (events(t=0, x=5, y=2, p=0), {"sensor_size": (0, 9)}, "must be height and width, from 1"),
        (events(t=0, x=5, y=2, p=0), {"n_channels": 3}, "n_channels of a sensor of"),
        (
            events(t=0, channel=3),
            {"t_stop": float("nan")},
            "t_stop must be at most 2305843009213 s",
        ),
        (events(t=0, channel=3), {"t_stop": 1e13}, r"t_stop must be .*, got 10000000000000\.0"),
        (events(t=0, channel=3), {"unit": "s"}, "unit must be 'us' or 'ns', got 's'"),
    ],
)
def test_events_that_cannot_be_are_refused(
    array: np.ndarray, known: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        Recording(array, **known)


@pytest.mark.parametrize(
    "array", [np.ones(3), [1, 2], events(t=1, x=1), events(t=1.0, channel=1), None]
)
def test_what_is_no_array_of_events_is_refused(array: Any) -> None:
    with pytest.raises(TypeError, match="Recording: events"):
        Recording(array)


def test_the_callers_array_stays_as_it_is_and_the_recordings_is_not_written_to() -> None:
    array = events(t=5, channel=1)
    recording = Recording(array)
    recording.raster(1e-3)
    assert array.tolist() == [(5, 1)] and array.flags.writeable
    with pytest.raises(ValueError, match="read-only"):
        recording.events["channel"] = 7
