"""What a module may hold: parameters, states, simulation parameters, and constants.

A module declares its contents by assigning one of these wrappers to an attribute::

    self.tau = Parameter(tau, family="taus", init_func=np.ones, shape=[(n,), ()])

The wrapper checks the value against the permitted shapes, or makes it with ``init_func``; the
module then stores the bare value and remembers family, shape and how to reset it. A user who
wraps an argument in :func:`Constant` takes it out of training.

No back-end is imported here: tensors of a back-end are recognised only once it is loaded.
"""

from __future__ import annotations

import copy
import math
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

__all__ = ["Constant", "Parameter", "SimulationParameter", "State"]

T = TypeVar("T")
Shape = tuple[int, ...]
Shapes = int | Shape | list[int | Shape]


def shape_of(value: Any) -> Shape:
    """Return the shape of an array of any back-end (also a traced one), a number or nested list.

    Anything without extent, such as a function or a string, has the shape ``()``. Array data are
    never copied or moved to find it.
    """
    shape = getattr(value, "shape", None)
    if isinstance(shape, tuple):
        return tuple(shape)  # it may be of a class of its own
    return () if isinstance(value, type) else np.shape(value)


def is_tensor(value: Any) -> bool:
    """Return True if ``value`` is a torch tensor; torch is not imported to find out."""
    torch = sys.modules.get("torch")
    tensor_class = getattr(torch, "Tensor", None)
    return tensor_class is not None and isinstance(value, tensor_class)


def is_jax_array(value: Any) -> bool:
    """Return True if ``value`` is an array of JAX, traced or not; JAX is not imported for it."""
    array_class = getattr(sys.modules.get("jax"), "Array", None)
    return array_class is not None and isinstance(value, array_class)


def to_numpy(value: Any) -> np.ndarray:
    """Return an array or tensor of any back-end, or a list, as a numpy array without gradients.

    What is in bfloat16, which numpy does not have, is in float32.
    """
    if not is_tensor(value):
        array = np.asarray(value)
        is_bfloat16 = array.dtype.kind == "V" and array.dtype.name == "bfloat16"
        return array.astype(np.float32) if is_bfloat16 else array
    tensor = value.detach().cpu()
    torch = sys.modules["torch"]
    return (tensor.float() if tensor.dtype is torch.bfloat16 else tensor).numpy()


