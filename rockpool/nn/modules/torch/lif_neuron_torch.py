"""Spiking neurons without synapses in torch: `LIFNeuronTorch`."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from rockpool.nn.models import checks
from rockpool.nn.models import lif as model
from rockpool.nn.modules.torch._base.checks import Required, require_values
from rockpool.nn.modules.torch._base.decays import decay
from rockpool.nn.modules.torch._base.surrogates import StepPWL, spike_function, spike_settings
from rockpool.nn.modules.torch._base.transforms import opaque
from rockpool.nn.modules.torch._loops.lif import MembraneParameters, MembraneState, membrane_loop
from rockpool.nn.modules.torch.torch_module import TorchModule, to_float_tensor
from rockpool.parameters import Parameter, SimulationParameter, State

__all__ = ["LIFNeuronTorch"]


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
    tau_mem : array_like, optional
        Membrane time constants in seconds, shape (N,) or (); 20 ms.
    threshold : array_like, optional
        Firing thresholds, shape (N,) or (); 1.
    bias : array_like
        Bias added to the membrane in each time step, shape (N,) or (). Default: 0, one value for
        all neurons.
    dt : float
        Time step in seconds. Default: 1 ms.
    noise_std : float
        Standard deviation of the noise on the membrane, after one second. Default: 0.
    spike_generation_fn : autograd function
        Called as ``apply(vmem, threshold, window, max_spikes)``. Default: `StepPWL`.
    learning_window : float
        Window of the surrogate gradient. Default: 0.5.
    max_spikes_per_dt : float
        Most spikes that a neuron can emit in one time step. Default: 2**16.

    Raises
    ------
    ValueError, TypeError
        An argument has a wrong shape, type or value; the message says what is allowed.

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

    tau_mem: Any
    threshold: Any
    bias: Any
    dt: Any
    noise_std: Any
    spike_generation_fn: Any
    learning_window: Any
    max_spikes_per_dt: Any

    def __init__(
        self,
        shape: int | tuple[int, ...] | None = None,
        tau_mem: Any = None,
        threshold: Any = None,
        bias: Any = 0.0,
        dt: float = 1e-3,
        noise_std: float = 0.0,
        spike_generation_fn: Any = StepPWL,
        learning_window: float | Tensor = 0.5,
        max_spikes_per_dt: float | Tensor = 2.0**16,
        *args: Any,
        **kwargs: Any,
    ) -> None:
        owner = type(self).__name__
        if shape is None:
            raise ValueError(f"{owner}: shape must be given: the number of neurons")
        settled = checks.shape_entries(owner, shape)
        if len(settled) > 1:
            raise ValueError(f"{owner}: shape must be N or (N,), got {settled}")
        (n,) = settled
        model.check_arguments(
            owner,
            (n, n),
            tau_mem=tau_mem,
            bias=bias,
            threshold=threshold,
            noise_std=noise_std,
            max_spikes_per_dt=max_spikes_per_dt,
            dt=dt,
        )
        checks.scalar(owner, "learning_window", learning_window)
        checks.positive(owner, "learning_window", learning_window)
        spike_fn = spike_function(owner, spike_generation_fn)
        super().__init__(*args, shape=settled, spiking_input=False, spiking_output=True, **kwargs)
        specs = model.parameter_specs((n, n))
        specs["threshold"] = specs["threshold"]._replace(family="thresholds")

        self.n_neurons = SimulationParameter(n)
        self.noise_std = SimulationParameter(float(noise_std))
        for name, value in (("tau_mem", tau_mem), ("threshold", threshold), ("bias", bias)):
            setattr(self, name, specs[name].wrap(Parameter, value, cast_fn=to_float_tensor))
        self.dt = SimulationParameter(float(dt))
        self.vmem = State(shape=(n,), init_func=torch.zeros)
        self.spike_generation_fn = SimulationParameter(spike_fn)
        self.max_spikes_per_dt = SimulationParameter(to_float_tensor(max_spikes_per_dt).reshape(()))
        self.learning_window = SimulationParameter(to_float_tensor(learning_window).reshape(()))

    @opaque
    def forward(self, data: Tensor) -> Tensor:
        """Return the spikes over time.

        Parameters
        ----------
        data : Tensor
            Input to the membrane, shape (B, T, N), (T, N) or (T,).

        Returns
        -------
        Tensor
            Number of spikes of each neuron in each time step, shape (B, T, N).
        """
        data = self._input(data, self.threshold)
        start = MembraneState(self._start("vmem", data))
        require_values(self._label, self, _REQUIRED)
        parameters = MembraneParameters(
            decay(self.dt, self.tau_mem),
            self.bias,
            self.threshold,
            *spike_settings(self.spike_generation_fn, self.learning_window, self.max_spikes_per_dt),
        )
        noise = self._noise(tuple(data.shape), data)
        output, final, self._record_dict = membrane_loop(
            data, start, parameters, noise, self._record
        )
        self._keep_state(**final._asdict())
        return output


_REQUIRED = (
    Required("tau_mem", positive=True, unit="s"),
    Required("threshold", positive=True),
    Required("bias"),
)
