"""One picture of a network at work: input, what each layer did, and output: `report`."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from rockpool.nn.conversion import build, describe, library_of, obstacles
from rockpool.nn.description import Node, flat_steps
from rockpool.parameters import to_numpy
from rockpool.plots.arrays import are_counts, spikes_of, values_of
from rockpool.plots.canvas import INK, new_figure
from rockpool.plots.spikes import draw_spikes
from rockpool.plots.values import MOST_LINES, draw_image, draw_lines
from rockpool.timeseries import TSContinuous, TSEvent
from rockpool.timeseries.time_steps import checked_time_step, covering_steps
from rockpool.utilities._atomic import check_path, replacing
from rockpool.verification.layers import Activity, is_spiking, layers_of
from rockpool.verification.verdict import checked_input

__all__ = ["report"]

MOST_PIXELS = 30_000  # of the height of a picture; more are too many for its formats


@dataclass(frozen=True)
class _Row:
    """What one row of the picture shows: values (T, N), which are numbers of spikes or others."""

    title: str
    values: np.ndarray
    spiking: bool


def report(
    network: Any,
    data: Any,
    path: str | os.PathLike[str] | None = None,
    *,
    dt: float | int | None = None,
    batch: int = 0,
) -> Any:
    """Draw a network at work: the input, the spikes and rates of each layer, and the output.

    Parameters
    ----------
    network : Module or Node
        The network, of any back-end, or a description of one. A copy of it is run from rest; one
        with layers of your own, which cannot be copied, is run from the state that it is in, and is
        in that state afterwards.
    data : array_like (T, Nin) or (B, T, Nin), TSEvent or TSContinuous
        Its input, of any back-end. Series are read at each time step.
    path : str or path, optional
        The file to write; its ending chooses the format, such as ``.png``, ``.svg`` or ``.pdf``.
        Default: none.
    dt : float, optional
        Time step in seconds. Default: that of the layers; a network of layers without time, such as
        `Linear`, needs it.
    batch : int, optional
        Which element of a batch is run and drawn. Default: the first.

    Returns
    -------
    matplotlib.figure.Figure
        A row for the input, for each layer that has states, and for the output. On the left is what
        happened over time in seconds: spikes as marks, values as lines or, of more than ten
        channels, as an image. On the right is for each channel the rate in spikes per second, or
        the mean value.

    Raises
    ------
    TypeError
        `network` is no module, or `dt` is missing.
    ValueError
        Input of a wrong shape or with NaN; `dt` is not > 0; there is no such batch element; or
        there is no such picture format.
    OSError
        The file cannot be written.
    ModuleNotFoundError
        There is no matplotlib (``pip install "matplotlib>=3.7"``).

    Examples
    --------
    >>> import numpy as np
    >>> from rockpool.nn.modules import LIF
    >>> from rockpool.plots import report
    >>> data = np.random.rand(200, 8) < 0.1
    >>> report(LIF(8), data, "report.png")                           # doctest: +SKIP
    """
    node = (network if isinstance(network, Node) else describe(network)).without_states()
    dt = _time_step(node, dt)
    inputs = _input(node, data, dt, batch)
    # Made before the network runs, which may take its time: matplotlib or the format may be missing
    figure = new_figure(9.0, 4.0)
    file_format = _file_format(figure, path)
    rows = list(_rows(inputs, *_run(network, node, inputs)))
    height = 0.6 + sum(1.9 if row.values.shape[1] > 3 else 1.3 for row in rows)
    figure.set_size_inches(9.0, height)
    figure.set_dpi(min(150.0, MOST_PIXELS / height))
    heights = [1.9 if row.values.shape[1] > 3 else 1.3 for row in rows]
    panels = figure.subplots(
        len(rows), 2, squeeze=False, width_ratios=[4.5, 1.0], height_ratios=heights
    )
    for number, (row, (left, right)) in enumerate(zip(rows, panels, strict=True)):
        _draw(row, left, right, dt)
        if number < len(rows) - 1:
            left.set_xlabel("")
            left.tick_params(labelbottom=False)
    if path is not None:
        with replacing(os.fsdecode(path), "wb") as file:
            figure.savefig(file, format=file_format, dpi="figure")
    return figure


# -- what is drawn ------------------------------------------------------------------------


def _time_step(node: Node, dt: float | int | None) -> float:
    """Return the time step of the layers, or that which was given."""
    if dt is not None:
        return checked_time_step("report", dt)
    for _, inner in node.walk():
        if inner.settings.get("dt") is not None:
            return checked_time_step("report", inner.settings["dt"])
    raise TypeError("report: dt, in seconds, must be given: no layer of this network has one")


def _input(node: Node, data: Any, dt: float | int, batch: int) -> np.ndarray:
    """Return the input of one batch element, (1, T, Nin)."""
    if isinstance(data, TSEvent):
        n_channels = max(node.shape[0] or 0, data.num_channels)
        data = TSEvent.raster(data, dt, add_events=True, channels=np.arange(n_channels))
    elif isinstance(data, TSContinuous):
        n_steps = covering_steps(data.t_stop - data.t_start, dt)
        data = data(data.t_start + dt * np.arange(n_steps))
    elif data is None:
        raise TypeError("report: data must be the input of the network, got None")
    array = checked_input(node, to_numpy(data), "report")
    if isinstance(batch, bool) or not isinstance(batch, (int, np.integer)):
        raise TypeError(f"report: batch must be an integer, got {batch!r}")
    if not 0 <= batch < len(array):
        raise ValueError(
            f"report: batch must be at least 0 and less than {len(array)}, got {batch}"
        )
    return array[batch : batch + 1]


def _file_format(figure: Any, path: str | os.PathLike[str] | None) -> str:
    """Return the format that the ending of a file's name says."""
    if path is None:
        return ""
    file = Path(check_path("report", path, "path"))
    known = figure.canvas.get_supported_filetypes()
    ending = file.suffix.lower().removeprefix(".")
    if ending not in known:
        listed = ", ".join(f".{name}" for name in known)
        raise ValueError(f"report: path must end in one of {listed}, got {str(file)!r}")
    if not file.absolute().parent.is_dir():
        raise FileNotFoundError(f"report: there is no folder for {str(file)!r}")
    return ending


