"""Numbers as spikes: by rate, by latency, by change, by a population of neurons.

Arrays of numpy, tensors of torch and arrays of jax go in, and the same kind comes out. All is drawn
by numpy, so that a seed gives the same spikes for each of them. The values must be known: nothing
here can be traced, and nothing has a gradient.
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

from rockpool.nn.models import checks
from rockpool.parameters import is_jax_array, is_tensor

__all__ = ["delta", "latency", "population", "rate"]


def _numbers(owner: str, name: str, values: Any) -> np.ndarray:
    """Return values as an array of floats; they must be finite."""
    known = checks.known_values(owner, name, values)
    if known is None:
        raise TypeError(f"{owner}: {name} must be known, got {values!r}, which is traced")
    if not np.isfinite(known).all():
        place = tuple(map(int, np.argwhere(~np.isfinite(known))[0]))
        raise ValueError(f"{owner}: {name} must be finite, got {known[place]:g} at {place}")
    return known


def _kind_of(result: np.ndarray, given: Any) -> Any:
    """Return an array as the kind of array that was given, of floats."""
    if is_tensor(given):
        floats = given.detach() if given.is_floating_point() else given.detach().float()
        return floats.new_tensor(result)
    if is_jax_array(given):
        jnp = sys.modules["jax"].numpy
        floats = jnp.issubdtype(given.dtype, jnp.floating)
        return jnp.asarray(result, given.dtype if floats else jnp.result_type(float))
    dtype = getattr(given, "dtype", np.dtype(np.float32))
    return result.astype(dtype if dtype in (np.float32, np.float64) else np.float32)


def _within_one(owner: str, values: np.ndarray) -> None:
    checks.within(owner, "values", values, 0.0, 1.0)


def _over_time(drawn: np.ndarray) -> np.ndarray:
    """Return (T, ..., N) as (..., T, N)."""
    return np.moveaxis(drawn, 0, -2) if drawn.ndim > 1 else drawn


def rate(
    values: Any,
    n_steps: int,
    max_rate: float | int = 100.0,
    dt: float | int = 1e-3,
    seed: int | None = None,
) -> Any:
    """Return Poisson spike trains whose rates are in proportion to values.

    Parameters
    ----------
    values : array
        Shape (..., N), from 0 to 1.
    n_steps : int
        Number of time steps T, >= 1.
    max_rate : float
        Rate for the value 1, in Hz, > 0. Default: 100.
    dt : float
        Time step in seconds. Default: 1 ms.
    seed : int, optional
        Of the random numbers. Default: another one each time.

    Returns
    -------
    array of the same kind
        Number of spikes in each time step, (..., T, N): Poisson with the mean ``value max_rate
        dt``.

    Raises
    ------
    ValueError
        A value outside [0, 1], or an argument out of range.
    TypeError
        Values that are no numbers, or that are traced.
    """
    checks.whole_count("rate", "n_steps", n_steps)
    checks.positive("rate", "max_rate", max_rate, "Hz")
    checks.time_step("rate", "dt", dt)
    checks.seed("rate", seed)
    known = _numbers("rate", "values", values)
    _within_one("rate", known)
    mean = known * (max_rate * dt)
    drawn = np.random.default_rng(seed).poisson(mean, (int(n_steps), *known.shape))
    return _kind_of(_over_time(drawn), values)


def latency(values: Any, n_steps: int) -> Any:
    """Return one spike for each value, the earlier the larger the value.

    The spike for a value ``v > 0`` is in the time step ``round((1 - v) (n_steps - 1))``: the first
    one for 1. There is none for 0.

    Parameters
    ----------
    values : array
        Shape (..., N), from 0 to 1.
    n_steps : int
        Number of time steps T, >= 1.

    Returns
    -------
    array of the same kind
        0 or 1, (..., T, N). Errors are those of `rate`.

    References
    ----------
    S. Thorpe, D. Fize, C. Marlot, Speed of processing in the human visual system, Nature 381
    (1996), for a code by the first spikes.
    """
    checks.whole_count("latency", "n_steps", n_steps)
    known = _numbers("latency", "values", values)
    _within_one("latency", known)
    step = np.rint((1.0 - known) * (int(n_steps) - 1))
    times = np.arange(int(n_steps)).reshape(-1, *[1] * known.ndim)
    return _kind_of(_over_time((times == step) & (known > 0)), values)


def delta(signal: Any, threshold: float | int = 0.1) -> Any:
    """Return the steps up and down that a signal takes, as `UpDownTorch` does.

    Each channel has a reference, at first the first sample. A time step has as many events as
    whole thresholds lie between reference and signal, and moves the reference by those.

    Parameters
    ----------
    signal : array
        Shape (..., T, N).
    threshold : float
        Size of a step, > 0. Default: 0.1.

    Returns
    -------
    array of the same kind
        Numbers of events, (..., T, 2 N): channel ``2 k`` has the ups of channel ``k``, ``2 k + 1``
        its downs.

    Raises
    ------
    ValueError
        `threshold` is not > 0, or the signal has no time dimension or is not finite.
    TypeError
        Values that are no numbers, or that are traced.
    """
    checks.scalar("delta", "threshold", threshold)
    checks.positive("delta", "threshold", threshold)
    known = _numbers("delta", "signal", signal)
    if known.ndim < 2:
        raise ValueError(f"delta: signal must have the shape (..., T, N), got {known.shape}")
    events = np.zeros((*known.shape, 2))
    if known.shape[-2]:
        reference = known[..., 0, :]
        for t in range(known.shape[-2]):
            steps = np.trunc((known[..., t, :] - reference) / threshold)
            reference = reference + steps * threshold
            events[..., t, :, 0] = np.maximum(steps, 0)
            events[..., t, :, 1] = np.maximum(-steps, 0)
    return _kind_of(events.reshape(*known.shape[:-1], 2 * known.shape[-1]), signal)


def population(
    values: Any,
    n_neurons: int = 10,
    low: float | int = 0.0,
    high: float | int = 1.0,
    width: float | int = 1.0,
) -> Any:
    """Return how strongly values excite neurons with Gaussian receptive fields.

    The centres ``c`` of the fields of a channel are spread evenly from `low` to `high`, a distance
    ``d`` apart: ``exp(-(value - c)^2 / (2 (width d)^2))``. `rate` and `latency` make spikes of it.

    Parameters
    ----------
    values : array
        Shape (..., N).
    n_neurons : int
        Number of neurons for each channel, >= 2. Default: 10.
    low, high : float
        The first and the last centre. Default: 0 and 1.
    width : float
        Standard deviation of a field, in distances of centres, > 0. Default: 1.

    Returns
    -------
    array of the same kind
        From 0 to 1, (..., N n_neurons); the neurons of a channel are next to each other.

    Raises
    ------
    ValueError
        An argument out of range, or values that are not finite.
    TypeError
        Values that are no numbers, or that are traced.

    References
    ----------
    S. M. Bohte, J. N. Kok, H. La Poutré, Error-backpropagation in temporally encoded networks of
    spiking neurons, Neurocomputing 48 (2002).
    """
    checks.whole_count("population", "n_neurons", n_neurons)
    checks.positive("population", "width", width)
    if n_neurons < 2:
        raise ValueError(f"population: n_neurons must be >= 2, got {n_neurons}")
    if not -np.inf < low < high < np.inf:
        raise ValueError(
            f"population: low must be < high, and both finite, got {low:g} and {high:g}"
        )
    known = _numbers("population", "values", values)
    if known.ndim == 0:
        raise ValueError("population: values must have the shape (..., N), got a single number")
    centres, distance = np.linspace(low, high, int(n_neurons), retstep=True)
    excitation = np.exp(-(((known[..., np.newaxis] - centres) / (width * distance)) ** 2) / 2)
    return _kind_of(excitation.reshape(*known.shape[:-1], known.shape[-1] * int(n_neurons)), values)
