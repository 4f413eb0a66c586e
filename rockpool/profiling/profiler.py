"""`profile`: how many operations a network does, how sparse it is, and what memory it takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from rockpool.nn.conversion import build
from rockpool.nn.description import Node
from rockpool.nn.kernels.tallies import Tallies
from rockpool.nn.modules._observed import observed, unwrapped
from rockpool.nn.modules.module import ModuleBase
from rockpool.profiling.counting import Counter, LayerProfile, is_counted
from rockpool.profiling.energy import EnergyFigures, figures
from rockpool.utilities.text_table import text_table

__all__ = ["LayerProfile", "Profile", "profile"]

_HEAD = (
    "layer",
    "model",
    "parameters",
    "constant",
    "bytes",
    "sparsity",
    "dense",
    "effective ACs",
    "effective MACs",
)


@dataclass(frozen=True)
class Profile:
    """What a network costs on some input; it prints as a table.

    Attributes
    ----------
    layers : list of LayerProfile
        In the order of evolution; weights of a stack are layers.
    samples, steps : int
        Batch elements, and time steps of each.
    uncounted : list of str
        Layers whose work is not known, or was not to be seen: it is missing in the sums.
    energy : EnergyFigures or None
        The figures of a source, if there were some.
    """

    layers: list[LayerProfile]
    samples: int
    steps: int
    uncounted: list[str]
    energy: EnergyFigures | None = None

    @property
    def total(self) -> LayerProfile:
        """All layers together."""
        names = [field.name for field in fields(LayerProfile)][3:]
        sums = {name: sum(getattr(layer, name) for layer in self.layers) for name in names}
        return LayerProfile("in all", "", (), **sums)

    @property
    def joules(self) -> float | None:
        """Effective operations times the figures of the source that was named; not measured."""
        return None if self.energy is None else self.energy.of(self.total)

    def neurobench(self) -> dict[str, Any]:
        """Return the numbers under the names, and in the units, that NeuroBench 2.3 has for them.

        Those of operations are per batch element. See `profile` for what they mean.
        """
        total, n = self.total, self.samples
        return {
            "Footprint": total.memory,
            "ParameterCount": total.parameters,
            "ConnectionSparsity": round(total.connection_sparsity, 4),
            "ActivationSparsity": total.activation_sparsity,
            "SynapticOperations": {
                "Effective_MACs": total.effective_macs / n,
                "Effective_ACs": total.effective_acs / n,
                "Dense": total.dense / n,
            },
        }

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain values, fit for JSON."""
        energy = None
        if self.energy is not None:
            energy = {**self.energy.__dict__, "joules": self.joules, "measured": False}
        return {
            "samples": self.samples,
            "steps": self.steps,
            "layers": [layer.to_dict() for layer in self.layers],
            "total": self.total.to_dict(),
            "uncounted": self.uncounted,
            "energy": energy,
            "neurobench": self.neurobench(),
        }

    def __str__(self) -> str:
        lines = [_HEAD, *map(_cells, [*self.layers, self.total])]
        told = [
            text_table(lines, left=2),
            "",
            f"{self.samples:,} x {self.steps:,} time steps; connection sparsity "
            f"{self.total.connection_sparsity:.4f}",
        ]
        if self.uncounted:
            told.append(f"not counted, as its work is not known: {', '.join(self.uncounted)}")
        if self.energy is not None:
            told.append(
                f"energy {self.joules:.4g} J (not measured: effective operations x {self.energy})"
            )
        return "\n".join(told)

    __repr__ = __str__


def _cells(layer: LayerProfile) -> tuple[str, ...]:
    counted = [
        f"{number:,}" if number or layer.dense else ""
        for number in (layer.dense, layer.effective_acs, layer.effective_macs)
    ]
    return (
        layer.name,
        layer.model,
        f"{layer.parameters:,}",
        f"{layer.constants:,}",
        f"{layer.memory:,}",
        f"{layer.activation_sparsity:.4f}" if layer.activations else "",
        *counted,
    )


