"""Settings that are on or off, in code or by an environment variable: `Switch`."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType, TracebackType
from typing import ClassVar

from rockpool.utilities._environment import meaning_of, said_in

__all__ = ["ON_OR_OFF", "Switch"]

ON_OR_OFF: Mapping[str, bool] = MappingProxyType(
    {"1": True, "on": True, "yes": True, "true": True}
    | {"0": False, "off": False, "no": False, "false": False}
)


class Switch:
    """Choose a setting, for good or for a ``with`` block; a subclass is one setting.

    Without a choice it is as its environment variable says, or as by default where that is not set.
    """

    _variable: ClassVar[str]
    _default: ClassVar[bool] = True
    _words: ClassVar[Mapping[str, bool]] = ON_OR_OFF  # that the variable may be, and what they mean
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
        """Whether it is on now; a `ValueError` if the variable is none of its words."""
        if cls._chosen is not None:
            return cls._chosen
        return cls._meant(cls._said())

    @classmethod
    def _said(cls) -> str:
        """Return what the environment variable says, in small letters."""
        return said_in(cls._variable)

    @classmethod
    def _meant(cls, said: str) -> bool:
        """Return what a word of the environment variable means."""
        return meaning_of(cls._variable, said, cls._words, cls._default)
