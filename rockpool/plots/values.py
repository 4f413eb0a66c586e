"""Values over time, as lines or, of many neurons, as an image: `traces`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from rockpool.parameters import to_numpy
from rockpool.plots.arrays import Values, spikes_of, values_of
from rockpool.plots.canvas import (
    View,
    centred,
    channel_axis,
    new_figure,
    said_inside,
    time_axis,
)
from rockpool.plots.spikes import draw_spikes

__all__ = ["draw_image", "draw_lines", "draw_values", "traces"]

# As many neurons are drawn as lines, which have a colour and a place in the legend each
MOST_LINES = 10


def traces(
    record: Any,
    dt: float | int | None = None,
    ax: Any = None,
    *,
    names: str | Iterable[str] | None = None,
    neurons: int | Iterable[int] | None = None,
    batch: int = 0,
) -> Any:
    """Draw what a call recorded, such as membrane potentials: a panel for each quantity.

    Up to ten neurons are lines; of more, all are shown as an image, with time to the right, neurons
    upward and values as colours. Spikes are a raster.

    Parameters
    ----------
    record : dict of array, array_like (T, N), (B, T, N) or (T,), or TSContinuous
        The record of a layer or of a network (dicts by name, nested at will), of any back-end; or
        one quantity. Arrays (B, T, N, S) of a record have a panel for each of S synapses.
    dt : float, optional
        Time step in seconds. It must be given for arrays.
    ax : matplotlib.axes.Axes, optional
        Where to draw one quantity, such as ``plt.gca()``. Default: a new figure, which needs no
        display and which pyplot does not know.
    names : str or iterable of str, optional
        Which quantities of a record are drawn: as ``"vmem"``, of all layers, or ``"1_LIF.vmem"``.
        Default: all that layers recorded, without their outputs (``"1_LIF_output"``).
    neurons : int or iterable of int, optional
        Which neurons are drawn, as lines. Default: all.
    batch : int, optional
        Which element of a batch is drawn. Default: the first.

    Returns
    -------
    matplotlib.figure.Figure
        With the panels in ``figure.axes``. A value of the time step k lies in its middle, at
        ``(k + 1/2) dt`` seconds.

    Raises
    ------
    TypeError
        `dt` is missing, or values are not numbers.
    ValueError
        There is no quantity or neuron of that name or number, or nothing was recorded; arrays have
        another shape; `dt` is not > 0; there is no such batch element; there is one `ax` for
        several quantities.
    ModuleNotFoundError
        There is no matplotlib (``pip install "matplotlib>=3.7"``).

    Examples
    --------
    >>> from rockpool.plots import traces
    >>> output, state, record = net(data, record=True)               # doctest: +SKIP
    >>> traces(record, dt=1e-3, names="vmem").savefig("vmem.png")    # doctest: +SKIP
    """
    quantities = _chosen(record, names) if isinstance(record, Mapping) else {"": record}
    if not quantities:
        raise ValueError("traces: the record is empty; call the network with record=True")
    if ax is not None and len(quantities) > 1:
        raise ValueError(
            f"traces: ax is one panel, there are {len(quantities)} quantities: choose one by names="
        )
    spiking = {name for name in quantities if name.rpartition(".")[2] == "spikes"}
    panels = {
        name: spikes_of("traces", quantity, dt, batch)
        if name in spiking
        else _some("traces", values_of("traces", quantity, dt, batch, name), neurons)
        for name, quantity in quantities.items()
    }
    if ax is None:
        figure = new_figure(8.0, 1.0 + 2.2 * len(panels))
        axes = figure.subplots(len(panels), 1, sharex=True, squeeze=False)[:, 0]
    else:
        figure, axes = ax.get_figure(), [ax]
    for panel, (name, content) in zip(axes, panels.items(), strict=True):
        if isinstance(content, Values):
            draw_values(panel, content, _numbers(neurons))
        else:
            draw_spikes(panel, content)
        panel.set_title(name or content.name, fontsize="medium", loc="left")
        if panel is not axes[-1]:
            panel.set_xlabel("")
    return figure


def draw_values(ax: Any, values: Values, numbers: list[int] | None = None) -> None:
    """Draw values into axes, as lines or as an image."""
    if numbers is None and values.samples.shape[1] > MOST_LINES and _is_regular(values):
        image = draw_image(ax, values)
        ax.figure.colorbar(image, ax=ax, pad=0.01, label=values.unit)
    else:
        lines = draw_lines(ax, values)
        _add_legend(ax, lines, range(len(lines)) if numbers is None else numbers)


def draw_lines(ax: Any, values: Values) -> list[Any]:
    """Draw a line for each neuron, and return the lines."""
    before = View.of(ax)
    n_lines = values.samples.shape[1]
    # One time step alone is a point, and so are values between gaps
    marker = "." if len(values.times) == 1 else None
    style = "steps-post" if values.held else "default"
    lines = ax.plot(values.times, values.samples, lw=1.0, marker=marker, drawstyle=style)
    time_axis(ax, values.start, values.stop, before)
    ax.set_ylabel(values.unit or "Value")
    if not before.channels and not values.samples.size:
        said_inside(ax, "no time steps" if n_lines else "no channels")
    return lines


def draw_image(ax: Any, values: Values) -> Any:
    """Draw values as colours, a row for each neuron, and return the image."""
    before = View.of(ax)
    samples = values.samples
    finite = samples[np.isfinite(samples)]
    low, high = (finite.min(), finite.max()) if finite.size else (0.0, 1.0)
    n_channels = samples.shape[1]
    image = ax.imshow(
        samples.T if samples.size else np.zeros((max(n_channels, 1), 1)),
        aspect="auto",
        origin="lower",
        extent=(values.start, max(values.stop, values.start + 1e-3), -0.5, n_channels - 0.5),
        **centred(float(low), float(high)),
    )
    time_axis(ax, values.start, values.stop, before)
    channel_axis(ax, n_channels, before)
    if not before.channels and not samples.size:
        said_inside(ax, "no time steps")
    return image


def _add_legend(ax: Any, lines: list[Any], numbers: Sequence[int]) -> None:
    """Say beside the axes which line is which neuron, where there are a few."""
    if 1 < len(lines) <= MOST_LINES:
        ax.legend(
            lines,
            [str(number) for number in numbers],
            ncols=1 if len(lines) <= 5 else 2,
            title="Channel",
            fontsize="x-small",
            title_fontsize="x-small",
            loc="upper left",
            bbox_to_anchor=(1.0, 1.03),
            frameon=False,
        )


def _chosen(record: Mapping[str, Any], names: str | Iterable[str] | None) -> dict[str, Any]:
    """Return the quantities of a record to draw, by name."""
    known = dict(_quantities(record))
    if names is None:
        wanted = [name for name in known if not name.endswith("_output")]
    else:
        wanted = []
        for name in [names] if isinstance(names, str) else names:
            found = [key for key in known if key == name or key.endswith(f".{name}")]
            if not found:
                listed = ", ".join(map(repr, known)) or "nothing"
                raise ValueError(f"traces: the record has no {name!r}; it has {listed}")
            wanted += found
    chosen: dict[str, Any] = {}
    for name in dict.fromkeys(wanted):
        array = to_numpy(known[name])
        if array.ndim < 4:
            chosen[name] = array
            continue
        array = array.reshape(*array.shape[:3], -1)
        several = array.shape[-1] > 1
        for synapse in range(array.shape[-1]):
            chosen[f"{name}, synapse {synapse}" if several else name] = array[..., synapse]
    return chosen


def _quantities(record: Mapping[str, Any], path: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    """Go over the arrays of a record, each with the names that lead to it."""
    for name, value in record.items():
        if isinstance(value, Mapping):
            yield from _quantities(value, (*path, str(name)))
        elif hasattr(value, "shape") and len(value.shape) > 1:
            yield ".".join((*path, str(name))), value


def _numbers(neurons: int | Iterable[int] | None) -> list[int] | None:
    if neurons is None:
        return None
    numbers = [neurons] if np.ndim(neurons) == 0 and not np.iterable(neurons) else list(neurons)  # type: ignore[arg-type]
    if not all(isinstance(number, (int, np.integer)) for number in numbers):
        raise TypeError(f"traces: neurons must be integers, got {neurons!r}")
    return [int(number) for number in numbers]  # type: ignore[arg-type]


def _some(owner: str, values: Values, neurons: int | Iterable[int] | None) -> Values:
    """Return the values of some neurons."""
    from dataclasses import replace

    numbers = _numbers(neurons)
    if numbers is None:
        return values
    n_neurons = values.samples.shape[1]
    for number in numbers:
        if not 0 <= number < n_neurons:
            what = values.name or "record"
            raise ValueError(
                f"{owner}: neurons must be at least 0 and less than {n_neurons}, the number of "
                f"those of {what}, got {number}"
            )
    return replace(values, samples=values.samples[:, numbers])


def _is_regular(values: Values) -> bool:
    """Return whether the values are one time step apart, as an image has them."""
    steps = np.diff(values.times)
    return not len(steps) or bool(np.allclose(steps, steps[0], rtol=1e-3))
