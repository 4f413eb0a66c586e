"""Non-spiking rate neurons in torch: `RateTorch`."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from rockpool.nn.models import checks
from rockpool.nn.models import rate as model
from rockpool.nn.modules.torch._base.activations import ACTIVATION_FUNCTIONS, relu
from rockpool.nn.modules.torch._base.checks import Required, require_values
from rockpool.nn.modules.torch._base.decays import gain
from rockpool.nn.modules.torch._base.initialisers import unit_eigs
from rockpool.nn.modules.torch._base.transforms import opaque
from rockpool.nn.modules.torch._kernels.dispatch import chosen_loop
from rockpool.nn.modules.torch._loops.rate import RateParameters, rate_loop
from rockpool.nn.modules.torch.torch_module import TorchModule, to_float_tensor
from rockpool.parameters import Parameter, Shape, SimulationParameter, State

if TYPE_CHECKING:
    from rockpool.graph import GraphHolder

__all__ = ["RateTorch"]


class RateTorch(TorchModule):
    r"""A layer of non-spiking rate neurons.

    For each time step, with the activation function :math:`f`:

    .. math::

        r &= f(x, \theta) \cdot W_{rec} \\
        x &\leftarrow x + \frac{dt}{\tau} (-x + i_t + \sigma \sqrt{dt} \, z + b + r)

    and the output is :math:`f(x, \theta)`; :math:`z \sim N(0, 1)`.

    Parameters
    ----------
    shape : int or tuple of int
        Number of neurons, ``N``, ``(N,)`` or ``(N, N)``.
    tau : array_like, optional
        Time constants in seconds, shape (N,) or (); 20 ms.
    bias : array_like, optional
        Biases, shape (N,) or (); 0.
    threshold : array_like, optional
        Thresholds of the activation function, shape (N,) or (); 0.
    has_rec : bool
        Whether the layer has recurrent weights. Default: False.
    w_rec : array_like, optional
        Recurrent weights, shape (N, N), only with `has_rec`; drawn by `weight_init_func`.
    weight_init_func : callable
        ``shape -> weights`` for the recurrent weights. Default: N(0, 1 / N).
    activation_func : callable or str
        ``f(x, threshold)``, element by element, or one of the names "relu" (the default),
        "sigmoid", "tanh".
    noise_std : float
        Standard deviation of the noise on the input, after one second. Default: 0.
    dt : float
        Time step in seconds. Default: 1 ms.

    Raises
    ------
    ValueError, TypeError
        An argument has a wrong shape, type or value; the message says what is allowed.

    References
    ----------
    H. R. Wilson, J. D. Cowan, Excitatory and inhibitory interactions in localized populations of
    model neurons, Biophysical Journal 12 (1972).

    Examples
    --------
    >>> import torch
    >>> from rockpool.nn.modules import RateTorch
    >>> output, state, record = RateTorch(2)(torch.ones(1, 3, 2), record=True)
    >>> tuple(output.shape), sorted(record)
    ((1, 3, 2), ['rec_input', 'x'])
    """

    tau: Any
    bias: Any
    threshold: Any
    w_rec: Any
    act_fn: Any
    x: Any

    def __init__(
        self,
        shape: int | tuple[int, ...],
        tau: Any = None,
        bias: Any = None,
        threshold: Any = None,
        has_rec: bool = False,
        w_rec: Any = None,
        weight_init_func: Callable[[Shape], Any] = unit_eigs,
        activation_func: Callable[[Tensor, Tensor], Tensor] | str = relu,
        noise_std: float = 0.0,
        dt: float = 1e-3,
        *args: Any,
        **kwargs: Any,
    ) -> None:
        owner = type(self).__name__
        settled = model.module_shape(owner, shape)
        model.check_arguments(
            owner,
            settled,
            tau=tau,
            bias=bias,
            threshold=threshold,
            w_rec=w_rec,
            has_rec=has_rec,
            noise_std=noise_std,
            dt=dt,
        )
        if isinstance(activation_func, str):
            activation_func = ACTIVATION_FUNCTIONS[model.activation_name(owner, activation_func)]
        checks.function(owner, "activation_func", activation_func)
        super().__init__(*args, shape=settled, **kwargs)
        specs = model.parameter_specs(settled)
        specs["bias"] = specs["bias"]._replace(family="biases")

        self.dt = SimulationParameter(float(dt))
        self._has_rec = bool(has_rec)
        if has_rec:
            self.w_rec = specs["w_rec"].wrap(Parameter, w_rec, weight_init_func, to_float_tensor)
        self.noise_std = SimulationParameter(float(noise_std))
        self.tau = specs["tau"].wrap(Parameter, tau, cast_fn=to_float_tensor)
        self.bias = specs["bias"].wrap(Parameter, bias, cast_fn=to_float_tensor)
        self.threshold = specs["threshold"].wrap(Parameter, threshold, cast_fn=to_float_tensor)
        self.act_fn = SimulationParameter(activation_func)
        self.x = State(shape=model.state_shapes(settled)["x"], init_func=torch.zeros)

    @opaque
    def forward(self, data: Tensor) -> Tensor:
        """Return the activation over time.

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
        state = self._start("x", data)
        require_values(self._label, self, _REQUIRED_RECURRENT if self._has_rec else _REQUIRED)
        parameters = RateParameters(
            gain(self.dt, self.tau),
            self.bias,
            self.threshold,
            self.w_rec if self._has_rec else None,
            self.act_fn,
        )
        arguments = data, state, parameters, self._noise(data.shape, data)
        loop = chosen_loop(self, rate_loop, *arguments)
        output, state, self._record_dict = loop(*arguments, self._record)
        self._keep_state(x=state)
        return output

    def as_graph(self) -> GraphHolder:
        """Return the layer as a graph: its neurons and, where it has them, recurrent weights."""
        from rockpool.nn.models.graphs import rate_graph
        from rockpool.nn.modules.torch._base.graphs import to_array

        w_rec = to_array(self.w_rec) if self._has_rec else None
        return rate_graph(self, to_array(self.tau), to_array(self.bias), w_rec)


_REQUIRED = (Required("tau", positive=True, unit="s"), Required("bias"), Required("threshold"))
_REQUIRED_RECURRENT = (*_REQUIRED, Required("w_rec"))
