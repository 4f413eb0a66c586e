"""The leaky integrate-and-fire neuron on NEST: `LIFNest`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Unpack

import numpy as np

from rockpool.nn.models import checks, lif
from rockpool.nn.models.exp_syn import decay
from rockpool.nn.models.model import SettingSpec
from rockpool.nn.modules.module import NoArguments
from rockpool.nn.modules.native.lif import LIF
from rockpool.nn.modules.native.linear import kaiming
from rockpool.nn.modules.native.noise import drawn_noise
from rockpool.nn.modules.nest import recipe
from rockpool.nn.modules.nest.messages import events, groups
from rockpool.nn.modules.nest.replay import Replay
from rockpool.nn.modules.nest.worker_process import NestWorkerError, call, require_nest
from rockpool.typehints import ArrayLike

__all__ = ["LIFNest"]

require_nest()

# By how many thresholds the neurons of a recurrent layer are held down between two time steps. The
# second value, which costs digits, is for membranes that have run far away from their threshold.
_HOLDS = (2.0**8, 2.0**24)


class LIFNest(LIF):
    r"""A layer of leaky integrate-and-fire neurons with exponential synapses, run by NEST.

    The equations, arguments, parameters, states and records are those of `LIF`, and so are the
    spikes. Recorded membrane potentials are those of NEST, which computes them in another order:
    they agree to about 1e-11 thresholds. A membrane that misses its threshold by less than one part
    in 10^10 counts as having reached it. Input and state must be finite.

    NEST emits one spike a neuron and time step at most, `LIF` as many as the membrane holds
    thresholds. Where a neuron would need several, a call raises `ValueError` and changes nothing.
    With ``max_spikes_per_dt=1`` that is what the model says, here and in `LIF`: the other spikes
    come in the time steps that follow.

    A large batch is simulated a few elements at a time, for its memory and as that is faster.

    NEST runs in a process of its own, which is started by the first call of any module and ends
    with this one. Nothing of NEST is loaded here, where it would print, and change flags and
    numbers of threads. Should that process die, the call raises `NestWorkerError`, the state is as
    before, and the next call starts another. So does one after it has grown by 256 MiB, as NEST
    keeps a little of each run. A frozen program is no Python to start: the environment variable
    ``ROCKPOOL_PYTHON`` may name one that has rockpool and NEST.

    Parameters
    ----------
    shape, tau_mem, tau_syn, bias, w_rec, has_rec, weight_init_func, threshold, noise_std, \
    max_spikes_per_dt, dt, spiking_input, spiking_output
        As for `LIF`.
    num_threads : int
        Threads that NEST runs on. Default: 1.

    Notes
    -----
    The neurons are of NEST's model ``gif_psc_exp_multisynapse``. NEST decides on the spikes; the
    states, and the records `isyn` and `irec`, follow from spikes and input by the equations and are
    computed here. Should a spike not be where they have it, `NestWorkerError` is raised.

    References
    ----------
    M.-O. Gewaltig, M. Diesmann, NEST (NEural Simulation Tool), Scholarpedia 2 (2007).

    Examples
    --------
    >>> import numpy as np
    >>> from rockpool.nn.modules import LIF, LIFNest      # doctest: +SKIP
    >>> data = 0.1 * np.ones((1, 50, 3))
    >>> bool(np.all(LIFNest(3)(data)[0] == LIF(3)(data)[0]))      # doctest: +SKIP
    True
    """

    _model = lif.LIF.extended(SettingSpec("num_threads", 1, check=checks.whole_count))

    num_threads: int

    def __init__(
        self,
        shape: int | tuple[int, ...],
        tau_mem: ArrayLike | None = None,
        tau_syn: ArrayLike | None = None,
        bias: ArrayLike | None = None,
        w_rec: ArrayLike | None = None,
        has_rec: bool = False,
        weight_init_func: Callable[[tuple[int, ...]], np.ndarray] = kaiming,
        threshold: ArrayLike | None = None,
        noise_std: float | int = 0.0,
        max_spikes_per_dt: float | int = 2.0**16,
        dt: float | int = 1e-3,
        spiking_input: bool = False,
        spiking_output: bool = True,
        num_threads: int = 1,
        *args: Any,
        **kwargs: Unpack[NoArguments],
    ) -> None:
        self._declare(locals(), super(LIF, self).__init__)

    def evolve(
        self, input_data: ArrayLike, record: bool = False
    ) -> tuple[np.ndarray, dict[str, Any], dict[str, Any]]:
        """Evolve the neurons over time; as `LIF.evolve`.

        Raises
        ------
        ValueError
            As there; also where a neuron would emit several spikes in one time step.
        NestWorkerError
            NEST raised an error, or its process died.
        """
        data, _ = self._auto_batch(input_data)
        if 0 in data.shape:  # there is nothing to simulate
            return super().evolve(input_data, record)
        n_batch, n_steps, _ = data.shape
        per_synapse = (n_batch, n_steps, self.size_out, self.n_synapses)
        vmem = self._batched_state("vmem", n_batch)
        # for NEST, the currents that there are and the recurrent input that is due are input
        data[:, 0] += self._batched_state("isyn", n_batch).reshape(n_batch, -1)
        irec = np.zeros(data.shape if self._has_rec else (0,))
        if self._has_rec:
            irec[:, 0] = self._batched_state("spikes", n_batch) @ self.w_rec
            data[:, 0] += irec[:, 0]
        if not (np.isfinite(data).all() and np.isfinite(vmem).all()):
            raise ValueError(
                f"{self._label}: the input and the state must be finite: NEST has no other numbers"
            )
        noise = np.empty((0, 0, 0))
        if self.noise_std:
            noise = drawn_noise(self, (n_batch, n_steps, self.size_out))

        output = np.zeros((n_batch, n_steps, self.size_out))
        above = np.empty(output.shape if record else (0,))  # membranes above their thresholds
        for group in groups(*data.shape):
            reply = self._simulate(data[group], noise[group], vmem[group], record)
            batch, neuron = np.divmod(reply["neuron"], self.size_out)
            output[group.start + batch, reply["step"], neuron] = 1.0
            if record:
                distances = reply["V_m"] - reply["E_sfa"]
                above[group] = distances.reshape(n_steps, -1, self.size_out).swapaxes(0, 1)
        if self._has_rec:
            irec[:, 1:] = output[:, :-1] @ self.w_rec
        replay = Replay(
            data.reshape(per_synapse),
            output,
            irec.reshape(per_synapse) if self._has_rec else None,
            alpha=np.broadcast_to(decay(self.dt, self.tau_mem), (self.size_out,)),
            beta=np.broadcast_to(decay(self.dt, self.tau_syn), per_synapse[2:]),
            threshold=self._threshold,
            drive=np.broadcast_to(noise + self.bias if noise.size else self.bias, output.shape),
            vmem=vmem,
            record=record,
        )
        self._check(replay, output)

        records = {}
        if record:
            records = {
                "irec": irec.reshape(per_synapse) if self._has_rec else np.zeros(per_synapse),
                "spikes": output,
                "isyn": replay.isyn_record,
                "vmem": above + (1.0 - recipe.TOLERANCE - output) * self._threshold,
            }
        spikes = output[:, -1].copy()
        new_state = self._keep_state(spikes=spikes, isyn=replay.isyn, vmem=replay.vmem)
        return output, new_state, records

    def _simulate(
        self, data: np.ndarray, noise: np.ndarray, vmem: np.ndarray, record: bool
    ) -> dict[str, np.ndarray]:
        """Run NEST for some batch elements; see `simulations.lif` for the answer."""
        tau_syn = np.broadcast_to(self.tau_syn, (self.size_out, self.n_synapses))
        settings = {
            "steps": data.shape[1],
            "substeps": 2 if self._has_rec else 1,
            "threads": self.num_threads,
            "record": record,
        }
        given = {**events("x", data), **events("noise", noise), "vmem": vmem}
        for hold in _HOLDS if self._has_rec else (0.0,):
            neurons = recipe.neurons(
                np.broadcast_to(self.tau_mem, (self.size_out,)) / self.dt,
                tau_syn / self.dt,
                self.bias,
                self._threshold,
                settings["substeps"],
                hold,
            )
            given.update(recipe.connections(self.w_rec, neurons))
            reply = call(type(self).__name__, "lif", settings, {**given, **neurons})
            if not reply["extra_spikes"]:
                return reply
        raise NestWorkerError(
            f"{self._label}: membranes run further from their thresholds than NEST can follow with "
            f"recurrent weights"
        )

    @property
    def _threshold(self) -> np.ndarray:
        return np.broadcast_to(self.threshold, (self.size_out,))

    def _check(self, replay: Replay, output: np.ndarray) -> None:
        """Raise where NEST cannot have done what the model says."""
        excess = replay.first_excess(self.max_spikes_per_dt)
        if excess is not None:
            batch, step, neuron, due = excess
            raise ValueError(
                f"{self._label}: neuron {neuron} would emit {due} spikes in time step {step} (of "
                f"batch element {batch}), but NEST emits one at most; use weaker input, a smaller "
                f"dt or a higher threshold, or choose max_spikes_per_dt=1, which delays the others"
            )
        if replay.is_uncertain(output):
            raise NestWorkerError(
                f"{self._label}: the spikes of NEST are not those of the model; a membrane may run "
                f"further from its threshold than the numbers allow"
            )
