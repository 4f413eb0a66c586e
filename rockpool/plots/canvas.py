"""Figures that need no display, and their axes; matplotlib is imported when the first is made.

They are matplotlib's own objects, not pyplot's: no figure stays in memory, and neither the settings
nor the back-end that a user has chosen for pyplot are touched or looked at.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from rockpool.backends.specs import INSTALL_PLOTS

__all__ = [
    "INK",
    "View",
    "centred",
    "channel_axis",
    "new_axes",
    "new_figure",
    "said_inside",
    "time_axis",
    "whole_numbers",
]

INK, GREY = "#1f3a5f", "#777777"


def new_figure(width: float | int, height: float | int) -> Any:
    """Return a figure of so many inches, which knows how to draw itself without a display.

    Raises
    ------
    ModuleNotFoundError
        There is no matplotlib; the message says how to get it.
    """
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "matplotlib":
            raise
        raise ModuleNotFoundError(
            f"Plots need matplotlib: {INSTALL_PLOTS}", name="matplotlib"
        ) from error
    figure = Figure(figsize=(width, height), dpi=150, layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def new_axes(ax: Any, width: float | int, height: float | int) -> Any:
    """Return the axes of a new figure, where there are none to draw into."""
    return new_figure(width, height).subplots() if ax is None else ax


@dataclass(frozen=True)
class View:
    """What axes show before something is drawn into them; it is in view afterwards, too.

    Attributes
    ----------
    times, channels : tuple of float
        From where to where; empty where neither the axes nor those that share them show anything.
    """

    times: tuple[float, ...]
    channels: tuple[float, ...]

    @classmethod
    def of(cls, ax: Any) -> View:
        """Return what axes show."""
        siblings = (
            axes.get_siblings(ax) for axes in (ax.get_shared_x_axes(), ax.get_shared_y_axes())
        )
        x, y = (any(other.has_data() for other in group) for group in siblings)
        return cls(ax.get_xlim() if x else (), ax.get_ylim() if y else ())


def time_axis(ax: Any, start: float | int, stop: float | int, before: View) -> None:
    """Let axes show the time from `start` to `stop` in seconds."""
    if stop <= start:
        stop = start + 1e-3
    ax.set(xlim=(min((start, *before.times)), max((stop, *before.times))), xlabel="Time (s)")


def channel_axis(ax: Any, n_channels: int, before: View) -> None:
    """Let axes show the channels from 0 on, and half a channel more on both sides."""
    low, high = -0.5, max(n_channels, 1) - 0.5
    ax.set(ylim=(min((low, *before.channels)), max((high, *before.channels))), ylabel="Channel")
    whole_numbers(ax.yaxis)


def whole_numbers(axis: Any) -> None:
    """Let an axis have no ticks between whole numbers."""
    from matplotlib.ticker import MaxNLocator

    axis.set_major_locator(MaxNLocator("auto", steps=[1, 2, 5, 10], integer=True, min_n_ticks=1))


def said_inside(ax: Any, text: str) -> None:
    """Write into the middle of axes that have nothing to show."""
    ax.text(0.5, 0.5, text, transform=ax.transAxes, ha="center", va="center", color=GREY)


def centred(low: float | int, high: float | int) -> dict[str, Any]:
    """Return how to colour an image: white is zero, where there are values on both sides of it."""
    if low < 0:
        most = max(-low, high)
        return {"cmap": "RdBu_r", "vmin": -most, "vmax": most}
    return {"cmap": "Blues", "vmin": 0.0, "vmax": high if high > 0 else 1.0}
