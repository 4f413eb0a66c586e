"""Settings that are on or off, in code or by an environment variable: `Switch`."""

from __future__ import annotations

import os
from types import TracebackType
from typing import ClassVar

OFF = frozenset({"0", "off", "no", "false"})


class Switch:
    """Choose a setting, for good or for a ``with`` block; a subclass is one setting.

    Without a choice it is as by default, unless its environment variable has one of some values.
    """

    _variable: ClassVar[str]
    _default: ClassVar[bool] = True
    _otherwise: ClassVar[frozenset[str]] = OFF  # values of the variable that say so
    _chosen: ClassVar[bool | None] = None

    def __init__(self, wanted: bool | None) -> None:
        kind = type(self)
        if wanted is not None and not isinstance(wanted, bool):
            raise TypeError(f"{kind.__name__}: wanted must be True, False or None, got {wanted!r}")
        self._before, kind._chosen = kind._chosen, wanted

    def __enter__(self) -> None:
        """Keep the choice for the block."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Return to the choice before."""
        type(self)._chosen = self._before

    @classmethod
    def _wanted(cls) -> bool:
        """Whether it is on now."""
        if cls._chosen is not None:
            return cls._chosen
        return (cls._said() in cls._otherwise) is not cls._default

    @classmethod
    def _said(cls) -> str:
        """Return what the environment variable says, in small letters."""
        return os.environ.get(cls._variable, "").strip().lower()
