"""The rate neuron in numpy, `Rate`, and its activation functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Unpack

import numpy as np
from numpy.typing import DTypeLike

import rockpool.graph
from rockpool.nn.models import rate
from rockpool.nn.models.finite_input import require_finite
from rockpool.nn.models.model import SettingSpec
from rockpool.nn.modules.module import Module, ModuleArguments
from rockpool.nn.modules.native.linear import unit_eigs
from rockpool.nn.modules.native.noise import drawn_noise
from rockpool.typehints import ArrayLike

__all__ = ["H_ReLU", "H_sigmoid", "H_tanh", "Rate"]


def H_ReLU(x: ArrayLike, threshold: ArrayLike) -> np.ndarray:
    """Return ``max(x - threshold, 0)``."""
    return np.maximum(np.subtract(x, threshold), 0.0)


def H_tanh(x: ArrayLike, threshold: ArrayLike) -> np.ndarray:
    """Return ``tanh(x - threshold)``."""
    return np.tanh(np.subtract(x, threshold))


def H_sigmoid(x: ArrayLike, threshold: ArrayLike) -> np.ndarray:
    """Return ``(tanh(x - threshold) + 1) / 2``."""
    return (np.tanh(np.subtract(x, threshold)) + 1.0) / 2.0


ACTIVATION_FUNCTIONS = {"relu": H_ReLU, "sigmoid": H_sigmoid, "tanh": H_tanh}


class Rate(Module):
    r"""A layer of leaky rate neurons: no spikes, a non-linear output, recurrent weights if wanted.

    For each time step, in this order:

    .. math::

        r &= a \cdot W_{rec} \\
        x &\leftarrow x + \frac{dt}{\tau} (-x + u_t + \nu_t + b + r) \\
        a &= f(x, \theta)

    with the input :math:`u_t`, the noise :math:`\nu_t = \sigma \sqrt{dt} \, z`,
    :math:`z \sim N(0, 1)`, and the output :math:`a`, which begins as :math:`f(x_0, \theta)`. This
    forward Euler step wants time constants of at least one time step.

    Parameters
    ----------
    shape : int or tuple of int
        Number of neurons, ``N``, ``(N,)`` or ``(N, N)``.
    tau : array_like, optional
        Time constants in seconds, at least `dt`, shape (N,) or (); 20 ms.
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
        ``f(x, threshold)``, or one of the names "relu" (default: `H_ReLU`), "sigmoid", "tanh".
    dt : float
        Time step in seconds. Default: 1 ms.
    noise_std : float
        Standard deviation of the noise on the input, after one second. Default: 0.
    dtype : dtype
        As for `LIF`.

    Attributes
    ----------
    x : np.ndarray
        The state, shape (N,). Zero at rest.
        A second call goes on from there, a batch from that of element 0, or of all elements after
        `keep_batch_state()`; `reset_state()` returns to rest, and belongs in a training loop.

    Raises
    ------
    ValueError, TypeError
        As for `LIF`; also a `tau` below `dt`, two entries of `shape` that differ, and an unknown
        `activation_func`. The thresholds can be any finite numbers.

    References
    ----------
    H. R. Wilson, J. D. Cowan, Excitatory and inhibitory interactions in localized populations of
    model neurons, Biophysical Journal 12 (1972).

    Examples
    --------
    >>> import numpy as np
    >>> from rockpool.nn.modules import Rate
    >>> output, state, record = Rate(2, activation_func="tanh")(np.ones((1, 3, 2)), record=True)
    >>> output.shape, sorted(record)
    ((1, 3, 2), ['rec_input', 'x'])
    """

    _model = rate.RATE
    _replaces_states = True

    x: np.ndarray
    w_rec: np.ndarray
    tau: np.ndarray
    bias: np.ndarray
    threshold: np.ndarray
    dt: float
    noise_std: float
    act_fn: Any

    def __init__(
        self,
        shape: int | tuple[int, ...],
        tau: ArrayLike | None = None,
        bias: ArrayLike | None = None,
        threshold: ArrayLike | None = None,
        w_rec: ArrayLike | None = None,
        weight_init_func: Callable[[tuple[int, ...]], np.ndarray] = unit_eigs,
        has_rec: bool = False,
        activation_func: Callable[[Any, Any], Any] | str = H_ReLU,
        dt: float | int = 1e-3,
        noise_std: float | int = 0.0,
        *args: Any,
        dtype: DTypeLike = np.float64,
        **kwargs: Unpack[ModuleArguments],
    ) -> None:
        self._declare(locals(), super().__init__)

    @property
    def _has_rec(self) -> bool:
        return self._has_registered_attribute("w_rec")

    def _as_setting(self, spec: SettingSpec, value: Any) -> Any:
        if spec.name == "activation_func":
            return rate.activation(self.class_name, value, ACTIVATION_FUNCTIONS)
        return super()._as_setting(spec, value)

    def _said_setting(self, spec: SettingSpec, value: Any) -> Any:
        if spec.name == "activation_func":
            return rate.said_activation(value, ACTIVATION_FUNCTIONS)
        return super()._said_setting(spec, value)

    def evolve(
        self, input_data: ArrayLike, record: bool = False
    ) -> tuple[np.ndarray, dict[str, Any], dict[str, Any]]:
        """Evolve the neurons over time; as `LIF.evolve`.

        The output is that of the activation function, the state ``x``; the record has ``rec_input``
        and ``x``. Each is of the shape (B, T, N), where the state has no T.
        """
        data, _ = self._auto_batch(input_data)
        drive = data + self.bias
        if self.noise_std:
            drive += drawn_noise(self, data.shape)
        gain = self._gain()
        x = self._batched_state("x", len(data))
        activity = self.act_fn(x, self.threshold)

        output = np.empty_like(data)
        records = {}
        if record:
            records = {"rec_input": np.zeros_like(data), "x": np.empty_like(data)}
        for t in range(data.shape[1]):
            change = drive[:, t] - x
            if self._has_rec:
                rec_input = activity @ self.w_rec
                change += rec_input
            x = x + gain * change
            activity = self.act_fn(x, self.threshold)
            output[:, t] = activity
            if record:
                records["x"][:, t] = x
                if self._has_rec:
                    records["rec_input"][:, t] = rec_input

        require_finite(self, data, x)
        return output, self._keep_state(x=x), records

    def _gain(self) -> np.ndarray | np.floating[Any]:
        """Return ``dt / tau``, computed in double precision and cast once."""
        return (self.dt / np.asarray(self.tau, np.float64)).astype(self._dtype)

    def as_graph(self) -> rockpool.graph.GraphHolder:
        """Return the layer as a graph: its neurons and, where it has them, recurrent weights."""
        from rockpool.graph.from_modules import rate_graph

        return rate_graph(self, self.tau, self.bias, self.w_rec if self._has_rec else None)
