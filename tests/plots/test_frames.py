"""Events of a sensor as pictures."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from rockpool.data import Recording
from rockpool.plots import frames

FIELDS = [("t", "<i8"), ("x", "<i2"), ("y", "<i2"), ("p", "u1")]
EVENTS = np.array([(0, 0, 0, 1), (900, 0, 0, 1), (1000, 2, 1, 0), (4500, 1, 0, 1)], FIELDS)


def panels(figure) -> list:
    return [ax for ax in figure.axes if ax.get_title()]


def test_a_picture_counts_brighter_less_darker_for_its_time() -> None:
    shown = panels(frames(Recording(EVENTS, sensor_size=(2, 3)), dt=1e-3))
    assert [ax.get_title() for ax in shown] == ["0 s", "0.001 s", "0.002 s", "0.003 s", "0.004 s"]
    images = [ax.images[0].get_array().tolist() for ax in shown]
    assert images[0] == [[2, 0, 0], [0, 0, 0]]
    assert images[1] == [[0, 0, 0], [0, 0, -1]]
    assert images[4] == [[0, 1, 0], [0, 0, 0]]
    assert {ax.images[0].get_clim() for ax in shown} == {(-2, 2)}


def test_arrays_of_any_backend_with_and_without_a_batch() -> None:
    counts = Recording(EVENTS, sensor_size=(2, 3)).raster(1e-3, sensor=True)
    whole = frames(counts, dt=1e-3)
    batch = torch.from_numpy(np.stack([np.zeros_like(counts), counts]))
    for figure in (frames(batch, dt=1e-3, batch=1), frames(counts[:, 1] - counts[:, 0], dt=1e-3)):
        for ax, same in zip(panels(figure), panels(whole), strict=True):
            assert np.array_equal(ax.images[0].get_array(), same.images[0].get_array())


def test_long_recordings_are_shown_by_some_pictures() -> None:
    shown = panels(frames(np.ones((100, 4, 4)), dt=0.01, n_frames=12))
    assert len(shown) == 12
    assert (shown[0].get_title(), shown[-1].get_title()) == ("0 s", "0.99 s")


@pytest.mark.parametrize(
    ("events", "options", "message"),
    [
        (np.ones((5, 3, 4, 4)), {}, r"frames: events must have the shape \(T, 2, H, W\)"),
        (np.ones((5, 4)), {}, r"got \(5, 4\)"),
        (np.ones((0, 4, 4)), {}, "frames: events must have at least one time step"),
        (
            np.ones((2, 5, 2, 4, 4)),
            {"batch": 2},
            "frames: batch must be at least 0 and less than 2",
        ),
        (np.ones((5, 4, 4)), {"batch": 1}, "frames: batch must be at least 0 and less than 1"),
        (np.ones((5, 4, 4)), {"dt": 0.0}, "frames: dt must be"),
        (np.ones((5, 2, 0, 4)), {}, r"frames: events must have pixels, got \(5, 2, 0, 4\)"),
        (np.full((5, 4, 4), np.nan), {}, "frames: events must be numbers of events, got NaN"),
        (np.full((5, 4, 4), np.inf), {}, "frames: events must be numbers of events, got NaN"),
        (np.ones((5, 4, 4)), {"n_frames": 0}, "frames: n_frames must be"),
    ],
)
def test_values_that_cannot_be_are_named(events, options, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        frames(events, **{"dt": 1e-3} | options)


def test_what_has_no_pixels_is_named() -> None:
    channels = Recording(np.array([(0, 1)], [("t", "<i8"), ("channel", "<i8")]))
    with pytest.raises(TypeError, match="frames: events must be of pixels"):
        frames(channels, dt=1e-3)
    with pytest.raises(TypeError, match="frames: events must be a Recording or numbers, got str"):
        frames("gesture.aedat4", dt=1e-3)
