"""Neurons and synapses on sinabs-exodus, for CUDA devices: `LIFExodus` and others."""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import Any, Unpack

import torch
from torch import Tensor

from rockpool.nn.models import checks, lif
from rockpool.nn.models.exp_syn import EXP_SYN
from rockpool.nn.modules.sinabs.exodus_functions import (
    leaky_integral,
    spikes_of_membranes,
    surrogate_of,
    synaptic_currents,
)
from rockpool.nn.modules.torch._base.checks import Required, require_values
from rockpool.nn.modules.torch._base.decays import decay
from rockpool.nn.modules.torch._base.transforms import no_dynamo
from rockpool.nn.modules.torch._loops.lif import lif_loop, sum_in_order
from rockpool.nn.modules.torch.lif_base_torch import LIFBaseTorch
from rockpool.nn.modules.torch.torch_module import TorchArguments, TorchModule
from rockpool.parameters import Constant

__all__ = ["ExpSynExodus", "LIFExodus", "LIFMembraneExodus", "LIFSlayer"]


class LIFExodus(LIFBaseTorch):
    r"""A layer of leaky integrate-and-fire neurons with exponential synapses, on a CUDA device.

    The equations, states and records are those of `LIFTorch`, and so are the spikes; all time steps
    are run by two compiled functions of sinabs-exodus. There are no recurrent weights, no noise,
    and no gradient for the threshold, which is constant.

    Parameters
    ----------
    shape, tau_mem, tau_syn, learning_window, bias
        As for `LIFTorch`.
    threshold : array_like
        As for `LIFTorch`, but not trained.
    has_rec, noise_std
        Must be False, and 0.
    **kwargs
        Further arguments of `LIFTorch`: `leak_mode`, `spike_generation_fn`, `max_spikes_per_dt`,
        `dt`.

    Raises
    ------
    ValueError, TypeError
        As for `LIFTorch`; `has_rec`, or a `noise_std` that is not 0.

    References
    ----------
    F. C. Bauer, G. Lenz, S. Haghighatshoar, S. Sheik, EXODUS: stable and efficient training of
    spiking neural networks, Frontiers in Neuroscience 17 (2023).
    """

    def __init__(
        self,
        shape: int | tuple[int, ...],
        tau_mem: Any = None,
        tau_syn: Any = None,
        threshold: Any = 1.0,
        learning_window: float | int | Tensor = 0.5,
        bias: Any = 0.0,
        has_rec: bool = False,
        noise_std: float | int = 0.0,
        **kwargs: Any,
    ) -> None:
        owner = type(self).__name__
        if has_rec:
            raise ValueError(f"{owner}: has_rec must be False: there are no recurrent weights")
        _require_no_noise(owner, noise_std)
        super().__init__(
            shape,
            tau_mem=tau_mem,
            tau_syn=tau_syn,
            threshold=Constant(1.0 if threshold is None else threshold),
            learning_window=learning_window,
            bias=bias,
            **kwargs,
        )

    @no_dynamo
    def forward(self, data: Tensor) -> Tensor:
        """Return the spikes over time; as `LIFTorch.forward`, on a CUDA device."""
        data = self._input(data, self.threshold)
        p = self._loop_parameters()
        if 0 in data.shape:  # there is nothing to run for sinabs
            output, _, self._record_dict = lif_loop(*self._loop_arguments(data), self._record)
            return output
        isyn = _currents(self, data, p.beta)
        spikes, vmem = spikes_of_membranes(
            self._label,
            sum_in_order(isyn) + p.bias,
            p.alpha,
            self._start("vmem", data),
            p.threshold,
            surrogate_of(p.spike_fn, p.window, p.max_spikes),
            int(min(p.max_spikes, 2**31 - 1)),
        )
        if self._record:
            self._record_dict = {
                "irec": torch.zeros_like(isyn),
                "spikes": spikes,
                "isyn": isyn,
                "vmem": vmem,
            }
        self._keep_state(spikes=spikes[:, -1], isyn=isyn[:, -1], vmem=vmem[:, -1])
        return spikes


