"""Weighted and smoothed input under a softmax, in jax: `SoftmaxJax`, `LogSoftmaxJax`."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, ClassVar, Unpack

import jax
import jax.numpy as jnp
import numpy as np

from rockpool.nn.description import Node
from rockpool.nn.models.exp_syn import EXP_SYN
from rockpool.nn.models.linear import LINEAR
from rockpool.nn.modules._described import described_container
from rockpool.nn.modules.jax.exp_syn_jax import ExpSynJax
from rockpool.nn.modules.jax.jax_module import JaxModule
from rockpool.nn.modules.jax.linear_jax import LinearJax
from rockpool.nn.modules.module import ModuleArguments
from rockpool.parameters import SimulationParameter
from rockpool.typehints import ArrayLike

__all__ = ["LogSoftmaxJax", "SoftmaxJax", "WeightedSmoothBase", "logsoftmax", "softmax"]


def softmax(x: Any, temperature: float | int = 1.0, axis: int | None = None) -> jax.Array:
    """Return ``exp(x / temperature)``, divided by its sum.

    Parameters
    ----------
    x : array
        Any values, of any shape.
    temperature : float
        The higher, the more even is the result. Default: 1.
    axis : int, optional
        The dimension to sum over. Default: all of them, batch and time included.
    """
    return jax.nn.softmax(_scaled(x, temperature), axis=axis)


def logsoftmax(x: Any, temperature: float | int = 1.0, axis: int | None = None) -> jax.Array:
    """Return the logarithm of `softmax`, whose parameters these are."""
    return jax.nn.log_softmax(_scaled(x, temperature), axis=axis)


def _scaled(x: Any, temperature: float | int) -> jax.Array:
    return jnp.asarray(x) / temperature


def _unchanged(x: jax.Array) -> jax.Array:
    return x


class WeightedSmoothBase(JaxModule):
    """Input that is weighted, smoothed by exponential synapses, and put through a function.

    Parameters
    ----------
    shape : tuple of int, optional
        ``(Nin, Nout)``. Default: that of `weight`.
    weight, bias : array_like, optional
        Weights (Nin, Nout) and biases (Nout,). Default: drawn as by `LinearJax`.
    has_bias : bool
        Whether there are biases. Default: True.
    tau : float
        Time constant of the smoothing in seconds, one for all channels. Default: 0.1.
    dt : float
        Time step in seconds. Default: 1 ms.
    activation_fun : callable
        What the smoothed input (B, T, Nout) goes through. Default: nothing, it is the output.

    Raises
    ------
    ValueError
        Neither `shape` nor `weight` is given, or an argument has a wrong shape or value.
    TypeError
        `activation_fun` cannot be called.
    """

    linear: LinearJax
    smooth: ExpSynJax
    activation_fn: Any  # a jax.tree_util.Partial

    def __init__(
        self,
        shape: tuple[int, int] | None = None,
        weight: ArrayLike | None = None,
        bias: ArrayLike | None = None,
        has_bias: bool = True,
        tau: float | int = 0.1,
        dt: float | int = 1e-3,
        activation_fun: Callable[[jax.Array], jax.Array] = _unchanged,
        *args: Any,
        **kwargs: Unpack[ModuleArguments],
    ) -> None:
        owner = type(self).__name__
        if shape is None:
            if weight is None:
                raise ValueError(f"{owner}: one of shape and weight must be given")
            shape = np.shape(weight)  # type: ignore[assignment]
        if not callable(activation_fun):
            raise TypeError(f"{owner}: activation_fun must be callable, got {activation_fun!r}")
        sizes = LINEAR.module_shape(owner, shape)
        weights = {"weight": weight, "bias": bias, "has_bias": has_bias}
        LINEAR.check(owner, sizes, weights)
        EXP_SYN.check(owner, sizes[1:], {"tau": tau, "dt": dt})
        super().__init__(shape, *args, **kwargs)
        self._init_args = {"has_bias": has_bias}
        if activation_fun is not _unchanged:
            self._init_args["activation_fun"] = activation_fun
        self.linear = LinearJax(self.shape, weight=weight, bias=bias, has_bias=has_bias)  # type: ignore[arg-type]
        self.smooth = ExpSynJax(self.size_out, tau=tau, dt=dt)
        self.activation_fn = SimulationParameter(activation_fun)

    def _describe(self) -> Node:
        settings = {**self._init_args, "dt": self.smooth.dt}
        return described_container(self, type(self).__name__, settings=settings)

    def evolve(
        self, input_data: ArrayLike, record: bool = False
    ) -> tuple[jax.Array, dict[str, Any], dict[str, Any]]:
        """Evolve the module over time, and return output (B, T, Nout); it does not change.

        New state and record are those of `linear` and `smooth`, by name.
        """
        data = self._with_time(input_data)
        weighted, linear_state, linear_record = self.linear(data, record=record)
        smoothed, smooth_state, smooth_record = self.smooth(weighted, record=record)
        new_state = {"linear": linear_state, "smooth": smooth_state}
        records = {"linear": linear_record, "smooth": smooth_record}
        return self.activation_fn(smoothed), new_state, records


class _Normalised(WeightedSmoothBase):
    """Smoothed input under a function that normalises it; parameters are those of `SoftmaxJax`."""

    _function: ClassVar[Callable[..., jax.Array]]

    def __init__(
        self,
        shape: tuple[int, int] | None = None,
        weight: ArrayLike | None = None,
        bias: ArrayLike | None = None,
        has_bias: bool = True,
        tau: float | int = 0.1,
        dt: float | int = 1e-3,
        axis: int | None = None,
        *args: Any,
        **kwargs: Unpack[ModuleArguments],
    ) -> None:
        function = type(self)._function
        function = function if axis is None else partial(function, axis=axis)
        super().__init__(shape, weight, bias, has_bias, tau, dt, function, *args, **kwargs)
        self._init_args = {"has_bias": has_bias, "axis": axis}


class SoftmaxJax(_Normalised):
    """Input that is weighted, smoothed by exponential synapses, and normalised by a softmax.

    By default the sum of the output over all elements, batch and time included, is 1. With ``axis
    = -1`` it is 1 over the channels, for each time step and each element of the batch.

    Parameters
    ----------
    shape : tuple of int, optional
        ``(Nin, Nout)``. Default: that of `weight`.
    weight, bias : array_like, optional
        Weights (Nin, Nout) and biases (Nout,). Default: drawn as by `LinearJax`.
    has_bias : bool
        Whether there are biases. Default: True.
    tau : float
        Time constant of the smoothing in seconds, one for all channels. Default: 0.1.
    dt : float
        Time step in seconds. Default: 1 ms.
    axis : int, optional
        The dimension of the softmax, of (batch, time, channel). Default: over all elements.

    Raises
    ------
    ValueError
        Neither `shape` nor `weight` is given, or an argument has a wrong shape or value.
    """

    _function = staticmethod(softmax)


class LogSoftmaxJax(_Normalised):
    """The logarithm of what `SoftmaxJax` gives.

    Parameters
    ----------
    shape : tuple of int, optional
        ``(Nin, Nout)``. Default: that of `weight`.
    weight, bias : array_like, optional
        Weights (Nin, Nout) and biases (Nout,). Default: drawn as by `LinearJax`.
    has_bias : bool
        Whether there are biases. Default: True.
    tau : float
        Time constant of the smoothing in seconds, one for all channels. Default: 0.1.
    dt : float
        Time step in seconds. Default: 1 ms.
    axis : int, optional
        The dimension of the softmax, of (batch, time, channel). Default: over all elements.

    Raises
    ------
    ValueError
        Neither `shape` nor `weight` is given, or an argument has a wrong shape or value.
    """

    _function = staticmethod(logsoftmax)
