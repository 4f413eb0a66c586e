"""Energy as operations times the figures of a source: `EnergyFigures`. Nothing is measured."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rockpool.profiling.counting import LayerProfile

__all__ = ["EnergyFigures", "figures"]

KEYS = ("ac", "mac", "source")


@dataclass(frozen=True)
class EnergyFigures:
    """What a source says that an operation takes.

    Attributes
    ----------
    ac, mac : float
        Joules of an accumulation, and of a multiply-accumulation.
    source : str
        Who says so.
    """

    ac: float
    mac: float
    source: str

    def of(self, layer: LayerProfile) -> float:
        """Return the joules of the effective operations of a layer."""
        return layer.effective_acs * self.ac + layer.effective_macs * self.mac

    def __str__(self) -> str:
        return f"{self.ac:g} J an AC and {self.mac:g} J a MAC, {self.source}"


def figures(energy: Mapping[str, Any] | None) -> EnergyFigures | None:
    """Return the argument `energy` of `profile`, checked."""
    if energy is None:
        return None
    if not isinstance(energy, Mapping) or sorted(energy) != sorted(KEYS):
        raise ValueError(
            f"profile: energy must have {', '.join(KEYS)}: joules of an operation, and where these "
            f"figures are from; got {energy!r}"
        )
    joules = {}
    for name in ("ac", "mac"):
        value = energy[name]
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise ValueError(f"profile: {name} of energy must be a number, got {value!r}")
        if not (math.isfinite(value) and value > 0):
            raise ValueError(f"profile: {name} of energy must be > 0 J, got {value!r}")
        joules[name] = float(value)
    source = energy["source"]
    if not isinstance(source, str) or not source.strip():
        raise ValueError(f"profile: source of energy must name a source, got {source!r}")
    return EnergyFigures(**joules, source=source)
