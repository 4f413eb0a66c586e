"""What XLA calls goes over several threads as well: those of XLA, which its own operations run on.

`rockpool.nn.kernels.threads` says how a batch is cut. XLA calls without the interpreter's lock, and
nothing here asks for it. Each piece of a batch gets a call frame of its own, as if it were all that
XLA had called for. Whoever has run a piece takes the next one, and the thread that was called does
so too. It waits for pieces that have begun, never for threads that have not: where all of them are
busy, it runs everything by itself.

This is compiled once for all handlers: it calls them by their addresses. On Windows, where it was
never tried, handlers run as they are, on the thread that calls.
"""

from __future__ import annotations

import os
from functools import cache
from typing import Any, NamedTuple, no_type_check

import numpy as np
from llvmlite import ir
from numba import types
from numba.core.compiler_lock import global_compiler_lock
from numba.core.registry import cpu_target
from numba.extending import intrinsic

from rockpool.nn.kernels.callbacks import callback_address, keep_alive
from rockpool.nn.kernels.compiling import inner
from rockpool.nn.kernels.ffi_frames import (
    ARGUMENT,
    BUFFER,
    RESULT,
    asks_for_version,
    buffer_at,
    numbers,
    words,
)
from rockpool.nn.kernels.threads import VARIABLE, piece_size
from rockpool.utilities._unchecked import unchecked

__all__ = ["Cut", "divided"]

# Words of a call frame, of a buffer, and of the table of XLA's functions
FRAME, API, CONTEXT, N_ARGUMENTS, N_RESULTS = 16, 2, 3, 7, 12
KIND, DATA, RANK, DIMENSIONS = 2, 3, 4, 5
MOST_DIMENSIONS = 3
DOUBLE = 12  # the kind of numbers in double precision; all others here are in single
ERROR_DESTROY, SCHEDULE, NUM_THREADS, TABLE = 8, 17, 18, 19

# Words of what is known of a handler: its address, that of `_help`, and a `Cut`
HANDLER, HELPER, WHERE, PLACE, W_REC_ARGUMENT, W_REC_RESULT, PLAN = range(7)

# Words of what the threads of one call share: which piece is next, how many are done, how many
# threads hold this memory, a lock that is free once all are done, the handler, and the frames
NEXT, DONE, HOLDERS, LOCK, OWN, PIECES, FRAMES, STRIDE, SHARED = range(9)

_word = types.int64
_getenv = types.ExternalFunction("getenv", _word(_word))
# Python's own, for all systems; these do without the interpreter's lock
_allocate = types.ExternalFunction("PyMem_RawMalloc", _word(_word))
_free = types.ExternalFunction("PyMem_RawFree", types.void(_word))
_new_lock = types.ExternalFunction("PyThread_allocate_lock", _word())
_drop_lock = types.ExternalFunction("PyThread_free_lock", types.void(_word))
_acquire = types.ExternalFunction("PyThread_acquire_lock", types.int32(_word, types.int32))
_release = types.ExternalFunction("PyThread_release_lock", types.void(_word))

_NAME = np.frombuffer(VARIABLE.encode() + b"\0", np.uint8)
_FIRST_DIGIT, _LAST_DIGIT = ord("0"), ord("9")

_piece_size = inner(piece_size)


class Cut(NamedTuple):
    """What of a handler's batch is cut: arrays of two axes or more but recurrent weights."""

    where: int  # ARGUMENT or RESULT, of the array (B, T, N) whose size decides
    place: int
    w_rec_argument: int  # places of recurrent weights and of their gradient; -1 for none
    w_rec_result: int


def divided(handler: int, name: str, cut: Cut) -> int:
    """Return the address of a handler that has another one, at an address, run on pieces."""
    if os.name != "posix":
        return handler
    plan = np.array([handler, _helper_address(), *cut], np.int64)
    keep_alive(plan)
    word = ir.IntType(64)
    module = ir.Module(name)
    made = ir.Function(module, ir.FunctionType(word, (word,)), name)
    body = ir.IRBuilder(made.append_basic_block())
    kind = ir.FunctionType(word, (word, word)).as_pointer()
    divide = body.inttoptr(word(_divide_address()), kind)
    body.ret(body.call(divide, (made.args[0], word(plan.ctypes.data))))
    with global_compiler_lock:
        library = cpu_target.target_context.codegen().create_library(name)
        library.add_ir_module(module)
        library.finalize()
        keep_alive(library)
        return int(library.get_pointer_to_function(name))


@cache
def _helper_address() -> int:
    return callback_address(help_with_pieces, types.void(_word))


@cache
def _divide_address() -> int:
    return callback_address(divide_batch, _word(_word, _word))


@no_type_check
@unchecked
@intrinsic
def _fetch_and_add(_: Any, address: Any, number: Any) -> Any:
    """Add to a word, one thread after the other, and return what it was before."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        pointer = builder.inttoptr(args[0], ir.IntType(64).as_pointer())
        return builder.atomic_rmw("add", pointer, args[1], "seq_cst")

    return types.int64(types.int64, types.int64), generate


@no_type_check
@unchecked
@intrinsic
def _called(_: Any, function: Any, argument: Any) -> Any:
    """Call a C function by its address, with an address, and return the address it returns."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        kind = ir.FunctionType(ir.IntType(64), (ir.IntType(64),))
        return builder.call(builder.inttoptr(args[0], kind.as_pointer()), (args[1],))

    return types.int64(types.int64, types.int64), generate


