"""The values that a torch module evolves with: those of its parameters, in their range."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from rockpool.nn.models import checks
from rockpool.nn.modules._limits import (
    LEAST_THRESHOLD,
    least_of,
    limited,
    most_of,
    unit_of,
    warn_once,
)
from rockpool.nn.modules.torch._base.checks import REMEDY, all_fine
from rockpool.nn.modules.torch._base.transforms import values_unknown

__all__ = ["above_reset", "sound_values", "within_limits"]


def at_least(value: Tensor, least: float | int) -> Tensor:
    """Return ``max(value, least)``, whose derivative is 1 everywhere.

    A value that rounding brought below the limit stays what it is.
    """
    kept = value.detach()
    # the difference is zero, and carries the gradient
    return torch.where(kept < least * (1 - 1e-6), least + (value - kept), value)


def within_limits(value: Tensor, least: float | int | None, most: float | int | None) -> Tensor:
    """Return a value between two limits, each of which may be absent; as `at_least`."""
    if least is not None:
        value = at_least(value, least)
    if most is not None:
        kept = value.detach()
        value = torch.where(kept > most, most + (value - kept), value)
    return value


def above_reset(module: Any, threshold: Tensor, v_reset: Tensor) -> Tensor:
    """Return thresholds above the potential that a reset leads to, where training left them below.

    The derivative by them is 1 everywhere; it is said by a warning once.
    """
    kept, lowest = threshold.detach(), v_reset.detach()
    below = kept <= lowest
    if not values_unknown(below):
        if not bool(below.any()):
            return threshold
        worst = int((kept - lowest).argmin())
        limit = (lowest + LEAST_THRESHOLD).expand_as(kept)
        found = "threshold", "", kept.view(-1)[worst].item(), limit.reshape(-1)[worst].item()
        warn_once(module._label, module._told, [found])
    return torch.where(below, lowest + LEAST_THRESHOLD + (threshold - kept), threshold)


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
    most = {name: most_of(module, name) for name in names}
    if torch.jit.is_tracing() or any(map(values_unknown, values.values())):
        return {name: within_limits(v, least[name], most[name]) for name, v in values.items()}
    above = [None if least[name] is None else least[name] * (1 - 1e-6) for name in names]
    high = {name for name, value in values.items() if _is_above(value, most[name])}
    if not high and all_fine([value.detach() for value in values.values()], above):
        return values
    bad = {name for name, value in values.items() if _is_below(value, least[name])}
    _refuse_no_numbers(module, values, bad)
    low = [(name, values[name].min().item(), least[name]) for name in names if name in bad]
    out = low + [(name, values[name].max().item(), most[name]) for name in names if name in high]
    found = ((name, unit_of(module, name), value, limit) for name, value, limit in out)
    warn_once(module._label, module._told, found)
    return {
        name: within_limits(
            value, least[name] if name in bad else None, most[name] if name in high else None
        )
        for name, value in values.items()
    }


def _is_above(value: Tensor, most: float | int | None) -> bool:
    return most is not None and bool((value.detach() > most).any())


def _is_below(value: Tensor, least: float | int | None) -> bool:
    """Whether a parameter is out of range, or has NaNs, though it must be > 0."""
    return least is not None and not bool((value.detach() >= least * (1 - 1e-6)).all())


def _refuse_no_numbers(module: Any, values: dict[str, Tensor], positive: set[str]) -> None:
    try:
        for name, value in values.items():
            numbers = value.detach().clone()  # messages make an array of it
            if name not in positive:
                if limited(module).get(name) is not checks.time_constant:
                    checks.finite(module._label, name, numbers)
            elif bool((numbers.isnan() | numbers.isneginf()).any()):
                unusable = numbers[numbers.isnan() | numbers.isneginf()]
                checks.positive(module._label, name, unusable, unit_of(module, name))
    except ValueError as error:
        error.add_note(REMEDY)
        raise
