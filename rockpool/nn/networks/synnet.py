"""A feed-forward network whose synapses span many time constants: `SynNet`."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from inspect import signature
from typing import Any

import torch
from torch import Tensor

import rockpool.graph
from rockpool.nn.combinators.containers_torch import TorchSequential
from rockpool.nn.description import Node
from rockpool.nn.models import checks
from rockpool.nn.modules.torch._base.decays import bitshift_to_tau, tau_to_bitshift
from rockpool.nn.modules.torch._base.surrogates import PeriodicExponential
from rockpool.nn.modules.torch._base.transforms import in_transform
from rockpool.nn.modules.torch.dropout import TimeStepDropout
from rockpool.nn.modules.torch.lif_base_torch import LIFBaseTorch
from rockpool.nn.modules.torch.lif_torch import LIFTorch
from rockpool.nn.modules.torch.linear_torch import LinearTorch
from rockpool.nn.modules.torch.torch_module import TorchModule
from rockpool.nn.networks.initial_weights import ScaledKaiming
from rockpool.nn.networks.kept import described
from rockpool.nn.networks.makers import row_on
from rockpool.nn.networks.potentials import last_potentials, potentials_on
from rockpool.parameters import Constant

__all__ = ["SynNet"]

# The threshold of neurons whose membrane potential is the output: the largest of hardware, so that
# they do not spike
NO_SPIKES = 32767.0

_OUTPUTS = ("spikes", "vmem")


class SynNet(TorchModule):
    r"""A feed-forward spiking network for temporal signals, with many synaptic time constants.

    Each layer is a `LinearTorch` without biases and a layer of LIF neurons, each with one synapse.
    In a layer with n time constants, those are

    .. math:: \tau_j = dt \, (\tau_{base} / dt)^{\,j}, \quad j = 1 \dots n

    and neuron k has the time constant ``k mod n``: between them they remember short and long
    stretches of the input. Initial weights are those of `LinearTorch`, times ``dt / tau_syn`` of
    the neuron that they lead to.

    It can be converted, stored, streamed and written as C, and to NIR if it gives spikes.

    Parameters
    ----------
    n_classes : int
        Number of output channels.
    n_channels : int
        Number of input channels.
    size_hidden_layers : sequence of int
        Number of neurons of each hidden layer. Default: one of 60.
    time_constants_per_layer : sequence of int
        Number of synaptic time constants of each hidden layer. Default: 10.
    tau_syn_base : float
        Base of the synaptic time constants of hidden layers in seconds, > `dt`. Default: 2 ms.
    tau_mem : float
        Time constant of all membranes in seconds. Default: 2 ms.
    tau_syn_out : float
        Synaptic time constant of the output neurons in seconds. Default: 2 ms.
    quantize_time_constants : bool
        Whether time constants are rounded to those which a bit-shift makes,
        ``exp(-dt / tau) = 1 - 2**-k`` for a whole k, as digital hardware has them. Default: True.
    train_time_constants : bool
        Whether those of hidden layers are trained. Default: False.
    threshold : float
        Threshold of the hidden neurons. Default: 1.
    threshold_out : float or sequence of float, optional
        That of the output neurons, or of each. Default: `threshold`. With ``output="vmem"`` they
        have none.
    train_threshold : bool
        Whether thresholds of hidden layers are trained. Default: False.
    neuron_model : class
        Class of the neurons, of torch, with one synapse each. Default: `LIFTorch`.
    max_spikes_per_dt, max_spikes_per_dt_out : int
        Largest number of spikes of a neuron in a time step, in hidden layers and in the output.
        Default: 31 and 1.
    p_dropout : float
        Probability with which a spike of a hidden layer is dropped in training. Default: 0, no
        `TimeStepDropout` between the layers.
    dt : float
        Time step in seconds. Default: 1 ms.
    output : str
        What the output is: "spikes" or, of neurons without spikes, "vmem". Default: "spikes".
    neuron_kwargs : dict, optional
        Further arguments of `neuron_model`, for all layers. Default: the spike function is
        `PeriodicExponential`.

    Raises
    ------
    ValueError
        The two lists differ in length, `tau_syn_base` is not > `dt`, another time constant is not
        > 0, `p_dropout` is not within [0, 1], `output` is unknown, or `threshold_out` was given
        with ``output="vmem"``; and as for the layers.

    References
    ----------
    P. Bos, D. Muir, Sub-mW neuromorphic SNN audio processing applications with Rockpool and Xylo,
    arXiv:2208.12991 (2022).

    Examples
    --------
    >>> import torch
    >>> from rockpool.nn.networks import SynNet
    >>> net = SynNet(2, 3, size_hidden_layers=[20], time_constants_per_layer=[4])
    >>> spikes, state, record = net(torch.ones(1, 50, 3))
    >>> tuple(spikes.shape), net.lif_names
    ((1, 50, 2), ['0_neurons', 'out_neurons'])
    """

    seq: TorchSequential

    def __init__(
        self,
        n_classes: int,
        n_channels: int,
        size_hidden_layers: Sequence[int] = (60,),
        time_constants_per_layer: Sequence[int] = (10,),
        tau_syn_base: float | int = 2e-3,
        tau_mem: float | int = 2e-3,
        tau_syn_out: float | int = 2e-3,
        quantize_time_constants: bool = True,
        train_time_constants: bool = False,
        threshold: float | int = 1.0,
        threshold_out: float | int | Sequence[float] | None = None,
        train_threshold: bool = False,
        neuron_model: Any = LIFTorch,
        max_spikes_per_dt: int = 31,
        max_spikes_per_dt_out: int = 1,
        p_dropout: float | int = 0.0,
        dt: float | int = 1e-3,
        output: str = "spikes",
        neuron_kwargs: Mapping[str, Any] | None = None,
        *args: Any,
        **kwargs: Any,
    ) -> None:
        owner = type(self).__name__
        checks.time_step(owner, "dt", dt)
        _check_layers(owner, size_hidden_layers, time_constants_per_layer)
        _check_settings(owner, tau_syn_base, dt, output, threshold_out)
        for name, tau in (("tau_mem", tau_mem), ("tau_syn_out", tau_syn_out)):
            if not tau > 0:
                raise ValueError(f"{owner}: {name} must be > 0 s, got {tau} s")
        if not 0 <= p_dropout <= 1:
            raise ValueError(f"{owner}: p_dropout must be within [0, 1], got {p_dropout}")
        super().__init__(
            *args,
            shape=(n_channels, n_classes),
            spiking_input=True,
            spiking_output=output == "spikes",
            **kwargs,
        )
        self.output = output
        self.dt = dt
        self.label_last_LIF = "out_neurons"
        self.lif_names: list[str] = []

        def rounded(tau: float | int) -> float:
            return _nearest_bitshift(dt, tau) if quantize_time_constants else tau

        def neurons(
            size: int, taus: dict[str, Any], threshold: Any, max_spikes: int
        ) -> TorchModule:
            settings = _spike_settings(neuron_model, max_spikes) | dict(neuron_kwargs or {})
            return neuron_model(
                shape=(size, size),
                bias=Constant(0.0),
                threshold=threshold,
                dt=dt,
                **taus,
                **settings,
            )

        own = (lambda value: value) if train_time_constants else Constant
        layers: dict[str, TorchModule] = {}
        size_in = n_channels
        for i, (size, count) in enumerate(
            zip(size_hidden_layers, time_constants_per_layer, strict=True)
        ):
            series = [rounded(dt * (tau_syn_base / dt) ** j) for j in range(1, count + 1)]
            tau_syn = torch.tensor((series * math.ceil(size / count))[:size])
            taus = {"tau_mem": own(rounded(tau_mem)), "tau_syn": own(tau_syn[:, None])}
            layers[f"{i}_linear"] = _linear(size_in, size, dt / tau_syn)
            layers[f"{i}_neurons"] = neurons(
                size, taus, threshold if train_threshold else Constant(threshold), max_spikes_per_dt
            )
            self.lif_names.append(f"{i}_neurons")
            if p_dropout > 0:
                layers[f"{i}_dropout"] = TimeStepDropout((size,), p=p_dropout)
            size_in = size

        tau_out = rounded(tau_syn_out)
        if output == "vmem":
            threshold_out = NO_SPIKES
        elif threshold_out is None:
            threshold_out = threshold
        taus = {"tau_mem": Constant(rounded(tau_mem)), "tau_syn": Constant(tau_out)}
        layers["out_linear"] = _linear(size_in, n_classes, dt / tau_out)
        layers["out_neurons"] = neurons(
            n_classes, taus, Constant(threshold_out), max_spikes_per_dt_out
        )
        self.lif_names.append(self.label_last_LIF)
        self.seq = TorchSequential(layers)

    def forward(self, data: Tensor) -> Tensor:
        """Return the spikes of the output neurons, or with ``output="vmem"`` their potentials.

        The record is that of the layers, each by its name, and their outputs, by name with
        ``_output``.
        """
        if self.output == "spikes":
            output, new_state, records = self.seq.evolve(data, record=self._record)
        else:
            output, new_state, records = self._all_or_nothing(
                last_potentials, self.seq, data, self._record
            )
        if self._record:
            self._record_dict = records
        if in_transform():
            self._passed_state = {"seq": new_state}
        return output

    def as_graph(self) -> rockpool.graph.GraphHolder:
        """Return the graph of the layers."""
        return self.seq.as_graph()

    def _describe(self) -> Node:
        return described(self, "potentials" if self.output == "vmem" else "row")

    def _convert(self, modules: dict[str, Any], backend: str) -> Any:
        return (potentials_on if self.output == "vmem" else row_on)(backend, modules)


def _check_layers(owner: str, sizes: Sequence[int], counts: Sequence[int]) -> None:
    """Raise a ValueError if two lists do not say of each hidden layer what it is."""
    if len(sizes) != len(counts):
        raise ValueError(
            f"{owner}: size_hidden_layers and time_constants_per_layer must have one entry for "
            f"each hidden layer, got {len(sizes)} and {len(counts)}"
        )
    for name, values in (("size_hidden_layers", sizes), ("time_constants_per_layer", counts)):
        if any(value < 1 for value in values):
            raise ValueError(f"{owner}: {name} must be >= 1, got {list(values)}")


def _check_settings(
    owner: str, tau_syn_base: float | int, dt: float | int, output: str, threshold_out: Any
) -> None:
    """Raise a ValueError for a setting that means nothing."""
    if not tau_syn_base > dt:
        raise ValueError(f"{owner}: tau_syn_base must be > dt, {dt} s, got {tau_syn_base} s")
    if output not in _OUTPUTS:
        raise ValueError(
            f"{owner}: output must be {checks.one_of(map(repr, _OUTPUTS))}, got {output!r}"
        )
    if output == "vmem" and threshold_out is not None:
        raise ValueError(
            f"{owner}: threshold_out has no meaning with output='vmem', where the output neurons "
            f"do not spike; got {threshold_out}"
        )


def _nearest_bitshift(dt: float | int, tau: float | int) -> float:
    """Return the time constant nearest to `tau` whose decay is a bit-shift."""
    (dash,) = tau_to_bitshift(dt, torch.tensor(tau))
    return float(bitshift_to_tau(dt, torch.round(dash))[0])


def _linear(size_in: int, size_out: int, factor: Any) -> LinearTorch:
    return LinearTorch((size_in, size_out), weight_init_func=ScaledKaiming(factor))


def _spike_settings(neuron_model: Any, max_spikes: int) -> dict[str, Any]:
    """Return what a class of neurons takes of the settings of spikes."""
    settings = {
        "spike_generation_fn": PeriodicExponential,
        "max_spikes_per_dt": torch.tensor(float(max_spikes)),
    }
    if issubclass(neuron_model, LIFBaseTorch):
        return settings
    taken = signature(neuron_model).parameters
    return {name: value for name, value in settings.items() if name in taken}
