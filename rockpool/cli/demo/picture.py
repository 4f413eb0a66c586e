"""The picture of ``rockpool demo --plot``: spikes and confusion matrix. Imports matplotlib."""

from __future__ import annotations

from typing import IO

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from rockpool.cli.demo.experiment import DT, STEPS, Result

__all__ = ["draw"]

INK = "#1f3a5f"


def draw(result: Result, file: IO[bytes], kind: str) -> None:
    """Draw a result into a file of this format."""
    figure = Figure(figsize=(11.0, 5.6), dpi=150, layout="constrained")
    FigureCanvasAgg(figure)
    panels: dict[str, Axes] = figure.subplot_mosaic(
        [["image", "pixels", "confusion"], [".", "hidden", "confusion"]],
        width_ratios=[1.0, 3.0, 3.2],
    )
    example = result.example
    panels["image"].imshow(example.image, cmap="gray_r", vmin=0.0, vmax=1.0)
    panels["image"].set_title(f"a {example.label}, read as a {example.read_as}", fontsize=10)
    panels["image"].set_axis_off()
    _raster(panels["pixels"], example.pixel_spikes, "pixel neuron")
    _raster(panels["hidden"], example.hidden_spikes, "hidden neuron")
    panels["pixels"].set_title("spikes while the image is shown", fontsize=10)
    panels["pixels"].tick_params(labelbottom=False)
    panels["hidden"].set_xlabel("time (ms)")
    _confusion(panels["confusion"], result.confusion)
    figure.savefig(file, format=kind)


def _raster(axes: Axes, spikes: np.ndarray, label: str) -> None:
    steps, neurons = np.nonzero(spikes)
    size = float(np.clip(1500.0 / spikes.shape[1], 1.0, 12.0))
    axes.scatter(steps * DT * 1e3, neurons, s=size, marker="|", linewidths=0.8, color=INK)
    axes.set_xlim(-1.0, STEPS * DT * 1e3)
    axes.set_ylim(spikes.shape[1] - 0.5, -0.5)
    axes.set_ylabel(label)


def _confusion(axes: Axes, confusion: np.ndarray) -> None:
    right, total = int(confusion.trace()), int(confusion.sum())
    # Mistakes are few beside the right answers: the square root keeps them visible.
    axes.imshow(np.sqrt(confusion), cmap="Blues")
    half = np.sqrt(confusion.max()) / 2.0
    for (label, read_as), count in np.ndenumerate(confusion):
        if count:
            colour = "white" if np.sqrt(count) > half else INK
            axes.text(
                read_as, label, str(count), ha="center", va="center", color=colour, fontsize=8
            )
    axes.set_xticks(range(len(confusion)))
    axes.set_yticks(range(len(confusion)))
    axes.set_xlabel("read as")
    axes.set_ylabel("written")
    axes.set_title(
        f"{right} of {total} test images read rightly ({100 * right / total:.1f} %)", fontsize=10
    )
