"""The non-spiking rate neuron (Rate).

With the activation function ``f(x, threshold)``, each time step does, in this order::

    r   <- act @ w_rec               (0 when not recurrent; at first act = f(x, threshold))
    x   <- x + (dt / tau) (-x + input_t + noise + bias + r)
    act <- f(x, threshold)           the output

with noise of ``noise_std sqrt(dt) z``, ``z ~ N(0, 1)``.
"""

from __future__ import annotations

from typing import Any

from rockpool.nn.models import checks
from rockpool.nn.models.spec import ParameterSpec, Shape

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


def activation_name(owner: str, activation_func: str) -> str:
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
            f"{owner}: activation_func must be callable or one of 'relu', 'sigmoid', 'tanh', got "
            f"{activation_func!r}"
        ) from None


def parameter_specs(shape: Shape) -> dict[str, ParameterSpec]:
    """Return the parameters of a Rate module of that shape, in order of registration."""
    n_in, n_out = shape[0], shape[-1]
    per_neuron: tuple[Shape, ...] = ((n_out,), ())
    specs = (
        ParameterSpec("w_rec", "weights", ((n_out, n_in),), None),
        ParameterSpec("tau", "taus", per_neuron, 20e-3, "s"),
        ParameterSpec("bias", "bias", per_neuron, 0.0),
        ParameterSpec("threshold", "thresholds", per_neuron, 0.0),
    )
    return {spec.name: spec for spec in specs}


def state_shapes(shape: Shape) -> dict[str, Shape]:
    """Return the shape of the state (zero at rest)."""
    return {"x": (shape[-1],)}


def check_arguments(
    owner: str,
    shape: Shape,
    *,
    tau: Any = None,
    bias: Any = None,
    threshold: Any = None,
    w_rec: Any = None,
    has_rec: bool = False,
    noise_std: Any = 0.0,
    dt: Any = 1e-3,
) -> None:
    """Check the arguments of a Rate module of that (settled) shape.

    Raises
    ------
    ValueError
        A value out of range or a wrong shape, or `w_rec` without `has_rec`.
    TypeError
        A value that is not numbers.
    """
    if w_rec is not None and not has_rec:
        raise ValueError(f"{owner}: w_rec was given, but has_rec is False; set has_rec=True")
    given = {"w_rec": w_rec, "tau": tau, "bias": bias, "threshold": threshold}
    for name, spec in parameter_specs(shape).items():
        checks.fits(owner, spec, given[name])
    checks.positive(owner, "tau", tau, "s", finite=False)
    checks.finite(owner, "bias", bias)
    checks.finite(owner, "threshold", threshold)
    checks.finite(owner, "w_rec", w_rec)
    checks.scalar(owner, "noise_std", noise_std)
    checks.non_negative(owner, "noise_std", noise_std)
    checks.positive_time_step(owner, dt)
