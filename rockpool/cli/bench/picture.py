"""The bar chart of ``rockpool bench --plot``. Imports matplotlib."""

from __future__ import annotations

from typing import IO

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from rockpool.cli.bench.children import Record

__all__ = ["draw"]

INK, REFERENCE_INK = "#1f3a5f", "#9aa7b8"


def draw(records: list[Record], title: str, file: IO[bytes], kind: str) -> None:
    """Draw how many times faster than the reference, the first, each back-end is.

    The scale is logarithmic; `kind` is the format of the file.
    """
    reference = records[0].seconds or 1.0
    speeds = [reference / (record.seconds or reference) for record in records]
    places = range(len(records))
    figure = Figure(figsize=(8.0, 1.6 + 0.42 * len(records)), dpi=150, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    low = min(1.0, *speeds) / 2
    inks = [REFERENCE_INK, *[INK] * (len(records) - 1)]
    axes.barh(places, [speed - low for speed in speeds], left=low, color=inks)
    for place, speed in zip(places, speeds, strict=True):
        axes.text(speed * 1.05, place, f"{speed:.3g}x", va="center", fontsize=9)
    axes.set_xscale("log")
    axes.set_xlim(low, 2.5 * max(1.0, *speeds))
    axes.set_yticks(places, [record.backend for record in records])
    axes.invert_yaxis()
    axes.set_xlabel(f"speed beside {records[0].backend}")
    axes.set_title(title, fontsize=10)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    figure.savefig(file, format=kind)