class LIFSlayer(LIFExodus):
    """Another name of `LIFExodus`; deprecated."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        warnings.warn(
            "LIFSlayer is deprecated, use LIFExodus instead", DeprecationWarning, stacklevel=3
        )
        super().__init__(*args, **kwargs)


class LIFMembraneExodus(TorchModule):
    r"""A layer of leaky membranes with exponential synapses that do not spike, on a CUDA device.

    .. math::

        I_{syn} &\leftarrow (I_{syn} + x_t) \, e^{-dt / \tau_{syn}} \\
        V_{mem} &\leftarrow V_{mem} \, e^{-dt / \tau_{mem}} + \sum_s I_{syn} + b

    and the output is :math:`V_{mem}`.

    Parameters
    ----------
    tau_syn : array_like
        As for `LIF`; 50 ms.
    shape, tau_mem, bias, dt
        As for `LIF`.

    Raises
    ------
    ValueError, TypeError
        As for `LIF`. There is no `threshold`, `has_rec` or `noise_std`.
    """

    _model = lif.LIF.arranged("tau_mem tau_syn bias dt vmem isyn")

    tau_mem: Tensor
    tau_syn: Tensor
    bias: Tensor
    vmem: Tensor
    isyn: Tensor

    def __init__(
        self,
        shape: int | tuple[int, ...],
        tau_syn: Any = 0.05,
        tau_mem: Any = 0.02,
        bias: Any = 0.0,
        dt: float | int = 1e-3,
        **kwargs: Unpack[TorchArguments],
    ) -> None:
        flags = {"spiking_input": True, "spiking_output": False}
        self._declare({**locals(), **flags}, super().__init__)

    @property
    def n_neurons(self) -> int:
        """Number of neurons."""
        return self.size_out

    @property
    def n_synapses(self) -> int:
        """Number of synapses per neuron."""
        return lif.n_synapses(self.shape)

    @no_dynamo
    def forward(self, data: Tensor) -> Tensor:
        """Return the membrane potentials over time, (B, T, Nout); as `LIFExodus.forward`."""
        data = self._input(data, self.bias)
        require_values(
            self._label,
            self,
            (Required("tau_mem", True, "s"), Required("tau_syn", True, "s"), Required("bias")),
        )
        if 0 in data.shape:  # there is nothing to run
            vmem = data.new_zeros(*data.shape[:2], self.n_neurons)
            isyn = data.new_zeros(*vmem.shape, self.n_synapses)
            self._record_dict = {"isyn": isyn, "vmem": vmem} if self._record else {}
            return vmem
        isyn = _currents(self, data, decay(self.dt, self.tau_syn))
        vmem = leaky_integral(
            self._label,
            sum_in_order(isyn) + self.bias,
            decay(self.dt, self.tau_mem),
            self._start("vmem", data),
        )
        if self._record:
            self._record_dict = {"isyn": isyn, "vmem": vmem}
        self._keep_state(isyn=isyn[:, -1], vmem=vmem[:, -1])
        return vmem


class ExpSynExodus(TorchModule):
    r"""A layer of exponential synapses, on a CUDA device.

    .. math::

        I_{syn} \leftarrow (I_{syn} + x_t) \, e^{-dt / \tau_{syn}}

    and the output is :math:`I_{syn}`.

    Parameters
    ----------
    tau : array_like
        As for `ExpSyn`; but the parameter is called `tau_syn`.
    noise_std : float
        Must be 0.
    shape, dt
        As for `ExpSyn`.

    Raises
    ------
    ValueError, TypeError
        As for `ExpSyn`; a `noise_std` that is not 0. There is no `threshold`, `has_rec`, `bias` or
        `tau_mem`.
    """

    _model = EXP_SYN.arranged("tau_syn dt isyn", replace(EXP_SYN["tau"], name="tau_syn"))

    tau_syn: Tensor
    isyn: Tensor

    def __init__(
        self,
        shape: int | tuple[int, ...],
        tau: Any = 0.01,
        noise_std: float | int = 0.0,
        dt: float | int = 1e-3,
        **kwargs: Unpack[TorchArguments],
    ) -> None:
        owner = type(self).__name__
        EXP_SYN.check(owner, EXP_SYN.module_shape(owner, shape), locals())
        _require_no_noise(owner, noise_std)
        flags = {"spiking_input": True, "spiking_output": False}
        self._declare({**locals(), "tau_syn": tau, **flags}, super().__init__)

    @no_dynamo
    def forward(self, data: Tensor) -> Tensor:
        """Return the synaptic currents over time, (B, T, N); as `LIFExodus.forward`."""
        data = self._input(data, self.tau_syn)
        require_values(self._label, self, (Required("tau_syn", True, "s"),))
        if 0 in data.shape:  # there is nothing to run
            return data
        start = self._start("isyn", data)
        isyn = synaptic_currents(self._label, data, decay(self.dt, self.tau_syn), start)
        self._keep_state({"isyn": isyn}, isyn=isyn[:, -1])
        return isyn


def _currents(module: LIFExodus | LIFMembraneExodus, data: Tensor, beta: Tensor) -> Tensor:
    """Return the synaptic currents over time, (B, T, N, S)."""
    synapses = (module.n_neurons, module.n_synapses)
    start = module._start("isyn", data).flatten(1)
    flat_beta = beta.expand(synapses).flatten()
    return synaptic_currents(module._label, data, flat_beta, start).unflatten(-1, synapses)


def _require_no_noise(owner: str, noise_std: Any) -> None:
    checks.scalar(owner, "noise_std", noise_std)
    if float(noise_std) != 0.0:
        raise ValueError(f"{owner}: noise_std must be 0: there is no noise, got {noise_std}")
