"""The rate neuron in jax, `RateJax`, and its activation functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Unpack

import jax
import jax.numpy as jnp
import numpy  # noqa: F401 - waits where another thread is importing it
from jax.tree_util import Partial

import rockpool.graph
from rockpool.nn.models import rate
from rockpool.nn.models.model import SettingSpec
from rockpool.nn.modules.jax._kernels.dispatch import chosen_loop
from rockpool.nn.modules.jax._kernels.evolve import Arrays, Evolution, Values
from rockpool.nn.modules.jax._loops.rate import (
    ACTIVATION_FUNCTIONS,
    H_LReLU,
    H_ReLU,
    H_sigmoid,
    H_tanh,
    RateParameters,
    rate_loop,
)
from rockpool.nn.modules.jax.jax_module import JaxModule
from rockpool.nn.modules.module import ModuleArguments
from rockpool.nn.modules.native.linear import unit_eigs
from rockpool.typehints import ArrayLike

__all__ = [
    "H_LReLU",
    "H_ReLU",
    "H_sigmoid",
    "H_tanh",
    "RateEulerJax",
    "RateJax",
    "RateParameters",
    "rate_loop",
]


def rate_evolution(
    x: jax.Array, state: Arrays, values: Values, noise: jax.Array | None, kernels: bool
) -> Evolution:
    """Evolve rate neurons; a `TimeLoop`."""
    parameters = RateParameters(
        gain=jnp.asarray(values["dt"] / values["tau"], x.dtype),
        bias=values["bias"],
        threshold=values["threshold"],
        w_rec=values["w_rec"],
        act_fn=values["act_fn"],
    )
    loop = chosen_loop("rate", rate_loop, x, kernels, parameters.act_fn)
    output, final, records = loop(x, state["x"], parameters, noise)
    return output, {"x": final}, records


class RateJax(JaxModule):
    """A layer of leaky rate neurons, in jax: no spikes, a non-linear output, recurrent if wanted.

    The equations are those of `Rate`.

    Errors are those of `Rate` and `JaxModule`, parameters those of `Rate` but for:

    Parameters
    ----------
    activation_func : callable or str
        ``f(x, threshold)`` of arrays (N,), or one of the names "relu" (default: `H_ReLU`),
        "sigmoid", "tanh". A function is stored as a ``jax.tree_util.Partial``.
    rng_key : key, optional
        Key for the noise, as for `LIFJax`.

    Attributes
    ----------
    x : jax.Array
        The state, shape (N,). Zero at rest.
        A call does not change it: give the new state to `set_attributes` to go on from there.
    rng_key : jax.Array
        The key, a state as well.
    """

    _model = rate.RATE

    x: jax.Array
    w_rec: Any  # a jax.Array; the number 0 where there are no recurrent weights
    tau: jax.Array
    bias: jax.Array
    threshold: jax.Array
    noise_std: float
    act_fn: Any  # a jax.tree_util.Partial

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
        noise_std: float | int = 0.0,
        dt: float | int = 1e-3,
        rng_key: Any = None,
        *args: Any,
        **kwargs: Unpack[ModuleArguments],
    ) -> None:
        self._declare(locals(), super().__init__)
        self._has_rec = bool(has_rec)
        self._init_args = {
            "has_rec": self._has_rec,
            "weight_init_func": Partial(weight_init_func),
            "activation_func": self.act_fn,
        }

    def _said_setting(self, spec: SettingSpec, value: Any) -> Any:
        if spec.name == "activation_func":
            return rate.said_activation(value, ACTIVATION_FUNCTIONS)
        return super()._said_setting(spec, value)

    def _as_setting(self, spec: SettingSpec, value: Any) -> Any:
        if spec.name == "activation_func":
            return rate.activation(self.class_name, value, ACTIVATION_FUNCTIONS)
        return super()._as_setting(spec, value)

    def _declare_absent(self, name: str, shape: tuple[int, ...]) -> None:
        self.w_rec = 0.0

    def evolve(
        self, input_data: ArrayLike, record: bool = False
    ) -> tuple[jax.Array, dict[str, Any], dict[str, Any]]:
        """Evolve the neurons over time; as `Rate.evolve`, but the module does not change.

        The new state also has the next ``rng_key``. What is recorded is returned in either case.
        """
        return self._evolve_batch(
            rate_evolution,
            input_data,
            {"x": (self.size_out,)},
            {
                "tau": self.tau,
                "bias": self.bias,
                "threshold": self.threshold,
                "w_rec": self.w_rec if self._has_rec else None,
            },
            noise_std=self.noise_std,
            act_fn=self.act_fn,
        )

    def as_graph(self) -> rockpool.graph.GraphHolder:
        """Return the layer as a graph: its neurons and, where it has them, recurrent weights."""
        from rockpool.graph.from_modules import rate_graph

        return rate_graph(self, self.tau, self.bias, self.w_rec if self._has_rec else None)


RateEulerJax = RateJax