# -- several threads


@no_type_check
@inner
def _work(address: Any) -> None:
    """Run pieces until none is left."""
    shared = words(address, SHARED)
    n_pieces = shared[PIECES]
    while True:
        piece = _fetch_and_add(address + 8 * NEXT, 1)
        if piece >= n_pieces:
            break
        _called(shared[OWN], shared[FRAMES] + piece * shared[STRIDE])
        if _fetch_and_add(address + 8 * DONE, 1) == n_pieces - 1:
            _release(shared[LOCK])


@no_type_check
@inner
def _leave(address: Any) -> None:
    """Let go of the shared memory, which the last thread frees."""
    if _fetch_and_add(address + 8 * HOLDERS, -1) == 1:
        _drop_lock(words(address, SHARED)[LOCK])
        _free(address)


@no_type_check
def help_with_pieces(address: Any) -> None:
    """Do what one of XLA's threads does, given the address of what is shared."""
    _work(address)
    _leave(address)


@no_type_check
@inner
def _run_on_threads(frame: Any, plan: Any, frames: Any, n_threads: Any) -> bool:
    """Run a handler on frames, on at most so many threads; False if there is no memory for that."""
    address = _allocate(8 * SHARED)
    lock = _new_lock()
    if address == 0 or lock == 0:
        _free(address)
        return False
    _acquire(lock, 1)
    shared = words(address, SHARED)
    shared[NEXT], shared[DONE], shared[HOLDERS], shared[LOCK] = 0, 0, n_threads, lock
    shared[OWN], shared[PIECES] = plan[HANDLER], len(frames)
    shared[FRAMES], shared[STRIDE] = frames.ctypes.data, frames.shape[1] * frames.itemsize
    for _ in range(n_threads - 1):
        if not _scheduled(frame, plan[HELPER], address):
            _leave(address)
    _work(address)
    _acquire(lock, 1)
    _leave(address)
    return True


# -- what XLA does for a handler


@no_type_check
@inner
def _scheduled(frame: Any, function: Any, argument: Any) -> bool:
    """Have a function called on one of XLA's threads, some time; whether it is going to be."""
    asked = np.empty(5, np.int64)
    asked[0], asked[1], asked[2] = 8 * asked.size, 0, frame[CONTEXT]
    asked[3], asked[4] = function, argument
    return _succeeds(frame, SCHEDULE, asked)


@no_type_check
@inner
def _threads_of_xla(frame: Any) -> int:
    """Return how many threads XLA has."""
    found, asked = np.ones(1, np.int64), np.empty(4, np.int64)
    asked[0], asked[1], asked[2], asked[3] = 8 * asked.size, 0, frame[CONTEXT], found.ctypes.data
    return found[0] if _succeeds(frame, NUM_THREADS, asked) else 1


@no_type_check
@inner
def _succeeds(frame: Any, function: Any, asked: Any) -> bool:
    """Call one of XLA's functions; whether there was no error."""
    table = words(frame[API], TABLE)
    if table[0] < 8 * TABLE:
        return False
    error = _called(table[function], asked.ctypes.data)
    if error == 0:
        return True
    of_error = np.empty(3, np.int64)
    of_error[0], of_error[1], of_error[2] = 8 * of_error.size, 0, error
    _called(table[ERROR_DESTROY], of_error.ctypes.data)
    return False


@no_type_check
@inner
def _threads_wanted() -> int:
    """Return the number in the environment, which Python has checked; 0 where there is none."""
    text = _getenv(_NAME.ctypes.data)
    number, letter = 0, np.uint8(text != 0)
    while letter != 0:
        letter = numbers(text, 1, np.uint8(0))[0]
        text += 1
        if _FIRST_DIGIT <= letter <= _LAST_DIGIT:
            number = min(10 * number + letter - _FIRST_DIGIT, 1000)
    return number


# -- pieces


@no_type_check
@inner
def _size(buffer: Any) -> int:
    size = 1
    for length in words(buffer[DIMENSIONS], buffer[RANK]):
        size *= length
    return size


@no_type_check
@inner
def _itemsize(buffer: Any) -> int:
    return 8 if numbers(buffer.ctypes.data + 8 * KIND, 1, np.int32(0))[0] == DOUBLE else 4


@no_type_check
@inner
def _is_whole(buffer: Any, index: Any, w_rec: Any) -> bool:
    """Whether an array is the same for all batch elements."""
    return buffer[RANK] < 2 or index == w_rec or _size(buffer) == 0


