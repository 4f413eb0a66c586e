"""Validators for constructor arguments, for every back-end.

Each one takes the name of the class that the user called and of the argument, returns None, and
raises before anything is changed. An argument that is None is not checked (its default will be
used). Values of foreign array types need no import here: what is not known yet (a jax tracer, a
meta tensor) is not judged. Input data are checked by `real_input`, and their shape
by ``Module._auto_batch``.
"""

from __future__ import annotations

import operator
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

Shape = tuple[int, ...]

LARGEST_SIZE = 2**31 - 1  # of an entry of a shape


def known_values(owner: str, name: str, value: Any) -> np.ndarray | None:
    """Return the numbers in `value` as a float64 array, or None where they are not known yet.

    Raises
    ------
    TypeError
        `value` is not numbers.
    """
    foreign = hasattr(value, "dtype") and not isinstance(value, np.ndarray | np.generic)
    _refuse_masked(owner, name, value)
    try:
        if hasattr(value, "detach"):  # a torch tensor; numpy has none of its smaller types
            value = value.detach().cpu().double()
        values = np.asarray(value)
        # text is not numbers, even where it could be read as such; jax has small types of its own
        if values.dtype.kind in "biufO" or (foreign and values.dtype.kind == "V"):
            return values.astype(np.float64)
    except (TypeError, ValueError, RuntimeError) as error:
        if foreign:  # an array without values: a jax tracer, a torch meta tensor
            return None
        raise TypeError(
            f"{owner}: {name} must be a number or an array of numbers, got {value!r}"
        ) from error
    raise TypeError(f"{owner}: {name} must be a number or an array of numbers, got {value!r}")


def _refuse_masked(owner: str, name: str, value: Any) -> None:
    """Refuse a masked array, whose mask would be lost."""
    if isinstance(value, np.ndarray) and hasattr(value, "mask"):
        raise TypeError(
            f"{owner}: {name} must be an array of real numbers, got a masked array, whose mask has "
            f"no meaning here; say by .filled(0) or so what masked values are"
        )


def precision(owner: str, name: str, value: Any) -> np.dtype[Any]:
    """Return the type that is meant by "float32" or "float64", or by such a type.

    Raises
    ------
    ValueError
        Another type, or none.
    """
    try:
        dtype = np.dtype(value)
    except TypeError:
        dtype = np.dtype(object)
    if value is None or dtype not in (np.float32, np.float64):
        raise ValueError(f"{owner}: {name} must be 'float32' or 'float64', got {value!r}")
    return dtype


def real_input(owner: str, data: Any) -> np.ndarray:
    """Return input data as an array of real numbers, of the type that they have.

    Raises
    ------
    TypeError
        They are no real numbers: text, dates, complex numbers, objects, a masked array, a tensor
        that numpy cannot read.
    ValueError
        Lists of unequal length.
    """
    if type(data) is np.ndarray and data.dtype.kind in "fbiu":  # as it mostly is
        return data
    _refuse_masked(owner, "the input", data)
    try:
        array = np.asarray(data)
    except ValueError as error:
        raise ValueError(
            f"{owner}: the input must be an array of real numbers, got lists of unequal length"
        ) from error
    except RuntimeError as error:  # a tensor of torch with gradients
        raise TypeError(f"{owner}: the input must be an array of real numbers: {error}") from error
    # the small floats of machine learning are registered with numpy by others
    if array.dtype.kind in "fbiu" or array.dtype.isbuiltin == 2:
        return array
    kind = "" if isinstance(data, np.ndarray) else f" from {type(data).__name__}"
    raise TypeError(f"{owner}: the input must be an array of real numbers, got {array.dtype}{kind}")


def _require(
    owner: str,
    name: str,
    values: np.ndarray,
    allowed: np.ndarray | np.bool_,  # the latter for a single value
    what: str,
    unit: str = "",
) -> None:
    """Raise with the first value that is not allowed."""
    if not np.all(allowed):
        offender = values[~allowed].flat[0]
        of_array = f" (in an array of shape {values.shape})" if values.ndim else ""
        allowed_text = f"{what} {unit}" if unit else what
        raise ValueError(f"{owner}: {name} must be {allowed_text}, got {offender:g}{of_array}")


