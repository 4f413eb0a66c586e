"""The values that a torch module evolves with: those of its parameters, in their range."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from rockpool.nn.models import checks
from rockpool.nn.modules._limits import least_of, warn_once
from rockpool.nn.modules.torch._base.checks import REMEDY, all_fine
from rockpool.nn.modules.torch._base.transforms import values_unknown

__all__ = ["at_least", "sound_values"]


def at_least(value: Tensor, least: float) -> Tensor:
    """Return ``max(value, least)``, whose derivative is 1 everywhere.

    A value that rounding brought below the limit stays what it is.
    """
    kept = value.detach()
    # the difference is zero, and carries the gradient
    return torch.where(kept < least * (1 - 1e-6), least + (value - kept), value)


def sound_values(module: Any, *names: str) -> dict[str, Tensor]:
    """Return the parameters of a module by name, in their range.

    Time constants and thresholds that training brought out of it are limited (`_limits`), which is
    said by a warning once. Where values cannot be looked at, as within a compiler or a transform,
    the limit is a part of the graph.

    Raises
    ------
    ValueError
        A parameter has NaNs or is infinite.
    """
    values: dict[str, Tensor] = {name: getattr(module, name) for name in names}
    dt = getattr(module, "dt", None)
    least = {name: least_of(module, name, dt) for name in names}
    if torch.jit.is_tracing() or any(map(values_unknown, values.values())):
        return {name: _limited(value, least[name]) for name, value in values.items()}
    above = [None if least[name] is None else least[name] * (1 - 1e-6) for name in names]
    if all_fine([value.detach() for value in values.values()], above):
        return values
    bad = {name for name, value in values.items() if _is_below(value, least[name])}
    _refuse_no_numbers(module, values, bad)
    stored = module._model.stored
    warn_once(
        module._label,
        module._told,
        (
            (name, stored[name].unit, values[name].min().item(), least[name])
            for name in names
            if name in bad
        ),
    )
    return {
        name: _limited(value, least[name] if name in bad else None)
        for name, value in values.items()
    }


def _limited(value: Tensor, least: float | None) -> Tensor:
    return value if least is None else at_least(value, least)


def _is_below(value: Tensor, least: float | None) -> bool:
    """Whether a parameter is out of range, or has NaNs, though it must be > 0."""
    return least is not None and not bool((value.detach() >= least * (1 - 1e-6)).all())


def _refuse_no_numbers(module: Any, values: dict[str, Tensor], positive: set[str]) -> None:
    try:
        for name, value in values.items():
            numbers = value.detach().clone()  # messages make an array of it
            if name not in positive:
                if module._model.stored[name].check is not checks.time_constant:
                    checks.finite(module._label, name, numbers)
            elif bool((numbers.isnan() | numbers.isneginf()).any()):
                unusable = numbers[numbers.isnan() | numbers.isneginf()]
                checks.positive(module._label, name, unusable, module._model.stored[name].unit)
    except ValueError as error:
        error.add_note(REMEDY)
        raise
