"""Exponential smoothing in jax, without batch: `ExpSmoothJax` (deprecated)."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any, Unpack

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from rockpool.nn.description import Node
from rockpool.nn.models import checks
from rockpool.nn.models.exp_syn import EXP_SYN
from rockpool.nn.models.model import SettingSpec, StateSpec
from rockpool.nn.modules.jax._base.decays import decay
from rockpool.nn.modules.jax._kernels.evolve import Arrays, Evolution, Values
from rockpool.nn.modules.jax.jax_module import JaxModule
from rockpool.nn.modules.module import ModuleArguments
from rockpool.nn.modules.native.instant import identity
from rockpool.typehints import ArrayLike

__all__ = ["ExpSmoothJax"]


def smooth_evolution(
    x: jax.Array, state: Arrays, values: Values, noise: jax.Array | None, kernels: bool
) -> Evolution:
    """Return ``a <- a decay + x_t`` over time, and its last value; a `TimeLoop` without kernel."""
    alpha = jnp.broadcast_to(decay(values["dt"], values["tau"]), x.shape[2:])[None]

    def step(a: jax.Array, x: jax.Array) -> tuple[jax.Array, jax.Array]:
        a = a * alpha + x
        return a, a

    final, course = lax.scan(step, state["activation"], x.swapaxes(0, 1))
    return course.swapaxes(0, 1), {"activation": final}, {}


class ExpSmoothJax(JaxModule):
    r"""A leaky sum of the input of each channel, put through a function. Use `ExpSynJax` instead.

    For each time step :math:`a \leftarrow a \, e^{-dt / \tau} + x_t`; the output is a function of
    :math:`a`. Unlike in `ExpSynJax` an input is not attenuated in its own step. Input (T, N) gives
    output (T, N), without a batch.

    There is always a DeprecationWarning. Errors are those of `ExpSyn` and `JaxModule`; an
    `activation_fun` that is not callable is a ValueError. Parameters are as for `ExpSyn`, but for:

    Parameters
    ----------
    tau : float
        Time constant in seconds, one for all channels or (N,). Default: 0.1.
    activation_fun : callable
        Applied to the sum. Default: the identity.
    dt : float
        As for `ExpSyn`.

    Attributes
    ----------
    activation : jax.Array
        The state, shape (N,). Zero at rest.
        A call does not change it: give the new state to `set_attributes` to go on from there.
    """

    _model = EXP_SYN.changed("tau", shapes=((), ("N",))).arranged(
        "tau dt activation activation_fun",
        StateSpec("activation", ("N",)),
        SettingSpec("activation_fun", identity, check=checks.function),
    )

    tau: jax.Array
    activation: jax.Array
    activation_fun: Callable[[jax.Array], jax.Array]

    def __init__(
        self,
        shape: int | tuple[int, ...],
        tau: float | int = 0.1,
        dt: float | int = 1e-3,
        activation_fun: Callable[[Any], Any] = identity,
        *args: Any,
        **kwargs: Unpack[ModuleArguments],
    ) -> None:
        owner = type(self).__name__
        warnings.warn(
            f"{owner} is deprecated, use ExpSynJax instead", DeprecationWarning, stacklevel=3
        )
        kwargs.setdefault("spiking_input", True)
        self._declare(locals(), super().__init__)

    def _said_setting(self, spec: SettingSpec, value: Any) -> Any:
        said = super()._said_setting(spec, value)
        return "identity" if said is identity else said

    @classmethod
    def _described_arguments(cls, node: Node) -> dict[str, Any]:
        arguments = super()._described_arguments(node)
        if arguments.get("activation_fun") == "identity":
            del arguments["activation_fun"]
        return arguments

    def evolve(
        self, input_data: ArrayLike, record: bool = False
    ) -> tuple[jax.Array, dict[str, Any], dict[str, Any]]:
        """Evolve the channels over time. The module does not change.

        Input (T, N) or (T,) gives output (T, N), a batch (B, T, N) gives output of its shape. State
        and record are ``activation``, the latter in the shape of the output, and in either case.
        """
        course, new_state, _ = self._evolve_batch(
            smooth_evolution,
            input_data,
            {"activation": (self.size_out,)},
            {"tau": self.tau},
            noise_std=0.0,
        )
        if np.ndim(input_data) < 3:
            course = course[0]
        return self.activation_fun(course), new_state, {"activation": course}
