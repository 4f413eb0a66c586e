"""What the neurons of NIR have in common on all back-ends: `NeuronArray`."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

import rockpool.graph
from rockpool.nn.description import Value
from rockpool.nn.models.model import ParameterSpec
from rockpool.nn.modules._limits import LEAST_THRESHOLD
from rockpool.nn.modules.module import Module
from rockpool.parameters import to_numpy

if TYPE_CHECKING:
    _ModuleClass = Module  # a mix-in's other base, for the type checker
else:
    _ModuleClass = object

__all__ = ["NeuronArray"]

_NOT_OF_A_STEP = ("dt", "has_rec", "learning_window")


class NeuronArray(_ModuleClass):
    """A layer whose neurons are an array of several axes, as pixels are; see `LIFEuler`."""

    dt: float
    _neuron_shape: tuple[int, ...]

    @property
    def neuron_shape(self) -> tuple[int, ...]:
        """The array that the neurons are: its axes without batch and time."""
        return self._neuron_shape

    @property
    def _shape_in(self) -> tuple[int, ...]:
        return self._neuron_shape

    @property
    def _shape_out(self) -> tuple[int, ...]:
        return self._neuron_shape

    def _as_neurons(self, flat: Any) -> Any:
        """Return values (B, T, N) as (B, T, *axes)."""
        if len(self._neuron_shape) == 1:
            return flat
        return flat.reshape((*flat.shape[:2], *self._neuron_shape))

    @property
    def _settings(self) -> dict[str, Any]:
        """All settings of the model, by name."""
        return {spec.name: getattr(self, str(spec.attribute)) for spec in self._model.settings}

    @property
    def _parts(self) -> tuple[str, ...]:
        """Names of the parameters, but for the recurrent weights, that not every layer has."""
        return tuple(spec.name for spec in self._model.parameters if not spec.only_with)

    def _said_parameter(self, spec: ParameterSpec) -> Value | None:
        """Return a value of a description; thresholds as the module evolves with them."""
        said = super()._said_parameter(spec)
        if said is None or spec.name != "threshold":
            return said
        v_reset = to_numpy(self._load_attribute("v_reset"))
        if np.all(said.array > v_reset):  # one for all neurons stays one
            return said
        raised = (v_reset + LEAST_THRESHOLD).astype(said.array.dtype)
        return replace(said, array=np.where(said.array <= v_reset, raised, said.array))

    @property
    def _state_names(self) -> tuple[str, ...]:
        return tuple(spec.name for spec in self._model.states)

    def as_graph(self) -> rockpool.graph.GraphHolder:
        """Return the layer as a graph: its neurons and, where it has them, recurrent weights."""
        from rockpool.graph.from_modules import euler_graph

        settings = {k: v for k, v in self._settings.items() if k not in _NOT_OF_A_STEP}
        # one value for all neurons is one for each in a graph
        each = (self.size_out,)
        values = {
            name: np.array(np.broadcast_to(to_numpy(getattr(self, name)), each))
            for name in self._parts
        }
        has_rec = getattr(self, "_has_rec", False)
        w_rec = to_numpy(self.w_rec) if has_rec else None  # type: ignore[attr-defined]
        return euler_graph(self, self._model.name, values, settings, w_rec)

    def _wrap_recorded_state(
        self, record_dict: dict[str, Any], t_start: float | int
    ) -> dict[str, Any]:
        """Return the record of batch element 0 as time series, one channel a neuron."""
        from rockpool.timeseries import TSContinuous, TSEvent

        names = {"vmem": "$V_{mem}$", "isyn": "$I_{syn}$"}
        wrapped: dict[str, Any] = {}
        for key, values in record_dict.items():
            samples = np.asarray(to_numpy(values))[0]
            if key in names:
                wrapped[key] = TSContinuous.from_clocked(
                    samples, dt=self.dt, t_start=t_start, name=names[key]
                )
            else:
                wrapped[key] = TSEvent.from_raster(
                    samples,
                    dt=self.dt,
                    t_start=t_start,
                    name="Spikes",
                    num_channels=self.size_out,
                )
        return wrapped