def positive(owner: str, name: str, value: Any, unit: str = "", finite: bool = True) -> None:
    """Require every element of `value` > 0, not NaN and, if `finite`, not infinite."""
    values = None if value is None else known_values(owner, name, value)
    if values is not None:
        _require(owner, name, values, values > 0, "> 0", unit)
        if finite:
            _require(owner, name, values, np.isfinite(values), "finite")


def non_negative(owner: str, name: str, value: Any, unit: str = "") -> None:
    """Require every element of `value` >= 0 and finite."""
    values = None if value is None else known_values(owner, name, value)
    if values is not None:
        _require(owner, name, values, values >= 0, ">= 0", unit)
        _require(owner, name, values, np.isfinite(values), "finite")


def finite(owner: str, name: str, value: Any) -> None:
    """Require every element of `value` to be a number: neither NaN nor infinite."""
    values = None if value is None else known_values(owner, name, value)
    if values is not None:
        _require(owner, name, values, np.isfinite(values), "finite")


def within(owner: str, name: str, value: Any, low: float | int, high: float | int) -> None:
    """Require ``low <= value <= high`` for every element."""
    values = None if value is None else known_values(owner, name, value)
    if values is not None:
        allowed = (values >= low) & (values <= high)
        _require(owner, name, values, allowed, f"within [{low:g}, {high:g}]")


def whole_count(owner: str, name: str, value: Any, infinite: bool = False) -> None:
    """Require one whole number >= 1 (of any numeric type; infinity too if `infinite`)."""
    if value is None:
        return
    scalar(owner, name, value)
    values = known_values(owner, name, value)
    if values is not None:
        allowed = (values >= 1) & (np.floor(values) == values)
        if not infinite:
            allowed &= np.isfinite(values)
        _require(owner, name, values, allowed, "a whole number >= 1")


def integer(owner: str, name: str, value: Any, least: int, unit: str = "") -> None:
    """Require one int >= `least`; True and None are none."""
    try:
        number = _size(value)
    except TypeError:
        raise TypeError(f"{owner}: {name} must be an int >= {least}, got {value!r}") from None
    if number < least:
        allowed = f"{least} {unit}" if unit else str(least)
        raise ValueError(f"{owner}: {name} must be >= {allowed}, got {number}")


def seed(owner: str, value: Any) -> None:
    """Require the seed of random numbers to be an int >= 0; None means another one each time."""
    if value is not None:
        integer(owner, "seed", value, 0)


def classes(owner: str, name: str, values: np.ndarray, n_classes: int) -> None:
    """Require whole numbers from 0 up to the last class."""
    allowed = f"whole numbers from 0 to {n_classes - 1}"
    if values.dtype.kind not in "iuf":
        raise TypeError(f"{owner}: {name} must be {allowed}, got {values!r}")
    wrong = values[~((values >= 0) & (values < n_classes) & (values == np.trunc(values)))]
    if wrong.size:
        raise ValueError(f"{owner}: {name} must be {allowed}, got {wrong.flat[0]:g}")


def scalar(owner: str, name: str, value: Any) -> None:
    """Require a single number: shape () or one element."""
    if value is not None and np.prod(np.shape(value), dtype=int) != 1:
        raise ValueError(f"{owner}: {name} must be a single number, got shape {np.shape(value)}")


def flag(owner: str, name: str, value: Any) -> None:
    """Require True or False, or 0 or 1: texts such as "no" would count as True."""
    known = isinstance(value, bool | np.bool_) or (isinstance(value, int) and value in (0, 1))
    if value is not None and not known:
        raise TypeError(f"{owner}: {name} must be True or False, got {value!r}")


def function(owner: str, name: str, value: Any) -> None:
    """Require a callable."""
    if value is not None and not callable(value):
        raise ValueError(f"{owner}: {name} must be callable, got {value!r}")


