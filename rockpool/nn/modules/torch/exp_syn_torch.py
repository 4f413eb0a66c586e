"""Exponential synapses in torch: `ExpSynTorch`."""

from __future__ import annotations

from typing import Any, Unpack

from torch import Tensor

from rockpool.nn.models import exp_syn
from rockpool.nn.models.model import SettingSpec
from rockpool.nn.modules._attributes import RegisteredAttribute
from rockpool.nn.modules.torch._base.checks import require_finite_input
from rockpool.nn.modules.torch._base.decays import decay
from rockpool.nn.modules.torch._base.registry import Values
from rockpool.nn.modules.torch._base.sound import sound_values
from rockpool.nn.modules.torch._kernels.dispatch import chosen_loop
from rockpool.nn.modules.torch._loops.exp_syn import exp_syn_loop
from rockpool.nn.modules.torch.torch_module import TorchArguments, TorchModule, to_float_tensor

__all__ = ["ExpSynTorch"]


class ExpSynTorch(TorchModule):
    r"""A layer of exponential synapses: a leaky sum of the input of each channel.

    For each time step:

    .. math::

        I_{syn} &\leftarrow (I_{syn} + x_t + \nu_t) \, e^{-dt / \tau}

    with the noise :math:`\nu_t = \sigma \sqrt{dt} \, z`, :math:`z \sim N(0, 1)`. The output is
    :math:`I_{syn}`. (`ExpSyn` adds its noise after filtering.)

    Parameters
    ----------
    shape, tau, dt
        As for `ExpSyn`.
    noise_std : float
        Standard deviation of the noise on the input, after one second. Default: 0.
    spiking_input, spiking_output : bool
        Whether a time series for the input is one of events (default True), and the output (False).

    Examples
    --------
    >>> import torch
    >>> from rockpool.nn.modules import ExpSynTorch
    >>> output, state, _ = ExpSynTorch(2)(torch.ones(1, 3, 2))
    >>> tuple(output.shape), bool(torch.all(state["isyn"] == output[0, -1]))
    ((1, 3, 2), True)
    """

    _model = exp_syn.EXP_SYN.arranged("tau noise_std isyn dt")
    _replaces_states = True

    tau: Tensor
    isyn: Tensor

    def __init__(
        self,
        shape: int | tuple[int, ...],
        tau: Values | None = None,
        noise_std: float | int = 0.0,
        dt: float | int = 1e-3,
        spiking_input: bool = True,
        spiking_output: bool = False,
        *args: Any,
        **kwargs: Unpack[TorchArguments],
    ) -> None:
        self._declare(locals(), super().__init__)

    def _as_setting(self, spec: SettingSpec, value: Any) -> Any:
        if spec.name == "noise_std":
            return to_float_tensor(value).reshape(())
        return super()._as_setting(spec, value)

    def _store_attribute(self, name: str, value: Any, entry: RegisteredAttribute) -> None:
        super()._store_attribute(name, value, entry)
        if name == "noise_std":  # a graph has a number, that can be known to be zero
            self._noise_in_graph = float(value)

    def forward(self, data: Tensor) -> Tensor:
        """Return the synaptic currents over time."""
        data = self._input(data, self.tau)
        isyn = self._start("isyn", data)
        tau = sound_values(self, "tau")["tau"]
        arguments = data, isyn, decay(self.dt, tau), self._noise(data.shape, data)
        output, isyn = chosen_loop(self, exp_syn_loop, *arguments)(*arguments)
        require_finite_input(self, data, isyn)
        self._keep_state({"isyn": output}, isyn=isyn)
        return output
