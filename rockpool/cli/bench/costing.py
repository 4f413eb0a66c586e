"""What a child process of ``rockpool bench --choose`` does: measure what layers cost.

Time is that of the processor, which says the same on a machine that others use as well.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from rockpool.backends.child_process import leave, take_stdout
from rockpool.cli.bench.measure import caller, describe_error
from rockpool.nn.conversion import convert
from rockpool.nn.costs import KINDS, Cost

__all__ = ["cost_of", "fitted", "main", "seconds_of"]

# On Windows the processor's time goes on in steps of 16 ms.
clock = time.perf_counter if sys.platform == "win32" else time.process_time

# (batch size, time steps, neurons): calls, time steps and values, each alone and all together
_SHAPES = ((1, 1, 8), (1, 100, 8), (1, 100, 512), (16, 100, 128))
_OTHER_SHAPES = {
    "Linear": ((1, 1, 8), (1, 1, 512), (1, 100, 8), (1, 100, 512), (16, 100, 128)),
    "Conv2d": ((1, 1, 6), (1, 100, 6), (8, 20, 16)),
}
_ROUND = 2e-3  # seconds that a round of calls takes at least


def main(wanted: dict[str, Any]) -> None:
    """Measure on the back-end ``wanted["backend"]`` the start, or else all kinds of layers."""
    report = take_stdout()
    try:
        backend, rounds = wanted["backend"], wanted["rounds"]
        if wanted["start"]:
            report({"is": "start", "ns": _start(backend)})
        for kind in () if wanted["start"] else KINDS:
            report({"is": "layer", "kind": kind, "cost": list(cost_of(kind, backend, rounds))})
    except (Exception, SystemExit) as error:
        import traceback

        traceback.print_exc()
        report({"is": "error", "text": describe_error(error)})
    leave()


def _start(backend: str) -> float:
    """Return the nanoseconds up to the first answer of a small network, beyond those of a call."""
    began = clock()
    call = caller(convert(_network("Sequential", 8), backend), _input(1, 10, 8), backend)
    call()
    first = clock() - began
    return max(first - seconds_of(call, 3), 0.0) * 1e9


def cost_of(kind: str, backend: str, rounds: int) -> Cost:
    """Return what calls of one kind of layer cost on a back-end."""
    if kind == "Sequential":
        whole, *parts = (
            _seconds(part, backend, (1, 1, 8), rounds) for part in (kind, "Linear", "LIF")
        )
        return Cost(call=max(whole - sum(parts), 0.0) / 2 * 1e9)
    shapes = _OTHER_SHAPES.get(kind, _SHAPES)
    rows = [_terms(kind, *shape) for shape in shapes]
    return fitted(rows, [_seconds(kind, backend, shape, rounds) * 1e9 for shape in shapes])


def _seconds(kind: str, backend: str, shape: tuple[int, int, int], rounds: int) -> float:
    batch, steps, size = shape
    network = _network(kind, size)
    data = _input(batch, steps, network.shape[0])
    return seconds_of(caller(convert(network, backend), data, backend), rounds)


def seconds_of(call: Callable[[], object], rounds: int) -> float:
    """Return the least time that a call takes, of several rounds of calls."""
    call()
    began = clock()
    call()
    repeats = max(1, round(_ROUND / max(clock() - began, 1e-6)))
    return min(_rounds_of(call, repeats, rounds))


def _rounds_of(call: Callable[[], object], repeats: int, rounds: int) -> Iterator[float]:
    for _ in range(rounds):
        began = clock()
        for _ in range(repeats):
            call()
        yield (clock() - began) / repeats


def _network(kind: str, size: int) -> Any:
    """Return the layer that is measured, on numpy."""
    from rockpool.nn.combinators import Sequential
    from rockpool.nn.modules import LIF, Conv2d, ExpSyn, Linear, Rate

    rng = np.random.default_rng(0)
    square = rng.normal(size=(size, size)) / size**0.5
    if kind == "Sequential":
        return Sequential(Linear((size, size), weight=square), LIF(size))
    if kind == "Conv2d":
        return Conv2d((4, size, size), 8, kernel_size=(3, 3), padding=1)
    if kind == "Linear":
        return Linear((size, size), weight=square)
    if kind == "recurrent LIF":
        return LIF(size, has_rec=True, w_rec=0.1 * square)
    return {"LIF": LIF, "ExpSyn": ExpSyn, "Rate": Rate}[kind](size)


def _input(batch: int, steps: int, size: int) -> np.ndarray:
    """Return input of which 5 % are spikes."""
    rng = np.random.default_rng(0)
    return (rng.random((batch, steps, size)) < 0.05).astype(float)


def _terms(kind: str, batch: int, steps: int, size: int) -> tuple[float, ...]:
    """Return what the entries of a `Cost` are multiplied by."""
    products = {"Linear": size * size, "recurrent LIF": size * size}.get(kind, 0)
    if kind == "Conv2d":
        products, size = 8 * size * size * 4 * 9, 8 * size * size
    rows = batch * steps
    weights = products if kind == "Linear" else 0
    recurs = kind not in ("Linear", "Conv2d")
    return 1, steps if recurs else 0, rows * size, rows * products, weights


def fitted(terms: list[tuple[float, ...]], times: list[float]) -> Cost:
    """Return the costs, none below 0, that come nearest to measured times, in parts of each."""
    scaled = np.array(terms, float) / np.array(times)[:, np.newaxis]
    used = [column for column in range(scaled.shape[1]) if scaled[:, column].any()]
    while used:
        part = scaled[:, used]
        largest = np.abs(part).max(0)
        found = np.linalg.lstsq(part / largest, np.ones(len(times)), rcond=None)[0] / largest
        if (found >= 0).all():
            break
        del used[int(np.argmin(found * largest))]
    numbers = [0.0] * len(Cost._fields)
    for column, number in zip(used, found, strict=True):
        numbers[column] = float(number)
    return Cost(*numbers)
