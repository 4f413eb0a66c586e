"""What the jax classes of neurons of NIR share: `EulerBaseJax`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.tree_util import Partial

from rockpool.nn.models import checks, euler
from rockpool.nn.modules._limits import LEAST_THRESHOLD, warn_once
from rockpool.nn.modules._neuron_array import NeuronArray
from rockpool.nn.modules.jax._base.arrays import above
from rockpool.nn.modules.jax._base.decays import in_double
from rockpool.nn.modules.jax._kernels.dispatch import chosen_loop
from rockpool.nn.modules.jax._kernels.evolve import Arrays, Evolution, Values
from rockpool.nn.modules.jax._loops.euler import EulerParameters, EulerState, euler_loop
from rockpool.nn.modules.jax.jax_module import JaxModule
from rockpool.parameters import Shape
from rockpool.typehints import ArrayLike

__all__ = ["EulerBaseJax"]


def euler_evolution(
    x: jax.Array, state: Arrays, values: Values, noise: jax.Array | None, kernels: bool
) -> Evolution:
    """Evolve neurons of NIR; a `TimeLoop`."""
    arrays = {name: values[name] for name in euler.OF_CONSTANTS if name in values}

    def of_values(arrays: dict[str, jax.Array]) -> euler.Constants:
        return euler.constants(arrays, values, jnp.exp)

    threshold = values.get("threshold")
    if threshold is not None:
        threshold = above(threshold, values["v_reset"], LEAST_THRESHOLD)
    parameters = EulerParameters(
        in_double(of_values, x.dtype, arrays),
        threshold,
        values.get("v_reset"),
        values.get("w_rec"),
    )
    loop = chosen_loop("euler", euler_loop, x, kernels)
    output, final, records = loop(x, EulerState(**state), parameters, euler.rules(values))
    return output, final._asdict(), records


class EulerBaseJax(NeuronArray, JaxModule):
    """Neurons of NIR; `LIFEulerJax` and its siblings say what they have of this."""

    _forgets = True

    _has_rec: bool = False
    w_rec: jax.Array
    tau_mem: jax.Array
    tau_syn: jax.Array
    r: jax.Array
    w_in: jax.Array
    v_leak: jax.Array
    threshold: jax.Array
    v_reset: jax.Array
    dt: float
    decay: str
    gain: str
    gain_syn: str
    synapse: str
    reset: str
    reset_delay: bool | str
    fires: str
    max_spikes_per_dt: float
    delay: int
    spikes: jax.Array
    isyn: jax.Array
    vmem: jax.Array

    def _declare(self, arguments: Mapping[str, Any], base_init: Callable[..., None]) -> None:
        super()._declare(arguments, base_init)
        if "weight_init_func" in arguments:
            weights = Partial(arguments["weight_init_func"])
            self._init_args = {"has_rec": self._has_rec, "weight_init_func": weights}

    def __call__(
        self, input_data: Any, *args: Any, lengths: Any = None, **kwargs: Any
    ) -> tuple[jax.Array, dict[str, Any], dict[str, Any]]:
        """Evolve the module; see `JaxModule`."""
        if lengths is not None:  # which are one for each batch element of (B, T, N)
            data, *before = input_data if isinstance(input_data, tuple) else (input_data,)
            data = self._checked_input(data)[0]
            input_data = (data, *before) if before else data
        return super().__call__(input_data, *args, lengths=lengths, **kwargs)

    def _checked_input(self, data: Any) -> tuple[Any, Shape]:
        data, shape = super()._checked_input(data)
        is_array = len(self._neuron_shape) > 1 and data.ndim > 2 and data.shape[-1] != shape[-1]
        return data.reshape(shape) if is_array else data, shape

    def evolve(
        self, input_data: ArrayLike, record: bool = False
    ) -> tuple[jax.Array, dict[str, Any], dict[str, Any]]:
        """Evolve the neurons over time; as `LIFEuler.evolve`, but the module does not change.

        What is recorded is returned in either case.
        """
        names = (*self._parts, "w_rec") if self._has_rec else self._parts
        self._tell_of_thresholds()
        output, new_state, records = self._evolve_batch(
            euler_evolution,
            input_data,
            {name: (self.size_out,) for name in self._state_names},
            {name: getattr(self, name) for name in names},
            noise_std=0.0,
            **{name: value for name, value in self._settings.items() if name != "dt"},
        )
        return self._as_neurons(output), new_state, records

    def _tell_of_thresholds(self) -> None:
        """Warn once of thresholds that training brought below the reset, where values are known."""
        if self._told.done or "threshold" not in self._parts:
            return
        threshold, v_reset = (
            checks.known_values(self._label, name, getattr(self, name))
            for name in ("threshold", "v_reset")
        )
        if threshold is None or v_reset is None or (threshold > v_reset).all():
            return
        worst = np.argmin(threshold - v_reset)
        limit = np.broadcast_to(v_reset, threshold.shape).flat[worst] + LEAST_THRESHOLD
        found = "threshold", "", float(threshold.flat[worst]), float(limit)
        warn_once(self._label, self._told, [found])
