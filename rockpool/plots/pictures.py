"""Events of a sensor as pictures: `frames`."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from rockpool.nn.models.checks import whole_count
from rockpool.parameters import to_numpy
from rockpool.plots.canvas import centred, new_figure
from rockpool.timeseries.time_steps import checked_time_step

__all__ = ["frames"]

N_COLUMNS = 8


def frames(events: Any, dt: float | int, *, n_frames: int = 8, batch: int = 0) -> Any:
    """Draw events of a sensor as pictures: red where it became brighter, blue where darker.

    Parameters
    ----------
    events : Recording, or array_like (T, 2, H, W), (B, T, 2, H, W) or (T, H, W)
        A recording with pixels; or numbers of events in each time step, of any back-end, whose
        polarities are 0 for darker and 1 for brighter, or which have none.
    dt : float
        How long the events of one picture are counted, in seconds; of an array, its time step.
    n_frames : int, optional
        How many pictures are shown at most, evenly chosen over time. Default: 8.
    batch : int, optional
        Which element of a batch is drawn. Default: the first.

    Returns
    -------
    matplotlib.figure.Figure
        With a panel for each picture, which is called by the time at which it begins, and one bar
        of colours: events of brighter pixels less those of darker ones.

    Raises
    ------
    TypeError
        `events` are neither, or are of channels and not of pixels.
    ValueError
        Another shape, no pixels, NaN or infinity; `dt` is not > 0; `n_frames` is no whole number
        >= 1; there is no such batch element, or no time step.
    ModuleNotFoundError
        There is no matplotlib (``pip install "matplotlib>=3.7"``).

    Examples
    --------
    >>> from rockpool.data import read
    >>> from rockpool.plots import frames
    >>> frames(read("gesture.aedat4"), dt=0.05).savefig("gesture.png")   # doctest: +SKIP
    """
    dt = checked_time_step("frames", dt)
    whole_count("frames", "n_frames", n_frames)
    images = _images(events, dt, batch)
    if not len(images):
        raise ValueError("frames: events must have at least one time step, got none")
    chosen = np.unique(np.linspace(0, len(images) - 1, int(n_frames)).round().astype(int))
    low, high = float(images[chosen].min()), float(images[chosen].max())
    n_columns = min(N_COLUMNS, len(chosen))
    n_rows = math.ceil(len(chosen) / n_columns)
    height, width = images.shape[1:]
    side = 1.6
    figure = new_figure(1.0 + side * n_columns, (0.3 + side * min(height / width, 3.0)) * n_rows)
    axes = figure.subplots(n_rows, n_columns, squeeze=False)
    for ax, number in zip(axes.flat, chosen, strict=False):
        shown = ax.imshow(images[number], **centred(low, high))
        ax.set(xticks=[], yticks=[])
        ax.set_title(f"{number * dt:.4g} s", fontsize="small")
    for ax in axes.flat[len(chosen) :]:
        ax.set_axis_off()
    figure.colorbar(shown, ax=axes, label="Events")
    return figure


def _images(events: Any, dt: float | int, batch: int) -> np.ndarray:
    """Return (T, H, W): brighter pixels less darker ones, or what was given without polarities."""
    counted = getattr(events, "raster", None)
    if counted is not None:
        if not events.is_sensor:
            raise TypeError(f"frames: events must be of pixels, got {events!r}; see raster")
        array = counted(dt, sensor=True)
    else:
        array = to_numpy(events)
    if array.dtype.kind not in "biuf":
        raise TypeError(
            f"frames: events must be a Recording or numbers, got {type(events).__name__}"
        )
    if array.ndim not in (3, 4, 5) or (array.ndim > 3 and array.shape[-3] != 2):
        raise ValueError(
            f"frames: events must have the shape (T, 2, H, W), (B, T, 2, H, W) or (T, H, W), got "
            f"{array.shape}"
        )
    if not math.prod(array.shape[-2:]):
        raise ValueError(f"frames: events must have pixels, got {array.shape}")
    if not np.isfinite(array).all():
        raise ValueError("frames: events must be numbers of events, got NaN or infinity")
    if array.ndim == 5:
        if isinstance(batch, bool) or not isinstance(batch, (int, np.integer)):
            raise TypeError(f"frames: batch must be an integer, got {batch!r}")
        if not 0 <= batch < len(array):
            raise ValueError(
                f"frames: batch must be at least 0 and less than {len(array)}, got {batch}"
            )
        array = array[batch]
    elif batch != 0:
        raise ValueError(f"frames: batch must be at least 0 and less than 1, got {batch!r}")
    array = array.astype(float, copy=False)
    return array[:, 1] - array[:, 0] if array.ndim == 4 else array
