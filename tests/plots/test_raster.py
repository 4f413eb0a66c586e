"""Rasters of spikes."""

from __future__ import annotations

import time
from io import BytesIO

import numpy as np
import pytest

from rockpool.plots import raster
from rockpool.timeseries import TSContinuous, TSEvent

COUNTS = np.zeros((10, 4))
COUNTS[[2, 2, 5, 9], [0, 3, 1, 3]] = 1, 1, 2, 1


def marks(ax) -> list[tuple[float, float]]:
    """Return time and channel of each spike that axes show."""
    return [(x, y) for line in ax.lines for x, y in zip(*line.get_data(), strict=True)]


def in_torch(array):
    import torch

    return torch.tensor(array, requires_grad=True)


def in_jax(array):
    import jax.numpy as jnp

    return jnp.asarray(array)


@pytest.mark.parametrize("make", [np.asarray, np.ndarray.tolist, in_torch, in_jax])
@pytest.mark.parametrize("batched", [False, True])
def test_a_spike_is_a_mark_in_the_middle_of_its_time_step(make, batched: bool) -> None:
    spikes = np.stack([0 * COUNTS, COUNTS]) if batched else COUNTS
    ax = raster(make(spikes), 0.1, batch=int(batched))
    assert np.allclose(marks(ax), [(0.25, 0), (0.25, 3), (0.55, 1), (0.95, 3)])
    assert ax.get_xlim() == (0, 1) and ax.get_ylim() == (-0.5, 3.5)
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("Time (s)", "Channel")


def test_events_have_times_of_their_own() -> None:
    events = TSEvent([0.5, 0.7], [3, 4], t_start=0, t_stop=2, name="retina", num_channels=6)
    ax = raster(events)
    assert marks(ax) == [(0.5, 3), (0.7, 4)]
    assert ax.get_xlim() == (0, 2) and ax.get_ylim() == (-0.5, 5.5)
    assert ax.get_title() == "retina"


def test_one_neuron_may_come_without_an_axis_of_channels() -> None:
    ax = raster([0, 1, 1], 1e-3)
    assert len(marks(ax)) == 2 and ax.get_ylim() == (-0.5, 0.5)


@pytest.mark.parametrize(
    ("shape", "text"), [((50, 3), "no spikes"), ((0, 3), "no time steps"), ((50, 0), "no spikes")]
)
def test_where_there_is_nothing_to_see_it_says_so(shape: tuple[int, int], text: str) -> None:
    ax = raster(np.zeros(shape), 1e-3)
    assert [said.get_text() for said in ax.texts] == [text]
    assert ax.get_xlim()[0] == 0 and ax.get_ylim()[0] == -0.5
    ax.figure.savefig(BytesIO())


def test_what_axes_show_already_stays_in_view() -> None:
    ax = raster(np.ones((10, 8)), 0.1)
    assert raster(np.ones((2, 3)), 0.1, ax, color="red") is ax
    assert ax.get_xlim() == (0, 1) and ax.get_ylim() == (-0.5, 7.5)
    assert len(ax.lines) == 2 and ax.lines[1].get_color() == "red"


def test_marks_have_the_style_that_is_asked_for() -> None:
    (line,) = raster(COUNTS, 1e-3, marker="o", ms=7, c="green").lines
    assert (line.get_marker(), line.get_markersize(), line.get_color()) == ("o", 7, "green")


def test_marks_of_many_neurons_are_small_and_do_not_vanish() -> None:
    sizes = [raster(np.ones((2, n)), 1e-3).lines[0].get_markersize() for n in (1, 10, 40, 1000)]
    assert sizes == sorted(sizes, reverse=True) and 1 < sizes[-1] < sizes[0] < 20


def test_a_million_spikes_take_seconds() -> None:
    spikes = np.random.default_rng(0).random((10_000, 1000)) < 0.1
    start = time.process_time()
    ax = raster(spikes, 1e-3)
    ax.figure.savefig(BytesIO(), format="png")
    assert time.process_time() - start < 2
    assert len(ax.lines) == 1 and len(ax.lines[0].get_xdata()) == spikes.sum() > 990_000


@pytest.mark.parametrize(
    ("spikes", "options", "error", "words"),
    [
        (COUNTS, {"dt": None}, TypeError, "raster: dt, the time step in seconds, must be given"),
        (COUNTS, {"dt": 0}, ValueError, "raster: dt must be > 0 s, got 0"),
        (COUNTS, {"dt": "1 ms"}, TypeError, "raster: dt must be a number of seconds, got '1 ms'"),
        (COUNTS - 1, {}, ValueError, "raster: spikes must be numbers of spikes: whole, and not"),
        (COUNTS / 2, {}, ValueError, "raster: spikes must be numbers of spikes: whole, and not"),
        (COUNTS + np.nan, {}, ValueError, "raster: spikes must be numbers of spikes: whole, and"),
        (["a"], {}, TypeError, "raster: spikes must be numbers, got list"),
        (None, {}, TypeError, "raster: spikes must be numbers, got NoneType"),
        (np.ones((1, 2, 3, 4)), {}, ValueError, "(T, N), (B, T, N) or (T,), got (1, 2, 3, 4)"),
        (COUNTS[None], {"batch": 1}, ValueError, "batch must be at least 0 and less than 1, got 1"),
        (COUNTS, {"batch": 0.5}, TypeError, "raster: batch must be an integer, got 0.5"),
        (
            TSContinuous([0], [1]),
            {},
            TypeError,
            "an array or TSEvent, got TSContinuous; see traces",
        ),
    ],
)
def test_mistakes_are_named(spikes, options: dict, error: type[Exception], words: str) -> None:
    with pytest.raises(error) as raised:
        raster(spikes, **{"dt": 1e-3, **options})
    assert words in str(raised.value)
