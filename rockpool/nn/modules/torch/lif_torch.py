"""Leaky integrate-and-fire neurons in torch: `LIFTorch`.

The surrogate functions and the conversions of leaks can be imported from here as well.
"""

from __future__ import annotations

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
from rockpool.nn.modules.torch._base.surrogates import PeriodicExponential, StepPWL
from rockpool.nn.modules.torch.lif_base_torch import LIFBaseTorch

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


def sigmoid(x: Tensor, threshold: Tensor | float | int) -> Tensor:
    """Return ``(tanh(x + 1 - threshold) + 1) / 2``."""
    return (torch.tanh(x + 1.0 - threshold) + 1.0) / 2.0


class LIFTorch(LIFBaseTorch):
    r"""A layer of leaky integrate-and-fire neurons with exponential synapses.

    Equations, channels, states and records are those of `LIF`, with the decays
    :math:`\alpha = e^{-dt / \tau_{mem}}` and :math:`\beta = e^{-dt / \tau_{syn}}`. Gradients of
    spikes are those of a surrogate, and pass through the reset. A second call goes on from the
    state of the first, without its graph: call `reset_state()` before each batch in training.

    Parameters
    ----------
    shape, bias, threshold, has_rec, w_rec, noise_std, max_spikes_per_dt, dt
        As for `LIF`.
    leak_mode : str
        What is trained: time constants ("taus", the default), decay factors ("decays") or
        bit-shifts ("bitshifts", ``alpha = 1 - 2**-dash_mem``). All six attributes below can be read
        and set in each mode.
    tau_mem, tau_syn : array_like, optional
        As for `LIF`, with "taus" only.
    alpha, beta : array_like, optional
        Decay factors of membrane and synapses, with "decays" only, shaped as time constants; 0.5.
    dash_mem, dash_syn : array_like, optional
        Bit-shifts of membrane and synapses, with "bitshifts" only, shaped as time constants; 1.
    spike_generation_fn : autograd function
        Called as ``apply(vmem, threshold, window, max_spikes)``. Default: `StepPWL`.
    learning_window : float
        Window of the surrogate gradient. Default: 0.5.
    weight_init_func : callable
        ``shape -> weights`` for the recurrent weights. Default: U(±√(6 / Nin)).

    Raises
    ------
    ValueError
        As for `LIF`; an unknown `leak_mode`, or a leak that is stated in another way; a decay
        factor outside [0, 1], a bit-shift < 0, a window <= 0.
    TypeError
        As for `LIF`; `spike_generation_fn` is no function.

    References
    ----------
    E. O. Neftci, H. Mostafa, F. Zenke, Surrogate gradient learning in spiking neural networks, IEEE
    Signal Processing Magazine 36 (2019).

    Examples
    --------
    >>> import torch
    >>> from rockpool.nn.modules import LIFTorch
    >>> spikes, state, record = LIFTorch(3, tau_mem=10e-3)(torch.ones(1, 5, 3), record=True)
    >>> tuple(spikes.shape), sorted(record)
    ((1, 5, 3), ['irec', 'isyn', 'spikes', 'vmem'])
    """
