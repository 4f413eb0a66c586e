"""How kernels are compiled: once per machine, and not in silence."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from inspect import signature
from typing import Any, no_type_check

import numba
import numpy as np
from llvmlite import ir
from numba.core import cgutils, types
from numba.core.compiler import Compiler
from numba.extending import intrinsic
from numpy.typing import DTypeLike

from rockpool.nn.kernels import tallies
from rockpool.nn.kernels.keeping import KeptCode
from rockpool.nn.kernels.threads import ENOUGH, number_of_threads, pieces_of, run_pieces, sums_of
from rockpool.typehints import ArrayLike
from rockpool.utilities._unchecked import unchecked

# Seconds after which a compilation is announced.
PATIENCE = 2.0

# errors of floats give inf and nan; other threads go on meanwhile
OPTIONS: dict[str, Any] = {"error_model": "numpy", "nogil": True}
# a part is called by kernels only
_INNER = {**OPTIONS, "no_cpython_wrapper": True, "no_cfunc_wrapper": True}
# Reordered sums, for gradients alone: they are rounded as they come in any case.
_REORDERED = {"reassoc", "nsz", "contract"}
SUM = -1  # in place of a number of dimensions: the gradient of a parameter, summed over time


class _Apart(Compiler):
    """Compiles a function whose arrays do not overlap where one of them is written.

    The compiler knows so. It would else compare all addresses on each call, which takes as long
    as a row of 100 neurons, or give up on vector instructions where there are many arrays.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.state.flags.noalias = True


# what the decorator says of each kernel: whose type absent arrays have, which ones may be absent,
# and the array whose batch may be cut
_optional: dict[Any, tuple[str, dict[str, int], str]] = {}


def kernel(
    like: str = "output", over: str = "", **optional: int
) -> Callable[[Callable[..., Any]], Any]:
    """Compile a function on its first call, and keep the machine code on disk.

    It is kept beside the source, or in the user's cache folder where that cannot be written; the
    environment variable ``NUMBA_CACHE_DIR`` names another place. With none, each process compiles
    anew.

    Parameters
    ----------
    like : str
        Name of an array that is always there, whose type the absent ones get.
    over : str
        Name of an array (B, T, N) whose batch may go over several threads. All other arrays of two
        axes or more but ``w_rec`` have that batch in front then. Default: none.
    **optional : int
        Number of dimensions of each array that may be absent; `SUM` for a sum over all time steps,
        which is in double precision.
    """

    def decorate(function: Callable[..., Any]) -> Any:
        if numba.config.DISABLE_JIT:
            raise RuntimeError(
                "kernels need numba's compiler, which NUMBA_DISABLE_JIT turns off; unset it, or "
                "set ROCKPOOL_KERNELS=0, with which torch, jax and streams do without them"
            )
        compiled = numba.njit(**OPTIONS)(function)
        compiled._cache = KeptCode(function)
        _optional[compiled] = like, optional, over
        return unchecked(compiled)

    return decorate


def inner(function: Callable[..., Any]) -> Any:
    """Compile a function that kernels call, with no other options."""
    return unchecked(numba.njit(**_INNER)(function))


def part(function: Callable[..., Any]) -> Any:
    """Compile a part of kernels: what they do with one row of each array.

    No array that it writes may overlap another one of its arguments. It is kept on disk as a part
    of the kernels that call it.
    """
    return unchecked(numba.njit(pipeline_class=_Apart, **_INNER)(function))


def fused_part(function: Callable[..., Any]) -> Any:
    """As `part`, for sums of products: each product and its sum may be rounded in one."""
    return unchecked(numba.njit(pipeline_class=_Apart, fastmath={"contract"}, **_INNER)(function))


def gradient_part(function: Callable[..., Any]) -> Any:
    """As `part`, for gradients: sums may be reordered, products and sums be fused."""
    return unchecked(numba.njit(pipeline_class=_Apart, fastmath=_REORDERED, **_INNER)(function))


@no_type_check
@unchecked
@intrinsic
def view(_: Any, array: Any) -> Any:
    """Return an array that does not count its references, in a kernel; for its arguments.

    A row of it, bound to a variable, is then a mere pointer, where counting takes longer than what
    is to be done with a short row. The caller of the kernel keeps the memory.
    """

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        made = context.make_array(signature.return_type)(context, builder, args[0])
        made.meminfo = made.meminfo.type(None)
        return made._getvalue()

    return array(array), generate


