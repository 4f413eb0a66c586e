"""Losses of spike trains and membranes, for torch and jax: the same values, the same gradients.

What they are given says which it is. Output and records are those of a module: (B, T, N), or (T, N)
for one without batch; what a loss returns is one number, with gradients.
"""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np

from rockpool.nn.models import checks
from rockpool.parameters import is_jax_array, is_tensor

__all__ = ["cross_entropy", "first_spike", "membrane_peak", "rate", "spike_count"]


def _operations(owner: str, name: str, values: Any) -> ModuleType:
    """Return the operations for an array over time, checked; they have the names of jax's."""
    if is_tensor(values):
        from rockpool.training import _operations_torch as found
    elif is_jax_array(values):
        from rockpool.training import _operations_jax as found  # type: ignore[no-redef]
    else:
        raise TypeError(
            f"{owner}: {name} must be a torch tensor or a jax array, got {type(values).__name__}"
        )
    if values.ndim < 2 or values.shape[-2] == 0:
        raise ValueError(
            f"{owner}: {name} must have the shape (B, T, N) or (T, N) with T > 0, got "
            f"{tuple(values.shape)}"
        )
    return found


def _mean_square(owner: str, found: Any, target: Any, op: ModuleType) -> Any:
    found = op.floating(found)
    target = _target(owner, found, target, op)
    allowed = tuple(found.shape)
    if target.ndim and tuple(target.shape) not in (allowed, allowed[-1:]):
        raise ValueError(
            f"{owner}: target must be a number, or have the shape {allowed} or {allowed[-1:]}, got "
            f"{tuple(target.shape)}"
        )
    return ((found - target) ** 2).mean()


def _target(owner: str, found: Any, target: Any, op: ModuleType) -> Any:
    """Return a target as numbers of the type of what it is compared with."""
    if not hasattr(target, "dtype"):  # numbers of Python
        known = np.asarray(target)
        if known.dtype.kind not in "buif":
            raise TypeError(f"{owner}: target must be real numbers, got {target!r}")
    elif "complex" in str(target.dtype):
        raise TypeError(f"{owner}: target must be real numbers, got {target.dtype}")
    return op.like(target, found)


def spike_count(output: Any, target: Any) -> Any:
    """Return the mean of the squared differences of spike counts from their target.

    Parameters
    ----------
    output : Tensor or jax.Array
        Spikes (B, T, N) or (T, N).
    target : array_like
        Number of spikes of each neuron over all time steps: a number, (N,) or (B, N).

    Returns
    -------
    Tensor or jax.Array
        The loss, a scalar, in spikes squared.

    Raises
    ------
    TypeError
        `output` is no tensor and no array of jax.
    ValueError
        A wrong shape.
    """
    op = _operations("spike_count", "output", output)
    return _mean_square("spike_count", output.sum(-2), target, op)


def rate(output: Any, target: Any, dt: float | int = 1e-3) -> Any:
    """Return the mean of the squared differences of firing rates from their target.

    Parameters
    ----------
    output : Tensor or jax.Array
        Spikes (B, T, N) or (T, N).
    target : array_like
        Firing rate of each neuron in Hz: a number, (N,) or (B, N).
    dt : float
        Time step in seconds. Default: 1 ms.

    Returns
    -------
    Tensor or jax.Array
        The loss, a scalar, in Hz squared. Errors are those of `spike_count`.
    """
    checks.time_step("rate", "dt", dt)
    op = _operations("rate", "output", output)
    return _mean_square("rate", output.sum(-2) / (output.shape[-2] * dt), target, op)


def first_spike(output: Any, target: Any, dt: float | int = 1e-3) -> Any:
    """Return the mean of the squared differences of first spike times from their target.

    The time of a first spike is the number of time steps before it, ``sum_t prod_{s <= t} (1 -
    min(S_s, 1))``, T where there is none: exact for whole numbers of spikes, and with a gradient
    for the spikes up to the first one.

    Parameters
    ----------
    output : Tensor or jax.Array
        Spikes (B, T, N) or (T, N).
    target : array_like
        Time of the first spike of each neuron in seconds: a number, (N,) or (B, N).
    dt : float
        Time step in seconds. Default: 1 ms.

    Returns
    -------
    Tensor or jax.Array
        The loss, a scalar, in time steps squared. Errors are those of `spike_count`.
    """
    checks.time_step("first_spike", "dt", dt)
    op = _operations("first_spike", "output", output)
    output = op.floating(output)
    silent = 1.0 - op.where(output > 1, op.like(1.0, output), output)
    before = op.floating(op.cumprod(silent, -2).sum(-2))
    steps = _target("first_spike", before, target, op) / dt
    return _mean_square("first_spike", before, steps, op)


def membrane_peak(vmem: Any, labels: Any) -> Any:
    """Return the cross-entropy of the highest values that membranes reach, as scores of classes.

    Parameters
    ----------
    vmem : Tensor or jax.Array
        Membrane potentials over time, (B, T, N) or (T, N), as a record has them.
    labels : array_like of int
        The class of each batch element, (B,) or (), from 0 to N - 1.

    Returns
    -------
    Tensor or jax.Array
        The loss, a scalar. Errors are those of `spike_count`, and a ValueError for labels that are
        no class, where their values are known: not within `jax.jit`, or on another device.

    References
    ----------
    R. Gütig, H. Sompolinsky, The tempotron: a neuron that learns spike timing-based decisions,
    Nature Neuroscience 9 (2006), for learning at the peak of the membrane.
    """
    op = _operations("membrane_peak", "vmem", vmem)
    return _cross_entropy("membrane_peak", op.amax(op.floating(vmem), -2), labels, op)


def cross_entropy(output: Any, labels: Any) -> Any:
    """Return the cross-entropy of the mean of the output over time, as scores of classes.

    Parameters
    ----------
    output : Tensor or jax.Array
        Output over time, (B, T, N) or (T, N), such as that of a readout.
    labels : array_like of int
        The class of each batch element, (B,) or (), from 0 to N - 1.

    Returns
    -------
    Tensor or jax.Array
        The loss, a scalar. Errors are those of `spike_count`, and a ValueError for labels that are
        no class, where their values are known: not within `jax.jit`, or on another device.
    """
    op = _operations("cross_entropy", "output", output)
    return _cross_entropy("cross_entropy", op.floating(output).mean(-2), labels, op)


def _cross_entropy(owner: str, scores: Any, labels: Any, op: ModuleType) -> Any:
    known = op.known(labels)
    if known is not None:
        checks.classes(owner, "labels", known, int(scores.shape[-1]))
    labels = op.whole(labels, scores)
    if tuple(labels.shape) != tuple(scores.shape[:-1]):
        raise ValueError(
            f"{owner}: labels must have the shape {tuple(scores.shape[:-1])}, got "
            f"{tuple(labels.shape)}"
        )
    return -op.chosen(op.log_softmax(scores), labels).mean()
