"""LIF neurons with an after-spike current (adaptation) in torch: `aLIFTorch`."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, ClassVar, Unpack

import numpy as np
import torch
from torch import Tensor

import rockpool.graph
from rockpool.nn.models import lif
from rockpool.nn.modules.torch._base.decays import decay, decay_slope
from rockpool.nn.modules.torch._base.initialisers import kaiming_columns
from rockpool.nn.modules.torch._base.registry import Values
from rockpool.nn.modules.torch._base.surrogates import StepPWL
from rockpool.nn.modules.torch.lif_base_torch import LIF_TORCH, LIFBaseTorch
from rockpool.nn.modules.torch.torch_module import TorchArguments
from rockpool.parameters import Shape

__all__ = ["aLIFTorch"]

_DEFAULT_W_AHP = partial(torch.full, fill_value=-0.9)
_ALIF_TORCH = LIF_TORCH.extended(*(lif.ALIF[name] for name in ("w_ahp", "tau_ahp", "iahp")))


class aLIFTorch(LIFBaseTorch):
    r"""A layer of LIF neurons whose spikes feed back on themselves (after-hyperpolarisation).

    As `LIFTorch`, with a current :math:`I_{ahp}` that each spike of the neuron adds to:

    .. math::

        I_{ahp} &\leftarrow (I_{ahp} + S_{t-1} \, w_{ahp}) \, e^{-dt / \tau_{ahp}} \\
        V_{mem} &\leftarrow V_{mem} \, \alpha + \sum_s I_{syn} + I_{ahp} + \nu_t + b

    A negative weight slows a neuron down that has spiked.

    Parameters
    ----------
    tau_ahp : array_like, optional
        Time constants of the after-spike current in seconds, shape (Nout,), (1,) or (); 20 ms.
    w_ahp : array_like, optional
        Weights of the after-spike current, shape (Nout,) or (); made by `w_ahp_init_func`.
    w_ahp_init_func : callable
        ``shape -> weights``. Default: -0.9.
    shape, leak_mode, tau_mem, ..., dt
        As for `LIFTorch`.

    References
    ----------
    G. Bellec, D. Salaj, A. Subramoney, R. Legenstein, W. Maass, Long short-term memory and
    learning-to-learn in networks of spiking neurons, NeurIPS (2018), for adaptive LIF neurons.

    Examples
    --------
    >>> import torch
    >>> from rockpool.nn.modules import aLIFTorch
    >>> spikes, state, record = aLIFTorch(3, tau_ahp=50e-3)(torch.ones(1, 5, 3), record=True)
    >>> sorted(record)
    ['iahp', 'irec', 'isyn', 'spikes', 'vmem']
    """

    _model = _ALIF_TORCH
    _state_names = (*LIFBaseTorch._state_names, "iahp")
    _other_parameters: ClassVar[dict[str, str]] = {
        **LIFBaseTorch._other_parameters,
        "gamma": "tau_ahp",
        "w_ahp": "w_ahp",
    }

    tau_ahp: Tensor
    w_ahp: Tensor
    iahp: Tensor

    def __init__(
        self,
        shape: int | tuple[int, ...],
        tau_ahp: Values | None = None,
        w_ahp: Values | None = None,
        w_ahp_init_func: Callable[[Shape], Any] = _DEFAULT_W_AHP,
        leak_mode: str = "taus",
        tau_mem: Values | None = None,
        tau_syn: Values | None = None,
        alpha: Values | None = None,
        beta: Values | None = None,
        dash_mem: Values | None = None,
        dash_syn: Values | None = None,
        bias: Values | None = None,
        threshold: Values | None = None,
        has_rec: bool = False,
        w_rec: Values | None = None,
        noise_std: float | int = 0.0,
        spike_generation_fn: Any = StepPWL,
        learning_window: float | int | Tensor = 0.5,
        max_spikes_per_dt: float | int | Tensor = 2.0**16,
        weight_init_func: Callable[[Shape], Any] = kaiming_columns,
        dt: float | int = 1e-3,
        *args: Any,
        **kwargs: Unpack[TorchArguments],
    ) -> None:
        # the table has all that `LIFBaseTorch` has, and more
        self._declare(locals(), super(LIFBaseTorch, self).__init__)

    @property
    def gamma(self) -> Tensor:
        """Decay factor of the after-spike current in one time step."""
        return decay(self.dt, self.tau_ahp)

    def _decay(self, name: str, trained: Tensor) -> Tensor:
        if name == "gamma":
            return decay(self.dt, trained)
        return super()._decay(name, trained)

    def _slope(self, name: str, trained: Tensor) -> Tensor | None:
        if name == "gamma":
            return decay_slope(self.dt, trained)
        return super()._slope(name, trained)

    def as_graph(self) -> rockpool.graph.GraphHolder:
        """Return the layer as a graph: its neurons, and weights that feed their spikes back.

        The after-spike current counts as one more synapse of each neuron: its time constant stands
        behind those of the others. Its weights are part of the recurrent weights.
        """
        from rockpool.nn.modules.torch._base.graphs import to_array

        n, s = self.n_neurons, self.n_synapses
        weights = to_array(self.w_rec)
        rows = np.arange(n)
        weights[rows, rows % self.size_in] += to_array(self.w_ahp, n)
        taus = (to_array(self.tau_syn, n, s), to_array(self.tau_ahp, n)[:, np.newaxis])
        return self._lif_graph(np.concatenate(taus, axis=1), weights)
