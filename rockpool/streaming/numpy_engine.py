"""A plan executed by numpy: a list of calls, made once, on views of the memory."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from rockpool.nn.kernels import operations as op
from rockpool.nn.models import euler
from rockpool.streaming.numpy_euler import membrane_step, spiking_step, synapse_step
from rockpool.streaming.plan import Plan

__all__ = ["NumpyEngine", "add_rows"]

# Rows of weights that are gathered at a time
GATHERED = 256
# Weights up to which all are added up, whichever inputs are 0: it takes less than to find these
FEW = 1024

Call = tuple[Callable[..., Any], tuple[Any, ...]]


class NumpyEngine:
    """The calls of one time step, for all streams of a memory.

    Parameters
    ----------
    plan : Plan
        What to do.
    memory : np.ndarray (B, memory_size)
        Of each stream; it is changed in place.
    """

    def __init__(self, plan: Plan, memory: np.ndarray) -> None:
        self._plan, self._memory = plan, memory
        self._calls: list[Call] = []
        for row in plan.operations[1:]:
            _ADD[int(row[op.KIND])](self, row)

    def step(self) -> None:
        """Do one time step on the input that the memory has."""
        for function, arguments in self._calls:
            function(*arguments)

    def run(self, x: np.ndarray, output: np.ndarray) -> None:
        """Do one time step after the other: (B, T, Nin) to (B, T, Nout)."""
        arriving, leaving = self._plan.ends(self._memory)
        for t in range(x.shape[1]):
            arriving[...] = x[:, t]
            self.step()
            output[:, t] = leaving

    def events(
        self, starts: np.ndarray, channels: np.ndarray, counts: np.ndarray, output: np.ndarray
    ) -> None:
        """Do one time step after the other on events; see `plan_forward`."""
        arriving, leaving = self._plan.ends(self._memory)
        arriving[...] = 0
        bounds = starts.tolist()
        for t in range(output.shape[1]):
            spans = [slice(row[t], row[t + 1]) for row in bounds]
            for b, span in enumerate(spans):
                np.add.at(arriving[b], channels[span], counts[span])
            self.step()
            output[:, t] = leaving
            for b, span in enumerate(spans):
                arriving[b, channels[span]] = 0

    # -- views, and calls -----------------------------------------------------------------------

    def _row(self, start: int, size: int) -> np.ndarray:
        """Return a part of the memory: (size,) for one stream, (B, size) for several."""
        part = self._memory[:, start : start + size]
        return part[0] if len(part) == 1 else part

    def _kept(self, start: int, size: int) -> np.ndarray:
        """Return some of the numbers."""
        return self._plan.numbers[start : start + size]

    def _full(self, number: float | int, like: np.ndarray) -> np.ndarray:
        """Return one number as a row: numpy takes three times as long over one that it repeats."""
        return np.full(like.shape[-1], number, self._plan.dtype)

    def _call(self, function: Callable[..., Any], *arguments: Any) -> None:
        self._calls.append((function, arguments))

    def _product(self, source: int, n_in: int, target: int, n_out: int, weight: int) -> None:
        """Write the product of a part of the memory with weights into another one."""
        weights, width = self._kept(weight, n_in * n_out).reshape(n_in, n_out), max(n_out, 2)
        if width > n_out:
            weights = np.hstack([weights, np.zeros_like(weights)])
        block = np.zeros((min(n_in, GATHERED) + 1, width), self._plan.dtype)
        whole = n_in <= GATHERED and weights.size <= FEW and bool(np.isfinite(weights).all())
        for memory in self._memory:
            given, taking = memory[source : source + n_in], memory[target : target + width]
            if whole:
                self._call(np.multiply, weights, given[:, np.newaxis], block[1:])
                self._call(np.add.reduce, block, 0, None, taking)
            else:
                self._call(add_rows, given, weights, taking, block)

    def _add_product(self, row: np.ndarray) -> None:
        n_in, n_out, start = row[op.N_IN], row[op.N_OUT], row[op.TARGET]
        self._product(row[op.SOURCE], n_in, start, n_out, row[op.WEIGHT])
        if row[op.BIAS] >= 0:
            target = self._row(start, n_out)
            self._call(np.add, target, self._kept(row[op.BIAS], n_out), target)

    def _add_connect(self, row: np.ndarray) -> None:
        n_in, n_out = row[op.N_IN], row[op.N_OUT]
        starts = self._kept(row[op.ALPHA], n_in + 1).astype(np.int64)
        n = int(starts[-1])
        outputs = self._kept(row[op.BETA], n).astype(np.int64)
        weights = self._kept(row[op.WEIGHT], n)
        for memory in self._memory:
            source = memory[row[op.SOURCE] : row[op.SOURCE] + n_in]
            target = memory[row[op.TARGET] : row[op.TARGET] + n_out]
            self._call(add_connections, source, starts, outputs, weights, target)
            if row[op.LIMIT] >= 0:
                self._call(np.divide, target, self._kept(row[op.LIMIT], 1), target)
            if row[op.BIAS] >= 0:
                self._call(np.add, target, self._kept(row[op.BIAS], n_out), target)

    def _add_lif(self, row: np.ndarray) -> None:
        n_in, n = row[op.N_IN], row[op.N_OUT]
        source, spikes = self._row(row[op.SOURCE], n_in), self._row(row[op.TARGET], n)
        v, i = self._row(row[op.VMEM], n), self._row(row[op.ISYN], n_in)
        room = self._row(row[op.TOTAL], n)
        threshold, bias = self._kept(row[op.THRESHOLD], n), self._kept(row[op.BIAS], n)
        self._call(np.add, i, source, i)
        if row[op.WEIGHT] >= 0:
            arriving = self._row(row[op.ARRIVING], n_in)
            self._product(row[op.TARGET], n, row[op.ARRIVING], n_in, row[op.WEIGHT])
            self._call(np.add, i, arriving, i)
        starts, factors = (row[op.VMEM], row[op.ISYN]), (row[op.ALPHA], row[op.BETA])
        if starts[1] - starts[0] == factors[1] - factors[0] == n:  # side by side, but for n = 1
            both = self._row(starts[0], n + n_in)
            self._call(np.multiply, both, self._kept(factors[0], n + n_in), both)
        else:
            self._call(np.multiply, i, self._kept(factors[1], n_in), i)
            self._call(np.multiply, v, self._kept(factors[0], n), v)
        self._call(np.add, v, self._total(i, n_in // n, room), v)
        if row[op.IAHP] >= 0:
            iahp = self._row(row[op.IAHP], n)
            self._call(np.multiply, spikes, self._kept(row[op.W_AHP], n), room)
            self._call(np.add, iahp, room, iahp)
            self._call(np.multiply, iahp, self._kept(row[op.GAMMA], n), iahp)
            self._call(np.add, v, iahp, v)
        if bias.any():
            self._call(np.add, v, bias, v)
        self._add_spikes(v, threshold, self._kept(row[op.LIMIT], 1), spikes, room)

    def _total(self, i: np.ndarray, n_synapses: int, room: np.ndarray) -> np.ndarray:
        """Return where the sum of the currents of each neuron is going to be."""
        if n_synapses == 1:
            return i
        self._call(np.add, i[..., ::n_synapses], i[..., 1::n_synapses], room)
        for s in range(2, n_synapses):
            self._call(np.add, room, i[..., s::n_synapses], room)
        return room

    def _add_spikes(
        self,
        v: np.ndarray,
        threshold: np.ndarray,
        limit: np.ndarray,
        spikes: np.ndarray,
        room: np.ndarray,
    ) -> None:
        """Count spikes and reset; dividing by 1 makes no difference."""
        with_threshold = bool((threshold != 1).any())
        if with_threshold:
            self._call(np.divide, v, threshold, spikes)
        self._call(np.floor, spikes if with_threshold else v, spikes)
        self._call(np.maximum, spikes, self._full(0, spikes), spikes)
        self._call(np.minimum, spikes, self._full(limit[0], spikes), spikes)
        if with_threshold:
            self._call(np.multiply, spikes, threshold, room)
        self._call(np.subtract, v, room if with_threshold else spikes, v)

    def _add_exp_syn(self, row: np.ndarray) -> None:
        n = row[op.N_OUT]
        i = self._row(row[op.TARGET], n)
        self._call(np.add, i, self._row(row[op.SOURCE], n), i)
        self._call(np.multiply, i, self._kept(row[op.BETA], n), i)

    def _add_rate(self, row: np.ndarray) -> None:
        n = row[op.N_OUT]
        x, activity = self._row(row[op.VMEM], n), self._row(row[op.TARGET], n)
        change = self._row(row[op.TOTAL], n)
        if row[op.WEIGHT] >= 0:
            self._activate(row, x, activity)  # that of the step before
            self._product(row[op.TARGET], n, row[op.ARRIVING], n, row[op.WEIGHT])
        self._call(np.add, self._row(row[op.SOURCE], n), self._kept(row[op.BIAS], n), change)
        self._call(np.subtract, change, x, change)
        if row[op.WEIGHT] >= 0:
            self._call(np.add, change, self._row(row[op.ARRIVING], n), change)
        self._call(np.multiply, self._kept(row[op.ALPHA], n), change, change)
        self._call(np.add, x, change, x)
        self._activate(row, x, activity)

    def _activate(self, row: np.ndarray, x: np.ndarray, activity: np.ndarray) -> None:
        name = op.ACTIVATIONS[row[op.OPTION]]
        self._call(np.subtract, x, self._kept(row[op.THRESHOLD], row[op.N_OUT]), activity)
        if name == "relu":
            self._call(np.maximum, activity, self._full(0, activity), activity)
            return
        self._call(np.tanh, activity, activity)
        if name == "sigmoid":
            self._call(np.add, activity, self._full(1, activity), activity)
            self._call(np.divide, activity, self._full(2, activity), activity)

    def _add_euler(self, row: np.ndarray) -> None:
        n, target = row[op.N_OUT], self._row(row[op.TARGET], row[op.N_OUT])
        arriving, v = self._row(row[op.ARRIVING], n), self._row(row[op.VMEM], n)
        spiking = row[op.IAHP] >= 0
        given = self._row(row[op.IAHP], n) if spiking else v
        rules = euler.Rules(*self._kept(row[op.BIAS], len(euler.Rules._fields)))
        if rules.delay:
            self._call(np.copyto, target, given)
        if row[op.WEIGHT] >= 0:
            self._product(row[op.IAHP], n, row[op.OTHER], n, row[op.WEIGHT])
            others = self._row(row[op.OTHER], n)
            self._call(np.add, self._row(row[op.SOURCE], n), others, arriving)
        else:
            self._call(np.copyto, arriving, self._row(row[op.SOURCE], n))
        if row[op.ISYN] >= 0:
            gains = self._kept(row[op.BETA], 2 * n).reshape(2, n)
            self._call(synapse_step, rules, *gains, self._row(row[op.ISYN], n), arriving)
        mem = self._kept(row[op.ALPHA], 3 * n).reshape(3, n)
        if spiking:
            levels = self._kept(row[op.THRESHOLD], 2 * n).reshape(2, n)
            self._call(spiking_step, rules, *mem, *levels, arriving, v, given)
        else:
            self._call(membrane_step, *mem, arriving, v)
        if not rules.delay:
            self._call(np.copyto, target, given)

    def _add_function(self, row: np.ndarray) -> None:
        n = row[op.N_OUT]
        source, target = self._row(row[op.SOURCE], n), self._row(row[op.TARGET], n)
        name = op.FUNCTIONS[row[op.OPTION]]
        if name == "relu":
            self._call(np.maximum, source, self._full(0, source), target)
        else:
            self._call(getattr(np, name), source, target)

    def _add_sum(self, row: np.ndarray) -> None:
        n = row[op.N_OUT]
        terms = self._row(row[op.SOURCE], n), self._row(row[op.OTHER], n)
        self._call(np.add, *terms, self._row(row[op.TARGET], n))


_ADD: dict[int, Callable[[NumpyEngine, np.ndarray], None]] = {
    op.PRODUCT: NumpyEngine._add_product,
    op.LIF: NumpyEngine._add_lif,
    op.EXP_SYN: NumpyEngine._add_exp_syn,
    op.RATE: NumpyEngine._add_rate,
    op.FUNCTION: NumpyEngine._add_function,
    op.ADD: NumpyEngine._add_sum,
    op.EULER: NumpyEngine._add_euler,
    op.CONNECT: NumpyEngine._add_connect,
}


def add_rows(
    source: np.ndarray, weights: np.ndarray, target: np.ndarray, block: np.ndarray
) -> None:
    """Write ``source @ weights`` into `target`, adding the rows of numbers that are not 0 in order.

    The order makes it the same for any engine, and for input as numbers or as events. The sum of a
    block begins with what there is so far, which stands in its first row.
    """
    (chosen,) = source.nonzero()
    n, most = len(chosen), len(block) - 1
    if n == 0:
        target.fill(0)
        return
    block[0] = 0
    for start in range(0, n, most):
        some = chosen[start : start + most] if n > most else chosen
        rows = block[1 : len(some) + 1]
        weights.take(some, 0, rows, "clip")
        np.multiply(rows, source.take(some)[:, np.newaxis], rows)
        np.add.reduce(block[: len(some) + 1], 0, None, target)
        if start + most < n:
            block[0] = target


def add_connections(
    source: np.ndarray,
    starts: np.ndarray,
    outputs: np.ndarray,
    weights: np.ndarray,
    target: np.ndarray,
) -> None:
    """Write what single connections bring, added up input by input; those that are 0 are left out.

    Those of input ``j`` are ``starts[j]`` to ``starts[j + 1]`` of `outputs` and `weights`.
    """
    (chosen,) = source.nonzero()
    begin = starts[chosen]
    each = starts[chosen + 1] - begin
    ends = each.cumsum()
    total = int(ends[-1]) if len(ends) else 0
    which = np.arange(total) + (begin - ends + each).repeat(each)
    target[...] = 0
    np.add.at(target, outputs[which], weights[which] * source[chosen].repeat(each))