def _run(network: Any, node: Node, inputs: np.ndarray) -> tuple[list[Activity], np.ndarray]:
    """Run a network, or a copy of it; return what its layers did, and its output."""
    given = isinstance(network, Node)
    libraries = ("numpy", "torch", "jax") if given else (library_of(network),)
    for library in libraries:
        if not any(obstacles(node, library)):
            copy = build(node, library, keep_precision=not given)
            layers, output = layers_of(copy, node, library, inputs)
            return layers, flat_steps(output)
    if given:
        build(node, "numpy")  # raises the error that says why not
    layers, output = layers_of(network, node, library_of(network), inputs)
    return layers, flat_steps(output)


def _rows(inputs: np.ndarray, layers: list[Activity], output: np.ndarray) -> Iterator[_Row]:
    """Go over what the picture shows, from input to output."""
    yield _Row("Input", inputs[0], are_counts(inputs))
    shown = [layer for layer in layers if is_spiking(layer.node) or _has_states(layer.node)]
    ends = bool(shown) and np.array_equal(shown[-1].output, output)
    for layer in shown:
        title = layer.name or layer.node.model
        if ends and layer is shown[-1]:
            title = f"{title} (output)"
        yield _Row(title, layer.output[0], is_spiking(layer.node) and are_counts(layer.output))
    if not ends:
        spiking = bool(layers) and is_spiking(layers[-1].node) and are_counts(output)
        yield _Row("Output", output[0], spiking)


def _has_states(node: Node) -> bool:
    """Return whether a layer does something over time, where others only weigh or pass on."""
    return "dt" in node.settings or node.user_class is not None


# -- how it is drawn ----------------------------------------------------------------------


def _draw(row: _Row, left: Any, right: Any, dt: float | int) -> None:
    """Draw one row."""
    n_steps, n_channels = row.values.shape
    colours: list[Any] = [INK]
    if row.spiking:
        draw_spikes(left, spikes_of("report", row.values, dt, 0))
        means = row.values.sum(0) / max(n_steps * dt, dt)
        said = _said_of_spikes(row.values, means)
        right.set_xlabel("Rate (1/s)")
    else:
        values = values_of("report", row.values, dt, 0)
        if n_channels > MOST_LINES:
            left.figure.colorbar(draw_image(left, values), ax=right, pad=0.05)
        else:
            lines = draw_lines(left, values)
            colours = [line.get_color() for line in lines]
        means = row.values.mean(0) if n_steps else np.zeros(n_channels)
        said = _counted(n_channels, "channel")
        right.set_xlabel("Mean")
    left.set_title(f"{row.title}: {said}", fontsize="medium", loc="left")
    _draw_means(right, means, colours)


def _said_of_spikes(counts: np.ndarray, rates: np.ndarray) -> str:
    """Return what is to be said of the spikes of a layer, in one line."""
    n_channels = len(rates)
    silent = int(np.count_nonzero(counts.sum(0) == 0))
    mean = rates.mean() if n_channels else 0.0
    average = f"{mean:,.0f}" if mean >= 100 else f"{mean:.3g}"
    spikes = _counted(int(counts.sum()), "spike")
    text = f"{_counted(n_channels, 'channel')}, {spikes}, {average}/s on average"
    return f"{text}, {silent} silent" if silent else text


def _counted(number: int, what: str) -> str:
    """Return a number of things in words."""
    return f"{number:,} {what}" + ("" if number == 1 else "s")


def _draw_means(ax: Any, means: np.ndarray, colours: list[Any]) -> None:
    """Draw a bar for each channel, upward from 0, in one colour or one for each."""
    if len(colours) > 1:
        ax.barh(np.arange(len(means)), means, color=colours, height=0.8)
        ax.set_yticks(np.arange(len(means)))
        ax.tick_params(axis="y", labelsize="xx-small")
    else:
        edges = np.arange(len(means) + 1) - 0.5
        ax.stairs(means, edges, orientation="horizontal", fill=True, color=INK)
        ax.tick_params(labelleft=False)
    ax.axvline(0.0, color=INK, linewidth=0.5)
    ax.set_ylim(-0.5, max(len(means), 1) - 0.5)
    if not means.any():
        ax.set_xlim(0.0, 1.0)
