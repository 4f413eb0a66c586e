"""The leaky integrate-and-fire neuron in jax: `LIFJax`."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, ClassVar, Unpack

import jax
import jax.numpy as jnp
import numpy as np
from jax.tree_util import Partial

import rockpool.graph
from rockpool.nn.models import checks, lif
from rockpool.nn.modules._registry import RegisteredAttribute
from rockpool.nn.modules.jax._base.arrays import cast
from rockpool.nn.modules.jax._base.decays import decays
from rockpool.nn.modules.jax._base.spikes import clip_gradient, step_pwl
from rockpool.nn.modules.jax._kernels.dispatch import chosen_loop
from rockpool.nn.modules.jax._kernels.evolve import Arrays, Evolution, TimeLoop, Values
from rockpool.nn.modules.jax._loops.lif import LIFParameters, LIFState, lif_loop
from rockpool.nn.modules.jax.jax_module import JaxModule
from rockpool.nn.modules.module import NoArguments
from rockpool.nn.modules.native.lif import LIF
from rockpool.nn.modules.native.linear import kaiming
from rockpool.parameters import SimulationParameter, to_numpy
from rockpool.typehints import ArrayLike

__all__ = ["LIFJax", "clip_gradient", "step_pwl"]


@cache
def no_weights(shape: tuple[int, ...]) -> np.ndarray:
    """Return zeros of that shape, read-only, in the memory of a single number."""
    return np.broadcast_to(np.float32(0.0), shape)


def sigmoid(x: Any, threshold: Any) -> jax.Array:
    """Return the sigmoid ``tanh(x + 1 - threshold) / 2 + 0.5``."""
    return jnp.tanh(x + 1.0 - threshold) / 2.0 + 0.5


def lif_evolution(
    x: jax.Array, state: Arrays, values: Values, noise: jax.Array | None, kernels: bool
) -> Evolution:
    """Evolve neurons whose decays are exact for the time step; a `TimeLoop`.

    The spikes are not among the records: they would be the output in memory of its own.
    """
    alpha, beta = decays(values["dt"], values["tau_mem"], values["tau_syn"])
    parameters = LIFParameters(
        alpha=alpha,
        beta=beta,
        bias=values["bias"],
        threshold=values["threshold"],
        w_rec=values["w_rec"],
        max_spikes=cast(values["max_spikes_per_dt"], x.dtype),
    )
    loop = chosen_loop("lif", lif_loop, x, kernels)
    output, final, records = loop(x, LIFState(**state), parameters, noise)
    return output, final._asdict(), {name: records[name] for name in ("irec", "isyn", "vmem")}


class LIFJax(JaxModule):
    """A layer of leaky integrate-and-fire neurons with exponential synapses, in jax.

    The equations are those of `LIF`, and so are the spikes. Their gradient is that of `step_pwl`;
    the reset has its part in it.

    Errors are those of `LIF` and `JaxModule`. Parameters are as for `LIF`, with one more:

    Parameters
    ----------
    rng_key : key, optional
        Key for the noise, as ``jax.random.key`` or ``jax.random.PRNGKey`` make it. Default: drawn
        from the global state of numpy. It is split on each call.

    Attributes
    ----------
    vmem, isyn, spikes : jax.Array
        The state: membrane potentials (Nout,), synaptic currents (Nout, S) and spikes (Nout,) of
        the last time step. Zero at rest.
        A call does not change it: give the new state to `set_attributes` to go on from there.
    rng_key : jax.Array
        The key, a state as well.

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

    _model = lif.LIF
    _loop: ClassVar[TimeLoop] = staticmethod(lif_evolution)

    _has_rec: bool
    w_rec: Any  # a jax.Array; of numpy where it only stands for weights that are not there
    tau_mem: jax.Array
    tau_syn: jax.Array
    bias: jax.Array
    threshold: jax.Array
    noise_std: float
    max_spikes_per_dt: float
    spikes: jax.Array
    isyn: jax.Array
    vmem: jax.Array

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
        noise_std: float | int = 0.0,
        max_spikes_per_dt: float | int = 2.0**16,
        dt: float | int = 1e-3,
        rng_key: Any = None,
        spiking_input: bool = False,
        spiking_output: bool = True,
        *args: Any,
        **kwargs: Unpack[NoArguments],
    ) -> None:
        self._declare(locals(), super().__init__)
        weights = Partial(weight_init_func)
        self._init_args = {"has_rec": self._has_rec, "weight_init_func": weights}

    @property
    def n_synapses(self) -> int:
        """Number of synapses per neuron, S."""
        return lif.n_synapses(self.shape)

    def _declare_absent(self, name: str, shape: tuple[int, ...]) -> None:
        setattr(self, name, SimulationParameter(shape=shape, init_func=no_weights))

    def _convert_attribute(self, name: str, value: Any, entry: RegisteredAttribute) -> Any:
        if name == "w_rec" and entry.kind == "SimulationParameter" and not self._has_rec:
            # Zeros that are there to be read, and never computed with
            if not isinstance(value, jax.core.Tracer) and np.any(value):
                checks.not_recurrent(self._label)
            return no_weights(entry.shape)
        return super()._convert_attribute(name, value, entry)

    def evolve(
        self, input_data: ArrayLike, record: bool = False
    ) -> tuple[jax.Array, dict[str, Any], dict[str, Any]]:
        """Evolve the neurons over time; as `LIF.evolve`, but the module does not change.

        The new state also has the next ``rng_key``. What is recorded is returned in either case.
        """
        n_out = self.size_out
        output, new_state, records = self._evolve_batch(
            self._loop,
            input_data,
            {"spikes": (n_out,), "isyn": (n_out, self.n_synapses), "vmem": (n_out,)},
            {
                "tau_mem": self.tau_mem,
                "tau_syn": self.tau_syn,
                "bias": self.bias,
                "threshold": self.threshold,
                "w_rec": self.w_rec if self._has_rec else None,
            },
            noise_std=self.noise_std,
            max_spikes_per_dt=self.max_spikes_per_dt,
        )
        return output, new_state, {"irec": records["irec"], "spikes": output, **records}

    def _wrap_recorded_state(
        self, record_dict: dict[str, Any], t_start: float | int
    ) -> dict[str, Any]:
        arrays = {name: to_numpy(array) for name, array in record_dict.items()}
        return LIF._wrap_recorded_state(self, arrays, t_start)  # type: ignore[arg-type]

    def as_graph(self) -> rockpool.graph.GraphHolder:
        """Return the layer as a graph: its neurons and, where it has them, recurrent weights."""
        from rockpool.graph.from_modules import lif_graph

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
