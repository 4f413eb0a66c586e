"""The exponential synapse in jax: `ExpSynJax`."""

from __future__ import annotations

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import ArrayLike

from rockpool.nn.models import exp_syn as model
from rockpool.nn.modules.jax._base.decays import decay
from rockpool.nn.modules.jax._base.rng import draw_noise, initial_key, split_key
from rockpool.nn.modules.jax._kernels.dispatch import chosen_loop, kernels_serve
from rockpool.nn.modules.jax._kernels.sharding import vary_alike
from rockpool.nn.modules.jax._loops.exp_syn import exp_syn_loop
from rockpool.nn.modules.jax.jax_module import (
    JaxModule,
    batched_input,
    batched_state,
    common_type,
    float_array,
    number_setting,
    split_settings,
    state_to_keep,
    static_shape,
)
from rockpool.parameters import Parameter, SimulationParameter, State

__all__ = ["ExpSynJax"]


@partial(jax.jit, static_argnames=("shape", "static", "keep", "kernels"))
def _evolve(
    data: Any,
    key: Any,
    isyn: Any,
    tau: Any,
    settings: dict[str, Any],
    *,
    shape: tuple[int, ...],
    static: tuple[tuple[str, Any], ...],
    keep: bool,
    kernels: bool,
) -> tuple[jax.Array, jax.Array]:
    """Return output and final state. Compiled once for all modules of a size."""
    data, key, isyn, tau, settings = vary_alike((data, key, isyn, tau, settings))
    dtype = common_type(data, tau)
    settings = {**settings, **dict(static)}
    noise = draw_noise(key, settings, shape, dtype)
    start = batched_state(isyn, (shape[0], shape[2]), dtype)
    beta = decay(settings["dt"], jnp.asarray(tau, dtype))
    inputs = batched_input(data, shape, dtype)
    output, final = chosen_loop("exp_syn", exp_syn_loop, inputs, kernels)(
        inputs, start, beta, noise
    )
    return output, state_to_keep(final, isyn, keep)


class ExpSynJax(JaxModule):
    r"""A layer of exponential synapses, in jax: a leaky sum of the input of each channel.

    For each time step:

    .. math::

        I_{syn} \leftarrow (I_{syn} + x_t + \nu_t) \, e^{-dt / \tau}

    and the output is :math:`I_{syn}`; with the noise :math:`\nu_t = \sigma \sqrt{dt} \, z`,
    :math:`z \sim N(0, 1)`, on the input (in the numpy class it is on the output).

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
    rng_key : key, optional
        Key for the noise. Default: drawn from the global state of numpy. It is split on each call.
    spiking_input, spiking_output : bool
        Whether a time series for the input is one of events (default True), and the output (False).

    Attributes
    ----------
    isyn : jax.Array
        The state: synaptic currents, shape (N,). Zero at rest.
    rng_key : jax.Array
        The key, a state as well.

    Raises
    ------
    ValueError, TypeError
        An argument has a wrong shape, type or value; the message says what is allowed.

    References
    ----------
    P. Dayan, L. F. Abbott, Theoretical Neuroscience, MIT Press (2001), chapter 5.8.
    """

    # assigned as parameter objects, read as bare values
    rng_key: Any
    dt: Any
    tau: Any
    noise_std: Any
    isyn: Any

    def __init__(
        self,
        shape: int | tuple[int, ...],
        tau: ArrayLike | None = None,
        noise_std: float = 0.0,
        dt: float = 1e-3,
        rng_key: Any = None,
        spiking_input: bool = True,
        spiking_output: bool = False,
        *args: Any,
        **kwargs: Any,
    ) -> None:
        owner = type(self).__name__
        settled = model.module_shape(owner, static_shape(owner, shape))
        model.check_arguments(owner, settled, tau=tau, noise_std=noise_std, dt=dt)
        key = initial_key(owner, rng_key)
        super().__init__(settled, spiking_input, spiking_output, *args, **kwargs)

        self.rng_key = State(key, shape=key.shape)
        self.dt = SimulationParameter(number_setting(dt))
        self.tau = model.parameter_specs(settled)["tau"].wrap(Parameter, tau, cast_fn=float_array)
        self.noise_std = SimulationParameter(number_setting(noise_std))
        self.isyn = State(shape=model.state_shapes(settled)["isyn"], init_func=np.zeros)

    def evolve(
        self, input_data: ArrayLike, record: bool = False
    ) -> tuple[jax.Array, dict[str, Any], dict[str, Any]]:
        """Evolve the synapses over time. The module does not change.

        Parameters
        ----------
        input_data : array_like
            Shape (B, T, N), (T, N) or (T,).
        record : bool
            There is nothing to record besides the output.

        Returns
        -------
        output : jax.Array
            Synaptic currents, shape (B, T, N).
        new_state : dict
            ``isyn`` after the last time step, and the next ``rng_key``.
        record_dict : dict
            Empty.

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
        output, isyn = _evolve(
            data,
            own_key,
            self._checked_states(shape[0], "isyn")["isyn"],
            self.tau,
            settings,
            shape=shape,
            static=static,
            keep=self._keep_batch_state,
            kernels=kernels_serve(),
        )
        return output, {"rng_key": next_key, "isyn": isyn}, {}
