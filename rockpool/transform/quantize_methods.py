"""Whole numbers for hardware, of the weights, thresholds and biases of a recurrent network.

The network has neurons with up to two synapses in a hidden layer, with weights from the input and
from each other, and output neurons. Each function returns a dict of whole numbers, under the names
of its arguments.

Rockpool 3.1 scales some arrays otherwise. ``like_3_1=True`` does it as 3.1 does:

* `global_quantize`: biases of the output are scaled as those of the hidden layer; a threshold that
  is too large scales down recurrent weights, for the output neurons' once more, but no biases.
* `channel_quantize`: with one synapse, biases of hidden neurons are rounded and not scaled; a
  threshold that is too large scales down weights, but no biases, and stays as it is for a neuron
  without weights.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from rockpool.typehints import ArrayLike

__all__ = [
    "channel_quantize",
    "global_quantize",
    "validate_weights_to_2d",
    "validate_weights_to_3d",
]

Array = NDArray[Any]


def validate_weights_to_2d(data: ArrayLike) -> Array:
    """Return weights (from, to); it is an AssertionError if they have another number of axes."""
    weights = np.asarray(data)
    assert weights.ndim == 2, f"weights must have the shape (from, to), got {weights.shape}"
    return weights


def validate_weights_to_3d(data: ArrayLike) -> Array:
    """Return weights (from, to, synapses) of such weights, or of weights (from, to)."""
    weights = np.asarray(data)
    assert weights.ndim in (2, 3), (
        f"weights must have the shape (from, to) or (from, to, synapses), got {weights.shape}"
    )
    return weights[..., np.newaxis] if weights.ndim == 2 else weights


def global_quantize(
    weights_in: ArrayLike,
    weights_rec: ArrayLike,
    weights_out: ArrayLike,
    threshold: ArrayLike,
    threshold_out: ArrayLike,
    dash_mem: ArrayLike,
    dash_mem_out: ArrayLike,
    dash_syn: ArrayLike,
    dash_syn_2: ArrayLike,
    dash_syn_out: ArrayLike,
    bias: ArrayLike | None = None,
    bias_out: ArrayLike | None = None,
    fuzzy_scaling: bool = False,
    bits_per_weight: int = 8,
    bits_per_threshold: int = 16,
    like_3_1: bool = False,
    **ignored: Any,
) -> dict[str, Array]:
    """Return whole numbers with one scale for the hidden layer and one for the output.

    Parameters
    ----------
    weights_in, weights_rec : array_like
        Weights of the hidden neurons, (from, to) or (from, to, synapses).
    weights_out : array_like
        Weights of the output neurons, (from, to).
    threshold, threshold_out : array_like
        Thresholds of hidden and output neurons, shape (to,) or ().
    dash_mem, dash_mem_out, dash_syn, dash_syn_2, dash_syn_out : array_like
        Bit-shifts of membranes and synapses, shape (to,) or (). They are rounded.
    bias, bias_out : array_like, optional
        Biases of hidden and output neurons, shape (to,) or (). Default: none.
    fuzzy_scaling : bool
        Whether the scale is that of the mean magnitude plus two standard deviations of the weights
        that are not zero, and not of the largest: some of the numbers are then larger than a weight
        can be. Default: False.
    bits_per_weight, bits_per_threshold : int
        Number of bits of weights and biases, and of thresholds. Default: 8 and 16.
    like_3_1 : bool
        Whether to scale as Rockpool 3.1 does; see on top. Default: False.
    **ignored
        What else a specification of a network has.

    Returns
    -------
    dict of ndarray of int
        By name; the weights of hidden neurons are (from, to, synapses).

    Raises
    ------
    AssertionError
        Weights have another number of axes.
    ValueError
        A number is NaN or infinite, or a number of bits is less than 2.
    """
    _require_bits(bits_per_weight=bits_per_weight, bits_per_threshold=bits_per_threshold)
    w_in, w_rec = validate_weights_to_3d(weights_in), validate_weights_to_3d(weights_rec)
    w_out = validate_weights_to_2d(weights_out)
    hidden = {"weights_in": w_in, "weights_rec": w_rec, "threshold": threshold, "bias": bias}
    output = {"weights_out": w_out, "threshold_out": threshold_out, "bias_out": bias_out}
    _require_finite(**hidden, **output)
    if fuzzy_scaling:
        largest = _typical(w_in, w_rec)
        largest_out = _typical(w_out)
    else:
        largest = _largest(w_in, w_rec, bias)
        largest_out = _largest(w_out, bias_out)
    scale = _scale(bits_per_weight, largest)
    found = _scaled(hidden, scale) | _scaled(output, _scale(bits_per_weight, largest_out))
    if like_3_1 and bias_out is not None:
        found["bias_out"] = _whole(np.asarray(bias_out) * scale)

    limit = 2 ** (bits_per_threshold - 1) - 1
    with_hidden = ["threshold", "weights_in", "weights_rec"]
    with_output = ["threshold_out", "weights_out"]
    if like_3_1:
        with_output.append("weights_rec")
    else:
        with_hidden.append("bias")
        with_output.append("bias_out")
    for names in (with_hidden, with_output):
        highest = _largest(found[names[0]])
        if highest > limit:
            for name in names:
                if name in found:
                    found[name] = _whole(found[name] * (limit / highest))
    return _ordered(found, dash_mem, dash_mem_out, dash_syn, dash_syn_2, dash_syn_out)


def channel_quantize(
    weights_in: ArrayLike,
    weights_rec: ArrayLike,
    weights_out: ArrayLike,
    threshold: ArrayLike,
    threshold_out: ArrayLike,
    dash_mem: ArrayLike,
    dash_mem_out: ArrayLike,
    dash_syn: ArrayLike,
    dash_syn_2: ArrayLike,
    dash_syn_out: ArrayLike,
    bias: ArrayLike | None = None,
    bias_out: ArrayLike | None = None,
    bits_per_weight: int = 8,
    bits_per_threshold: int = 16,
    like_3_1: bool = False,
    **ignored: Any,
) -> dict[str, Array]:
    """Return whole numbers with a scale for each neuron, that of the largest weight to it.

    Where that makes the threshold of a neuron too large, its scale is the one by which the
    threshold is the largest possible. A neuron without weights has the scale 1. Parameters, result
    and errors are those of `global_quantize`.
    """
    _require_bits(bits_per_weight=bits_per_weight, bits_per_threshold=bits_per_threshold)
    w_in, w_rec = validate_weights_to_3d(weights_in), validate_weights_to_3d(weights_rec)
    w_out = validate_weights_to_2d(weights_out)
    _require_finite(weights_in=w_in, weights_rec=w_rec, weights_out=w_out)
    _require_finite(threshold=threshold, threshold_out=threshold_out, bias=bias, bias_out=bias_out)
    limit = 2 ** (bits_per_threshold - 1) - 1
    largest = _largest_to(threshold, w_in, w_rec)
    largest_out = _largest_to(threshold_out, w_out[..., np.newaxis])
    of_weights = np.array([_scale(bits_per_weight, value) for value in largest])
    of_weights_out = np.array([_scale(bits_per_weight, value) for value in largest_out])
    scales = _limited(of_weights, threshold, limit, (largest > 0) | (not like_3_1))
    scales_out = _limited(of_weights_out, threshold_out, limit, (largest_out > 0) | (not like_3_1))
    of_biases, of_biases_out = (of_weights, of_weights_out) if like_3_1 else (scales, scales_out)
    found = {
        "weights_in": _whole(w_in * scales[: w_in.shape[1], np.newaxis]),
        "weights_rec": _whole(w_rec * scales[:, np.newaxis]),
        "weights_out": _whole(w_out * scales_out),
        "threshold": _whole(np.asarray(threshold) * scales),
        "threshold_out": _whole(np.asarray(threshold_out) * scales_out),
    }
    if bias is not None:
        unscaled = like_3_1 and w_in.shape[-1] == 1
        found["bias"] = _whole(np.asarray(bias) * (1.0 if unscaled else of_biases))
    if bias_out is not None:
        found["bias_out"] = _whole(np.asarray(bias_out) * of_biases_out)
    return _ordered(found, dash_mem, dash_mem_out, dash_syn, dash_syn_2, dash_syn_out)


def _largest_to(threshold: ArrayLike, *weights: Array) -> Array:
    """Return the largest magnitude of the weights (from, to, synapses) to each neuron, 0 if none.

    There are as many neurons as thresholds, or, with one for all, as the weights are to.
    """
    n_neurons = np.size(threshold)
    if n_neurons == 1:
        n_neurons = max(array.shape[1] for array in weights)
    largest = np.zeros(n_neurons)
    for array in weights:
        n = array.shape[1]
        largest[:n] = np.maximum(largest[:n], np.abs(array).max(axis=(0, 2), initial=0.0))
    return largest


def _limited(scales: Array, threshold: ArrayLike, limit: int, chosen: Array) -> Array:
    """Return scales, of chosen neurons the one by which a threshold beyond the limit becomes it."""
    thresholds = np.broadcast_to(np.asarray(threshold, dtype=float).reshape(-1), scales.shape)
    beyond = chosen & (np.round(thresholds * scales) > limit)
    found = scales.copy()
    found[beyond] = limit / thresholds[beyond]
    return found


def _largest(*arrays: Any) -> float:
    """Return the largest magnitude in arrays, of which some may be None."""
    return max(
        (float(np.abs(array).max(initial=0.0)) for array in arrays if array is not None),
        default=0.0,
    )


def _typical(*weights: Array) -> float:
    """Return the magnitude of the mean plus two standard deviations, of weights that are not 0."""
    values = np.concatenate([array[array != 0] for array in weights])
    return float(np.abs(values.mean()) + 2 * values.std()) if values.size else 0.0


def _scale(bits: int, largest: float | int) -> float:
    return (2 ** (bits - 1) - 1) / largest if largest else 1.0


def _scaled(values: dict[str, Any], scale: float | int) -> dict[str, Array]:
    return {
        name: _whole(np.asarray(value) * scale)
        for name, value in values.items()
        if value is not None
    }


def _whole(values: ArrayLike) -> Array:
    return np.round(np.asarray(values)).astype(int)


def _require_bits(**numbers: int) -> None:
    """Raise a ValueError for a number of bits with which all is 0."""
    for name, bits in numbers.items():
        if bits < 2:
            raise ValueError(f"quantize_methods: {name} must be >= 2, got {bits}")


def _require_finite(**values: Any) -> None:
    """Raise a ValueError for the first value that is NaN or infinite."""
    for name, value in values.items():
        numbers = np.asarray(0.0 if value is None else value)
        if not np.isfinite(numbers).all():
            wrong = numbers[~np.isfinite(numbers)].flat[0]
            raise ValueError(f"quantize_methods: {name} must be finite, got {wrong}")


def _ordered(found: dict[str, Array], *dashes: ArrayLike) -> dict[str, Array]:
    """Return all numbers, in the order of the arguments."""
    names = "dash_mem dash_mem_out dash_syn dash_syn_2 dash_syn_out".split()
    _require_finite(**dict(zip(names, dashes, strict=True)))
    rounded = {name: _whole(np.asarray(d)) for name, d in zip(names, dashes, strict=True)}
    first = "weights_in weights_rec weights_out threshold threshold_out".split()
    biases = {name: found[name] for name in ("bias", "bias_out") if name in found}
    return {name: found[name] for name in first} | rounded | biases