def profile(
    network: Any,
    data: Any,
    energy: Mapping[str, Any] | None = None,
    *,
    dtype: str = "float32",
    by_step: bool = False,
) -> Profile:
    """Count the synaptic operations of a network on some input, its sparsity and its memory.

    The network is run from rest, on the back-end that it is on, and stays as it is. The counts are
    whole numbers, over all time steps of the whole batch, and the same on every back-end, as long
    as its layers answer the same.

    Parameters
    ----------
    network : Module, or Node
        The network, of any back-end; a description (`rockpool.read_header`) is run on numpy.
    data : array_like
        Input (B, T, Nin) or (T, Nin).
    energy : dict, optional
        ``ac`` and ``mac``, joules of an accumulation and of a multiply-accumulation, and
        ``source``, who says so, such as ``{"ac": 0.9e-12, "mac": 4.6e-12, "source":
        "Horowitz 2014"}``. Energy is then told as effective operations times these figures.
        Default: none, and nothing is said of energy.
    dtype : str, optional
        "float32" or "float64", the type of the numbers that memory is counted for. Default:
        "float32", as in torch, also for a network that computes in double precision here.
    by_step : bool, optional
        Whether weights are judged in each time step of the batch (see Notes), and not once for the
        whole input, as when torch calls a layer with all time steps. Default: False.

    Returns
    -------
    Profile
        A row for each layer, and sums.

    Raises
    ------
    ValueError
        Input of another shape, without a time step, or with NaN; `energy` without a source, or
        with figures that are not > 0; an unknown `dtype`; a description that numpy cannot hold.
    TypeError
        `network` is neither a module nor a description.

    Notes
    -----
    The definitions are those of NeuroBench [1]_, in the version 2.3, whose numbers for the same
    torch network `Profile.neurobench` gives. Some of them want to be known:

    * *Synaptic operations* are those of weights: of linear layers, of stacks, of convolutions (the
      zeros around their input are not counted), of `Scale`, and of recurrent weights, which get the
      output of the time step before (nothing, in the first). What neurons and filters do, pooling,
      and biases, are not counted.
    * An operation is an *accumulation* if all inputs of the call are -1, 0 or 1, and a
      multiply-accumulation else: a single neuron with two spikes in a step makes all operations of
      the layer multiply-accumulations. A call is the whole input, or with `by_step`, and for
      recurrent weights always, one time step of the whole batch. NeuroBench calls step by step the
      networks of snnTorch, and then depends on the size of batches.
    * *Dense* operations include those with weights of 0; *effective* ones are those in which
      neither input nor weight is 0. NeuroBench sums them in single precision, so that its numbers
      for calls with more than 2**24 (16.8 million) operations are rounded; these here are exact.
    * *Connection sparsity* is the part of weights that is exactly 0, rounded to four digits there.
      Biases are no weights.
    * *Activation sparsity* is the part of outputs of neurons (LIF and its kin, Rate, `Instant` with
      a function, ReLU and sigmoid of torch) that is exactly 0. The network's input, linear layers
      and filters have none. A neuron with several spikes in a step counts once.
    * The *footprint* is that of parameters and buffers: also states at rest, and the two numbers
      of each spiking layer that torch keeps as buffers (`max_spikes_per_dt`, `learning_window`).
      Constants are in it, and not in the count of parameters.

    References
    ----------
    .. [1] J. Yik et al., The neurobench framework for benchmarking neuromorphic computing
       algorithms and systems, Nature Communications 16, 1545 (2025).
    .. [2] M. Horowitz, Computing's energy problem (and what we can do about it), ISSCC (2014).

    Examples
    --------
    >>> import numpy as np
    >>> from rockpool.nn.modules import Linear
    >>> profile(Linear((2, 3), weight=np.ones((2, 3))), np.eye(2)).total.effective_acs
    6
    """
    said = figures(energy)
    if dtype not in ("float32", "float64"):
        raise ValueError(f"profile: dtype must be 'float32' or 'float64', got {dtype!r}")
    if isinstance(network, Node):
        network = build(network, "numpy")
    if not isinstance(network, ModuleBase):
        raise TypeError(f"profile: network must be a module, got {network!r}")
    tallies: Tallies = {}
    seen = observed(network, data, tallies)
    counter = Counter(np.dtype(dtype).itemsize, by_step, tallies)
    n_batch, n_steps = unwrapped(network)._batch_and_steps(np.shape(data))
    return Profile(
        [counter.layer(one) for one in seen],
        n_batch,
        n_steps,
        [one.name or one.node.model for one in seen if not is_counted(one)],
        said,
    )
