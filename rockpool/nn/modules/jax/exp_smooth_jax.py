"""Exponential smoothing in jax, without batch: `ExpSmoothJax` (deprecated)."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from numpy.typing import ArrayLike

from rockpool.nn.models import checks
from rockpool.nn.models import exp_syn as model
from rockpool.nn.modules.jax._base.decays import decay
from rockpool.nn.modules.jax._kernels.sharding import vary_alike
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
from rockpool.nn.modules.native.instant import identity
from rockpool.parameters import Parameter, SimulationParameter, State

__all__ = ["ExpSmoothJax"]


@partial(jax.jit, static_argnames=("shape", "static", "keep"))
def _smooth(
    data: Any,
    activation: Any,
    tau: Any,
    settings: dict[str, Any],
    *,
    shape: tuple[int, ...],
    static: tuple[tuple[str, Any], ...],
    keep: bool,
) -> tuple[jax.Array, jax.Array]:
    """Return ``a <- a decay + x_t`` over time, (B, T, N), and its last value."""
    data, activation, tau, settings = vary_alike((data, activation, tau, settings))
    dtype = common_type(data, tau)
    alpha = decay({**settings, **dict(static)}["dt"], jnp.asarray(tau, dtype))
    start = batched_state(activation, (shape[0], shape[2]), dtype)

    def step(a: jax.Array, x: jax.Array) -> tuple[jax.Array, jax.Array]:
        a = a * alpha + x
        return a, a

    final, course = lax.scan(step, start, batched_input(data, shape, dtype).swapaxes(0, 1))
    return course.swapaxes(0, 1), state_to_keep(final, activation, keep)


class ExpSmoothJax(JaxModule):
    r"""A leaky sum of the input of each channel, put through a function. Use `ExpSynJax` instead.

    For each time step :math:`a \leftarrow a \, e^{-dt / \tau} + x_t`; the output is a function of
    :math:`a`. Unlike in `ExpSynJax` an input is not attenuated in its own step. Input (T, N) gives
    output (T, N), without a batch.

    Parameters
    ----------
    shape : int or tuple of int
        Number of channels, ``N`` or ``(N,)``.
    tau : float
        Time constant in seconds. Default: 0.1.
    dt : float
        Time step in seconds. Default: 1 ms.
    activation_fun : callable
        Applied to the sum. Default: the identity.

    Attributes
    ----------
    activation : jax.Array
        The state, shape (N,). Zero at rest.

    Raises
    ------
    ValueError, TypeError
        An argument has a wrong shape, type or value; the message says what is allowed.

    Warns
    -----
    DeprecationWarning
        Always.
    """

    # assigned as parameter objects, read as bare values
    tau: Any
    dt: Any
    activation: Any
    activation_fun: Any

    def __init__(
        self,
        shape: int | tuple[int, ...],
        tau: float = 0.1,
        dt: float = 1e-3,
        activation_fun: Callable[[Any], Any] = identity,
        *args: Any,
        **kwargs: Any,
    ) -> None:
        owner = type(self).__name__
        warnings.warn(
            f"{owner} is deprecated, use ExpSynJax instead", DeprecationWarning, stacklevel=3
        )
        settled = model.module_shape(owner, static_shape(owner, shape))
        model.check_arguments(owner, settled, tau=tau, dt=dt)
        checks.function(owner, "activation_fun", activation_fun)
        kwargs.setdefault("spiking_input", True)
        super().__init__(settled, *args, **kwargs)
        self.tau = Parameter(tau, family="taus", shape=[(), settled], cast_fn=float_array)
        self.dt = SimulationParameter(number_setting(dt))
        self.activation = State(shape=settled, init_func=np.zeros)
        self.activation_fun = SimulationParameter(activation_fun)

    def evolve(
        self, input_data: ArrayLike, record: bool = False
    ) -> tuple[jax.Array, dict[str, Any], dict[str, Any]]:
        """Evolve the channels over time. The module does not change.

        Parameters
        ----------
        input_data : array_like
            Shape (T, N) or (T,); or a batch, (B, T, N).
        record : bool
            The time course of the sum is returned in either case.

        Returns
        -------
        output : jax.Array
            Shape (T, N), or (B, T, N) for a batch.
        new_state : dict
            ``activation`` after the last time step.
        record_dict : dict
            ``activation``, in the shape of the output.
        """
        data, shape = self._checked_input(input_data)
        static, settings = split_settings({"dt": self.dt})
        states = self._checked_states(shape[0], "activation")
        course, final = _smooth(
            data,
            states["activation"],
            self.tau,
            settings,
            shape=shape,
            static=static,
            keep=self._keep_batch_state,
        )
        if np.ndim(data) < 3:
            course = course[0]
        return self.activation_fun(course), {"activation": final}, {"activation": course}
