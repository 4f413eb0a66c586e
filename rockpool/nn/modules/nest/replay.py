"""What follows from input and spikes: recurrent input, currents, and how many spikes were due."""

from __future__ import annotations

import numpy as np

from rockpool.nn.modules.native.lif import sum_in_order

# How far from the threshold, in parts of it, a membrane may be found on its other side. It is a
# sign of trouble: rounding accounts for a millionth of that.
_UNCERTAIN = 1e-5


class Replay:
    """The reference equations for given spikes, over a batch. Nothing is decided here.

    The input of the first time step includes the currents that there were before, and the recurrent
    input to that time step, which is not added again.

    Attributes
    ----------
    isyn : array (B, N, S)
        Currents at the end.
    vmem : array (B, N)
        Membranes at the end, after the reset.
    isyn_record : array (B, T, N, S)
        Currents of all time steps; of size 0 without `record`.
    thresholds_held : array (T, B, N)
        Membrane before the reset, in thresholds.
    """

    def __init__(
        self,
        x: np.ndarray,  # input (B, T, N, S)
        output: np.ndarray,  # spikes (B, T, N)
        irec: np.ndarray | None,  # recurrent input (B, T, N, S)
        *,
        alpha: np.ndarray,  # decay of the membrane (N,)
        beta: np.ndarray,  # decay of the currents (N, S)
        threshold: np.ndarray,  # (N,)
        drive: np.ndarray,  # added to the membrane: bias and noise (B, T, N)
        vmem: np.ndarray,  # before the first time step (B, N)
        record: bool,  # whether to keep the currents of all time steps
    ) -> None:
        n_batch, n_steps, n_out, n_syn = x.shape
        isyn = np.zeros((n_batch, n_out, n_syn))
        membrane, total = vmem.copy(), np.empty_like(vmem)
        self.isyn_record = np.empty(x.shape if record else (0,))
        self.thresholds_held = np.empty((n_steps, n_batch, n_out))
        beta = np.broadcast_to(beta, isyn.shape).copy()
        alpha = np.broadcast_to(alpha, membrane.shape).copy()
        for t in range(n_steps):
            isyn += x[:, t]
            if irec is not None and t > 0:
                isyn += irec[:, t]
            isyn *= beta
            membrane *= alpha
            membrane += sum_in_order(np.moveaxis(isyn, -1, 0), out=total)
            membrane += drive[:, t]
            self.thresholds_held[t] = membrane
            membrane -= output[:, t] * threshold
            if record:
                self.isyn_record[:, t] = isyn
        self.isyn, self.vmem = isyn, membrane
        self.thresholds_held /= threshold

    def first_excess(self, limit: float | int) -> tuple[int, int, int, int] | None:
        """Return (batch element, time step, neuron, spikes) where several spikes were due first."""
        if limit == 1 or self.thresholds_held.max() < 2.0:
            return None
        step, batch, neuron = np.argwhere(self.thresholds_held >= 2.0)[0]
        due = min(self.thresholds_held[step, batch, neuron] // 1.0, limit)
        return int(batch), int(step), int(neuron), int(due)

    def is_uncertain(self, output: np.ndarray) -> bool:
        """Whether a neuron has spiked far below its threshold, or not far above."""
        distance = self.thresholds_held.swapaxes(0, 1) - 1.0
        wrong = (distance >= 0) != (output > 0)
        return bool(np.any(np.abs(distance[wrong]) > _UNCERTAIN))
