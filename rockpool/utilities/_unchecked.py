"""For compiled functions, in whose place tools that check types at run time would put others."""

from __future__ import annotations

from typing import Any


def unchecked(function: Any) -> Any:
    """Return an object that stands for a function, so that beartype leaves it as it is.

    A decorator below `typing.no_type_check`, which the other tools heed. beartype puts an object's
    ``__call__`` in the object's place.
    """
    function.__call__ = function
    return function
