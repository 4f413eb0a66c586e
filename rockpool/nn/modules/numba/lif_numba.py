"""The leaky integrate-and-fire neuron compiled with numba: `LIFNumba`."""

from __future__ import annotations

from typing import Any

import numpy as np

from rockpool.nn.kernels.compiling import Prepared, kernel_array
from rockpool.nn.kernels.lif import lif_forward, single_synapse_forward
from rockpool.nn.models.exp_syn import decay
from rockpool.nn.models.finite_input import require_finite
from rockpool.nn.modules.native.lif import LIF
from rockpool.nn.modules.native.noise import drawn_noise
from rockpool.nn.modules.numba.input import batched_input
from rockpool.typehints import ArrayLike

__all__ = ["LIFNumba"]


class LIFNumba(LIF):
    r"""A layer of leaky integrate-and-fire neurons with exponential synapses, compiled.

    The equations, arguments, parameters, states and records are those of `LIF`, and so are the
    spikes and values, bit for bit. With recurrent weights the contributions of several neurons
    are added up in another order, which may change the last bit; they agree exactly where sums
    are exact, as with weights that are multiples of a power of two.

    The first call ever compiles the time loop, in a few seconds; the machine code is kept for
    later processes.

    Examples
    --------
    >>> import numpy as np
    >>> from rockpool.nn.modules import LIF, LIFNumba
    >>> data = np.ones((1, 5, 3))
    >>> bool(np.all(LIFNumba(3)(data)[0] == LIF(3)(data)[0]))
    True
    """

    def evolve(
        self, input_data: ArrayLike, record: bool = False
    ) -> tuple[np.ndarray, dict[str, Any], dict[str, Any]]:
        """Evolve the neurons over time; as `LIF.evolve`."""
        data = batched_input(self, input_data)
        n_batch, n_steps, n_in = data.shape
        n_out, kind = self.size_out, self._dtype

        vmem = self._batched_state("vmem", n_batch)
        isyn = self._batched_state("isyn", n_batch)
        if self._has_rec or not n_steps:
            spikes = self._batched_state("spikes", n_batch)
        else:
            spikes = np.empty((n_batch, n_out), kind)  # are written, and not asked for before
        output = np.empty((n_batch, n_steps, n_out), kind)
        records = self._empty_records(output) if record else {}
        optional = {}
        if self._has_rec:
            optional["w_rec"] = kernel_array(self.w_rec, kind)
        if self.noise_std:
            optional["noise"] = drawn_noise(self, output.shape)
        if record:
            optional |= {
                "vmem_record": records["vmem"],
                "isyn_record": records["isyn"].reshape(data.shape),
                "irec_record": records["irec"].reshape(data.shape),
            }
        alone, synapses = self._kernels()
        kernel = alone if n_in == n_out and not optional else synapses
        squares = kernel(
            x=data,
            vmem=vmem,
            isyn=isyn.reshape(n_batch, n_in),
            spikes=spikes,
            output=output,
            **optional,
        )
        if not squares < np.inf:
            require_finite(self, data, isyn)
        return output, self._keep_state(spikes=spikes, isyn=isyn, vmem=vmem), records

    def _kernels(self) -> tuple[Prepared, Prepared]:
        """Return the kernels for neurons of one synapse and of several, with the parameters."""
        arrays = self.tau_mem, self.tau_syn, self.bias, self.threshold
        made = self._kept.get(self._made_kernels, arrays, self.dt, self.max_spikes_per_dt)
        return made or self._made_kernels()

    def _made_kernels(self) -> tuple[Prepared, Prepared]:
        n_out, kind = self.size_out, self._dtype
        beta = kernel_array(decay(self.dt, self.tau_syn), kind, (n_out, self.n_synapses))
        constants = {
            "alpha": kernel_array(decay(self.dt, self.tau_mem), kind, (n_out,)).copy(),
            "beta": beta.reshape(self.size_in),
            "bias": kernel_array(self.bias, kind, (n_out,)).copy(),
            "threshold": kernel_array(self.threshold, kind, (n_out,)).copy(),
            "max_spikes": self.max_spikes_per_dt,
        }
        kernels = single_synapse_forward, lif_forward
        alone, synapses = (Prepared(kernel, kind, **constants) for kernel in kernels)
        return alone, synapses
