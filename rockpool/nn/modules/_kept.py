"""What is made of arrays, kept until their values change: `Kept`."""

from collections.abc import Callable
from operator import attrgetter, is_
from typing import Any, ClassVar, NamedTuple, TypeVar

import numpy as np

T = TypeVar("T")

_shape, _values = attrgetter("shape"), np.ndarray.tobytes


class _Seen(NamedTuple):
    """Arrays as they were: they themselves, where their values lie, shapes, and the values."""

    arrays: tuple[Any, ...] = ()
    places: tuple[int, ...] = ()
    shapes: tuple[Any, ...] = ()
    views: tuple[np.ndarray, ...] = ()
    values: tuple[bytes, ...] = ()


class Kept:
    """Something that is made of the values of a few small arrays, and made again once these change.

    The values themselves are compared, on each call, as arrays can be edited in place. A copy of a
    module, or one that was pickled, makes it anew. A subclass is for arrays of another back-end.
    """

    # where the values of an array lie, if they can be moved under it; those of numpy stay
    _place: ClassVar[Any] = None

    def __init__(self) -> None:
        # arrays, settings, and what was made of them; as one, for calls from several threads
        self._last: tuple[_Seen, tuple[Any, ...], Any] = _Seen(), (), None

    def get(self, make: Callable[[], T], arrays: tuple[Any, ...], *settings: Any) -> T | None:
        """Return what `make` gave for these values, or gives now. Settings are compared as well.

        None for arrays that cannot be looked at; nothing is made then.
        """
        seen, seen_settings, made = self._last
        place = self._place
        if (
            seen_settings == settings
            and len(arrays) == len(seen.arrays)
            and all(map(is_, arrays, seen.arrays))
            and tuple(map(_shape, arrays)) == seen.shapes
            and (place is None or tuple(map(place, arrays)) == seen.places)
            and tuple(map(_values, seen.views)) == seen.values
        ):
            return made  # type: ignore[no-any-return]
        return self._make(make, arrays, settings)

    def _make(
        self, make: Callable[[], T], arrays: tuple[Any, ...], settings: tuple[Any, ...]
    ) -> T | None:
        self._last = _Seen(), (), None
        views = [self._view(array) for array in arrays]
        plain = tuple(view for view in views if view is not None)
        if len(plain) < len(arrays):
            return None
        place = self._place
        places = () if place is None else tuple(map(place, arrays))
        shapes = tuple(map(_shape, arrays))
        seen = _Seen(arrays, places, shapes, plain, tuple(map(_values, plain)))
        made = make()
        self._last = seen, settings, made
        return made

    @staticmethod
    def _view(array: Any) -> np.ndarray | None:
        """Return an array as one of numpy, in the same memory, if that can be."""
        return array if isinstance(array, np.ndarray) else None

    def __reduce__(self) -> Any:
        return type(self), ()
