"""Finding out where NaNs come from, in jax: `debug_evolution`, `debug_optimisation`."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator
from typing import Any

import jax
import numpy as np

from rockpool.nn.models.finite_input import check_input
from rockpool.nn.modules.jax.jax_module import JaxModule
from rockpool.parameters import to_numpy

__all__ = ["debug_evolution", "debug_optimisation", "flatten"]


def flatten(generic_collection: Any, sep: str = "_") -> OrderedDict[str, Any]:
    """Return all values in nested dicts, lists, tuples and arrays, by names made of their keys.

    Parameters
    ----------
    generic_collection : dict, list, tuple or array
        The collection; arrays of any shape.
    sep : str
        Stands between two keys. Default: ``"_"``.

    Returns
    -------
    OrderedDict
        Each single value, or array of one value, under its keys and indices, and a final ``0``.

    Examples
    --------
    >>> flatten({"a": {"b": 1}, "c": [2, 3]})
    OrderedDict({'a_b_0': 1, 'c_0_0': 2, 'c_1_0': 3})
    """
    return OrderedDict(
        (sep.join(map(str, keys)), value) for keys, value in _single_values(generic_collection, ())
    )


def _single_values(value: Any, keys: tuple[Any, ...]) -> Iterator[tuple[tuple[Any, ...], Any]]:
    if isinstance(value, dict):
        items: Any = value.items()
    elif isinstance(value, (list, tuple)) or np.size(value) != 1:
        items = enumerate(value)
    else:
        yield (*keys, 0), value
        return
    for key, item in items:
        yield from _single_values(item, (*keys, key))


def debug_evolution(
    jmod: JaxModule, state: dict[str, Any], parameters: dict[str, Any], input: Any
) -> None:
    """Raise an error if there are NaNs before or after an evolution.

    Raises
    ------
    ValueError
        The message has a line for each value that is NaN: of state, parameters and input; or, if
        there are none, of the output and of the new state.
    """
    _raise_for(
        *_nans("Initial network state", state),
        *_nans("Network parameter", parameters),
        *_nan_steps("Input", input),
    )
    with check_input(False):  # what goes from one layer to the next is looked at afterwards
        output, new_state, _ = jmod.set_attributes(state).set_attributes(parameters)(input)
    _raise_for(*_nan_steps("Output", output), *_nans("Post-evolve network state", new_state))


def debug_optimisation(
    jmod: JaxModule,
    parameters: dict[str, Any],
    input: Any,
    target: Any,
    vgf_loss: Callable[..., tuple[Any, dict[str, Any]]],
) -> None:
    """Raise an error if there are NaNs in a loss or its gradients.

    Parameters
    ----------
    jmod : JaxModule
        The module.
    parameters : dict
        Its parameters, nested as ``jmod.parameters()`` gives them.
    input, target : array (T, N) or (B, T, N)
        Input data and target, for the module with the given parameters.
    vgf_loss : callable
        ``vgf_loss(parameters, jmod, input, target)`` returns the loss and its gradients, as
        ``jax.value_and_grad`` makes it.

    Raises
    ------
    ValueError
        The message has a line for each value that is NaN: of parameters, input and target; or, if
        there are none, of the loss and of the gradients. It then says as well from which time step
        on there are NaNs, by evaluating parts of the data.
    """
    _raise_for(
        *_nans("Network parameter", parameters),
        *_nan_steps("Input", input),
        *_nan_steps("Target", target),
    )
    found = _nans_of_loss(vgf_loss(parameters, jmod, input, target))
    if not found:
        return
    time_axis = np.ndim(input) - 2

    def fails(n_steps: int) -> bool:
        part = (slice(None),) * time_axis + (slice(n_steps),)
        return bool(_nans_of_loss(vgf_loss(parameters, jmod, input[part], target[part])))

    works, fails_with = 0, np.shape(input)[time_axis]
    while fails_with - works > 1:
        middle = (works + fails_with) // 2
        if fails(middle):
            fails_with = middle
        else:
            works = middle
    _raise_for(*found, f"The first time step with which there are NaNs is {fails_with - 1}")


def _nans_of_loss(loss_and_gradients: tuple[Any, dict[str, Any]]) -> list[str]:
    loss, gradients = loss_and_gradients
    return [*_nans("Loss", {"value": loss}), *_nans("Gradient", gradients)]


def _nans(what: str, tree: dict[str, Any]) -> list[str]:
    """Return a line for each value in a tree that is NaN; keys for random numbers are left out."""
    return [
        f"{what} {name} contains NaNs"
        for name, value in flatten(tree).items()
        if _is_float(value) and np.isnan(value)
    ]


def _is_float(value: Any) -> bool:
    kind = getattr(value, "dtype", type(value))
    return bool(jax.numpy.issubdtype(kind, jax.numpy.floating))


def _nan_steps(what: str, data: Any) -> list[str]:
    """Return a line that says in which time steps of (..., T, N) there are NaNs, if in any."""
    values = to_numpy(data)
    if not np.issubdtype(values.dtype, np.floating) or not np.isnan(values).any():
        return []
    if values.ndim < 2:
        return [f"{what} contains NaNs"]
    steps = np.flatnonzero(np.isnan(values).reshape(-1, *values.shape[-2:]).any(axis=(0, 2)))
    return [f"{what} contains NaNs, in {len(steps)} time steps from step {steps[0]} on"]


def _raise_for(*lines: str) -> None:
    if lines:
        raise ValueError("\n".join(lines))
