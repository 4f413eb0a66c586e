"""What is made of arrays, kept until their values change: `Kept`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

T = TypeVar("T")


class Kept:
    """Something that is made of the values of a few small arrays, and made again once these change.

    The values themselves are compared, on each call, as arrays can be edited in place. A copy of a
    module, or one that was pickled, makes it anew.
    """

    def __init__(self) -> None:
        self._seen: tuple[Any, Any] = (None, None)

    def get(self, make: Callable[[], T], arrays: tuple[Any, ...], *settings: Any) -> T:
        """Return what `make` gave for these values, or gives now. Settings are compared as well."""
        key = settings, list(map(_seen, arrays))
        seen, made = self._seen
        if seen != key:
            made = make()
            self._seen = key, made
        return made  # type: ignore[no-any-return]

    def __reduce__(self) -> Any:
        return Kept, ()


def _seen(array: Any) -> tuple[Any, ...]:
    values = array if isinstance(array, np.ndarray) else np.asarray(array)
    return values.shape, values.dtype, values.tobytes()
