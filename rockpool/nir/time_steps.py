"""The time step of a graph: what was asked for, what its metadata say, or what its numbers tell.

Gains are the place to look: a package whose neurons add their input as it is writes
``r = tau / dt`` and ``w_in = tau_syn / dt`` (an IF ``r = 1 / dt``), spyx ``r = 1 - dt / tau`` and
rockpool 3.1 ``r = tau / dt exp(-dt / tau)``.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from rockpool.nir.dialects import DIALECTS
from rockpool.nir.graph import NEURONS, Graph, GraphNode

__all__ = ["TimeStep", "exponential_step", "time_step"]

_SAME = 2e-5  # relative difference that single precision explains
_CLOSE = 1e-4  # the same of a quotient of small numbers
_FEWEST_STEPS = 4  # of a time constant, where gains may be there for another reason


@dataclass(frozen=True)
class TimeStep:
    """A time step, how it was found, and a warning if it was not: "" if it was."""

    dt: float
    found: str
    warning: str = ""


def time_step(graph: Graph, dialect: str, asked: float | int | None) -> TimeStep:
    """Return the time step of a graph, in the unit of its time constants' steps.

    Parameters
    ----------
    graph : Graph
        What a file holds.
    dialect : str
        How it is read.
    asked : float or None
        What the user says.
    """
    told = _told(graph, dialect)
    if asked is not None:
        if told is not None and abs(told.dt - asked) > 1e-3 * asked:
            text = f"dt = {asked:g} was asked for; by {told.found} it is {told.dt:g}"
            return TimeStep(asked, "the argument", text)
        return TimeStep(asked, "the argument")
    if told is not None:
        return told
    default = DIALECTS[dialect].dt
    if dialect == "sinabs":
        return TimeStep(default, "time constants of sinabs are in steps")
    text = f"dt (taken: {default:g})" if _matters(graph, dialect) else ""
    return TimeStep(default, f"the default for {dialect}", text)


def _matters(graph: Graph, dialect: str) -> bool:
    """Return whether the result depends on the time step."""
    nodes = graph.of_kind(*NEURONS, "I", "Delay").values()
    if dialect in ("spyx", "norse"):
        return any(node.kind != "IF" for node in nodes)
    return bool(nodes)


def _told(graph: Graph, dialect: str) -> TimeStep | None:
    """Return what the graph itself says."""
    noted = _noted(graph)
    if noted is not None:
        return TimeStep(noted, "the metadata")
    neurons = list(graph.of_kind(*NEURONS).values())
    if dialect == "spyx":
        return _agreed([_spyx(node) for node in neurons], "tau (1 - r)")
    if dialect == "rockpool":
        step = exponential_step(neurons)
        return None if step is None else TimeStep(_rounded(step), "r dt / tau = exp(-dt / tau)")
    if dialect in ("norse", "sinabs"):
        return None
    found = _agreed([_quotients(node) for node in neurons], "tau / r, tau_syn / w_in and 1 / r")
    if found is None or dialect != "nir" or _is_no_chance(neurons, found.dt):
        return found
    return None


def _noted(graph: Graph) -> float | None:
    """Return dt of the metadata."""
    for metadata in (graph.metadata, *(n.metadata for n in graph.of_kind(*NEURONS).values())):
        value = _as_float(metadata.get("dt"))
        if value is not None and 0 < value < np.inf:
            return value
    return None


def _as_float(value: Any) -> float | None:
    try:
        array = np.asarray(value, np.float64)
    except (TypeError, ValueError):
        return None
    return float(array.ravel()[0]) if array.size == 1 else None


def _agreed(found: list[np.ndarray], by: str) -> TimeStep | None:
    """Return the one step that all neurons tell, or None."""
    values = np.concatenate([np.ravel(f) for f in found]) if found else np.empty(0)
    if not values.size or not np.isfinite(values).all() or values.min() <= 0:
        return None
    middle = float(np.median(values))
    if values.max() - values.min() > 4 * _SAME * middle:
        return None
    return TimeStep(_rounded(middle), by)


def _rounded(value: float | int) -> float:
    """Return a number of few digits if it is that but for rounding."""
    short = float(f"{value:.3g}")
    return short if abs(short - value) <= _SAME * value else value


def _floats(node: GraphNode) -> dict[str, np.ndarray]:
    return {k: np.asarray(v, np.float64) for k, v in node.fields.items()}


def _quotients(node: GraphNode) -> np.ndarray:
    """Return the steps at which a neuron adds its input as it is; none where r is 1."""
    f = _floats(node)
    found = []
    with np.errstate(divide="ignore", invalid="ignore"):
        for gain, tau in (("r", f.get("tau", f.get("tau_mem"))), ("w_in", f.get("tau_syn"))):
            values = f.get(gain)
            if values is None or (tau is None and node.kind != "IF") or (values == 1).all():
                continue
            told = np.ravel((1.0 if tau is None else tau) / values)
            found.append(told[~np.isnan(told)])  # where nothing decays, both are infinite
    return np.concatenate(found) if found else np.empty(0)


def _spyx(node: GraphNode) -> np.ndarray:
    f = _floats(node)
    tau = f.get("tau", f.get("tau_mem"))
    if tau is None or (f["r"] == 1).all():
        return np.empty(0)
    return np.ravel(tau * (1 - f["r"]))


def exponential_step(neurons: Iterable[GraphNode]) -> float | None:
    """Return dt of ``r dt / tau = exp(-dt / tau)``, by Newton's method; None if neurons differ."""
    found = []
    for node in neurons:
        f = _floats(node)
        tau = f.get("tau", f.get("tau_mem"))
        r = f["r"]
        if tau is None or not ((r > 0) & np.isfinite(r)).all() or (r == 1).all():
            return None
        u = np.log1p(1 / f["r"])
        for _ in range(50):
            u = u - (u - np.exp(-u) / f["r"]) / (1 + np.exp(-u) / f["r"])
        found.append(np.ravel(tau * u))
    values = np.concatenate(found) if found else np.empty(0)
    if not values.size or not np.isfinite(values).all() or np.ptp(values) > _CLOSE * values.max():
        return None
    return float(np.median(values))


def _is_no_chance(neurons: list[GraphNode], dt: float | int) -> bool:
    """Return whether a step told by gains is meant: they agree where they could differ, or round.

    In NIR's own reading a gain may be anything, proportional to the time constants too. So a step
    that is long beside one of them is not meant, but for that of snntorch and spikingjelly.
    """
    counts = [_quotients(node) for node in neurons]
    told = np.concatenate(counts)
    gains = np.concatenate([np.ravel(node.fields["r"]) for node in neurons])
    several = np.unique(gains).size > 1 or any(n.kind.startswith("Cuba") for n in neurons)
    digits = f"{dt:.4e}"
    is_round = digits[0] in "125" and digits[1:6] == ".0000"
    taus = [np.ravel(v) for n in neurons for k, v in n.fields.items() if k.startswith("tau")]
    is_short = dt <= min((t.min() for t in taus), default=np.inf) / _FEWEST_STEPS * (1 + _SAME)
    is_usual = dt == DIALECTS["snntorch"].dt
    return bool(told.size) and dt < 0.02 and (several or is_round) and (is_short or is_usual)
