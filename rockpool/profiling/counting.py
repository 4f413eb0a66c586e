"""The work of one layer, counted from what it got and gave: `LayerProfile`."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from rockpool.nn.description import Node
from rockpool.nn.kernels.tallies import Tallies
from rockpool.nn.models.catalogue import classes_of
from rockpool.nn.modules._observed import Activity, is_spiking
from rockpool.profiling.connections import Connections, connections_of
from rockpool.profiling.contents import Contents

__all__ = ["Counter", "LayerProfile", "is_counted"]

# The outputs of these are activations; spiking neurons are besides
ACTIVATIONS = ("Rate", "torch.nn.ReLU", "torch.nn.Sigmoid")

# How many settings the torch class keeps as buffers, a number each: `max_spikes_per_dt`,
# `learning_window`, `noise_std`, `threshold`
SETTINGS_IN_BUFFERS = {
    "LIF": 2,
    "aLIF": 2,
    "LIFBitshiftTorch": 2,
    "LIFNeuronTorch": 2,
    "ExpSyn": 1,
    "BooleanState": 1,
}


@dataclass(frozen=True)
class LayerProfile:
    """What one layer costs, or all of them.

    Attributes
    ----------
    name, model, shape
        As in `rockpool.nn.modules.Module.summary`.
    parameters, constants : int
        How many numbers are trained, and how many are kept out of it by `Constant`.
    memory : int
        Bytes of parameters, constants and states, and of settings that torch keeps as buffers.
    weights, zero_weights : int
        Synapses, and those of weight 0.
    activations, active : int
        Outputs of neurons in all time steps of the whole batch, and those that are not 0.
    dense_acs, dense_macs : int
        Synaptic operations if each input meets each weight: accumulations, where the inputs are
        -1, 0 and 1 alone, and multiply-accumulations.
    effective_acs, effective_macs : int
        Those in which neither input nor weight is 0.
    """

    name: str
    model: str
    shape: tuple[int | None, ...]
    parameters: int = 0
    constants: int = 0
    memory: int = 0
    weights: int = 0
    zero_weights: int = 0
    activations: int = 0
    active: int = 0
    dense_acs: int = 0
    dense_macs: int = 0
    effective_acs: int = 0
    effective_macs: int = 0

    @property
    def dense(self) -> int:
        """Synaptic operations if each input meets each weight."""
        return self.dense_acs + self.dense_macs

    @property
    def effective(self) -> int:
        """Synaptic operations in which neither input nor weight is 0."""
        return self.effective_acs + self.effective_macs

    @property
    def activation_sparsity(self) -> float:
        """The part of activations that is 0; 0.0 where there are none."""
        zeros = self.activations - self.active
        return zeros / self.activations if self.activations else 0.0

    @property
    def connection_sparsity(self) -> float:
        """The part of weights that is 0; 0.0 where there are none."""
        return self.zero_weights / self.weights if self.weights else 0.0

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain values, fit for JSON."""
        return asdict(self) | {
            "dense": self.dense,
            "effective": self.effective,
            "activation_sparsity": self.activation_sparsity,
            "connection_sparsity": self.connection_sparsity,
        }