class ResetTo:
    """A picklable ``init_func`` that gives a new copy of one value, as it was, on every call."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = _snapshot(value)

    def __call__(self, shape: Shape | None = None) -> Any:
        """Return a copy of the value; ``shape`` is accepted as for every ``init_func``."""
        return _snapshot(self.value)

    def __repr__(self) -> str:
        return f"ResetTo({self.value!r})"


class InitThenCast:
    """A picklable ``init_func`` that applies a conversion to what another one makes."""

    __slots__ = ("cast_fn", "init_func")

    def __init__(self, init_func: Callable[[Shape], Any], cast_fn: Callable[[Any], Any]) -> None:
        self.init_func = init_func
        self.cast_fn = cast_fn

    def __call__(self, shape: Shape) -> Any:
        """Return the converted initial value of the given shape."""
        return self.cast_fn(self.init_func(shape))

    def __repr__(self) -> str:
        return f"InitThenCast({self.init_func!r}, {self.cast_fn!r})"


def _snapshot(value: Any) -> Any:
    """Copy a value such that no later in-place edit of either side reaches the other."""
    if is_tensor(value):
        # A tensor inside an autograd graph cannot be deep-copied
        return value.detach().clone()
    # Arrays of jax cannot be edited in place, and traced ones must not be copied; functions are
    # settings, not data, and a bound method would drag its owner along.
    if is_jax_array(value) or callable(value):
        return value
    return copy.deepcopy(value)


def _identity(value: Any) -> Any:
    return value


class ParameterBase:
    """A value for a module attribute, checked against its permitted shapes.

    Use the subclasses :class:`Parameter`, :class:`State` and :class:`SimulationParameter`.

    Parameters
    ----------
    data : array, tensor, number or any object, optional
        The value. Kept as it is, type included, where its shape is permitted. Default: made by
        ``init_func``.
    family : str, optional
        Name of the group that the attribute belongs to, such as ``"weights"`` or ``"taus"``, by
        which it can be asked for. Default: none.
    init_func : callable, optional
        ``init_func(shape)`` gives an initial value; called if there is no ``data``, and again on
        each reset. With ``data`` a reset goes back to a copy of them instead.
    shape : int, tuple of int, or list of these, optional
        The permitted shape, or a list of permitted alternatives; an int ``n`` means ``(n,)``. The
        first alternative is the default. Needed if there is no ``data``.
    permit_reshape : bool, optional
        Whether data with the right number of elements are reshaped to the first permitted shape
        of that size. Default: True.
    cast_fn : callable or None, optional
        Conversion of the value, such as ``np.array``; applied to every value that comes from
        here, at construction and on reset. Default: none.

    Attributes
    ----------
    data : Any
        The value that is to be stored, converted.
    init_func : callable
        Gives the value after a reset.
    shape : tuple of int
        The shape that the value has.
    family, cast_fn
        As given.

    Raises
    ------
    ValueError
        Without ``data`` and ``shape``; without ``data`` and ``init_func``; if the data fit none
        of the shapes; if ``init_func`` is not callable; if a shape has a negative entry.
    TypeError
        If ``shape`` is not made of ints.

    Notes
    -----
    If ``data`` is a :func:`Constant`, the object is a :class:`SimulationParameter`, whichever
    class was called.
    """

    def __init__(
        self,
        data: Any = None,
        family: str | None = None,
        init_func: Callable[[Shape], Any] | None = None,
        shape: Shapes | None = None,
        permit_reshape: bool = True,
        cast_fn: Callable[[Any], Any] | None = _identity,
    ) -> None:
        label = _label(type(self), family)
        if data is None and shape is None:
            raise ValueError(f"{label}: one of `data` and `shape` must be given")
        permitted = None if shape is None else _permitted_shapes(label, shape)
        if init_func is not None and not callable(init_func):
            raise ValueError(
                f"{label}: init_func must be a function of a shape tuple, got {init_func!r}"
            )
        if isinstance(data, RP_Constant):
            self.__class__ = SimulationParameter  # type: ignore[assignment]
            data = _without_mark(data)

        convert = _identity if cast_fn is None else cast_fn
        if data is None:
            assert permitted is not None
            if init_func is None:
                raise ValueError(f"{label}: without `data`, `init_func` must be given")
            concrete = permitted[0]
            data = convert(init_func(concrete))
            reset = init_func if convert is _identity else InitThenCast(init_func, convert)
        else:
            if permitted is not None:
                data = _fitted(label, data, permitted, permit_reshape)
            concrete = shape_of(data)
            data = convert(data)
            reset = ResetTo(data)

        self.data = data
        self.family = family
        self.init_func: Callable[[Shape], Any] = reset
        self.shape: Shape = concrete
        self.cast_fn = cast_fn

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}(data={self.data!r}, family={self.family!r}, "
            f"init_func={self.init_func!r}, shape={self.shape!r})"
        )

    def _tree_flatten(self) -> tuple[tuple[Any, ...], tuple[()]]:
        """Return ``(children, aux)``: data, family, init_func, shape and cast_fn; nothing else."""
        return (self.data, self.family, self.init_func, self.shape, self.cast_fn), ()

    @classmethod
    def _tree_unflatten(cls, aux: Any, children: tuple[Any, ...]) -> ParameterBase:
        """Build an object from the first three of the children that flattening gave."""
        data, family, init_func = children[:3]
        return cls(data, family, init_func)


class Parameter(ParameterBase):
    """A trainable value of a module: a weight, a bias, a time constant, a threshold.

    Parameters are as for :class:`ParameterBase`.
    """

    if TYPE_CHECKING:

        def __new__(
            cls,
            data: Any = None,
            family: str | None = None,
            init_func: Callable[[Shape], Any] | None = None,
            shape: Shapes | None = None,
            permit_reshape: bool = True,
            cast_fn: Callable[[Any], Any] | None = _identity,
        ) -> Any: ...  # an attribute that it is assigned to is read as the bare value


class State(ParameterBase):
    """A value that a module carries from one call to the next: a membrane potential, a current.

    Parameters are as for :class:`ParameterBase`; ``shape`` is that of one batch element.
    """

    if TYPE_CHECKING:

        def __new__(
            cls,
            data: Any = None,
            family: str | None = None,
            init_func: Callable[[Shape], Any] | None = None,
            shape: Shapes | None = None,
            permit_reshape: bool = True,
            cast_fn: Callable[[Any], Any] | None = _identity,
        ) -> Any: ...  # an attribute that it is assigned to is read as the bare value


class SimulationParameter(ParameterBase):
    """A setting of a module that is not trained: a time step, a noise level, a function.

    Parameters are as for :class:`ParameterBase`.
    """

    if TYPE_CHECKING:

        def __new__(
            cls,
            data: Any = None,
            family: str | None = None,
            init_func: Callable[[Shape], Any] | None = None,
            shape: Shapes | None = None,
            permit_reshape: bool = True,
            cast_fn: Callable[[Any], Any] | None = _identity,
        ) -> Any: ...  # an attribute that it is assigned to is read as the bare value


class RP_Constant:
    """The mark of a value made by :func:`Constant`; never used by itself."""


def _reduce_constant(constant: Any, protocol: Any) -> tuple[Any, ...]:
    """Pickle a constant as the plain value and the mark: its class cannot be found by name."""
    return Constant, (_without_mark(constant),)


def _deepcopy_constant(constant: Any, memo: dict[int, Any]) -> Any:
    return Constant(copy.deepcopy(_without_mark(constant), memo))


_constant_classes: dict[type, type] = {}


def Constant(obj: T) -> T:
    """Mark a value as not trainable.

    ``LIFTorch(2, threshold=Constant(1.0))`` has a threshold that stands among the module's
    ``simulation_parameters()`` instead of its ``parameters()``.

    Parameters
    ----------
    obj : int, float, str, list, tuple, array or tensor
        The value, of any shape. It is left as it is: the mark is put on a copy or on a view.

    Returns
    -------
    object of the same type
        The value, for which ``isinstance(value, RP_Constant)`` and ``isinstance(value,
        type(obj))`` hold. An array whose class cannot be derived from, such as that of JAX,
        becomes a numpy array.

    Raises
    ------
    TypeError
        For None, bools and functions, and for any other object that cannot carry a mark.
    """
    if isinstance(obj, RP_Constant):
        return obj
    if obj is None or isinstance(obj, (bool, np.bool_)) or callable(obj):
        raise TypeError(f"Constant: a {type(obj).__name__} cannot be a constant, got {obj!r}")
    if is_tensor(obj):
        return obj.detach().as_subclass(_constant_class(type(obj)))  # type: ignore[attr-defined]
    if isinstance(obj, np.ndarray):
        return _marked_array(obj)
    try:
        marked_class = _constant_class(type(obj))
    except TypeError as error:
        if not hasattr(obj, "__array__"):
            raise TypeError(
                f"Constant: a {type(obj).__name__} cannot be a constant, got {obj!r}"
            ) from error
        return _marked_array(np.asarray(obj))  # type: ignore[return-value]
    return marked_class(obj)


def _marked_array(array: np.ndarray) -> Any:
    return array.view(_constant_class(type(array)))


def _constant_class(base: type) -> type:
    """Return the class, derived from ``base``, of the marked values of that class."""
    if base not in _constant_classes:
        namespace: dict[str, Any] = {
            "__module__": base.__module__,
            "__qualname__": base.__qualname__,
            "__reduce_ex__": _reduce_constant,
            "__deepcopy__": _deepcopy_constant,
            "_unmarked_class": base,
        }
        torch: Any = sys.modules.get("torch")
        tensor_class = getattr(torch, "Tensor", None)  # not yet there in the middle of its import
        if tensor_class is not None and issubclass(base, tensor_class):
            # The result of arithmetic with a constant is an ordinary tensor
            namespace["__torch_function__"] = torch._C._disabled_torch_function_impl
        # The original class comes first: numpy's scalars take the memory layout of that for granted
        _constant_classes[base] = type(base)(base.__name__, (base, RP_Constant), namespace)
    return _constant_classes[base]


def _without_mark(value: Any) -> Any:
    """Return the plain value behind a constant."""
    base = value._unmarked_class
    if is_tensor(value):
        tensor_class = sys.modules["torch"].Tensor
        return value.detach().as_subclass(tensor_class).clone()
    if isinstance(value, np.ndarray):
        return value.view(base)
    return base(value)


def _label(kind: type, family: str | None) -> str:
    return kind.__name__ if family is None else f"{kind.__name__} of family {family!r}"


def _permitted_shapes(label: str, shape: Any) -> list[Shape]:
    """Return the alternatives that a ``shape`` argument stands for, as a list of tuples."""
    if not isinstance(shape, (list, tuple)) and not _is_int(shape):
        raise TypeError(
            f"{label}: shape must be an int, a tuple of ints, or a list of these, "
            f"got {shape!r} ({type(shape).__name__})"
        )
    alternatives = shape if isinstance(shape, list) else [shape]
    if not alternatives:
        raise ValueError(f"{label}: the list of permitted shapes is empty")
    return [_shape_tuple(label, alternative) for alternative in alternatives]


def _shape_tuple(label: str, shape: Any) -> Shape:
    entries = shape if isinstance(shape, tuple) else (shape,)
    for entry in entries:
        if not _is_int(entry):
            raise TypeError(
                f"{label}: a shape must be made of ints, got {entry!r} "
                f"({type(entry).__name__}) in {shape!r}"
            )
        if entry < 0:
            raise ValueError(f"{label}: a shape must not have negative entries, got {shape!r}")
    return tuple(entries)


def _is_int(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _fitted(label: str, data: Any, permitted: list[Shape], permit_reshape: bool) -> Any:
    """Return the data in one of the permitted shapes."""
    given = shape_of(data)
    if given in permitted:
        return data
    if permit_reshape:
        size = math.prod(given)
        for shape in permitted:
            if math.prod(shape) == size:
                # Tensors and arrays of a back-end stay what they are, with their gradients
                return (data if hasattr(data, "reshape") else np.array(data)).reshape(shape)
    allowed = " or ".join(str(shape) for shape in permitted)
    raise ValueError(f"{label}: data must have the shape {allowed}, got {given}")
