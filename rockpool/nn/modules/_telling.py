"""Warnings that point at the line of the user, and what a module has been told already."""

from __future__ import annotations

import sys
import warnings
from typing import Any

__all__ = ["Told", "warn_user"]


class Told:
    """Whether a module has been told something. It makes no difference between two modules."""

    __slots__ = ("done",)

    def __init__(self) -> None:
        self.done = False

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Told)

    def __hash__(self) -> int:
        return 0

    def __deepcopy__(self, memo: Any) -> Told:
        return Told()

    def __reduce__(self) -> Any:
        return Told, ()


def warn_user(message: str) -> None:
    """Warn, for the first line on the way here that is not of this package or of a back-end."""
    level, frame = 1, sys._getframe(1)
    while frame.f_back is not None and _is_inside(frame.f_globals.get("__name__", "")):
        level, frame = level + 1, frame.f_back
    warnings.warn(message, UserWarning, stacklevel=level + 1)


def _is_inside(name: str) -> bool:
    return name.partition(".")[0] in ("rockpool", "torch", "jax")
