"""The one time step of all neurons of NIR, in numpy: `EulerBase`."""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter
from typing import Any, ClassVar, TypeVar

import numpy as np

from rockpool.nn.models import euler
from rockpool.nn.modules._kept import Kept
from rockpool.nn.modules._neuron_array import NeuronArray
from rockpool.nn.modules.module import Module
from rockpool.typehints import ArrayLike

__all__ = ["EulerBase"]

T = TypeVar("T")


class EulerBase(NeuronArray, Module):
    """Neurons of NIR; `LIFEuler` and its siblings say what they have of this."""

    _replaces_states = True
    _has_rec: bool = False
    w_rec: np.ndarray
    tau_mem: np.ndarray
    tau_syn: np.ndarray
    r: np.ndarray
    w_in: np.ndarray
    v_leak: np.ndarray
    threshold: np.ndarray
    v_reset: np.ndarray
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
    spikes: np.ndarray
    isyn: np.ndarray
    vmem: np.ndarray
    _kept: Kept
    # of a module, the parameters and the settings that a step is made of
    _of_step: ClassVar[tuple[Callable[[Any], Any], Callable[[Any], Any]]]

    def __init_subclass__(cls, **arguments: Any) -> None:
        super().__init_subclass__(**arguments)
        model = cls._model
        parameters = [spec.name for spec in model.parameters if not spec.only_with]
        settings = [str(spec.attribute) for spec in model.settings]
        cls._of_step = attrgetter(*parameters), attrgetter(*settings)

    def _setup_registry(self) -> None:
        super()._setup_registry()
        self.__dict__["_kept"] = Kept()

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update({"_kept": Kept(), **state})

    def evolve(
        self, input_data: ArrayLike, record: bool = False
    ) -> tuple[np.ndarray, dict[str, Any], dict[str, Any]]:
        """Evolve the neurons over time.

        Parameters
        ----------
        input_data : array_like
            Input, shape (B, T, *shape) or (T, *shape), or of flat neurons, (B, T, N), (T, N)
            or (T,). What can be read as (B, T, N) is that: of a shape (1, N), give (1, T, 1, N).
        record : bool
            Whether to return the time course of the states. Default: False.

        Returns
        -------
        output : np.ndarray
            Spikes, or membrane potentials of neurons that do not spike, shape (B, T, *shape).
        new_state : dict
            The states after the last time step, (N,) each.
        record_dict : dict
            With `record`: the states over time, (B, T, N) each; else empty.

        Raises
        ------
        ValueError
            The input has a wrong number of channels or dimensions.
        """
        data = self._batched_numbers(input_data)
        self._require_finite_data(data, data)
        state = {name: self._batched_state(name, len(data)) for name in self._state_names}
        c, rules = self._kept_for_step(lambda: (self._constants(), euler.rules(self._settings)))
        given = "spikes" if "spikes" in state else "vmem"
        output = np.empty(data.shape, self._dtype)
        records = {name: np.empty(data.shape, self._dtype) for name in state} if record else {}

        for t in range(data.shape[1]):
            before = state
            state = self._step(data[:, t], before, c, rules)
            output[:, t] = before[given] if rules.delay else state[given]
            for name, course in records.items():
                course[:, t] = state[name]

        return self._as_neurons(output), self._keep_state(**state), records

    def _step(
        self, x: np.ndarray, state: dict[str, np.ndarray], c: euler.Constants, rules: euler.Rules
    ) -> dict[str, np.ndarray]:
        """Return the states after one time step of input (B, N)."""
        new = {}
        current = x + state["spikes"] @ self.w_rec if self._has_rec else x
        if "isyn" in state:
            isyn = state["isyn"]
            if rules.at_once:
                new["isyn"] = (isyn + current) * c.a_syn
            else:
                new["isyn"] = isyn * c.a_syn + current * c.g_syn
            current = isyn if rules.old else new["isyn"]
        vmem = state["vmem"] * c.a_mem + current * c.g_mem + c.leak
        if "spikes" not in state:
            return {**new, "vmem": vmem}
        if rules.reset_delay == euler.LATE:
            vmem = self._reset(vmem, state["spikes"], rules)
            return {**new, "vmem": vmem, "spikes": self._fired(vmem, rules)}
        seen = vmem
        if rules.reset_delay == euler.AHEAD:
            seen = self._reset(vmem, self._above(state["vmem"], rules), rules)
        spikes = self._fired(seen, rules)
        return {**new, "vmem": self._reset(vmem, spikes, rules), "spikes": spikes}

    def _above(self, vmem: np.ndarray, rules: euler.Rules) -> np.ndarray:
        """Return whether the membrane potentials pass the threshold."""
        return vmem > self.threshold if rules.strict else vmem >= self.threshold

    def _fired(self, vmem: np.ndarray, rules: euler.Rules) -> np.ndarray:
        """Return how many spikes the membrane potentials give."""
        reached = self._above(vmem, rules)
        if rules.max_spikes == 1.0:
            return reached.astype(self._dtype)
        times = (vmem - self.v_reset) / (self.threshold - self.v_reset)
        times = np.ceil(times) - 1.0 if rules.strict else np.floor(times)
        return np.where(reached, np.clip(times, 1.0, rules.max_spikes), 0.0)

    def _reset(self, vmem: np.ndarray, spikes: np.ndarray, rules: euler.Rules) -> np.ndarray:
        """Return the membrane after the reset by some spikes."""
        if rules.reset == euler.NONE:
            return vmem
        if rules.reset == euler.VALUE:
            return np.where(spikes > 0.0, self.v_reset, vmem)
        return vmem - spikes * (self.threshold - self.v_reset)

    def _kept_for_step(self, make: Callable[[], T]) -> T:
        """Return what `make` gave for parameters and settings as they are now, or gives."""
        parameters, settings = self._of_step
        return self._kept.get(make, parameters(self), self._dtype, *settings(self)) or make()

    def _constants(self) -> euler.Constants:
        """Return decays and gains, computed in double precision and cast once."""
        values = {
            name: np.asarray(getattr(self, name), np.float64)
            for name in self._parts
            if name in euler.OF_CONSTANTS
        }
        exact = euler.constants(values, self._settings, np.exp)
        return euler.Constants(*(np.asarray(value, self._dtype) for value in exact))
