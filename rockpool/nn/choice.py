"""The fastest back-end for a network and a shape: `choose`, from a table of costs.

To choose are the back-ends of this process that give the same spikes: numpy, numba, torch and jax.
What a call costs there is added up over the layers, from `rockpool.nn.costs`.
"""

from __future__ import annotations

import logging
import math
import sys
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from rockpool.backends.queries import backend_status
from rockpool.nn.costs import CANDIDATES, Column, known_costs
from rockpool.nn.description import CONTAINERS, Node
from rockpool.nn.kernels.switch import kernels_wanted
from rockpool.nn.obstacles import obstacles

__all__ = ["DEFAULT_SHAPE", "LOGGER", "Choice", "choose", "column_of"]

LOGGER = logging.getLogger("rockpool.choice")
DEFAULT_SHAPE = (1, 100)

_HERE = ("available", "installed")
_WITH_KERNELS = ("torch", "jax")  # which run kernels that numba compiles
# Models whose costs are those of another kind of layer
_KIN = {"aLIF": "LIF", "Conv1d": "Conv2d", "SumPool2d": "Conv2d", "AvgPool2d": "Conv2d"}
_KIN |= dict.fromkeys(("Flatten", "Scale", "Instant"), "Linear")


@dataclass(frozen=True)
class Choice:
    """A back-end that was chosen.

    Attributes
    ----------
    backend : str
        Its name.
    reason : str
        Why, in a sentence.
    costs : dict of float by str
        Seconds that the work is expected to take on one thread, by back-end, the fastest first.
        Back-ends that are not here, or cannot hold the network, are not among them.
    """

    backend: str
    reason: str
    costs: dict[str, float]


def choose(
    description: Node, shape: Sequence[int] = DEFAULT_SHAPE, *, calls: int | None = None
) -> Choice:
    """Return the fastest back-end that is here for a network and a shape of its input.

    What counts are plain calls, without gradients and not compiled as a whole (as by ``jax.jit``),
    in the precision that each back-end has by itself, on the processor. The back-end that is chosen
    has been imported then, as one that cannot be is not chosen. The choice is said by the logger
    ``rockpool.choice`` as well, at the level INFO.

    Parameters
    ----------
    description : Node
        The network (`rockpool.describe`).
    shape : tuple of int
        Batch size and number of time steps ``(B, T)`` of a call, or all of the input's shape.
        Default: (1, 100).
    calls : int, optional
        After how many calls the process is over: then a back-end also costs its import, if that has
        not been done, and a slower first call. Default: so many that only they count.

    Returns
    -------
    Choice

    Raises
    ------
    ValueError
        `shape` or `calls` is not positive; or no back-end that is here can hold the network.
    """
    batch, steps = _checked_shape(shape)
    if calls is not None and not _is_count(calls):
        raise ValueError(f"choose: calls must be an integer > 0 or None, got {calls!r}")
    standing = {name: next(obstacles(description, name), None) for name in CANDIDATES}
    able = [name for name in CANDIDATES if standing[name] is None]
    problem = f"it needs {' or '.join(able)}" if able else str(standing["numpy"])
    table, measured = known_costs()
    lost = {name for name in CANDIDATES if backend_status(name).state not in _HERE}
    while here := [name for name in able if name not in lost]:
        columns = {name: column_of(name, lost) for name in here}
        costs = {
            name: _seconds(description, table[columns[name]], batch, steps, name, calls)
            for name in here
        }
        costs = dict(sorted(costs.items(), key=lambda item: item[1]))
        best = next(iter(costs))
        kernels = best in _WITH_KERNELS and columns[best] == best
        broken = {name for name in (best, *["numba"] * kernels) if not _works(name)}
        if not broken:
            break
        lost |= broken
    else:
        raise ValueError(
            f"'auto' is one of {', '.join(CANDIDATES)}, and none that is here can hold this "
            f"network: {problem}"
        )
    known = [column in measured for column in columns.values()]
    source = "measured here" if all(known) else "some by default" if any(known) else "by default"
    reason = _reason(costs, (batch, steps), calls, source)
    LOGGER.info("%s: %s", best, reason)
    return Choice(best, reason, costs)


