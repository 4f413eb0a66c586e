"""Spiking neurons without synapses in torch: `LIFNeuronTorch`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Unpack

from torch import Tensor

from rockpool.nn.description import Node
from rockpool.nn.models import exp_syn, lif
from rockpool.nn.models.model import SettingSpec
from rockpool.nn.modules.torch._base.checks import number_of, require_finite_input
from rockpool.nn.modules.torch._base.decays import decay
from rockpool.nn.modules.torch._base.registry import Values
from rockpool.nn.modules.torch._base.sound import sound_values
from rockpool.nn.modules.torch._base.surrogates import StepPWL, spike_settings
from rockpool.nn.modules.torch._kernels.dispatch import chosen_loop
from rockpool.nn.modules.torch._loops.lif import MembraneParameters, membrane_loop
from rockpool.nn.modules.torch.lif_base_torch import (
    said_setting,
    stored_setting,
    torch_table,
    with_spike_function,
)
from rockpool.nn.modules.torch.torch_module import TorchArguments, TorchModule

__all__ = ["LIFNeuronTorch"]


NEURONS = replace(
    torch_table(
        lif.LIF.extended(SettingSpec("n_neurons", 1)),
        "n_neurons noise_std tau_mem threshold bias dt vmem spike_generation_fn "
        "max_spikes_per_dt learning_window",
    ),
    module_shape=exp_syn.module_shape,
    dimensions=lambda shape: {"Nout": shape[0]},
)


class LIFNeuronTorch(TorchModule):
    r"""A layer of leaky integrate-and-fire neurons that take their input on the membrane.

    For each time step, in this order:

    .. math::

        V_{mem} &\leftarrow V_{mem} \, e^{-dt / \tau_{mem}} + x_t + \nu_t + b \\
        S_t &= \min([V_{mem} \ge \theta] \lfloor V_{mem} / \theta \rfloor, S_{max}) \\
        V_{mem} &\leftarrow V_{mem} - S_t \, \theta

    with the noise :math:`\nu_t = \sigma \sqrt{dt} \, z`, :math:`z \sim N(0, 1)`. Gradients of
    spikes are those of a surrogate, and pass through the reset.

    Parameters
    ----------
    shape : int or tuple of int
        Number of neurons, ``N`` or ``(N,)``.
    tau_mem, threshold, dt, noise_std, spike_generation_fn, learning_window, max_spikes_per_dt
        As for `LIFTorch`.
    bias : array_like
        Bias added to the membrane in each time step, shape (N,) or (). Default: 0, one value for
        all neurons.

    References
    ----------
    W. Gerstner, W. M. Kistler, R. Naud, L. Paninski, Neuronal Dynamics, Cambridge University Press
    (2014), chapter 1.3.

    Examples
    --------
    >>> import torch
    >>> from rockpool.nn.modules import LIFNeuronTorch
    >>> spikes, _, _ = LIFNeuronTorch(1)(torch.ones(1, 2, 1))
    >>> spikes.flatten().tolist()
    [1.0, 1.0]
    """

    _model = NEURONS
    _settings_as_tensors = frozenset({"learning_window", "max_spikes_per_dt"})
    _replaces_states = True

    n_neurons: int
    tau_mem: Tensor
    threshold: Tensor
    bias: Tensor
    vmem: Tensor
    spike_generation_fn: Callable[..., Tensor]
    learning_window: Tensor
    max_spikes_per_dt: Tensor

    def __init__(
        self,
        shape: int | tuple[int, ...] | None = None,
        tau_mem: Values | None = None,
        threshold: Values | None = None,
        bias: Values | None = 0.0,
        dt: float | int = 1e-3,
        noise_std: float | int = 0.0,
        spike_generation_fn: Any = StepPWL,
        learning_window: float | int | Tensor = 0.5,
        max_spikes_per_dt: float | int | Tensor = 2.0**16,
        *args: Any,
        **kwargs: Unpack[TorchArguments],
    ) -> None:
        n = number_of("neurons", type(self).__name__, shape)
        flags = {"spiking_input": False, "spiking_output": True}
        self._declare({**locals(), "n_neurons": n, **flags}, super().__init__)

    def _as_setting(self, spec: SettingSpec, value: Any) -> Any:
        if spec.name in ("spike_generation_fn", "learning_window", "max_spikes_per_dt"):
            return stored_setting(spec, value)
        return super()._as_setting(spec, value)

    def _said_setting(self, spec: SettingSpec, value: Any) -> Any:
        return said_setting(spec, value)

    @classmethod
    def _described_arguments(cls, node: Node) -> dict[str, Any]:
        return with_spike_function(super()._described_arguments(node))

    def forward(self, data: Tensor) -> Tensor:
        """Return the number of spikes of each neuron in each time step."""
        data = self._input(data, self.threshold)
        vmem = self._start("vmem", data)
        sound = sound_values(self, "tau_mem", "threshold", "bias")
        parameters = MembraneParameters(
            decay(self.dt, sound["tau_mem"]),
            sound["bias"],
            sound["threshold"],
            *spike_settings(self.spike_generation_fn, self.learning_window, self.max_spikes_per_dt),
        )
        noise = self._noise(tuple(data.shape), data)
        arguments = data, vmem, parameters, noise
        loop = chosen_loop(self, membrane_loop, *arguments)
        output, vmem, self._record_dict = loop(*arguments, self._record)
        require_finite_input(self, data, vmem)
        self._keep_state(vmem=vmem)
        return output
