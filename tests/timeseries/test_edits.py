"""Time series that are moved, cut, joined, changed and printed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from rockpool.timeseries import TSContinuous, TSEvent


@pytest.fixture
def ramp() -> TSContinuous:
    """0, 1, 2, 3, each for 0.1 s, and ten times that."""
    return TSContinuous.from_clocked(np.outer(np.arange(4.0), [1, 10]), dt=0.1, name="ramp")


@pytest.fixture
def clicks() -> TSEvent:
    return TSEvent([0.1, 0.2, 0.2, 0.5], [0, 1, 2, 1], t_stop=1.0, num_channels=4, name="clicks")


def contents(series: Any) -> list[Any]:
    """The times, and the samples or channels."""
    inside = series.samples if isinstance(series, TSContinuous) else series.channels
    return [np.round(series.times, 9).tolist(), inside.tolist()]


# --- all of them -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["ramp", "clicks"])
@pytest.mark.parametrize("inplace", [False, True])
def test_a_series_is_moved(name: str, inplace: bool, request: pytest.FixtureRequest) -> None:
    series = request.getfixturevalue(name)
    first, duration, start = series.times[0], series.duration, series.t_start
    moved = series.start_at(5.0, inplace)
    assert (moved is series) is inplace
    assert moved.t_start == 5
    assert moved.duration == pytest.approx(duration)
    assert moved.times[0] == pytest.approx(5 + first - start)
    assert moved.delay(-1).t_start == 4
    assert moved.start_at_zero().t_start == 0
    assert moved.name == name


def test_what_is_printed(
    ramp: TSContinuous, clicks: TSEvent, capsys: pytest.CaptureFixture[str]
) -> None:
    ramp.print(num_first=1, num_last=1, limit_shorten=2)
    assert capsys.readouterr().out.splitlines() == [
        repr(ramp),
        "0 s: 0  0",
        "... 2 more ...",
        "0.3 s: 3  30",
    ]
    clicks.print(full=True)
    assert capsys.readouterr().out.splitlines()[1:3] == ["0.1 s: channel 0", "0.2 s: channel 1"]


# --- sampled values ----------------------------------------------------------------------------------


def test_a_piece_has_samples_at_its_limits(ramp: TSContinuous) -> None:
    piece = ramp.clip(0.05, 0.25, channels=1)
    assert contents(piece) == [[0.05, 0.1, 0.2, 0.25], [[0], [10], [20], [20]]]
    assert (piece.t_start, piece.t_stop) == (0.05, 0.25)
    bare = ramp.clip(0.05, 0.2, sample_limits=False, include_stop=False)
    assert contents(bare) == [[0.1], [[1, 10]]]


def test_a_piece_of_a_periodic_series_goes_over_its_end() -> None:
    series = TSContinuous.from_clocked([1, 2], dt=0.5, periodic=True)
    piece = series.clip(0.75, 1.75)
    assert contents(piece) == [[0.75, 1, 1.5, 1.75], [[2], [1], [2], [2]]]
    assert not piece.periodic


@pytest.mark.parametrize("kind", ["previous", "next", "nearest", "linear"])
@pytest.mark.parametrize("periodic", [False, True])
@pytest.mark.parametrize("fill", ["extrapolate", 7.0])
def test_a_piece_has_the_values_of_the_series(kind: str, periodic: bool, fill: Any) -> None:
    rng = np.random.default_rng(0)
    for _ in range(100):
        times = np.unique(rng.integers(0, 64, rng.integers(1, 6))) / 64
        limits = times[0] - rng.integers(0, 4) / 64, times[-1] + rng.integers(1, 4) / 64
        options = {"periodic": periodic, "interp_kind": kind, "fill_value": fill}
        values = rng.normal(size=len(times))
        series = TSContinuous(times, values, t_start=limits[0], t_stop=limits[1], **options)
        around = 2 * series.duration if periodic else 0.0
        start, stop = np.sort(rng.uniform(limits[0] - around, limits[1] + around, 2))
        if rng.integers(2):  # on samples, ends of periods and middles of steps
            start, stop = np.round(start * 128) / 128, np.round(stop * 128) / 128
            start, stop = max(start, limits[0] - around), min(stop, limits[1] + around)
        asked = rng.uniform(start, max(start, stop), 20)
        piece = series.clip(start, max(start, stop))
        np.testing.assert_allclose(piece(asked), series(asked), atol=1e-9)


def test_a_piece_of_no_length_has_one_sample(ramp: TSContinuous) -> None:
    assert contents(ramp.clip(0.15, 0.15)) == [[0.15], ramp(0.15).tolist()]


def test_a_series_is_appended_whatever_rounding_does(ramp: TSContinuous) -> None:
    joined = TSContinuous([0, 0.82], [0, 1]).append(TSContinuous([3.22, 4.22], [2, 3]), offset=0)
    assert joined.times.tolist()[:3] == [0, 0.82, 0.82] and joined.t_stop == pytest.approx(1.82)
    assert ramp.start_at(3.3).t_start == 3.3
    assert len(TSContinuous([0.07], [1]).append(TSContinuous([3.22, 4.22], [2, 3]))) == 3


def test_samples_are_taken_anew_at_limits_that_are_off_by_rounding() -> None:
    series = TSContinuous([0, 0.1, 0.2, 0.3], [1, 2, 3, 4])
    again = series.resample(np.arange(4) * 0.1)  # the last one is 0.30000000000000004
    assert again.samples.ravel().tolist() == [1, 2, 3, 4] and again.t_stop == 0.3


def test_a_piece_lies_within_the_series(ramp: TSContinuous) -> None:
    with pytest.raises(ValueError, match=r"must lie within 0 to 0\.4 s, got 0\.1 to 0\.5 s"):
        ramp.clip(0.1, 0.5)
    with pytest.raises(ValueError, match=r"t_stop must be at least t_start, 0\.2 s, got"):
        ramp.clip(0.2, 0.1)


def test_channels_are_chosen(ramp: TSContinuous) -> None:
    assert ramp.choose([1, 0]).samples[1].tolist() == [10, 1]
    with pytest.raises(IndexError, match="there is no channel 2, there are 2"):
        ramp.choose(2)


def test_series_are_joined_in_time(ramp: TSContinuous) -> None:
    longer = ramp.append(ramp.start_at(7))
    assert longer.t_stop == pytest.approx(0.8)
    assert longer([0.35, 0.45, 0.75])[:, 0].tolist() == [3, 0, 3]
    plain = TSContinuous([0, 0.2, 0.4], [1, 2, 3])
    assert np.allclose(plain.append_t(plain).times, [0, 0.2, 0.4, 0.6, 0.8, 1.0])
    assert plain.append_t(plain, offset=1).times[3] == pytest.approx(1.4)
    with pytest.raises(ValueError, match="must have 2 channels, got 1"):
        ramp.append_t(plain)


def test_channels_are_joined(ramp: TSContinuous) -> None:
    assert ramp.append_c(ramp.choose(0)).samples[2].tolist() == [2, 20, 2]


def test_samples_are_merged() -> None:
    one, two = TSContinuous([0, 1], [1, 2]), TSContinuous([0.5, 1, 3], [5, 6, 7])
    merged = one.merge(two)
    assert contents(merged) == [[0, 0.5, 1, 3], [[1], [5], [2], [7]]]
    assert merged.t_stop == 3
    assert len(one.merge(two, remove_duplicates=False)) == 5


def test_samples_are_changed_and_read_at_other_times(ramp: TSContinuous) -> None:
    assert ramp.apply(lambda x: x + 1).samples[0].tolist() == [1, 1]
    assert ramp.apply(lambda x: x.sum(1)).num_channels == 1
    assert contents(ramp.resample([0.05, 0.15]).choose(0)) == [[0.05, 0.15], [[0], [1]]]
    assert contents(ramp.to_clocked(0.2).choose(0)) == [[0, 0.2], [[0], [2]]]


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("previous", [0, 0, 1, 1, 2]),
        ("linear", [0, 0.4, 1, 1.6, 2]),
        ("next", [0, 1, 1, 2, 2]),
        ("nearest", [0, 0, 1, 2, 2]),
    ],
)
def test_kinds_of_interpolation(kind: str, expected: list[float]) -> None:
    series = TSContinuous([0, 1, 2], [0, 1, 2], interp_kind=kind)
    assert np.allclose(series([0, 0.4, 1, 1.6, 2])[:, 0], expected)


def test_values_beyond_the_samples() -> None:
    series = TSContinuous([1, 2], [3, 4], t_start=0, t_stop=3, interp_kind="linear", fill_value=-1)
    assert series([0, 1, 1.5, 2, 3])[:, 0].tolist() == [-1, 3, 3.5, 4, -1]
    held = TSContinuous([1, 2], [3, 4], t_start=0, t_stop=3)
    assert held([0, 3])[:, 0].tolist() == [3, 4]
    with pytest.raises(ValueError, match="fill_value must be 'extrapolate' or a number, got 'x'"):
        TSContinuous([1], [3], fill_value="x")


# --- events ----------------------------------------------------------------------------------------


def test_a_piece_of_events(clicks: TSEvent) -> None:
    piece = clicks.clip(0.2, 0.5)
    assert contents(piece) == [[0.2, 0.2], [1, 2]]
    assert (piece.t_start, piece.t_stop, piece.num_channels) == (0.2, 0.5, 4)
    remapped = clicks.clip(0.0, 1.0, channels=[2, 1], remap_channels=True)
    assert contents(remapped) == [[0.2, 0.2, 0.5], [1, 0, 1]]
    assert remapped.num_channels == 2


def test_channels_of_events(clicks: TSEvent) -> None:
    assert contents(clicks.choose(1)) == [[0.2, 0.5], [1, 1]]
    assert clicks.choose(1).num_channels == 4
    assert clicks.remap_channels([3, 0, 0, 1]).channels.tolist() == [3, 0, 0, 0]
    with pytest.raises(ValueError, match="a number for each of the 4 channels"):
        clicks.remap_channels([0])


def test_events_are_joined(clicks: TSEvent) -> None:
    longer = clicks.append(clicks, offset=0.5)
    assert longer.t_stop == pytest.approx(1.0 + 0.5 + clicks.duration)
    assert longer.times[4] == pytest.approx(1.5)
    wider = clicks.append_c(clicks)
    assert wider.num_channels == 8
    assert wider.channels.tolist() == [0, 4, 1, 2, 5, 6, 1, 5]


def test_events_are_merged(clicks: TSEvent) -> None:
    merged = clicks.merge(clicks, delay=0.1)
    assert np.round(merged.times, 9).tolist() == [0.1, 0.2, 0.2, 0.2, 0.3, 0.3, 0.5, 0.6]
    assert len(clicks.merge(clicks)) == 8
    assert contents(clicks.merge(clicks, remove_duplicates=True)) == contents(clicks)
    clicks.merge(clicks, inplace=True)
    assert len(clicks) == 8


def test_times_of_events_are_changed(clicks: TSEvent) -> None:
    assert contents(clicks.apply(lambda t: 0.7 - t)) == [[0.2, 0.5, 0.5, 0.6], [1, 1, 2, 0]]
    with pytest.raises(ValueError, match="offset must be >= 0 s, got -1"):
        clicks.append(clicks, -1)