@no_type_check
@unchecked
@intrinsic
def _prefetch(_: Any, array: Any, index: Any) -> Any:
    """Ask for the memory around an element of an array (1 dimension) to be fetched."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        made = context.make_array(signature.args[0])(context, builder, args[0])
        byte = ir.IntType(8).as_pointer()
        number = ir.IntType(32)
        kind = ir.FunctionType(ir.VoidType(), (byte, number, number, number))
        function = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch")
        pointer = builder.bitcast(builder.gep(made.data, [args[1]]), byte)
        builder.call(function, (pointer, number(0), number(3), number(1)))
        return context.get_dummy_value()

    return types.void(array, types.intp), generate


@no_type_check
@inner
def prefetch(row: Any) -> None:
    """Ask for a row (1 dimension) to be fetched into the cache, for kernels that go back in time.

    Processors see for themselves that memory is read upwards, not that short rows are read
    downwards.
    """
    for k in range(0, row.size, 64 // row.itemsize):
        _prefetch(row, k)


def kernel_array(values: ArrayLike, dtype: DTypeLike, shape: tuple[int, ...] | None = None) -> Any:
    """Return values as an array that a kernel takes; the same one, if it is such an array.

    The type is float32 or float64; `shape` is what to broadcast them to.
    """
    if shape is not None and np.shape(values) != shape:
        values = np.broadcast_to(values, shape)
    if type(values) is np.ndarray and values.dtype == dtype and values.flags.carray:
        return values
    return np.require(values, dtype, ["C", "A", "W", "E"])


@lru_cache
def absent(n_dim: int, dtype: np.dtype) -> np.ndarray:
    """Return the array that stands for an array which is not there."""
    return np.empty((0,) * n_dim, dtype)


def _all_absent(compiled: Any, dtype: np.dtype) -> dict[str, np.ndarray]:
    """Return the arguments of a kernel that may be absent, as arrays of size 0."""
    return {
        name: absent(1, np.dtype(np.float64)) if n_dim == SUM else absent(n_dim, dtype)
        for name, n_dim in _optional[compiled][1].items()
    }


# of kernels that have been called, with the types of what may differ: arguments that may be absent
_ready: dict[tuple[Any, np.dtype, np.dtype], dict[str, np.ndarray]] = {}


def call(compiled: Any, n_threads: int | None = None, /, **arguments: Any) -> Any:
    """Call a kernel by the names of its arguments; arrays that are not named are absent.

    Large batches go over several threads, as many as there may be or `n_threads` if that is less.
    If the kernel has to be compiled and that takes its time, stderr says so.

    Returns
    -------
    float or None
        What the kernel returns: a sum over the batch, if anything.
    """
    like, optional, over = _optional[compiled]
    dtype = arguments[like].dtype
    if "tally" in optional:
        arguments |= tallies.tally_for(arguments[like])
    key = compiled, dtype, next(iter(arguments.values())).dtype
    absent_ones = _ready.get(key)
    if absent_ones is not None:
        return _run(compiled, absent_ones | arguments, over, n_threads)
    absent_ones = _all_absent(compiled, dtype)
    with compiled._cache.announced(PATIENCE):
        returned = _run(compiled, absent_ones | arguments, over, 1)
    _ready[key] = absent_ones
    return returned


class Prepared:
    """A kernel, and those of its arguments that stay the same from call to call.

    Its machine code takes arrays as they come: it is not seen if one has another type, number of
    axes or layout than in the first call with input of that type, or is no `kernel_array`. What is
    absent in one call and there in another has the type `dtype`.

    Parameters
    ----------
    compiled : kernel
        The kernel.
    dtype : dtype
        The type of the arrays that are absent.
    **fixed
        Arguments by name. All that are needed besides are named in each call.
    """

    def __init__(self, compiled: Any, dtype: np.dtype, /, **fixed: Any) -> None:
        self._compiled = compiled
        # in the kernel's order, with None for what each call names
        names = tuple(signature(compiled.py_func).parameters)
        self._fixed = dict.fromkeys(names) | _all_absent(compiled, dtype) | fixed
        # most calls name no more than what stands in front of all that is fixed, the input first
        values = list(self._fixed.values())
        n_first = next((i for i, value in enumerate(values) if value is not None), len(values))
        self._first = names[1:n_first] if names[0] == "x" else None
        self._rest = values[n_first:]
        # machine code by the type of the input that it was called with: nothing else differs
        self._code: dict[np.dtype, Callable[..., Any]] = {}

    def __call__(self, n_threads: int | None = None, /, *, x: np.ndarray, **arguments: Any) -> Any:
        """Call it on input `x`, as `call` does, with these arguments and those that are fixed."""
        code = self._code.get(x.dtype)
        # the output is not larger than the input
        if code is not None and x.size < ENOUGH and not tallies.are_wanted():  # as most calls are
            if tuple(arguments) == self._first:
                return code(x, *arguments.values(), *self._rest)
            return code(*{**self._fixed, "x": x, **arguments}.values())
        given = {**self._fixed, "x": x, **arguments}
        # the input comes first: `call` asks for its type
        returned = call(self._compiled, n_threads, **{"x": x, **given})
        if code is None:
            # numba looks at the types of all arguments in each call, which takes as long again
            types = tuple(map(numba.typeof, given.values()))
            self._code[x.dtype] = self._compiled.get_overload(types)
        return returned


def _run(compiled: Any, arguments: dict[str, Any], over: str, n_threads: int | None) -> Any:
    if not over or arguments[over].size < ENOUGH:  # as most calls are
        return compiled(**arguments)
    pieces = pieces_of(arguments[over])
    most = number_of_threads()
    n_threads = most if n_threads is None else min(most, n_threads)
    if len(pieces) == 1 or (n_threads == 1 and not sums_of(arguments)):
        return compiled(**arguments)
    return run_pieces(compiled, arguments, pieces, n_threads)
