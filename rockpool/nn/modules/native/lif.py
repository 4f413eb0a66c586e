"""The leaky integrate-and-fire neuron in numpy: `LIF`."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, Unpack

import numpy as np
from numpy.typing import DTypeLike

import rockpool.graph
from rockpool.nn.models import checks, lif
from rockpool.nn.models.exp_syn import decay
from rockpool.nn.models.finite_input import require_finite
from rockpool.nn.modules._kept import Kept
from rockpool.nn.modules.module import Module, NoArguments
from rockpool.nn.modules.native.linear import kaiming
from rockpool.nn.modules.native.noise import drawn_noise
from rockpool.parameters import SimulationParameter
from rockpool.typehints import ArrayLike

__all__ = ["LIF", "sigmoid", "spike_subtract_threshold"]


def spike_subtract_threshold(
    x: ArrayLike,
    threshold: ArrayLike,
    window: float | int = 0.5,
    max_spikes_per_dt: float | int = 2.0**16,
) -> np.ndarray:
    """Return how many spikes the membrane potentials `x` give in one time step.

    ``min([x >= threshold] floor(x / threshold), max_spikes_per_dt)``

    Parameters
    ----------
    x : array_like
        Membrane potentials before the reset, of any shape.
    threshold : array_like
        Firing thresholds, > 0, of a shape that broadcasts with `x`.
    window : float
        Width of the surrogate gradient in the back-ends that have gradients; not used here.
    max_spikes_per_dt : float
        Upper limit, 2**16 by default.

    Returns
    -------
    np.ndarray
        Whole numbers as floats, in the shape of `x`.
    """
    x = np.asarray(x)
    return np.minimum((x >= threshold) * np.floor(x / threshold), max_spikes_per_dt)


def sigmoid(x: ArrayLike, threshold: ArrayLike) -> np.ndarray:
    """Return the sigmoid ``tanh(x + 1 - threshold) / 2 + 0.5``."""
    return np.tanh(np.asarray(x) + 1.0 - np.asarray(threshold)) / 2.0 + 0.5


def no_weights(shape: tuple[int, ...]) -> np.ndarray:
    """Return zeros of that shape, read-only, in the memory of a single number."""
    return np.broadcast_to(np.float64(0.0), shape)


def sum_in_order(values: np.ndarray, out: np.ndarray) -> np.ndarray:
    """Return ``(values[0] + values[1]) + values[2] ...``, in `out`.

    ``values.sum(axis=0)`` takes another order for some shapes, which may move a spike.
    """
    np.copyto(out, values[0])
    for value in values[1:]:
        out += value
    return out


class LIF(Module):
    r"""A layer of leaky integrate-and-fire neurons with exponential synapses.

    This is the reference for the model: the classes of the other back-ends give its answers.
    For each time step, in this order:

    .. math::

        I_{rec} &= S_{t-1} \cdot W_{rec} \\
        I_{syn} &\leftarrow (I_{syn} + x_t + I_{rec}) \, e^{-dt / \tau_{syn}} \\
        V_{mem} &\leftarrow V_{mem} \, e^{-dt / \tau_{mem}} + \sum_s I_{syn} + \nu_t + b \\
        S_t &= \min([V_{mem} \ge \theta] \lfloor V_{mem} / \theta \rfloor, S_{max}) \\
        V_{mem} &\leftarrow V_{mem} - S_t \, \theta

    with the noise :math:`\nu_t = \sigma \sqrt{dt} \, z`, :math:`z \sim N(0, 1)`. Decays are
    exact for the time step; an input is attenuated in its own step already; several spikes are
    possible in one step; there is no refractory period.

    For `Nin` inputs and `Nout` neurons there are ``S = Nin // Nout`` synapses per neuron: input
    channel ``c`` reaches synapse ``c % S`` of neuron ``c // S``. The same holds for the columns of
    the recurrent weights.

    Parameters
    ----------
    shape : int or tuple of int
        ``N``, ``(N,)`` or ``(Nin, Nout)``; `Nin` is a multiple of `Nout`.
    tau_mem : array_like, optional
        Membrane time constants in seconds, shape (Nout,) or (); 20 ms.
    tau_syn : array_like, optional
        Synaptic time constants in seconds, shape (Nout, S), (1, S) or (); 20 ms.
    bias : array_like, optional
        Bias added to the membrane in each time step, shape (Nout,) or (); 0.
    w_rec : array_like, optional
        Recurrent weights, shape (Nout, Nin), only with `has_rec`; drawn by `weight_init_func`.
    has_rec : bool
        Whether the layer has recurrent weights. Default: False.
    weight_init_func : callable
        ``shape -> weights`` for the recurrent weights. Default: `kaiming`.
    threshold : array_like, optional
        Firing thresholds, shape (Nout,) or (); 1.
    noise_std : float
        Standard deviation of the noise on the membrane, after one second. Default: 0.
    max_spikes_per_dt : float
        Most spikes that a neuron can emit in one time step. Default: 2**16.
    dt : float
        Time step in seconds. Default: 1 ms.
    dtype : dtype
        ``float64``, or ``float32``: parameters, states and output are of that type, and it is
        computed in it, in the order of operations of the compiled kernels. Default: float64.
    spiking_input, spiking_output : bool
        Whether a time series for the input is one of events (default False), and the output (True).

    Attributes
    ----------
    vmem, isyn, spikes : np.ndarray
        The state: membrane potentials (Nout,), synaptic currents (Nout, S) and spikes (Nout,) of
        the last time step. Zero at rest.
        A second call goes on from there, a batch from that of element 0, or of all elements after
        `keep_batch_state()`; `reset_state()` returns to rest, and belongs in a training loop.

    Raises
    ------
    ValueError
        `Nin` is no multiple of `Nout`, or a parameter has a shape other than stated; a time
        constant, threshold or `dt` is not > 0 (infinite time constants are allowed: no leak); a
        bias or weight is not finite; `noise_std` < 0; `max_spikes_per_dt` is no whole number >= 1
        (or infinity); `w_rec` without `has_rec`.
    TypeError
        A value is not made of numbers, or `shape` not of ints.

    References
    ----------
    W. Gerstner, W. M. Kistler, R. Naud, L. Paninski, Neuronal Dynamics, Cambridge University Press
    (2014), chapter 1.3.

    Examples
    --------
    >>> import numpy as np
    >>> from rockpool.nn.modules import LIF
    >>> spikes, state, record = LIF(3, tau_mem=10e-3)(np.ones((1, 5, 3)), record=True)
    >>> spikes.shape, record["vmem"].shape
    ((1, 5, 3), (1, 5, 3))
    """

    _model = lif.LIF
    _replaces_states = True

    _has_rec: bool
    w_rec: np.ndarray
    tau_mem: np.ndarray
    tau_syn: np.ndarray
    bias: np.ndarray
    threshold: np.ndarray
    dt: float
    noise_std: float
    max_spikes_per_dt: float
    spikes: np.ndarray
    isyn: np.ndarray
    vmem: np.ndarray
    _kept: Kept

    def __init__(
        self,
        shape: int | tuple[int, ...],
        tau_mem: ArrayLike | None = None,
        tau_syn: ArrayLike | None = None,
        bias: ArrayLike | None = None,
        w_rec: ArrayLike | None = None,
        has_rec: bool = False,
        weight_init_func: Callable[[tuple[int, ...]], np.ndarray] = kaiming,
        threshold: ArrayLike | None = None,
        noise_std: float | int = 0.0,
        max_spikes_per_dt: float | int = 2.0**16,
        dt: float | int = 1e-3,
        spiking_input: bool = False,
        spiking_output: bool = True,
        *args: Any,
        dtype: DTypeLike = np.float64,
        **kwargs: Unpack[NoArguments],
    ) -> None:
        self._declare(locals(), super().__init__)

    @property
    def n_synapses(self) -> int:
        """Number of synapses per neuron, S."""
        return lif.n_synapses(self.shape)

    def _setup_registry(self) -> None:
        super()._setup_registry()
        self.__dict__["_kept"] = Kept()

    def _declare_absent(self, name: str, shape: tuple[int, ...]) -> None:
        # the zero recurrent weights of a layer without recurrence are there to be seen
        setattr(self, name, SimulationParameter(shape=shape, init_func=no_weights))

    def _check_values(self, values: Mapping[str, Any]) -> None:
        super()._check_values(values)
        if "w_rec" in values and not self._has_rec and np.any(values["w_rec"]):
            checks.not_recurrent(self._label)

    def evolve(
        self, input_data: ArrayLike, record: bool = False
    ) -> tuple[np.ndarray, dict[str, Any], dict[str, Any]]:
        """Evolve the neurons over time.

        Parameters
        ----------
        input_data : array_like
            Input to the synapses, shape (B, T, Nin), (T, Nin) or (T,).
        record : bool
            Whether to return the time course of the internal values. Default: False.

        Returns
        -------
        output : np.ndarray
            Number of spikes of each neuron in each time step, shape (B, T, Nout).
        new_state : dict
            ``vmem``, ``isyn``, ``spikes`` after the last time step.
        record_dict : dict
            With `record`: ``vmem`` and ``spikes`` (B, T, Nout), ``isyn`` and ``irec``
            (B, T, Nout, S); else empty.

        Raises
        ------
        ValueError
            The input has a wrong number of channels or dimensions.
        """
        data = self._batched_numbers(input_data)
        n_batch, n_steps, _ = data.shape
        isyn = self._batched_state("isyn", n_batch)
        _, n_out, n_syn = isyn.shape
        # synapses stand in front, so that each operation of the loop runs over contiguous memory
        inputs = data.reshape(n_batch, n_steps, n_out, n_syn).transpose(1, 3, 0, 2)
        isyn = np.ascontiguousarray(isyn.transpose(2, 0, 1))
        vmem = self._batched_state("vmem", n_batch)
        has_rec = self._has_rec
        if has_rec or not n_steps:
            spikes = self._batched_state("spikes", n_batch)
        else:
            spikes = np.empty((n_batch, n_out), self._dtype)  # not asked for before it is written
        alpha, beta, threshold, most, zero, has_bias = self._constants(n_batch)
        drive = self._drive(n_batch, n_steps) if has_bias or self.noise_std else None
        irec = np.zeros((n_batch, n_out, n_syn) if has_rec or record else (), self._dtype)
        reset = np.empty((n_batch, n_out), self._dtype)
        total = reset  # which is not written before the synapses of a step have been added up
        output = np.empty((n_batch, n_steps, n_out), self._dtype)
        records = self._empty_records(output) if record else {}

        for t in range(n_steps):
            isyn += inputs[t]
            if has_rec:
                np.matmul(spikes, self.w_rec, out=irec.reshape(n_batch, n_out * n_syn))
                isyn += irec.transpose(2, 0, 1)
            isyn *= beta
            vmem *= alpha
            vmem += isyn[0] if n_syn == 1 else sum_in_order(isyn, out=total)
            if drive is not None:
                vmem += drive[t]
            # `spike_subtract_threshold`, in place
            np.divide(vmem, threshold, out=spikes)
            np.floor(spikes, out=spikes)
            np.maximum(spikes, zero, out=spikes)
            np.minimum(spikes, most, out=spikes)
            np.multiply(spikes, threshold, out=reset)
            vmem -= reset
            output[:, t] = spikes
            if record:
                records["irec"][:, t] = irec
                records["isyn"][:, t] = isyn.transpose(1, 2, 0)
                records["vmem"][:, t] = vmem

        isyn = np.ascontiguousarray(isyn.transpose(1, 2, 0))
        if not np.vdot(isyn, isyn) < np.inf:
            require_finite(self, data, isyn)
        return output, self._keep_state(spikes=spikes, isyn=isyn, vmem=vmem), records

    def _constants(
        self, n_batch: int
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray, bool]:
        """Return what the parameters mean for a step.

        These are the decays of membrane (B, Nout) and synapses (S, B, Nout), the thresholds
        (B, Nout), the most spikes and none (), and whether there is a bias.
        """

        def made() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray, bool]:
            n_out, n_syn = self.size_out, self.n_synapses
            alpha = decay(self.dt, self.tau_mem, self._dtype)
            beta = np.broadcast_to(decay(self.dt, self.tau_syn, self._dtype), (n_out, n_syn))
            return (
                _expanded(alpha, (n_batch, n_out)),
                _expanded(beta.T[:, np.newaxis], (n_syn, n_batch, n_out)),
                _expanded(self.threshold, (n_batch, n_out)),
                # numpy takes longer for a number of Python than for a whole row of neurons
                np.array(self.max_spikes_per_dt, self._dtype),
                np.zeros((), self._dtype),
                bool(np.count_nonzero(self.bias)),
            )

        arrays = self.tau_mem, self.tau_syn, self.threshold, self.bias
        settings = self.dt, self.max_spikes_per_dt, n_batch, self._dtype
        return self._kept.get(made, arrays, *settings) or made()

    def _empty_records(self, output: np.ndarray) -> dict[str, np.ndarray]:
        """Return the arrays for a record; that of the spikes is the output itself."""
        per_synapse = (*output.shape, self.n_synapses)
        return {
            "irec": np.empty(per_synapse, self._dtype),
            "spikes": output,
            "isyn": np.empty(per_synapse, self._dtype),
            "vmem": np.empty(output.shape, self._dtype),
        }

    def _drive(self, n_batch: int, n_steps: int) -> np.ndarray:
        """Return bias plus noise, shape (T, B, Nout)."""
        shape = (n_batch, n_steps, self.size_out)
        if self.noise_std:
            return (drawn_noise(self, shape) + self.bias).swapaxes(0, 1)
        return np.broadcast_to(self.bias, shape).swapaxes(0, 1)

    def _wrap_recorded_state(
        self, record_dict: dict[str, Any], t_start: float | int
    ) -> dict[str, Any]:
        """Return the record of batch element 0 as time series.

        Channel ``n S + s`` of ``isyn`` and ``irec`` is synapse ``s`` of neuron ``n``.
        """
        from rockpool.timeseries import TSContinuous, TSEvent

        names = {"vmem": "$V_{mem}$", "isyn": "$I_{syn}$", "irec": "$I_{rec}$"}
        wrapped: dict[str, Any] = {}
        for key, name in names.items():
            samples = record_dict[key][0]
            flat = samples.reshape(len(samples), math.prod(samples.shape[1:]))
            wrapped[key] = TSContinuous.from_clocked(flat, dt=self.dt, t_start=t_start, name=name)
        wrapped["spikes"] = TSEvent.from_raster(
            record_dict["spikes"][0],
            dt=self.dt,
            t_start=t_start,
            name="Spikes",
            num_channels=self.size_out,
        )
        return wrapped

    def as_graph(self) -> rockpool.graph.GraphHolder:
        """Return the layer as a graph: its neurons and, where it has them, recurrent weights."""
        from rockpool.graph.from_modules import lif_graph

        w_rec = self.w_rec if self._has_rec else None
        return lif_graph(self, self.tau_mem, self.tau_syn, self.threshold, self.bias, w_rec)

    def __getstate__(self) -> dict[str, Any]:
        # A copy of the zeros that stand for absent weights would take the memory of real ones.
        state = self.__dict__.copy()
        if not self._has_rec:
            state.pop("w_rec", None)
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update({"_kept": Kept(), **state})
        if not self._has_rec:
            self.__dict__["w_rec"] = no_weights((self.size_out, self.size_in))


def _expanded(values: ArrayLike, shape: tuple[int, ...]) -> np.ndarray:
    return np.ascontiguousarray(np.broadcast_to(values, shape))
