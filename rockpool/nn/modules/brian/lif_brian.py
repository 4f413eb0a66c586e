"""The leaky integrate-and-fire neuron on Brian 2: `LIFBrian`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Unpack

import numpy as np

from rockpool.nn.models import lif
from rockpool.nn.models.exp_syn import decay
from rockpool.nn.modules.brian.simulation import (
    CODEGEN_TARGET,
    BrianLayer,
    Feed,
    brian2,
    clock_of,
    per_neuron,
    recording,
    recurrent_synapses,
    run,
)
from rockpool.nn.modules.module import NoArguments
from rockpool.nn.modules.native.lif import LIF
from rockpool.nn.modules.native.linear import kaiming
from rockpool.typehints import ArrayLike

__all__ = ["LIFBrian"]


# Stands for an infinite number of spikes, which has no name in compiled code.
_MOST_SPIKES = 1e300


class LIFBrian(BrianLayer, LIF):
    r"""A layer of leaky integrate-and-fire neurons with exponential synapses, run by Brian 2.

    The equations, arguments, parameters, states and records are those of `LIF`, and so are the
    spikes and values, bit for bit; with recurrent weights as `LIFNumba` says.

    Each call builds a network of its own and runs it. Settings, device and clocks of Brian are
    afterwards as they were, so the module can be used beside Brian models of your own.

    Parameters
    ----------
    shape, tau_mem, tau_syn, bias, w_rec, has_rec, weight_init_func, threshold, noise_std, \
    max_spikes_per_dt, dt, spiking_input, spiking_output
        As for `LIF`.
    codegen_target : str
        What Brian makes of the equations: ``"numpy"`` (default; needs no compiler), ``"cython"``
        (compiled once, in half a minute, and kept in Brian's cache), or ``"cpp_standalone"`` (a
        program is compiled for each call).

    Notes
    -----
    A recurrent weight of 0 is no synapse and costs nothing. Each batch element has synapses of its
    own. Noise is drawn by numpy, as in `LIF`.

    When Brian is imported, it opens a log file in the folder for temporary files; its preference
    ``logging.file_log`` can stop that.

    References
    ----------
    M. Stimberg, R. Brette, D. F. M. Goodman, Brian 2, an intuitive and efficient neural simulator,
    eLife 8 (2019).

    Examples
    --------
    >>> import numpy as np
    >>> from rockpool.nn.modules import LIF, LIFBrian
    >>> data = np.ones((1, 5, 3))
    >>> bool(np.all(LIFBrian(3)(data)[0] == LIF(3)(data)[0]))      # doctest: +SKIP
    True
    """

    _model = lif.LIF.extended(CODEGEN_TARGET)

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
        codegen_target: str = "numpy",
        *args: Any,
        **kwargs: Unpack[NoArguments],
    ) -> None:
        self._declare(locals(), super(LIF, self).__init__)

    def _run(
        self, data: np.ndarray, record: bool
    ) -> tuple[np.ndarray, dict[str, Any], dict[str, Any]]:
        n_batch, n_steps, _ = data.shape
        first_irec = np.zeros((n_batch, self.size_in))
        if self._has_rec:
            first_irec = self._batched_state("spikes", n_batch) @ self.w_rec
        clock = clock_of(self.dt)
        feed = Feed(self.codegen_target, clock, self._over_time(data))
        group = self._neurons(n_batch, clock, feed, first_irec)
        spikes = brian2.SpikeMonitor(group, variables=["spikes"], name="rockpool_spikes")
        network = brian2.Network(group, spikes, *feed.operations(group))
        network.add(*self._recurrent_synapses(group, n_batch))
        monitor = None
        if record:
            per_synapse = (f"{v}_{s}" for v in ("isyn", "irec") for s in range(self.n_synapses))
            monitor = recording(group, ["vmem", *per_synapse])
            network.add(monitor)
        run(self._label, network, n_steps, self.dt, feed.namespace)

        output = np.zeros((n_batch, n_steps, self.size_out))
        batch, neuron = np.divmod(np.asarray(spikes.i), self.size_out)
        step = np.rint(np.asarray(spikes.t_) / self.dt).astype(np.int64)
        output[batch, step, neuron] = spikes.spikes_
        records = {}
        if monitor is not None:
            records = self._records(monitor, output, first_irec)
        isyn = [np.array(getattr(group, f"isyn_{s}_")) for s in range(self.n_synapses)]
        new_state = self._keep_state(
            spikes=output[:, -1].copy(),
            isyn=np.stack(isyn, axis=-1).reshape(n_batch, self.size_out, self.n_synapses),
            vmem=np.array(group.vmem_).reshape(n_batch, self.size_out),
        )
        return output, new_state, records

    def _over_time(self, data: np.ndarray) -> dict[str, np.ndarray]:
        """Return what is different in each time step: (T, B * N) by name of the variable."""
        n_batch, n_steps, _ = data.shape
        neurons = (n_steps, n_batch * self.size_out)
        inputs = data.reshape(n_batch, n_steps, self.size_out, self.n_synapses)
        values = {
            f"x_{s}": inputs[..., s].swapaxes(0, 1).reshape(neurons) for s in range(self.n_synapses)
        }
        drive = self._drive(n_batch, n_steps) if self.noise_std else None
        if drive is not None:
            values["drive"] = drive.reshape(neurons)
        return values

    def _neurons(self, n_batch: int, clock: Any, feed: Feed, first_irec: np.ndarray) -> Any:
        """Return the neurons of all batch elements, one element after the other, at their start."""
        synapses = range(self.n_synapses)
        group = brian2.NeuronGroup(
            n_batch * self.size_out,
            _model(self.n_synapses),
            threshold="not (spikes <= 0)",  # NaN is to be seen
            reset="",  # in the update: it needs the number of spikes
            clock=clock,
            name="rockpool_neurons",
            dtype=np.float64,
            namespace=feed.namespace,
        )
        group.run_regularly(
            feed.code + _update(self.n_synapses, self._has_rec, self.codegen_target),
            clock=clock,
            when="start",
            name="rockpool_update",
        )
        isyn = self._batched_state("isyn", n_batch)
        irec = first_irec.reshape(isyn.shape)
        beta = decay(self.dt, np.broadcast_to(self.tau_syn, isyn.shape[1:]))
        group.max_spikes_ = min(self.max_spikes_per_dt, _MOST_SPIKES)
        group.alpha_ = per_neuron(self, decay(self.dt, self.tau_mem), n_batch)
        group.threshold_ = per_neuron(self, self.threshold, n_batch)
        group.drive_ = per_neuron(self, self.bias, n_batch)
        group.vmem_ = self._batched_state("vmem", n_batch).ravel()
        for s in synapses:
            setattr(group, f"beta_{s}_", per_neuron(self, beta[:, s], n_batch))
            setattr(group, f"isyn_{s}_", isyn[..., s].ravel())
            setattr(group, f"irec_{s}_", irec[..., s].ravel())
        return group

    def _recurrent_synapses(self, group: Any, n_batch: int) -> list[Any]:
        """Return one object for each synapse that neurons have, where there are any weights."""
        if not self._has_rec:
            return []
        found = []
        weights = self.w_rec.reshape(self.size_out, self.size_out, self.n_synapses)
        for s in range(self.n_synapses):
            found += recurrent_synapses(
                group,
                weights[..., s],
                n_batch,
                f"rockpool_recurrent_{s}",
                "w : 1 (constant)",
                on_pre=f"irec_{s}_post += w * spikes_pre",
            )
        return found

    def _records(
        self, monitor: Any, output: np.ndarray, first_irec: np.ndarray
    ) -> dict[str, np.ndarray]:
        n_batch, n_steps, n_out = output.shape

        def over_time(name: str) -> np.ndarray:
            recorded = np.asarray(getattr(monitor, name))
            return recorded.reshape(n_batch, n_out, n_steps).swapaxes(1, 2)

        synapses = range(self.n_synapses)
        isyn = np.stack([over_time(f"isyn_{s}_") for s in synapses], axis=-1)
        irec = np.empty(isyn.shape)
        irec[:, 0] = first_irec.reshape(irec[:, 0].shape)
        for s in synapses:  # at the end of a time step, that is the input of the next one
            irec[:, 1:, :, s] = over_time(f"irec_{s}_")[:, :-1]
        return {"irec": irec, "spikes": output, "isyn": isyn, "vmem": over_time("vmem_").copy()}


def _model(n_synapses: int) -> str:
    """Return the variables of a neuron, as Brian spells them."""
    lines = [
        "vmem : 1",
        "spikes : 1",
        "drive : 1",
        "alpha : 1 (constant)",
        "threshold : 1 (constant)",
        "max_spikes : 1 (shared, constant)",
    ]
    for s in range(n_synapses):
        lines += [f"isyn_{s} : 1", f"irec_{s} : 1", f"x_{s} : 1", f"beta_{s} : 1 (constant)"]
    return "\n".join(lines)


def _update(n_synapses: int, has_rec: bool, target: str) -> str:
    """Return what happens in a time step: one rounding a line, in the order of the reference."""
    lines = []
    for s in range(n_synapses):
        lines.append(f"isyn_{s} += x_{s}")
        if has_rec:
            lines += [f"isyn_{s} += irec_{s}", f"irec_{s} = 0"]
        lines.append(f"isyn_{s} *= beta_{s}")
    lines += [
        "vmem *= alpha",
        "vmem += " + " + ".join(f"isyn_{s}" for s in range(n_synapses)),
        "vmem += drive",
        "ratio = clip(vmem / threshold, 0, max_spikes)",
        # the whole part: for numpy Brian's `floor` is one of 32 bits, compiled its `%` is rounded
        f"spikes = {'ratio - ratio % 1' if target == 'numpy' else 'floor(ratio)'}",
        "vmem -= spikes * threshold",
    ]
    return "\n".join(lines)