def column_of(backend: str, lost: Collection[str] = ()) -> str:
    """Return which costs a back-end has here: torch and jax are slower without kernels.

    `lost` are back-ends that are known not to work.
    """
    if backend not in _WITH_KERNELS:
        return backend
    numba = "numba" not in lost and backend_status("numba").state in _HERE
    return backend if numba and kernels_wanted() else f"{backend}, no kernels"


def _works(backend: str) -> bool:
    """Return whether a back-end can be imported; it is, as it is about to be used."""
    return backend_status(backend, probe=True).state in _HERE


def _checked_shape(shape: Any) -> tuple[int, int]:
    """Return batch size and time steps."""
    sizes = tuple(shape) if isinstance(shape, Sequence) and not isinstance(shape, str) else ()
    if len(sizes) < 2 or not all(map(_is_count, sizes[:2])):
        raise ValueError(f"choose: shape must be (B, T), two integers > 0, got {shape!r}")
    return int(sizes[0]), int(sizes[1])


def _is_count(number: Any) -> bool:
    return hasattr(number, "__index__") and not isinstance(number, bool) and number > 0


def _seconds(
    node: Node, column: Column, batch: int, steps: int, backend: str, calls: int | None
) -> float:
    """Return what one call is expected to cost, or all of them with the start."""
    call = sum(_call_costs(node, column, batch, steps)) * 1e-9
    if calls is None:
        return call
    start = 0.0 if backend == "numpy" or backend in sys.modules else column.start * 1e-9
    return start + calls * call


def _call_costs(node: Node, column: Column, batch: int, steps: int) -> Iterator[float]:
    """Go over what the layers of a network cost in a call, in nanoseconds."""
    if node.model in CONTAINERS or node.children:
        yield column.layers["Sequential"].call * len(node.children)
        for child in node.children.values():
            yield from _call_costs(child, column, batch, steps)
        return
    kind = _KIN.get(node.model, node.model)
    products = _products(node)
    if kind in ("LIF", "Rate") and products:
        kind = "recurrent LIF"
    cost = column.layers.get(kind, column.layers["LIF"])
    rows = batch * steps
    size = next((size for size in reversed(node.shape) if size is not None), 1)
    yield cost.call + cost.step * steps + cost.value * rows * size
    yield (cost.product * rows + cost.weight) * products


def _products(node: Node) -> float:
    """Return how many multiplications by weights a layer makes for one time step."""
    name = "w_rec" if "w_rec" in node.parameters else "weight"
    if name in node.parameters:
        weight = node.parameters[name].array
        if weight.ndim <= 2:
            return float(weight.size)
        n_out = node.shape[-1] or 1
        return weight[0].size * float(n_out)
    window = node.settings.get("kernel_size", 0)
    size = math.prod(window) if isinstance(window, tuple) else window
    return float(size * (node.shape[-1] or 1))


def _reason(costs: dict[str, float], shape: tuple[int, int], calls: int | None, source: str) -> str:
    """Return why the first of the back-ends was chosen."""
    best, *others = costs
    work = "a call" if calls is None else "one call, started anew," if calls == 1 else "all"
    if calls is not None and calls > 1:
        work = f"{calls} calls, started anew,"
    said = f"{work} of {shape[0]} x {shape[1]} time steps is expected to take {_time(costs[best])}"
    listed = ", ".join(f"{_time(costs[name])} with {name}" for name in others)
    beside = f"; {listed}" if listed else "; no other that is here can hold the network"
    return f"{said}{beside} (costs {source})"


def _time(seconds: float | int) -> str:
    """Return a time as people say it."""
    for unit, size in (("s", 1.0), ("ms", 1e-3)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds * 1e6:.3g} us"
