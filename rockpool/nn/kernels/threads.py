"""Kernels on several cores: a large batch goes through in pieces, on threads of our own.

A kernel releases the interpreter's lock, and batch elements do not see each other. How a batch is
cut depends on its size alone: the sums that gradients of parameters are have the same order, and
so the same bits, for any number of threads. The threads are plain ones of Python: what other
libraries set up for their own is left as it is, and a process that forks starts anew. What XLA
calls is cut in the same way, on threads of XLA: `ffi_threads`.

The environment variable ``ROCKPOOL_NUM_THREADS`` says how many there may be; by default as many as
there are processors for this process. Standard library and numpy only.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Lock
from typing import Any

import numpy as np

from rockpool.utilities._environment import number_in

__all__ = ["VARIABLE", "number_of_threads", "piece_size", "pieces_of", "run_pieces", "sums_of"]

VARIABLE = "ROCKPOOL_NUM_THREADS"

ENOUGH = 2**17  # numbers of the output below which a batch stays whole
MOST_PIECES, SMALLEST_PIECE = 8, 4  # that a batch is cut into; and in batch elements

Task = tuple[int, dict[str, Any]]  # a piece by its index, and the arguments of the kernel for it

_pool: ThreadPoolExecutor | None = None
_lock = Lock()


def number_of_threads() -> int:
    """Return how many threads a kernel may use.

    Raises
    ------
    ValueError
        ``ROCKPOOL_NUM_THREADS`` is no whole number >= 1.
    """
    return number_in(VARIABLE) or _processors()


def _processors() -> int:
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on every system
        return os.cpu_count() or 1


def piece_size(n_batch: int, n_numbers: int) -> int:
    """Return how many elements of a batch a piece has, given the size (B, T, N) of its results."""
    if n_numbers < ENOUGH or n_batch < 2 * SMALLEST_PIECE:
        return n_batch
    return max(SMALLEST_PIECE, -(-n_batch // MOST_PIECES))


def pieces_of(output: np.ndarray) -> list[slice]:
    """Return the pieces that a batch is cut into, given an array (B, T, N) of its results."""
    n_batch = len(output)
    size = piece_size(n_batch, output.size)
    if size == n_batch:
        return [slice(0, n_batch)]
    return [slice(first, first + size) for first in range(0, n_batch, size)]


def sums_of(arguments: dict[str, Any]) -> dict[str, np.ndarray]:
    """Return the arguments of a kernel that are sums over the batch: gradients of parameters."""
    return {
        name: array
        for name, array in arguments.items()
        if name.startswith("grad_") and _is_shared(name.removeprefix("grad_"), array)
    }


def _is_shared(name: str, value: Any) -> bool:
    """Whether an argument is the same for all batch elements: a number, or a parameter."""
    return not isinstance(value, np.ndarray) or value.ndim < 2 or name == "w_rec"


def run_pieces(
    compiled: Callable[..., Any], arguments: dict[str, Any], pieces: list[slice], n_threads: int
) -> Any:
    """Run a kernel on each piece of a batch, and add up what is to be added up, in their order.

    That is what the kernel returns as well, if anything.
    """
    sums = sums_of(arguments)
    parts = [{name: np.zeros_like(total) for name, total in sums.items()} for _ in pieces]
    tasks = deque(
        (index, {**_piece(arguments, piece), **part})
        for index, (piece, part) in enumerate(zip(pieces, parts, strict=True))
    )
    returned: list[Any] = [None] * len(pieces)

    def work() -> None:
        for index, task in _taken_from(tasks):
            returned[index] = compiled(**task)

    helpers = [_threads().submit(work) for _ in range(min(n_threads, len(pieces)) - 1)]
    try:
        work()
    finally:
        for helper in helpers:
            if not helper.cancel():
                helper.result()
    for name, total in sums.items():
        for part in parts:
            total += part[name]
    return None if returned[0] is None else sum(returned)


def _piece(arguments: dict[str, Any], piece: slice) -> dict[str, Any]:
    return {
        name: value if not np.size(value) or _is_shared(name, value) else value[piece]
        for name, value in arguments.items()
    }


def _taken_from(tasks: deque[Task]) -> Iterator[Task]:
    """Take tasks until there are none left; several threads may do so at once."""
    while True:
        try:
            yield tasks.popleft()
        except IndexError:
            return


def _threads() -> ThreadPoolExecutor:
    """Return the threads, which are started as they are needed."""
    global _pool
    with _lock:
        if _pool is None:
            _pool = ThreadPoolExecutor(max_workers=64, thread_name_prefix="rockpool")
        return _pool


def _forget_threads() -> None:
    """Start anew in a process that was forked: it has none of the threads."""
    global _pool, _lock
    _pool, _lock = None, Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_threads)
