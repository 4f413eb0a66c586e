"""Arrays to hand out from properties, so that ``module.tau[0] = 0.1`` does what it says.

A property that computes an array, or keeps its values elsewhere, would silently lose an item
assignment. :class:`SetterArray` writes the array back to its owner, :class:`RefArray` changes
the object that it stands for, and :class:`ImmutableArray` refuses. Results of arithmetic and
``.copy()`` are ordinary arrays; basic slices write through as the whole array does.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np

from rockpool.parameters import is_tensor, shape_of, to_numpy

__all__ = ["ImmutableArray", "RefArray", "RefProperty", "SetterArray"]

Setter: TypeAlias = Callable[[np.ndarray, Any, str], None]


class _WatchedArray(np.ndarray):
    """An array that is told when items are assigned, in it or in a slice of it."""

    _root: _WatchedArray | None

    def __array_finalize__(self, obj: Any) -> None:
        self._root = None

    def _after_write(self) -> None:
        """React to changed items; called on the whole array."""

    def _written(self) -> None:
        if self._root is not None:
            self._root._after_write()

    def __getitem__(self, key: Any) -> Any:
        item = super().__getitem__(key)
        if isinstance(item, _WatchedArray):
            if not np.may_share_memory(item, self):
                return np.asarray(item)
            item._root = self._root
        return item

    def __setitem__(self, key: Any, value: Any) -> None:
        super().__setitem__(key, value)
        self._written()

    def __array_ufunc__(
        self, ufunc: np.ufunc, method: Any, *inputs: Any, out: Any = None, **kwargs: Any
    ) -> Any:
        if out is not None:
            kwargs["out"] = tuple(_plain(target) for target in out)
        result = getattr(ufunc, method)(*(_plain(value) for value in inputs), **kwargs)
        if out is None:
            return result
        for target in out:
            if isinstance(target, _WatchedArray):
                target._written()
        return out[0] if len(out) == 1 else out

    def copy(self, order: Any = "C") -> np.ndarray:  # type: ignore[override]
        """Return an ordinary array with the same items."""
        return np.array(self, order=order)


def _plain(value: Any) -> Any:
    return np.asarray(value) if isinstance(value, _WatchedArray) else value


class SetterArray(_WatchedArray):
    """An array that is written back to an attribute when items are assigned.

    Parameters
    ----------
    arraylike : array_like
        The items; they are copied.
    owner : object
        The object whose attribute is set.
    name : str
        The name of that attribute.
    dtype : type, optional
        Type of the items. Default: float.
    custom_setter : callable, optional
        ``custom_setter(array, owner, name)``, called in place of setting the attribute.
    """

    _owner: Any
    _name: str
    _custom_setter: Setter | None

    def __new__(
        cls,
        arraylike: Any,
        owner: Any,
        name: str,
        dtype: Any = float,
        custom_setter: Setter | None = None,
    ) -> SetterArray:
        array = np.array(arraylike, dtype=dtype).view(cls)
        array._root = array
        array._owner = owner
        array._name = name
        array._custom_setter = custom_setter
        return array

    def _after_write(self) -> None:
        if self._custom_setter is None:
            setattr(self._owner, self._name, self.copy())
        else:
            self._custom_setter(self.copy(), self._owner, self._name)


class ImmutableArray(_WatchedArray):
    """An array that refuses the assignment of items.

    Parameters
    ----------
    arraylike : array_like
        The items; they are copied.
    name : str, optional
        The name that the error message starts with. Default: the name of the class.
    custom_error : str, optional
        A message to use instead.
    """

    _message: str

    def __new__(
        cls, arraylike: Any, name: str | None = None, custom_error: Any = None
    ) -> ImmutableArray:
        array = np.array(arraylike).view(cls)
        if custom_error is None:
            label = cls.__name__ if name is None else name
            array._message = f"{label}: items of this attribute cannot be assigned"
        else:
            array._message = str(custom_error)
        array._root = array
        return array

    def __setitem__(self, key: Any, value: Any) -> None:
        if self._root is None:
            super().__setitem__(key, value)
            return
        root: Any = self._root
        raise AttributeError(root._message)

    def __array_ufunc__(
        self, ufunc: np.ufunc, method: Any, *inputs: Any, out: Any = None, **kwargs: Any
    ) -> Any:
        if out is not None and any(isinstance(target, ImmutableArray) for target in out):
            # `obj.attribute += 1` reads, adds and sets: the sum must be a new array
            out = None
        return super().__array_ufunc__(ufunc, method, *inputs, out=out, **kwargs)


class RefArray(_WatchedArray):
    """An array that also changes another object when items are assigned.

    Parameters
    ----------
    arraylike : array_like
        The items; they are copied.
    reference : array, tensor or list, optional
        The object to change along. Default: ``arraylike`` itself.

    Raises
    ------
    TypeError
        If the reference has another shape.
    """

    _reference: Any

    def __new__(cls, arraylike: Any, reference: Any = None) -> RefArray:
        reference = arraylike if reference is None else reference
        array = np.array(to_numpy(arraylike)).view(cls)
        if shape_of(reference) != array.shape:
            raise TypeError(
                f"RefArray: array and reference must have the same shape, "
                f"got {array.shape} and {shape_of(reference)}"
            )
        array._root = array
        array._reference = reference
        return array

    def _after_write(self) -> None:
        _copy_into(self._reference, self.copy())


def _copy_into(target: Any, items: np.ndarray) -> None:
    """Assign all items to an array, tensor or nested list."""
    if is_tensor(target):
        target.data[...] = target.new_tensor(items)
    elif isinstance(target, np.ndarray):
        target[...] = items
    else:
        for index, item in enumerate(items):
            if np.ndim(item):
                _copy_into(target[index], item)
            else:
                target[index] = item.item()


class RefProperty(property):
    """A property whose arrays, tensors or lists can be changed item by item.

    Its getter returns a :class:`RefArray` that refers to what the function returned.
    """

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        if instance is None:
            return self
        value = super().__get__(instance, owner)
        return None if value is None else RefArray(value)