class Counter:
    """Counts the work of layers.

    Parameters
    ----------
    number_size : int
        Bytes of a number.
    by_step : bool
        Whether each time step is a call of its own, whose inputs are binary or not.
    tallies : dict
        What kernels have counted.
    """

    def __init__(self, number_size: int, by_step: bool, tallies: Tallies) -> None:
        self.number_size = number_size
        self.by_step = by_step
        self.contents = Contents(tallies)

    def layer(self, one: Activity) -> LayerProfile:
        """Return what a layer costs."""
        node = one.node
        values = node.parameters.values()
        parameters = sum(value.array.size for value in values if not value.constant)
        constants = sum(value.array.size for value in values if value.constant)
        numbers = parameters + constants + sum(state.size for state in node.states.values())
        most = node.settings.get("max_spikes_per_dt", np.inf) if is_spiking(node) else None
        counts: dict[str, int] = {}
        if _is_activation(node) and one.output is not None:
            counts["activations"] = one.output.size
            counts["active"] = self.contents.of(one.output, most).nonzero
        connections = connections_of(node)
        if connections is not None:
            counts |= _weights(connections.weight)
            counts |= self._operations(one.given, connections)
        elif _is_recurrent(node):
            weight = node.parameters["w_rec"].array
            counts |= _weights(weight)
            if one.output is not None:
                counts |= self._recurrent_operations(one.output, weight, most)
        return LayerProfile(
            one.name,
            node.model,
            node.shape,
            parameters,
            constants,
            self.number_size * (numbers + SETTINGS_IN_BUFFERS.get(node.model, 0)),
            **counts,
        )

    def _operations(self, given: np.ndarray | None, connections: Connections) -> dict[str, int]:
        """Count the operations of weights on input (B, T, Nin)."""
        if given is None:
            return {}
        fan_out = connections.fan_out
        dense = given[..., 0].size * connections.dense
        if self.by_step:
            reached, binary = self._steps(given, fan_out)
            return _operations_by_step(reached, binary, len(given) * connections.dense)
        content = self.contents.of(given)
        if (fan_out == fan_out[0]).all():
            effective = content.nonzero * int(fan_out[0])
        else:
            effective = int(np.count_nonzero(given, axis=(0, 1)) @ fan_out)
        kind = "acs" if content.binary else "macs"
        return {f"dense_{kind}": dense, f"effective_{kind}": effective}

    def _recurrent_operations(
        self, output: np.ndarray, weight: np.ndarray, most: float | None
    ) -> dict[str, int]:
        """Count those of recurrent weights, which get the output of the step before; first none."""
        fan_out = np.count_nonzero(weight, axis=1)
        content = self.contents.of(output, most)
        if content.binary and (fan_out == fan_out[0]).all():
            arrived = content.nonzero - int(np.count_nonzero(output[:, -1]))
            dense = output[..., 0].size * weight.size
            return {"dense_acs": dense, "effective_acs": arrived * int(fan_out[0])}
        reached, binary = self._steps(output, fan_out, most is not None)
        dense = len(output) * weight.size
        counts = _operations_by_step(reached[:-1], binary[:-1], dense)
        return counts | {"dense_acs": counts["dense_acs"] + dense}

    def _steps(
        self, given: np.ndarray, fan_out: np.ndarray, spikes: bool = False
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return how many weights are reached in each time step of the batch, and if by units."""
        known = self.contents.by_step(given)
        if known is not None and (fan_out == fan_out[0]).all():
            nonzero, binary = known
            return nonzero * fan_out[0], binary
        nonzero = given != 0
        if spikes:
            binary = given.max(axis=0).max(axis=-1) <= 1
        else:
            binary = (~nonzero | (np.abs(given) == 1)).all(axis=(0, 2))
        return nonzero.sum(axis=0, dtype=np.int32) @ fan_out, binary


def is_counted(one: Activity) -> bool:
    """Return whether all of the work of a layer is known and was seen."""
    node = one.node
    if connections_of(node) is not None:
        return one.given is not None
    if _is_recurrent(node) or _is_activation(node):
        return one.output is not None
    return bool(classes_of(node.model)) or not node.parameters


def _is_activation(node: Node) -> bool:
    function = node.settings.get("function", "identity") if node.model == "Instant" else "identity"
    return is_spiking(node) or node.model in ACTIVATIONS or function != "identity"


def _is_recurrent(node: Node) -> bool:
    """Return whether the output of a layer comes back to it through weights."""
    return "w_rec" in node.parameters and bool(classes_of(node.model))


def _weights(weight: np.ndarray) -> dict[str, int]:
    zeros = weight.size - int(np.count_nonzero(weight))
    return {"weights": weight.size, "zero_weights": zeros}


def _operations_by_step(reached: np.ndarray, binary: np.ndarray, dense: int) -> dict[str, int]:
    """Count operations with each time step of the batch as a call of its own."""
    return {
        "dense_acs": int(binary.sum()) * dense,
        "dense_macs": int((~binary).sum()) * dense,
        "effective_acs": int(reached[binary].sum()),
        "effective_macs": int(reached[~binary].sum()),
    }
