"""Exponential synapses in torch: `ExpSynTorch`."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from rockpool.nn.models import exp_syn as model
from rockpool.nn.modules.torch._base.checks import Required, require_values
from rockpool.nn.modules.torch._base.decays import decay
from rockpool.nn.modules.torch._base.transforms import opaque
from rockpool.nn.modules.torch._kernels.dispatch import chosen_loop
from rockpool.nn.modules.torch._loops.exp_syn import exp_syn_loop
from rockpool.nn.modules.torch.torch_module import TorchModule, to_float_tensor
from rockpool.parameters import Parameter, SimulationParameter, State

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
    shape : int or tuple of int
        Number of synapses, ``N`` or ``(N,)``.
    tau : array_like, optional
        Time constants in seconds, shape (N,) or (); 10 ms.
    noise_std : float
        Standard deviation of the noise on the input, after one second. Default: 0.
    dt : float
        Time step in seconds. Default: 1 ms.
    spiking_input, spiking_output : bool
        Whether a time series for the input is one of events (default True), and the output (False).

    Raises
    ------
    ValueError, TypeError
        An argument has a wrong shape, type or value; the message says what is allowed.

    References
    ----------
    P. Dayan, L. F. Abbott, Theoretical Neuroscience, MIT Press (2001), chapter 5.8.

    Examples
    --------
    >>> import torch
    >>> from rockpool.nn.modules import ExpSynTorch
    >>> output, state, _ = ExpSynTorch(2)(torch.ones(1, 3, 2))
    >>> tuple(output.shape), bool(torch.all(state["isyn"] == output[0, -1]))
    ((1, 3, 2), True)
    """

    tau: Any
    isyn: Any

    def __init__(
        self,
        shape: int | tuple[int, ...],
        tau: Any = None,
        noise_std: float = 0.0,
        dt: float = 1e-3,
        spiking_input: bool = True,
        spiking_output: bool = False,
        *args: Any,
        **kwargs: Any,
    ) -> None:
        owner = type(self).__name__
        settled = model.module_shape(owner, shape)
        model.check_arguments(owner, settled, tau=tau, noise_std=noise_std, dt=dt)
        super().__init__(
            *args,
            shape=settled,
            spiking_input=spiking_input,
            spiking_output=spiking_output,
            **kwargs,
        )
        spec = model.parameter_specs(settled)["tau"]
        self.tau = spec.wrap(Parameter, tau, cast_fn=to_float_tensor)
        self.noise_std = SimulationParameter(to_float_tensor(noise_std).reshape(()))
        self.isyn = State(shape=model.state_shapes(settled)["isyn"], init_func=torch.zeros)
        self.dt = SimulationParameter(float(dt))

    @opaque
    def forward(self, data: Tensor) -> Tensor:
        """Return the synaptic currents over time.

        Parameters
        ----------
        data : Tensor
            Shape (B, T, N), (T, N) or (T,).

        Returns
        -------
        Tensor
            Shape (B, T, N).
        """
        data = self._input(data, self.tau)
        isyn = self._start("isyn", data)
        require_values(self._label, self, (Required("tau", positive=True, unit="s"),))
        arguments = data, isyn, decay(self.dt, self.tau), self._noise(data.shape, data)
        output, isyn = chosen_loop(self, exp_syn_loop, *arguments)(*arguments)
        self._keep_state(isyn=isyn)
        return output
