"""Leaky integrate-and-fire neurons in torch: `LIFTorch`.

The surrogate functions and the conversions of leaks can be imported from here as well.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from rockpool.nn.modules.torch._base.decays import (
    bitshift_to_decay,
    bitshift_to_tau,
    decay_to_bitshift,
    decay_to_tau,
    tau_to_bitshift,
    tau_to_decay,
)
from rockpool.nn.modules.torch._base.initialisers import kaiming_columns
from rockpool.nn.modules.torch._base.lif_base import LIFBaseTorch
from rockpool.nn.modules.torch._base.surrogates import PeriodicExponential, StepPWL
from rockpool.nn.modules.torch._base.transforms import opaque
from rockpool.nn.modules.torch._kernels.dispatch import chosen_loop
from rockpool.nn.modules.torch._loops.lif import lif_loop
from rockpool.parameters import Shape

if TYPE_CHECKING:
    from rockpool.graph import GraphHolder

__all__ = [
    "LIFBaseTorch",
    "LIFTorch",
    "PeriodicExponential",
    "StepPWL",
    "bitshift_to_decay",
    "bitshift_to_tau",
    "decay_to_bitshift",
    "decay_to_tau",
    "sigmoid",
    "tau_to_bitshift",
    "tau_to_decay",
]


def sigmoid(x: Tensor, threshold: Tensor | float) -> Tensor:
    """Return ``(tanh(x + 1 - threshold) + 1) / 2``."""
    return (torch.tanh(x + 1.0 - threshold) + 1.0) / 2.0


class LIFTorch(LIFBaseTorch):
    r"""A layer of leaky integrate-and-fire neurons with exponential synapses.

    For each time step, in this order:

    .. math::

        I_{rec} &= S_{t-1} \cdot W_{rec} \\
        I_{syn} &\leftarrow (I_{syn} + x_t + I_{rec}) \, \beta \\
        V_{mem} &\leftarrow V_{mem} \, \alpha + \sum_s I_{syn} + \nu_t + b \\
        S_t &= \min([V_{mem} \ge \theta] \lfloor V_{mem} / \theta \rfloor, S_{max}) \\
        V_{mem} &\leftarrow V_{mem} - S_t \, \theta

    with the decays :math:`\alpha = e^{-dt / \tau_{mem}}`, :math:`\beta = e^{-dt / \tau_{syn}}`
    and the noise :math:`\nu_t = \sigma \sqrt{dt} \, z`, :math:`z \sim N(0, 1)`. An input is
    attenuated in its own step already; several spikes are possible in one step; there is no
    refractory period. Gradients of spikes are those of a surrogate, and pass through the reset.

    For `Nin` inputs and `Nout` neurons there are ``S = Nin // Nout`` synapses per neuron: input
    channel ``c`` reaches synapse ``c % S`` of neuron ``c // S``. The same holds for the columns of
    the recurrent weights.

    Parameters
    ----------
    shape : int or tuple of int
        ``N``, ``(N,)`` or ``(Nin, Nout)``; `Nin` is a multiple of `Nout`.
    leak_mode : str
        What is trained: time constants ("taus", the default), decay factors ("decays") or
        bit-shifts ("bitshifts", ``alpha = 1 - 2**-dash_mem``). All six attributes below can be read
        and set in each mode.
    tau_mem, tau_syn : array_like, optional
        Time constants of membrane and synapses in seconds, with "taus" only; shapes (Nout,) or ()
        and (Nout, S), (1, S) or (); 20 ms.
    alpha, beta : array_like, optional
        Decay factors of membrane and synapses, with "decays" only, in the same shapes; 0.5.
    dash_mem, dash_syn : array_like, optional
        Bit-shifts of membrane and synapses, with "bitshifts" only, in the same shapes; 1.
    bias : array_like, optional
        Bias added to the membrane in each time step, shape (Nout,) or (); 0.
    threshold : array_like, optional
        Firing thresholds, shape (Nout,) or (); 1.
    has_rec : bool
        Whether the layer has recurrent weights. Default: False.
    w_rec : array_like, optional
        Recurrent weights, shape (Nout, Nin), only with `has_rec`; drawn by `weight_init_func`.
    noise_std : float
        Standard deviation of the noise on the membrane, after one second. Default: 0.
    spike_generation_fn : autograd function
        Called as ``apply(vmem, threshold, window, max_spikes)``. Default: `StepPWL`.
    learning_window : float
        Window of the surrogate gradient. Default: 0.5.
    max_spikes_per_dt : float
        Most spikes that a neuron can emit in one time step. Default: 2**16.
    weight_init_func : callable
        ``shape -> weights`` for the recurrent weights. Default: U(±√(6 / Nin)).
    dt : float
        Time step in seconds. Default: 1 ms.

    Raises
    ------
    ValueError, TypeError
        An argument has a wrong shape, type or value; the message says what is allowed.

    References
    ----------
    W. Gerstner, W. M. Kistler, R. Naud, L. Paninski, Neuronal Dynamics, Cambridge University Press
    (2014), chapter 1.3; E. O. Neftci, H. Mostafa, F. Zenke, Surrogate gradient learning in spiking
    neural networks, IEEE Signal Processing Magazine 36 (2019).

    Examples
    --------
    >>> import torch
    >>> from rockpool.nn.modules import LIFTorch
    >>> spikes, state, record = LIFTorch(3, tau_mem=10e-3)(torch.ones(1, 5, 3), record=True)
    >>> tuple(spikes.shape), sorted(record)
    ((1, 5, 3), ['irec', 'isyn', 'spikes', 'vmem'])
    """

    def __init__(
        self,
        shape: int | tuple[int, ...],
        leak_mode: str = "taus",
        tau_mem: Any = None,
        tau_syn: Any = None,
        alpha: Any = None,
        beta: Any = None,
        dash_mem: Any = None,
        dash_syn: Any = None,
        bias: Any = None,
        threshold: Any = None,
        has_rec: bool = False,
        w_rec: Any = None,
        noise_std: float = 0.0,
        spike_generation_fn: Any = StepPWL,
        learning_window: float | Tensor = 0.5,
        max_spikes_per_dt: float | Tensor = 2.0**16,
        weight_init_func: Callable[[Shape], Any] = kaiming_columns,
        dt: float = 1e-3,
        *args: Any,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            shape,
            leak_mode,
            tau_mem,
            tau_syn,
            alpha,
            beta,
            dash_mem,
            dash_syn,
            bias,
            threshold,
            has_rec,
            w_rec,
            noise_std,
            spike_generation_fn,
            learning_window,
            max_spikes_per_dt,
            weight_init_func,
            dt,
            *args,
            **kwargs,
        )

    @opaque
    def forward(self, data: Tensor) -> Tensor:
        """Return the spikes over time.

        Parameters
        ----------
        data : Tensor
            Input to the synapses, shape (B, T, Nin), (T, Nin) or (T,).

        Returns
        -------
        Tensor
            Number of spikes of each neuron in each time step, shape (B, T, Nout).
        """
        data = self._input(data, self.threshold)
        arguments = self._loop_arguments(data)
        loop = chosen_loop(self, lif_loop, *arguments)
        output, final, self._record_dict = loop(*arguments, self._record)
        self._keep_state(**final._asdict())
        return output

    def as_graph(self) -> GraphHolder:
        """Return the layer as a graph: its neurons and, where it has them, recurrent weights."""
        return self._lif_graph()
