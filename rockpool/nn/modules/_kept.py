"""What is made of arrays, kept until their values change: `Kept`."""

from collections.abc import Callable
from typing import Any, ClassVar, NamedTuple, TypeVar

import numpy as np

T = TypeVar("T")


class _Seen(NamedTuple):
    """An array as it was: it itself, where its values lie, its shape, and what the values were."""

    array: Any
    place: int
    shape: tuple[int, ...]
    view: np.ndarray
    values: bytes


class Kept:
    """Something that is made of the values of a few small arrays, and made again once these change.

    The values themselves are compared, on each call, as arrays can be edited in place. A copy of a
    module, or one that was pickled, makes it anew. A subclass is for arrays of another back-end.
    """

    _place: ClassVar[Any] = staticmethod(id)

    def __init__(self) -> None:
        # arrays, settings, and what was made of them; as one, for calls from several threads
        self._last: tuple[tuple[_Seen, ...], tuple[Any, ...], Any] = (), (), None

    def get(self, make: Callable[[], T], arrays: tuple[Any, ...], *settings: Any) -> T | None:
        """Return what `make` gave for these values, or gives now. Settings are compared as well.

        None for arrays that cannot be looked at; nothing is made then.
        """
        seen, seen_settings, made = self._last
        if len(seen) == len(arrays) and seen_settings == settings:
            for array, (before, place, shape, view, values) in zip(arrays, seen, strict=True):
                if array is not before or self._place(array) != place:
                    break
                if array.shape != shape or view.tobytes() != values:
                    break
            else:
                return made  # type: ignore[no-any-return]
        return self._make(make, arrays, settings)

    def _make(
        self, make: Callable[[], T], arrays: tuple[Any, ...], settings: tuple[Any, ...]
    ) -> T | None:
        self._last = (), (), None
        views = [self._view(array, arrays) for array in arrays]
        seen = tuple(
            _Seen(array, self._place(array), array.shape, view, view.tobytes())
            for array, view in zip(arrays, views, strict=True)
            if view is not None
        )
        if len(seen) < len(arrays):
            return None
        made = make()
        self._last = seen, settings, made
        return made

    @staticmethod
    def _view(array: Any, arrays: tuple[Any, ...]) -> np.ndarray | None:
        """Return one of the arrays as one of numpy, in the same memory, if that can be."""
        return array if isinstance(array, np.ndarray) else None

    def __reduce__(self) -> Any:
        return type(self), ()
