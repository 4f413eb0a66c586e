"""Values that an optimizer brought out of range: what a module evolves with instead of them.

A step of an optimizer can take a time constant below zero, where it means nothing. Modules that are
trained, those of torch and jax, evolve with ``max(tau, dt)`` and ``max(threshold, 1e-3)`` then, and
give gradients as if nothing had been limited, which lead back into the range. Leaks that are stated
as decays stay between 0 and 1, those stated as bit-shifts at 0 or more. What a *user* sets out of
range is an error, and what a user sets between zero and these limits is a limit of its own: so a
network that was made with such values is the same on every back-end.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from rockpool.nn.description import Value
from rockpool.nn.models import checks
from rockpool.nn.models.model import Check
from rockpool.nn.modules._telling import warn_user

__all__ = [
    "LEAST_THRESHOLD",
    "described",
    "known_step",
    "least_of",
    "limited",
    "lower_bounds",
    "most_of",
    "note_given",
    "unit_of",
    "warn_once",
]

LEAST_THRESHOLD = 1e-3
_POSITIVE = (checks.time_constant, checks.positive)
_OTHER_LEAKS = ("decays", "bitshifts")  # as which they may be stated, in place of time constants


def limited(module: Any) -> dict[str, Check]:
    """Return the checks of those parameters of a module that must be > 0, by name."""
    found = {name: spec.check for name, spec in _stored(module).items()} or module._checks
    return {name: check for name, check in found.items() if check in _POSITIVE}


def _stored(module: Any) -> Mapping[str, Any]:
    """Return what the table of the model of a module says, by the names of attributes."""
    model = getattr(module, "_model", None)
    return {} if model is None else model.stored  # type: ignore[no-any-return]


def unit_of(module: Any, name: str) -> str:
    """Return the unit of a parameter, or ""."""
    spec = _stored(module).get(name)
    return "" if spec is None else spec.unit


def known_step(module: Any) -> float | None:
    """Return the time step of a module; None where it is not known yet, or there is none."""
    dt = checks.known_values("", "dt", module.dt) if hasattr(module, "dt") else None
    return None if dt is None else float(dt)


def least_of(module: Any, name: str, dt: Any) -> Any:
    """Return the least value that a module evolves with of a parameter; None: it has no limit."""
    spec = _stored(module).get(name)
    check = module._checks.get(name) if spec is None else spec.check
    if check not in _POSITIVE:
        return 0.0 if spec is not None and spec.family in _OTHER_LEAKS else None
    given = module.__dict__.get("_least_given", {}).get(name)
    if given is not None:
        return given
    return dt if check is checks.time_constant else LEAST_THRESHOLD


def most_of(module: Any, name: str) -> float | None:
    """Return the largest value that a module evolves with of a parameter; None: it has no limit."""
    spec = _stored(module).get(name)
    return 1.0 if spec is not None and spec.family == "decays" else None


def note_given(module: Any, values: Mapping[str, Any]) -> None:
    """Note values, that a user has given a module, which are below the limits: new limits.

    Without such values nothing is noted. A time step that is given counts for all time constants.
    """
    checked = limited(module)
    names = [name for name in checked if name in values or "dt" in values]
    if not names:
        return
    dt = known_step(module)
    before = module.__dict__.get("_least_given", {})
    noted = dict(before)
    for name in names:
        value = module._load_attribute(name) if hasattr(module, name) else None
        known = None if value is None else checks.known_values("", name, value)
        if known is None or known.size == 0:
            continue
        least = known[known > 0].min(initial=np.inf)
        limit = dt if checked[name] is checks.time_constant else LEAST_THRESHOLD
        noted.pop(name, None)
        if limit is not None and least < limit * (1 - 1e-6):
            noted[name] = float(least)
    if noted != before:
        module.__dict__["_least_given"] = noted


def lower_bounds(net: Any) -> dict[str, Any]:
    """Return the least value of each parameter, nested as ``net.parameters()``.

    It is the time step for time constants, 1e-3 for thresholds, what the user gave where that was
    less, and ``-inf`` for all others.
    """
    dt = known_step(net)
    bounds: dict[str, Any] = {}
    for name, _ in net._attributes_of("Parameter"):
        least = least_of(net, name, dt)
        bounds[name] = -float("inf") if least is None else float(least)
    for name, child in net._registered_modules.items():
        bounds[name] = lower_bounds(child)
    return bounds


def described(module: Any, said: Value | None, name: str) -> Value | None:
    """Return a value of a description as the module evolves with it."""
    least = None if said is None else least_of(module, name, known_step(module))
    if said is None or least is None or not np.any(said.array < least * (1 - 1e-6)):
        return said
    return replace(said, array=np.maximum(said.array, said.array.dtype.type(least)))


def warn_once(label: str, told: Any, found: Iterable[tuple[str, str, float, float]]) -> None:
    """Warn of parameters out of range, the first time that a module has some.

    Parameters
    ----------
    label : str
        The module, as messages call it.
    told : object
        Of the module; its ``done`` says whether it has been told.
    found : iterable
        Name and unit of each parameter, the value that is furthest out, and what it is taken as.
    """
    if told.done:
        return
    said = [
        f"{name} came to {value:g}{unit and ' '}{unit} in training, and is taken as "
        f"{limit:g}{unit and ' '}{unit}"
        for name, unit, value, limit in found
    ]
    if not said:
        return
    told.done = True
    warn_user(
        f"{label}: {'; '.join(said)}. To keep it in range: "
        f"rockpool.training.bound(net, optimizer), a smaller learning rate as by "
        f"rockpool.training.parameter_groups(net), or rockpool.parameters.Constant around the "
        f"value, which is not trained then. This is said once for each module."
    )
