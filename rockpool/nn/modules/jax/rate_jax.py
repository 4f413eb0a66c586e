"""The rate neuron in jax, `RateJax`, and its activation functions."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.tree_util import Partial
from numpy.typing import ArrayLike

from rockpool.nn.models import checks
from rockpool.nn.models import rate as model
from rockpool.nn.modules.jax._base.rng import draw_noise, initial_key, split_key
from rockpool.nn.modules.jax._kernels.dispatch import chosen_loop, kernels_serve
from rockpool.nn.modules.jax._kernels.sharding import vary_alike
from rockpool.nn.modules.jax._loops.rate import (
    ACTIVATION_FUNCTIONS,
    H_LReLU,
    H_ReLU,
    H_sigmoid,
    H_tanh,
    RateParameters,
    rate_loop,
)
from rockpool.nn.modules.jax.jax_module import (
    JaxModule,
    batched_input,
    batched_state,
    common_type,
    float_array,
    number_setting,
    split_settings,
    state_to_keep,
    static_bool,
    static_shape,
)
from rockpool.nn.modules.native.linear import unit_eigs
from rockpool.parameters import Parameter, SimulationParameter, State

if TYPE_CHECKING:
    from rockpool.graph import GraphHolder

__all__ = [
    "H_LReLU",
    "H_ReLU",
    "H_sigmoid",
    "H_tanh",
    "RateEulerJax",
    "RateJax",
]


@partial(jax.jit, static_argnames=("shape", "static", "keep", "kernels"))
def _evolve(
    data: Any,
    key: Any,
    x: Any,
    parameters: dict[str, Any],
    settings: dict[str, Any],
    act_fn: Callable[..., Any],
    *,
    shape: tuple[int, ...],
    static: tuple[tuple[str, Any], ...],
    keep: bool,
    kernels: bool,
) -> tuple[Any, ...]:
    """Return output, final state and records. Compiled once for all modules of a size."""
    data, key, x, parameters, settings, act_fn = vary_alike(
        (data, key, x, parameters, settings, act_fn)
    )
    dtype = common_type(data, *parameters.values())
    settings = {**settings, **dict(static)}
    values = {
        name: value if value is None else jnp.asarray(value, dtype)
        for name, value in parameters.items()
    }
    gain = jnp.asarray(settings["dt"] / values.pop("tau"), dtype)
    noise = draw_noise(key, settings, shape, dtype)
    start = batched_state(x, (shape[0], shape[2]), dtype)
    inputs = batched_input(data, shape, dtype)
    output, final, records = chosen_loop("rate", rate_loop, inputs, kernels, act_fn)(
        inputs,
        start,
        RateParameters(gain=gain, act_fn=act_fn, **values),
        noise,
    )
    return output, state_to_keep(final, x, keep), records


class RateJax(JaxModule):
    r"""A layer of leaky rate neurons, in jax: no spikes, a non-linear output, recurrent if wanted.

    For each time step, in this order:

    .. math::

        r &= a \cdot W_{rec} \\
        x &\leftarrow x + \frac{dt}{\tau} (-x + u_t + \nu_t + b + r) \\
        a &= f(x, \theta)

    with the input :math:`u_t`, the noise :math:`\nu_t = \sigma \sqrt{dt} \, z`,
    :math:`z \sim N(0, 1)`, and the output :math:`a`, which begins as :math:`f(x_0, \theta)`. Unlike
    in `Rate`, time constants below ten time steps are taken as they are.

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
    w_rec : array_like, optional
        Recurrent weights, shape (N, N), only with `has_rec`; drawn by `weight_init_func`.
    weight_init_func : callable
        ``shape -> weights`` for the recurrent weights. Default: `unit_eigs`.
    has_rec : bool
        Whether the layer has recurrent weights. Default: False.
    activation_func : callable or str
        ``f(x, threshold)`` of arrays (N,), or one of the names "relu" (default: `H_ReLU`),
        "sigmoid", "tanh". A function is stored as a ``jax.tree_util.Partial``.
    noise_std : float
        Standard deviation of the noise on the input, after one second. Default: 0.
    dt : float
        Time step in seconds. Default: 1 ms.
    rng_key : key, optional
        Key for the noise. Default: drawn from the global state of numpy. It is split on each call.

    Attributes
    ----------
    x : jax.Array
        The state, shape (N,). Zero at rest.
    rng_key : jax.Array
        The key, a state as well.

    Raises
    ------
    ValueError, TypeError
        An argument has a wrong shape, type or value; the message says what is allowed.

    References
    ----------
    H. R. Wilson, J. D. Cowan, Excitatory and inhibitory interactions in localized populations of
    model neurons, Biophysical Journal 12 (1972).
    """

    # assigned as parameter objects, read as bare values
    rng_key: Any
    x: Any
    w_rec: Any
    tau: Any
    bias: Any
    threshold: Any
    dt: Any
    noise_std: Any
    act_fn: Any

    def __init__(
        self,
        shape: int | tuple[int, ...],
        tau: ArrayLike | None = None,
        bias: ArrayLike | None = None,
        threshold: ArrayLike | None = None,
        w_rec: ArrayLike | None = None,
        weight_init_func: Callable[[tuple[int, ...]], Any] = unit_eigs,
        has_rec: bool = False,
        activation_func: Callable[[Any, Any], Any] | str = H_ReLU,
        noise_std: float = 0.0,
        dt: float = 1e-3,
        rng_key: Any = None,
        *args: Any,
        **kwargs: Any,
    ) -> None:
        owner = type(self).__name__
        has_rec = static_bool(owner, "has_rec", has_rec)
        settled = model.module_shape(owner, static_shape(owner, shape))
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
        key = initial_key(owner, rng_key)
        super().__init__(settled, *args, **kwargs)
        self._init_args = {
            "has_rec": has_rec,
            "weight_init_func": Partial(weight_init_func),
            "activation_func": Partial(activation_func),
        }
        specs = model.parameter_specs(settled)

        self.rng_key = State(key, shape=key.shape)
        self.x = State(shape=model.state_shapes(settled)["x"], init_func=np.zeros)
        self._has_rec = has_rec
        if has_rec:
            self.w_rec = specs["w_rec"].wrap(Parameter, w_rec, weight_init_func, float_array)
        else:
            self.w_rec = 0.0
        self.tau = specs["tau"].wrap(Parameter, tau, cast_fn=float_array)
        self.bias = specs["bias"].wrap(Parameter, bias, cast_fn=float_array)
        self.threshold = specs["threshold"].wrap(Parameter, threshold, cast_fn=float_array)
        self.dt = SimulationParameter(number_setting(dt))
        self.noise_std = SimulationParameter(number_setting(noise_std))
        self.act_fn = SimulationParameter(activation_func)

    def evolve(
        self, input_data: ArrayLike, record: bool = False
    ) -> tuple[jax.Array, dict[str, Any], dict[str, Any]]:
        """Evolve the neurons over time. The module does not change.

        Parameters
        ----------
        input_data : array_like
            Shape (B, T, N), (T, N) or (T,).
        record : bool
            The time course of the internal values is returned in either case.

        Returns
        -------
        output : jax.Array
            Output of the activation function, shape (B, T, N).
        new_state : dict
            ``x`` after the last time step, and the next ``rng_key``.
        record_dict : dict
            ``rec_input`` and ``x``, both (B, T, N).

        Raises
        ------
        ValueError
            The input has a wrong number of channels or dimensions.
        TypeError
            It is not made of real numbers.
        """
        data, shape = self._checked_input(input_data)
        static, settings = split_settings({"dt": self.dt, "noise_std": self.noise_std})
        next_key, own_key = split_key(self.rng_key)
        output, x, records = _evolve(
            data,
            own_key,
            self._checked_states(shape[0], "x")["x"],
            {
                "tau": self.tau,
                "bias": self.bias,
                "threshold": self.threshold,
                "w_rec": self.w_rec if self._has_rec else None,
            },
            settings,
            self.act_fn,
            shape=shape,
            static=static,
            keep=self._keep_batch_state,
            kernels=kernels_serve(),
        )
        return output, {"rng_key": next_key, "x": x}, records

    def as_graph(self) -> GraphHolder:
        """Return the layer as a graph: its neurons and, where it has them, recurrent weights."""
        from rockpool.nn.models.graphs import rate_graph

        return rate_graph(self, self.tau, self.bias, self.w_rec if self._has_rec else None)


RateEulerJax = RateJax
