"""The dense linear layer (Linear): ``output = input @ weight + bias``, without time or state."""

from __future__ import annotations

from typing import Any

from rockpool.nn.models import checks
from rockpool.nn.models.spec import ParameterSpec, Shape


def module_shape(owner: str, shape: Any) -> tuple[int, int]:
    """Return the shape argument ``(Nin, Nout)``.

    Raises
    ------
    ValueError
        Not exactly two entries, or an entry < 1.
    TypeError
        Not ints.
    """
    entries = checks.shape_entries(owner, shape)
    if len(entries) != 2:
        raise ValueError(f"{owner}: shape must be (Nin, Nout), got {shape!r}")
    return entries[0], entries[1]


def parameter_specs(shape: tuple[int, int]) -> dict[str, ParameterSpec]:
    """Return the parameters of a Linear module of that shape; both are drawn by default."""
    n_out = shape[1]
    return {
        "weight": ParameterSpec("weight", "weights", (shape,), None),
        "bias": ParameterSpec("bias", "biases", ((n_out,), ()), None),
    }


def state_shapes(shape: tuple[int, int]) -> dict[str, Shape]:
    """Return no states: a linear layer has none."""
    return {}


def check_arguments(
    owner: str, shape: tuple[int, int], *, weight: Any = None, bias: Any = None
) -> None:
    """Check the arguments of a Linear module of that (settled) shape.

    Raises
    ------
    ValueError
        A wrong shape, NaN or infinity.
    TypeError
        A value that is not numbers.
    """
    specs = parameter_specs(shape)
    checks.fits(owner, specs["weight"], weight)
    checks.fits(owner, specs["bias"], bias)
    checks.finite(owner, "weight", weight)
    checks.finite(owner, "bias", bias)
