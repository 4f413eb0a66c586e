"""A plan executed by numba: the one kernel that interprets any plan."""

from __future__ import annotations

from functools import partial

import numpy as np

from rockpool.nn.kernels.compiling import call, kernel_array
from rockpool.nn.kernels.plan import plan_forward, plan_step
from rockpool.streaming.plan import Plan

__all__ = ["NumbaEngine"]


class NumbaEngine:
    """The kernel with its arrays; the arguments are as for `NumpyEngine`.

    Where the kernel has not been compiled yet on this machine, making an engine compiles its form
    for one step, and the first run, or the first events, that for many.
    """

    def __init__(self, plan: Plan, memory: np.ndarray) -> None:
        numbers = plan.numbers if plan.numbers.size else np.zeros(1, plan.dtype)
        chosen = np.empty(plan.most_inputs + 1, np.int64)
        self._arrays = plan.operations, numbers, memory, chosen
        self._no_starts = np.empty((0, 0), np.int64)
        self._no_channels = np.empty(0, np.int64)
        self._no_counts = np.empty(0, plan.dtype)
        self._no_input = np.empty((0, 0, 0), plan.dtype)
        operations, _, _, _ = self._arrays
        call(
            plan_step,
            operations=operations,
            numbers=numbers,
            memory=memory[:0],
            chosen=chosen,
        )
        self.step = partial(plan_step, *self._arrays)

    def run(self, x: np.ndarray, output: np.ndarray) -> None:
        """Do one time step after the other: (B, T, Nin) to (B, T, Nout)."""
        self._forward(x, self._no_starts, self._no_channels, self._no_counts, output)

    def events(
        self, starts: np.ndarray, channels: np.ndarray, counts: np.ndarray, output: np.ndarray
    ) -> None:
        """Do one time step after the other on events; see `plan_forward`."""
        self._forward(self._no_input, starts, channels, counts, output)

    def _forward(
        self,
        x: np.ndarray,
        starts: np.ndarray,
        channels: np.ndarray,
        counts: np.ndarray,
        output: np.ndarray,
    ) -> None:
        operations, numbers, memory, chosen = self._arrays
        call(
            plan_forward,
            operations=operations,
            numbers=numbers,
            memory=memory,
            chosen=chosen,
            x=kernel_array(x, output.dtype),
            starts=starts,
            channels=channels,
            counts=counts,
            output=output,
        )
