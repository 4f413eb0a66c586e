"""The exponential synapse compiled with numba: `ExpSynNumba`."""

from __future__ import annotations

from typing import Any

import numpy as np

from rockpool.nn.kernels.compiling import call, kernel_array
from rockpool.nn.kernels.exp_syn import exp_syn_forward
from rockpool.nn.models.exp_syn import decay
from rockpool.nn.models.finite_input import require_finite
from rockpool.nn.modules.native.exp_syn import ExpSyn
from rockpool.nn.modules.numba.input import batched_input
from rockpool.typehints import ArrayLike

__all__ = ["ExpSynNumba"]


class ExpSynNumba(ExpSyn):
    """A layer of exponential synapses, compiled.

    The equations, arguments, parameters and states are those of `ExpSyn`, and so are the values,
    bit for bit. See `LIFNumba` for how the time loop is compiled.
    """

    def evolve(
        self, input_data: ArrayLike, record: bool = False
    ) -> tuple[np.ndarray, dict[str, Any], dict[str, Any]]:
        """Evolve the synapses over time; as `ExpSyn.evolve`."""
        data = batched_input(self, input_data)
        output: np.ndarray = np.empty(data.shape, self._dtype)
        isyn = kernel_array(self._batched_state("isyn", len(data)), self._dtype)
        beta = kernel_array(decay(self.dt, self.tau), self._dtype, (self.size_out,))
        call(exp_syn_forward, x=data, beta=beta, isyn=isyn, output=output)
        require_finite(self, data, isyn)
        return self._noisy(output, isyn)
