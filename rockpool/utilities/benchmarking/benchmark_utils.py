"""Timing of calls, and of layers of several sizes."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

__all__ = ["benchmark_neurons", "plot_benchmark_results", "timeit"]

# fmt: off
LAYER_SIZES = (1, 2, 5, 10, 20, 50, 100, 500, 1000, 2000, 5000, 10000)
# fmt: on

Times = list[list[float]]


def timeit(
    callable: Callable[[], Any],
    min_runs: int = 3,
    max_runs: int = 5000,
    min_time: float | int = 2.0,
    warmup_calls: int = 1,
) -> list[float]:
    """Return how long calls of a function take, one after the other.

    Parameters
    ----------
    callable : callable
        What is called, without arguments.
    min_runs, max_runs : int
        How often at least, and at most. Default: 3 and 5000.
    min_time : float
        For how long, in seconds, unless there are `max_runs` before. Default: 2 s.
    warmup_calls : int
        Number of calls before that, which are not counted. Default: 1.

    Returns
    -------
    list of float
        Time of each call in seconds.

    Raises
    ------
    ValueError
        `min_runs` is < 1, or larger than `max_runs`.
    """
    if not 1 <= min_runs <= max_runs:
        raise ValueError(
            f"timeit: min_runs must be >= 1 and at most max_runs, {max_runs}; got {min_runs}"
        )
    for _ in range(warmup_calls):
        callable()
    times: list[float] = []
    while len(times) < min_runs or (len(times) < max_runs and sum(times) < min_time):
        start = time.perf_counter()
        callable()
        times.append(time.perf_counter() - start)
    return times


def benchmark_neurons(
    prepare_fn: Callable[[int, int, int], Any],
    create_fn: Callable[[Any], Any],
    evolve_fn: Callable[[Any, Any], Any],
    benchmark_desc: str | None = None,
    layer_sizes: Sequence[int] = LAYER_SIZES,
    num_batches: int = 10,
    num_timesteps: int = 1000,
    **kwargs: Any,
) -> tuple[Times, Times, list[int], str]:
    """Measure how long it takes to make layers of several sizes, and to evolve them.

    Parameters
    ----------
    prepare_fn : callable
        ``prepare_fn(num_timesteps, layer_size, num_batches)`` returns what the others need, such as
        an input.
    create_fn : callable
        ``create_fn(prepared)`` returns a layer.
    evolve_fn : callable
        ``evolve_fn(prepared, layer)`` evolves it, and returns once that is done.
    benchmark_desc : str, optional
        A title. Default: the name of `create_fn`.
    layer_sizes : sequence of int
        Numbers of neurons. Default: from 1 to 10000.
    num_batches, num_timesteps : int
        Size of the input. Default: 10 and 1000.
    **kwargs
        Arguments of `timeit`.

    Returns
    -------
    creation_times, evolution_times : list of list of float
        Times in seconds, for each size.
    layer_sizes : list of int
        The sizes.
    benchmark_desc : str
        The title.
    """
    creation, evolution = [], []
    for size in layer_sizes:
        prepared = prepare_fn(num_timesteps, size, num_batches)
        creation.append(timeit(lambda: create_fn(prepared), **kwargs))  # noqa: B023 - called now
        layer = create_fn(prepared)
        evolution.append(timeit(lambda: evolve_fn(prepared, layer), **kwargs))  # noqa: B023
    return creation, evolution, list(layer_sizes), benchmark_desc or create_fn.__name__


def plot_benchmark_results(
    creation_times: Times,
    evolution_times: Times,
    layer_sizes: Sequence[int],
    benchmark_title: str,
    axes: Any = None,
) -> Any:
    """Draw the times of `benchmark_neurons`: the median against the size, and the range.

    Parameters
    ----------
    creation_times, evolution_times, layer_sizes, benchmark_title
        As `benchmark_neurons` returns them.
    axes : sequence of two matplotlib.axes.Axes, optional
        Where to draw the times of creation and of evolution. Default: a new figure.

    Returns
    -------
    sequence of matplotlib.axes.Axes
        The axes.
    """
    if axes is None:
        import matplotlib.pyplot as plt

        _, axes = plt.subplots(1, 2, figsize=(9, 4), layout="constrained")
    for ax, times, what in zip(
        axes, (creation_times, evolution_times), ("Creation", "Evolution"), strict=True
    ):
        low, middle, high = np.array([np.quantile(t, (0, 0.5, 1)) for t in times]).T
        (line,) = ax.loglog(layer_sizes, middle, marker="o", label=benchmark_title)
        ax.fill_between(layer_sizes, low, high, alpha=0.2, color=line.get_color())
        ax.set(xlabel="Neurons", ylabel="Time (s)", title=what)
        ax.legend()
    return axes
