"""The leaky integrate-and-fire neuron in jax: `LIFJax`."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from typing import TYPE_CHECKING, Any, ClassVar

import jax
import jax.numpy as jnp
import numpy as np
from jax.tree_util import Partial
from numpy.typing import ArrayLike

from rockpool.nn.models import lif as model
from rockpool.nn.modules.jax._base.decays import decays
from rockpool.nn.modules.jax._base.rng import draw_noise, initial_key, split_key
from rockpool.nn.modules.jax._base.spikes import clip_gradient, step_pwl
from rockpool.nn.modules.jax._kernels.dispatch import chosen_loop, kernels_serve
from rockpool.nn.modules.jax._kernels.sharding import vary_alike
from rockpool.nn.modules.jax._loops.lif import LIFParameters, LIFState, lif_loop
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
from rockpool.nn.modules.native.linear import kaiming
from rockpool.parameters import Parameter, SimulationParameter, State, to_numpy

if TYPE_CHECKING:
    from rockpool.graph import GraphHolder
    from rockpool.nn.modules._registry import RegisteredAttribute

__all__ = ["LIFJax", "clip_gradient", "step_pwl"]


@cache
def no_weights(shape: tuple[int, ...]) -> np.ndarray:
    """Return zeros of that shape, read-only, in the memory of a single number."""
    return np.broadcast_to(np.float32(0.0), shape)


def sigmoid(x: Any, threshold: Any) -> jax.Array:
    """Return the sigmoid ``tanh(x + 1 - threshold) / 2 + 0.5``."""
    return jnp.tanh(x + 1.0 - threshold) / 2.0 + 0.5


def _exact_decays(
    data: jax.Array, state: LIFState, values: dict[str, Any], noise: jax.Array | None
) -> tuple[jax.Array, LIFState, dict[str, jax.Array]]:
    """Evolve neurons whose decays are exact for the time step."""
    alpha, beta = decays(values["dt"], values["tau_mem"], values["tau_syn"])
    parameters = LIFParameters(
        alpha=alpha,
        beta=beta,
        bias=values["bias"],
        threshold=values["threshold"],
        w_rec=values["w_rec"],
        max_spikes=values["max_spikes_per_dt"],
    )
    loop = chosen_loop("lif", lif_loop, data, values["kernels"])
    return loop(data, state, parameters, noise)


@partial(jax.jit, static_argnames=("loop", "shape", "static", "keep", "kernels"))
def _evolve(
    data: Any,
    key: Any,
    state: dict[str, Any],
    parameters: dict[str, Any],
    settings: dict[str, Any],
    *,
    loop: Callable[..., Any],
    shape: tuple[int, ...],
    static: tuple[tuple[str, Any], ...],
    keep: bool,
    kernels: bool,
) -> tuple[Any, ...]:
    """Return output, final state and records. Compiled once for all modules of a size.

    The spikes are not among the records: they would be the output in memory of its own.
    """
    data, key, state, parameters, settings = vary_alike((data, key, state, parameters, settings))
    dtype = common_type(data, *parameters.values())
    settings = {**settings, **dict(static)}
    values = {
        name: value if value is None else jnp.asarray(value, dtype)
        for name, value in parameters.items()
    }
    values["dt"], values["kernels"] = settings["dt"], kernels
    values["max_spikes_per_dt"] = jnp.asarray(settings["max_spikes_per_dt"], dtype)
    batch, n_steps, n_in = shape
    n_out = settings["n_neurons"]
    start = LIFState(
        batched_state(state["vmem"], (batch, n_out), dtype),
        batched_state(state["isyn"], (batch, n_out, n_in // n_out), dtype),
        batched_state(state["spikes"], (batch, n_out), dtype),
    )
    noise = draw_noise(key, settings, (batch, n_steps, n_out), dtype)
    output, final, records = loop(batched_input(data, shape, dtype), start, values, noise)
    final = LIFState(
        *(state_to_keep(value, state[name], keep) for name, value in final._asdict().items())
    )
    return output, final, {name: records[name] for name in ("irec", "isyn", "vmem")}


class LIFJax(JaxModule):
    r"""A layer of leaky integrate-and-fire neurons with exponential synapses, in jax.

    The model is that of `LIF`, whose spikes it gives. For each time step, in this order:

    .. math::

        I_{rec} &= S_{t-1} \cdot W_{rec} \\
        I_{syn} &\leftarrow (I_{syn} + x_t + I_{rec}) \, e^{-dt / \tau_{syn}} \\
        V_{mem} &\leftarrow V_{mem} \, e^{-dt / \tau_{mem}} + \sum_s I_{syn} + \nu_t + b \\
        S_t &= \min([V_{mem} \ge \theta] \lfloor V_{mem} / \theta \rfloor, S_{max}) \\
        V_{mem} &\leftarrow V_{mem} - S_t \, \theta

    with the noise :math:`\nu_t = \sigma \sqrt{dt} \, z`, :math:`z \sim N(0, 1)`. The gradient of
    the spikes is that of `step_pwl`; the reset has its part in it.

    Parameters
    ----------
    shape : int or tuple of int
        ``N``, ``(N,)`` or ``(Nin, Nout)``; `Nin` is a multiple of `Nout`. There are
        ``S = Nin // Nout`` synapses per neuron; channel ``c`` reaches synapse ``c % S`` of neuron
        ``c // S``, and so does column ``c`` of the recurrent weights.
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
    rng_key : key, optional
        Key for the noise, as ``jax.random.key`` or ``jax.random.PRNGKey`` make it. Default: drawn
        from the global state of numpy. It is split on each call.
    spiking_input, spiking_output : bool
        Whether a time series for the input is one of events (default False), and the output (True).

    Attributes
    ----------
    n_synapses : int
        Number of synapses per neuron, S.
    vmem, isyn, spikes : jax.Array
        The state: membrane potentials (Nout,), synaptic currents (Nout, S) and spikes (Nout,) of
        the last time step. Zero at rest.
    rng_key : jax.Array
        The key, a state as well.

    Raises
    ------
    ValueError, TypeError
        An argument has a wrong shape, type or value; the message says what is allowed.

    References
    ----------
    W. Gerstner, W. M. Kistler, R. Naud, L. Paninski, Neuronal Dynamics, Cambridge University Press
    (2014), chapter 1.3. E. O. Neftci, H. Mostafa, F. Zenke, Surrogate gradient learning in spiking
    neural networks, IEEE Signal Processing Magazine 36 (2019).

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> from rockpool.nn.modules import LIFJax
    >>> layer = LIFJax(3, tau_mem=10e-3)
    >>> spikes, state, record = layer(jnp.ones((1, 5, 3)))
    >>> spikes.shape, record["vmem"].shape
    ((1, 5, 3), (1, 5, 3))
    >>> layer = layer.set_attributes(state)
    """

    # assigned as parameter objects, read as bare values
    rng_key: Any
    _has_rec: Any
    w_rec: Any
    tau_mem: Any
    tau_syn: Any
    bias: Any
    threshold: Any
    dt: Any
    noise_std: Any
    spikes: Any
    isyn: Any
    vmem: Any
    max_spikes_per_dt: Any

    # Evolves the model: (data, state, values by name, noise) -> (output, state, records)
    _loop: ClassVar[Callable[..., Any]] = staticmethod(_exact_decays)

    def __init__(
        self,
        shape: int | tuple[int, ...],
        tau_mem: ArrayLike | None = None,
        tau_syn: ArrayLike | None = None,
        bias: ArrayLike | None = None,
        w_rec: ArrayLike | None = None,
        has_rec: bool = False,
        weight_init_func: Callable[[tuple[int, ...]], Any] = kaiming,
        threshold: ArrayLike | None = None,
        noise_std: float = 0.0,
        max_spikes_per_dt: float = 2.0**16,
        dt: float = 1e-3,
        rng_key: Any = None,
        spiking_input: bool = False,
        spiking_output: bool = True,
        *args: Any,
        **kwargs: Any,
    ) -> None:
        owner = type(self).__name__
        has_rec = static_bool(owner, "has_rec", has_rec)
        settled = model.module_shape(owner, static_shape(owner, shape))
        model.check_arguments(
            owner,
            settled,
            tau_mem=tau_mem,
            tau_syn=tau_syn,
            bias=bias,
            threshold=threshold,
            w_rec=w_rec,
            has_rec=has_rec,
            noise_std=noise_std,
            max_spikes_per_dt=max_spikes_per_dt,
            dt=dt,
        )
        key = initial_key(owner, rng_key)
        super().__init__(settled, spiking_input, spiking_output, *args, **kwargs)
        self._init_args = {"has_rec": has_rec, "weight_init_func": Partial(weight_init_func)}
        self.n_synapses = model.n_synapses(settled)
        specs = model.parameter_specs(settled)

        self.rng_key = State(key, shape=key.shape)
        self._has_rec = SimulationParameter(has_rec)
        if has_rec:
            self.w_rec = specs["w_rec"].wrap(Parameter, w_rec, weight_init_func, float_array)
        else:
            n_in, n_out = settled
            self.w_rec = SimulationParameter(shape=(n_out, n_in), init_func=no_weights)
        self.tau_mem = specs["tau_mem"].wrap(Parameter, tau_mem, cast_fn=float_array)
        self.tau_syn = specs["tau_syn"].wrap(Parameter, tau_syn, cast_fn=float_array)
        self.bias = specs["bias"].wrap(Parameter, bias, cast_fn=float_array)
        self.threshold = specs["threshold"].wrap(Parameter, threshold, cast_fn=float_array)

        self.dt = SimulationParameter(number_setting(dt))
        self.noise_std = SimulationParameter(number_setting(noise_std))
        for name, state_shape in model.state_shapes(settled).items():
            setattr(self, name, State(shape=state_shape, init_func=np.zeros))
        self.max_spikes_per_dt = SimulationParameter(number_setting(max_spikes_per_dt))

    def _convert_attribute(self, name: str, value: Any, entry: RegisteredAttribute) -> Any:
        if name == "w_rec" and entry.kind == "SimulationParameter":
            # Zeros that are there to be read, and never computed with
            if not isinstance(value, jax.core.Tracer) and np.any(value):
                raise ValueError(
                    f"{self._label}: w_rec was given, but the layer is not recurrent; make it with "
                    "has_rec=True"
                )
            return no_weights(entry.shape)
        return super()._convert_attribute(name, value, entry)

    def evolve(
        self, input_data: ArrayLike, record: bool = False
    ) -> tuple[jax.Array, dict[str, Any], dict[str, Any]]:
        """Evolve the neurons over time. The module does not change.

        Parameters
        ----------
        input_data : array_like
            Input to the synapses, shape (B, T, Nin), (T, Nin) or (T,).
        record : bool
            The time course of the internal values is returned in either case.

        Returns
        -------
        output : jax.Array
            Number of spikes of each neuron in each time step, shape (B, T, Nout).
        new_state : dict
            ``vmem``, ``isyn``, ``spikes`` after the last time step, and the next ``rng_key``.
        record_dict : dict
            ``vmem`` and ``spikes`` (B, T, Nout), ``isyn`` and ``irec`` (B, T, Nout, S).

        Raises
        ------
        ValueError
            The input has a wrong number of channels or dimensions.
        TypeError
            It is not made of real numbers.
        """
        data, shape = self._checked_input(input_data)
        static, settings = split_settings(
            {
                "dt": self.dt,
                "noise_std": self.noise_std,
                "max_spikes_per_dt": self.max_spikes_per_dt,
                "n_neurons": self.size_out,
            }
        )
        next_key, own_key = split_key(self.rng_key)
        output, final, records = _evolve(
            data,
            own_key,
            self._checked_states(shape[0], "vmem", "isyn", "spikes"),
            {
                "tau_mem": self.tau_mem,
                "tau_syn": self.tau_syn,
                "bias": self.bias,
                "threshold": self.threshold,
                "w_rec": self.w_rec if self._has_rec else None,
            },
            settings,
            loop=type(self)._loop,
            shape=shape,
            static=static,
            keep=self._keep_batch_state,
            kernels=kernels_serve(),
        )
        new_state = {
            "rng_key": next_key,
            "spikes": final.spikes,
            "isyn": final.isyn,
            "vmem": final.vmem,
        }
        records["spikes"] = output
        return output, new_state, {name: records[name] for name in _RECORDS}

    def _wrap_recorded_state(self, record_dict: dict[str, Any], t_start: float) -> dict[str, Any]:
        """Return the record of batch element 0 as time series.

        Channel ``n S + s`` of ``isyn`` and ``irec`` is synapse ``s`` of neuron ``n``.
        """
        from rockpool.nn.modules.native.lif import LIF

        arrays = {name: to_numpy(array) for name, array in record_dict.items()}
        return LIF._wrap_recorded_state(self, arrays, t_start)  # type: ignore[arg-type]

    def as_graph(self) -> GraphHolder:
        """Return the layer as a graph: its neurons and, where it has them, recurrent weights."""
        from rockpool.nn.models.graphs import lif_graph

        w_rec = self.w_rec if self._has_rec else None
        return lif_graph(self, self.tau_mem, self.tau_syn, self.threshold, self.bias, w_rec)

    def __getstate__(self) -> dict[str, Any]:
        # A copy of the zeros that stand for absent weights would take the memory of real ones.
        state = super().__getstate__()
        if not self._has_rec:
            state.pop("w_rec", None)
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        if not self._has_rec:
            self.__dict__["w_rec"] = no_weights((self.size_out, self.size_in))


_RECORDS = ("irec", "spikes", "isyn", "vmem")