@no_type_check
@inner
def _cut_buffers(
    frame: Any, where: Any, count: Any, w_rec: Any, first: Any, n_batch: Any, address: Any
) -> Any:
    """Write pointers to buffers and the buffers, for some batch elements; return what follows."""
    per_buffer = BUFFER + MOST_DIMENSIONS
    for index in range(count):
        whole = buffer_at(frame, where, index)
        start = address + 8 * (count + index * per_buffer)
        words(address, count)[index] = start
        own = words(start, per_buffer)
        for k in range(BUFFER):
            own[k] = whole[k]
        dimensions = words(whole[DIMENSIONS], whole[RANK])
        for k in range(whole[RANK]):
            own[BUFFER + k] = dimensions[k]
        own[DIMENSIONS] = start + 8 * BUFFER
        if not _is_whole(whole, index, w_rec):
            own[DATA] += first * (_size(whole) // dimensions[0]) * _itemsize(whole)
            own[BUFFER] = n_batch
    return address + 8 * count * (1 + per_buffer)


@no_type_check
@inner
def _frames(frame: Any, plan: Any, size: Any, n_batch: Any) -> Any:
    """Return a call frame, with all that it points to, for each piece of a batch."""
    n_arguments, n_results = frame[N_ARGUMENTS], frame[N_RESULTS]
    stride = FRAME + (n_arguments + n_results) * (1 + BUFFER + MOST_DIMENSIONS)
    frames = np.empty((-(-n_batch // size), stride), np.int64)
    for piece in range(len(frames)):
        first = piece * size
        n_own = min(size, n_batch - first)
        for k in range(FRAME):
            frames[piece, k] = frame[k]
        left = frames.ctypes.data + 8 * (piece * stride + FRAME)
        frames[piece, ARGUMENT] = left
        left = _cut_buffers(frame, ARGUMENT, n_arguments, plan[W_REC_ARGUMENT], first, n_own, left)
        frames[piece, RESULT] = left
        _cut_buffers(frame, RESULT, n_results, plan[W_REC_RESULT], first, n_own, left)
    return frames


@no_type_check
@inner
def _give_parts(frames: Any, w_rec: Any, parts: Any) -> None:
    """Let the sums of each frame be written to a row of its own."""
    for piece in range(len(frames)):
        at = parts.ctypes.data + piece * parts.shape[1] * parts.itemsize
        for index in range(frames[piece, N_RESULTS]):
            buffer = buffer_at(frames[piece], RESULT, index)
            if _is_whole(buffer, index, w_rec):
                buffer[DATA] = at
                at += _size(buffer) * _itemsize(buffer)


@no_type_check
@inner
def _add_parts(frame: Any, w_rec: Any, address: Any, n_parts: Any, stride: Any, like: Any) -> None:
    """Write the sums, in the order of the pieces and in double precision."""
    parts = numbers(address, n_parts * stride, like)
    at = 0
    for index in range(frame[N_RESULTS]):
        buffer = buffer_at(frame, RESULT, index)
        if _is_whole(buffer, index, w_rec):
            total = numbers(buffer[DATA], _size(buffer), like)
            for k in range(total.size):
                value = 0.0
                for piece in range(n_parts):
                    value += parts[piece * stride + at + k]
                total[k] = value
            at += total.size


@no_type_check
@inner
def _size_of_sums(frame: Any, w_rec: Any) -> int:
    """Return the size of all results that are sums over the batch: gradients of parameters."""
    size = 0
    for index in range(frame[N_RESULTS]):
        buffer = buffer_at(frame, RESULT, index)
        if _is_whole(buffer, index, w_rec):
            size += _size(buffer)
    return size


@no_type_check
@inner
def _run_in_pieces(frame: Any, plan: Any) -> bool:
    """Run a handler on a batch in pieces; False if that is to go through whole, or too small."""
    array = buffer_at(frame, plan[WHERE], plan[PLACE])
    n_batch = words(array[DIMENSIONS], 1)[0]
    size = _piece_size(n_batch, _size(array))
    if size == n_batch:
        return False
    wanted = _threads_wanted()
    n_threads = wanted if wanted > 0 else _threads_of_xla(frame)
    w_rec = plan[W_REC_RESULT]
    n_sums = _size_of_sums(frame, w_rec)
    if n_threads == 1 and n_sums == 0:
        return False
    frames = _frames(frame, plan, size, n_batch)
    n_pieces = len(frames)
    parts = np.empty((n_pieces, n_sums), np.float64)
    double = _itemsize(array) == 8
    _give_parts(frames, w_rec, parts)
    n_threads = min(n_threads, n_pieces)
    if n_threads == 1 or not _run_on_threads(frame, plan, frames, n_threads):
        for piece in range(n_pieces):
            _called(plan[HANDLER], frames[piece].ctypes.data)
    if double:
        _add_parts(frame, w_rec, parts.ctypes.data, n_pieces, n_sums, np.float64(0))
    else:
        _add_parts(frame, w_rec, parts.ctypes.data, n_pieces, 2 * n_sums, np.float32(0))
    return True


@no_type_check
def divide_batch(address: Any, plan_address: Any) -> int:
    """Do what a handler does, given the addresses of its call frame and of what is known of it."""
    frame, plan = words(address, FRAME), words(plan_address, PLAN)
    if asks_for_version(frame) or not _run_in_pieces(frame, plan):
        return _called(plan[HANDLER], address)
    return 0
