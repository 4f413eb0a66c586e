"""The exponential synapse on NEST: `ExpSynNest`."""

from __future__ import annotations

from typing import Any, Unpack

import numpy as np

from rockpool.nn.models import checks, exp_syn
from rockpool.nn.models.exp_syn import decay
from rockpool.nn.models.finite_input import require_finite
from rockpool.nn.models.model import SettingSpec
from rockpool.nn.modules.module import NoArguments
from rockpool.nn.modules.native.exp_syn import ExpSyn
from rockpool.nn.modules.nest.messages import events, groups
from rockpool.nn.modules.nest.recipe import INFINITE
from rockpool.nn.modules.nest.worker_process import call, require_nest
from rockpool.typehints import ArrayLike

__all__ = ["ExpSynNest"]

require_nest()


class ExpSynNest(ExpSyn):
    """A layer of exponential synapses, run by NEST.

    The equations, arguments, parameters and states are those of `ExpSyn`, and the values agree to
    about 1e-15 of the largest. NEST runs in a process of its own; see `LIFNest`.

    Parameters
    ----------
    shape, tau, noise_std, dt, max_window_length, spiking_input, spiking_output
        As for `ExpSyn`.
    num_threads : int
        Threads that NEST runs on. Default: 1.

    Notes
    -----
    The synapses are those of neurons of NEST's model ``iaf_psc_exp_multisynapse``, which never
    spike.
    """

    _model = exp_syn.EXP_SYN.extended(SettingSpec("num_threads", 1, check=checks.whole_count))

    num_threads: int

    def __init__(
        self,
        shape: int | tuple[int, ...],
        tau: ArrayLike | None = None,
        noise_std: float | int = 0.0,
        dt: float | int = 1e-3,
        max_window_length: float | int = 1e6,
        spiking_input: bool = True,
        spiking_output: bool = False,
        num_threads: int = 1,
        *args: Any,
        **kwargs: Unpack[NoArguments],
    ) -> None:
        self._declare(locals(), super(ExpSyn, self).__init__)

    def evolve(
        self, input_data: ArrayLike, record: bool = False
    ) -> tuple[np.ndarray, dict[str, Any], dict[str, Any]]:
        """Evolve the synapses over time; as `ExpSyn.evolve`, and errors as `LIFNest.evolve`.

        NaN and infinite input is an error that names the first place, as for `ExpSyn`.
        """
        data, _ = self._auto_batch(input_data)
        if 0 in data.shape:  # there is nothing to simulate
            return super().evolve(input_data, record)
        n_batch, n_steps, n_out = data.shape
        data[:, 0] += self._batched_state("isyn", n_batch)  # for NEST, what is there is input
        settings = {"steps": n_steps, "threads": self.num_threads}
        tau = np.minimum(np.broadcast_to(self.tau, (n_out,)) / self.dt, INFINITE)
        output = np.empty(data.shape)
        for group in groups(*data.shape):
            part = data[group]
            given = {**events("x", part), "tau": np.tile(tau, len(part))}
            reply = call(type(self).__name__, "exp_syn", settings, given)
            output[group] = reply["isyn"].reshape(n_steps, len(part), n_out).swapaxes(0, 1)
        # NEST lets the current decay before the input of a step arrives, not after it
        output *= decay(self.dt, self.tau)
        require_finite(self, data, output[:, -1].copy())
        return self._noisy(output, output[:, -1].copy())