def real_state(owner: str, name: str, value: Any) -> None:
    """Require real numbers, of any value; an array of another library is not looked into."""
    foreign = hasattr(value, "dtype") and not isinstance(value, np.ndarray)
    if value is not None and not foreign:
        known_values(owner, name, value)


def time_constant(owner: str, name: str, value: Any) -> None:
    """Require every element to be a number of seconds > 0; infinity means no leak."""
    positive(owner, name, value, "s", finite=False)


def time_step(owner: str, name: str, value: Any) -> None:
    """Require one finite number of seconds > 0."""
    is_flag = isinstance(value, bool) or "bool" in str(getattr(value, "dtype", ""))
    if value is None or is_flag:
        raise TypeError(f"{owner}: {name} must be a number of seconds > 0, got {value}")
    scalar(owner, name, value)
    positive(owner, name, value, "s")


def noise_level(owner: str, name: str, value: Any) -> None:
    """Require one number >= 0."""
    scalar(owner, name, value)
    non_negative(owner, name, value)


def at_least_a_step(owner: str, name: str, value: Any, dt: Any) -> None:
    """Require every time constant in `value` to be at least one time step, in seconds."""
    values = None if value is None else known_values(owner, name, value)
    step = None if dt is None else known_values(owner, "dt", dt)
    if values is not None and step is not None:
        # single precision may have rounded one of them
        allowed = values >= step * (1 - 1e-6)
        _require(owner, name, values, allowed, f">= dt = {float(step):g}", "s")


def shape_fits(owner: str, name: str, shapes: list[Shape], value: Any, exact: bool = False) -> None:
    """Require the shape of `value` to be one of these, or to have as many elements as one."""
    try:
        given = tuple(np.shape(value))
    except ValueError as error:
        raise ValueError(f"{owner}: {name} has rows of unequal length: {value!r}") from error
    if isinstance(value, str | bytes):
        raise TypeError(f"{owner}: {name} must be a number or an array of numbers, got {value!r}")
    sizes = [int(np.prod(shape)) for shape in shapes]
    if given not in shapes and (exact or int(np.prod(given)) not in sizes):
        raise ValueError(f"{owner}: {name} must have shape {one_of(shapes)}, got {given}")


def not_recurrent(owner: str) -> None:
    """Refuse recurrent weights of a layer that was made without."""
    raise ValueError(
        f"{owner}: w_rec was given, but the layer is not recurrent; make it with has_rec=True"
    )


def one_of(choices: Iterable[Any]) -> str:
    """Return "a, b or c"."""
    words = [str(choice) for choice in choices]
    return " or ".join(filter(None, [", ".join(words[:-1]), words[-1]]))


def shape_entries(owner: str, shape: Any, name: str = "shape", least: int = 1) -> Shape:
    """Return the `shape` argument, an int or a tuple of ints, as a tuple of ints >= `least`."""
    try:
        sizes = tuple(_size(entry) for entry in as_entries(shape))
    except TypeError:
        raise TypeError(
            f"{owner}: {name} must be an int or a tuple of ints, got {shape!r}"
        ) from None
    if not sizes or min(sizes) < least:
        raise ValueError(f"{owner}: each entry of {name} must be >= {least}, got {shape!r}")
    if max(sizes) > LARGEST_SIZE:
        raise ValueError(f"{owner}: each entry of {name} must be < 2**31, got {shape!r}")
    return sizes


def as_entries(shape: Any) -> tuple[Any, ...]:
    """Return a list, a tuple or the like, or an array of one dimension, as a tuple of its entries.

    Anything else is a single entry: a number; text, bytes and sets, which are no shapes, too.
    """
    is_row = isinstance(shape, Sequence) and not isinstance(shape, str | bytes | bytearray)
    return tuple(shape) if is_row or getattr(shape, "ndim", 0) == 1 else (shape,)


def _size(entry: Any) -> int:
    """Return an int; anything else is a TypeError: True and arrays of one number too."""
    if isinstance(entry, bool) or (isinstance(entry, np.ndarray) and entry.ndim == 0):
        raise TypeError(entry)
    return operator.index(entry)
