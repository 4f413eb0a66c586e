"""Spikes as marks over time: `raster`."""

from __future__ import annotations

from typing import Any

import numpy as np

from rockpool.plots.arrays import Spikes, spikes_of
from rockpool.plots.canvas import INK, View, channel_axis, new_axes, said_inside, time_axis

__all__ = ["draw_spikes", "raster"]

# More spikes than this are drawn as single pixels, which is fast, and as an image in vector formats
MANY = 50_000


def raster(
    spikes: Any, dt: float | int | None = None, ax: Any = None, *, batch: int = 0, **style: Any
) -> Any:
    """Draw spikes: a mark for each, time to the right, channels upward from 0.

    Parameters
    ----------
    spikes : array_like (T, N), (B, T, N) or (T,), or TSEvent
        Numbers of spikes in each time step, of any back-end; where there are several in one step,
        one mark stands for them. Or events.
    dt : float, optional
        Time step in seconds. It must be given for arrays; events have their own times.
    ax : matplotlib.axes.Axes, optional
        Where to draw, such as ``plt.gca()``, which ``plt.show()`` shows. What it shows already
        stays in view. Default: a new figure, ``ax.figure``, which needs no display and which
        pyplot does not know.
    batch : int, optional
        Which element of a batch is drawn. Default: the first.
    **style
        As for ``Axes.plot``: `color`, `marker`, `markersize` and others.

    Returns
    -------
    matplotlib.axes.Axes
        With one line, whose points are the spikes. A spike of the time step k lies in its middle,
        at ``(k + 1/2) dt`` seconds.

    Raises
    ------
    TypeError
        `dt` is missing, or `spikes` are not numbers.
    ValueError
        `spikes` are not whole, are negative, or have another shape; `dt` is not > 0; there is no
        such batch element.
    ModuleNotFoundError
        There is no matplotlib (``pip install "matplotlib>=3.7"``).

    Examples
    --------
    >>> from rockpool.plots import raster
    >>> ax = raster([[0, 1], [1, 0], [0, 0]], dt=1e-3)               # doctest: +SKIP
    >>> ax.figure.savefig("spikes.png")                              # doctest: +SKIP
    """
    trains = spikes_of("raster", spikes, dt, batch)
    ax = new_axes(ax, 8.0, 3.5)
    draw_spikes(ax, trains, **style)
    if trains.name:
        ax.set_title(trains.name)
    return ax


def draw_spikes(ax: Any, trains: Spikes, **style: Any) -> None:
    """Draw spikes into axes."""
    from matplotlib import cbook
    from matplotlib.lines import Line2D

    before = View.of(ax)
    many = len(trains.times) > MANY
    own = {
        "linestyle": "none",
        "color": INK,
        "marker": "," if many else "|",
        "markersize": _height_of_a_channel(ax, trains.n_channels),
        "markeredgewidth": 0.8,
        "rasterized": many,
    }
    ax.plot(trains.times, trains.channels, **own | cbook.normalize_kwargs(style, Line2D))
    time_axis(ax, trains.start, trains.stop, before)
    channel_axis(ax, trains.n_channels, before)
    if not before.channels and not len(trains.times):
        said_inside(ax, "no spikes" if trains.stop > trains.start else "no time steps")


def _height_of_a_channel(ax: Any, n_channels: int) -> float:
    """Return the height of a mark in points, so that those of neighbours do not touch."""
    height = ax.get_window_extent().height * 72 / ax.figure.dpi
    return float(np.clip(0.7 * height / max(n_channels, 1), 1.5, 12.0))
