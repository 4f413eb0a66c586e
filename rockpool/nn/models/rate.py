"""The non-spiking rate neuron (Rate).

What comes through recurrent weights is the output of the step before, at first ``f(x, threshold)``.
Noise is ``noise_std sqrt(dt) z``, ``z ~ N(0, 1)``, per neuron. This is a forward Euler step, which
wants time constants of at least one time step.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from rockpool.nn.models import checks
from rockpool.nn.models.model import Model, ParameterSpec, SettingSpec, Shape, StateSpec

__all__ = ["RATE", "activation"]

# what a user may call an activation function, in any case
ACTIVATION_NAMES = {
    "relu": "relu",
    "r": "relu",
    "sigmoid": "sigmoid",
    "sig": "sigmoid",
    "s": "sigmoid",
    "tanh": "tanh",
    "t": "tanh",
}


def module_shape(owner: str, shape: Any) -> Shape:
    """Return the shape argument ``N``, ``(N,)`` or ``(N, N)`` as a tuple, as it was given.

    Raises
    ------
    ValueError
        More than two entries, an entry < 1, or two that differ.
    TypeError
        Not ints.
    """
    entries = checks.shape_entries(owner, shape)
    if len(entries) > 2 or entries[0] != entries[-1]:
        raise ValueError(
            f"{owner}: shape must be N or (N, N), as many inputs as outputs, got {entries}"
        )
    return entries


def activation_name(owner: str, activation_func: str, name: str = "activation_func") -> str:
    """Return "relu", "sigmoid" or "tanh" for any of the names that a user may give.

    Raises
    ------
    ValueError
        An unknown name.
    """
    try:
        return ACTIVATION_NAMES[activation_func.lower()]
    except KeyError:
        raise ValueError(
            f"{owner}: {name} must be callable or one of 'relu', 'sigmoid', 'tanh', got "
            f"{activation_func!r}"
        ) from None


def activation(
    owner: str, given: Callable[..., Any] | str, functions: Mapping[str, Callable[..., Any]]
) -> Callable[..., Any]:
    """Return the function that the argument `activation_func` means.

    Parameters
    ----------
    owner : str
        The class, for error messages.
    given : callable or str
        The argument.
    functions : mapping
        The functions of the back-end, as "relu", "sigmoid" and "tanh".

    Raises
    ------
    ValueError
        Neither callable nor a known name.
    """
    if isinstance(given, str):
        return functions[activation_name(owner, given)]
    checks.function(owner, "activation_func", given)
    return given


def said_activation(function: Any, functions: Mapping[str, Callable[..., Any]]) -> Any:
    """Return the name of an activation function of the back-end, or the function of a user."""
    function = getattr(function, "func", function)  # of a partial function, as jax keeps it
    return next((name for name, known in functions.items() if known is function), function)


def _activation_check(owner: str, name: str, value: Any) -> None:
    """Require a callable or the name of a function."""
    if isinstance(value, str):
        activation_name(owner, value, name)
    else:
        checks.function(owner, name, value)


def tau_of_a_step(owner: str, arguments: Mapping[str, Any]) -> None:
    """Require time constants of at least one time step: a larger step than tau would overshoot."""
    checks.at_least_a_step(owner, "tau", arguments.get("tau"), arguments.get("dt"))


RATE = Model(
    name="Rate",
    title="rate neuron",
    module_shape=module_shape,
    dimensions=lambda shape: {"N": shape[-1]},
    attributes=(
        SettingSpec("has_rec", False, stored_as=None),
        StateSpec("x", ("N",)),
        ParameterSpec(
            "w_rec", "weights", (("N", "N"),), drawn_by="weight_init_func", only_with="has_rec"
        ),
        ParameterSpec("tau", "taus", (("N",), ()), 20e-3, "s", checks.time_constant),
        ParameterSpec("bias", "bias", (("N",), ()), 0.0),
        ParameterSpec("threshold", "thresholds", (("N",), ()), 0.0),
        SettingSpec("dt", 1e-3, "s", checks.time_step),
        SettingSpec("noise_std", 0.0, check=checks.noise_level),
        SettingSpec("activation_func", "relu", check=_activation_check, stored_as="act_fn"),
    ),
    equations="""\
x <- x + dt / tau * (-x + u_t + noise + bias + act @ w_rec)
act <- f(x, threshold)""",
    source="H. R. Wilson, J. D. Cowan, Excitatory and inhibitory interactions in localized "
    "populations of model neurons, Biophysical Journal 12 (1972)",
    classes={
        "numpy": "Rate",
        "numba": "RateNumba",
        "torch": "RateTorch",
        "jax": "RateJax",
        "brian": "RateBrian",
    },
    relation=tau_of_a_step,
)
