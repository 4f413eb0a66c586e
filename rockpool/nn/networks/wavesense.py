"""Spiking networks whose synapses look back as dilated convolutions do: `WaveSenseNet`.

`WaveBlock` and `WaveNet`, which do the same without spikes, can be imported from here as well.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor

import rockpool.graph
from rockpool.nn.description import Node
from rockpool.nn.models import checks
from rockpool.nn.modules.torch._base.surrogates import PeriodicExponential
from rockpool.nn.modules.torch._base.transforms import in_transform
from rockpool.nn.modules.torch.lif_base_torch import LIFBaseTorch
from rockpool.nn.modules.torch.lif_torch import LIFTorch
from rockpool.nn.modules.torch.linear_torch import LinearTorch
from rockpool.nn.modules.torch.torch_module import TorchModule
from rockpool.nn.networks.initial_weights import ScaledKaiming
from rockpool.nn.networks.kept import described
from rockpool.nn.networks.wavenet import WaveBlock, WaveNet, require_counts
from rockpool.nn.networks.wiring import block_output, network_output, wired_on
from rockpool.parameters import Constant, SimulationParameter, to_numpy

__all__ = ["WaveBlock", "WaveNet", "WaveSenseBlock", "WaveSenseNet"]

Seconds = Any  # a number, or a Constant of one


class _Recorded(TorchModule):
    """A module that passes data through its submodules, and has the record of each by its name."""

    dt: Any
    neuron_model: Any

    def forward(self, data: Tensor) -> Any:
        """Return the output; should one of the modules fail, all have the state from before."""
        return self._all_or_nothing(self._wired, data)

    def _wired(self, data: Tensor) -> Any:
        raise NotImplementedError

    def _describe(self) -> Node:
        return described(self, "wavesense")

    def _convert(self, modules: dict[str, Any], backend: str) -> Any:
        return wired_on(backend, modules)

    def _evolved(self, name: str, data: Tensor) -> Any:
        """Return the output of a submodule."""
        module = getattr(self, name)
        output, state, record = module.evolve(data, record=self._record)
        if self._record:
            self._record_dict[name] = record
            self._record_dict[f"{name}_output"] = output[0] if type(output) is tuple else output
        if in_transform():
            self._passed_state[name] = state
        return output


class WaveSenseBlock(_Recorded):
    r"""A layer of neurons with several synapses each, of different time constants.

    Synapse k of a neuron has the time constant ``max(k d, 1) * base_tau_syn``, for the dilation d
    and k from 0 to ``kernel_size - 1``. So the neuron sees its input as it is now and as it was a
    while ago, as a dilated convolution of width ``kernel_size`` does. Two more layers of neurons
    make the residual output, to which the input is added, and the skip output of its spikes.

    Parameters
    ----------
    Nchannels : int
        Number of channels of input and residual output. Default: 16.
    Nskip : int
        Number of channels of the skip output. Default: 32.
    dilation : int
        Dilation, >= 1.
    kernel_size : int
        Number of synapses of each neuron. Default: 2.
    bias : array_like
        Biases of all neurons, one number or one for each. Default: 0, constant.
    tau_mem, base_tau_syn : float
        Time constants of the membranes, and the shortest one of synapses, in seconds. Neurons with
        several synapses have the longest one of these for their membranes. Default: 10 ms,
        constant.
    threshold : array_like
        Threshold of all neurons, one number or one for each. Default: 1, constant.
    neuron_model : class
        Class of the neurons, derived from `LIFBaseTorch`. Default: `LIFTorch`.
    dt : float
        Time step in seconds. Default: 1 ms.

    Raises
    ------
    ValueError
        There is no dilation, it or a number of channels is < 1, or the class of neurons is another
        one.

    Notes
    -----
    A call gives a pair of outputs, ``(residual, skip)``, in the place of one.

    References
    ----------
    P. Weidel, S. Sheik, WaveSense: efficient temporal convolutions with spiking neural networks for
    keyword spotting, arXiv:2111.01456 (2021).
    """

    def __init__(
        self,
        Nchannels: int = 16,
        Nskip: int = 32,
        dilation: int | None = None,
        kernel_size: int = 2,
        bias: Any = Constant(0.0),  # noqa: B008 - it only marks the number as constant
        tau_mem: Seconds = Constant(10e-3),  # noqa: B008
        base_tau_syn: Seconds = Constant(10e-3),  # noqa: B008
        threshold: Any = Constant(1.0),  # noqa: B008
        neuron_model: Any = LIFTorch,
        dt: float | int = 1e-3,
        *args: Any,
        **kwargs: Any,
    ) -> None:
        owner = type(self).__name__
        _check_neurons(owner, "neuron_model", neuron_model)
        checks.time_step(owner, "dt", dt)
        if dilation is None or dilation < 1:
            raise ValueError(f"{owner}: dilation must be >= 1 time step, got {dilation}")
        if kernel_size < 1:
            raise ValueError(f"{owner}: kernel_size must be >= 1, got {kernel_size}")
        require_counts(owner, Nchannels=Nchannels, Nskip=Nskip)
        super().__init__(
            *args, shape=(Nchannels, Nchannels), spiking_input=True, spiking_output=True, **kwargs
        )
        self.neuron_model = SimulationParameter(neuron_model)
        self.dt = dt
        base = _number(base_tau_syn)
        taus = torch.tensor([max(k * dilation, 1) * base for k in range(kernel_size)])
        longest = float(taus.max())
        shared: dict[str, Any] = {"bias": bias, "threshold": threshold, "dt": dt}
        periodic: dict[str, Any] = {"spike_generation_fn": PeriodicExponential}
        ordinary: dict[str, Any] = {"tau_mem": tau_mem, "tau_syn": Constant(base)}

        def linear(size_in: int, size_out: int, tau: float | int) -> LinearTorch:
            return LinearTorch((size_in, size_out), weight_init_func=ScaledKaiming(dt / tau))

        self.lin1 = linear(Nchannels, Nchannels * kernel_size, longest)
        self.spk1 = neuron_model(
            shape=(Nchannels * kernel_size, Nchannels),
            tau_mem=Constant(longest),
            tau_syn=Constant(taus.repeat(Nchannels, 1)),
            **periodic,
            **shared,
        )
        self.lin2_res = linear(Nchannels, Nchannels, base)
        self.spk2_res = neuron_model(shape=(Nchannels, Nchannels), **ordinary, **periodic, **shared)
        self.lin2_skip = linear(Nchannels, Nskip, base)
        self.spk2_skip = neuron_model(shape=(Nskip, Nskip), **ordinary, **shared)

    def _wired(self, data: Tensor) -> tuple[Tensor, Tensor]:
        """Return the residual output (B, T, Nchannels) and the skip output (B, T, Nskip)."""
        return block_output(self._evolved, self._input(data))

    def as_graph(self) -> rockpool.graph.GraphHolder:
        """Return the graph of the layers; its outputs are the residual ones, then the skip ones."""
        from rockpool.graph import AliasConnection, GraphHolder, connect_modules
        from rockpool.graph.graph_base import SetList

        graphs = {name: module.as_graph() for name, module in self._registered_modules.items()}
        connect_modules(graphs["lin1"], graphs["spk1"])
        for path in ("res", "skip"):
            connect_modules(graphs["spk1"], graphs[f"lin2_{path}"])
            connect_modules(graphs[f"lin2_{path}"], graphs[f"spk2_{path}"])
        inputs, residual = graphs["lin1"].input_nodes, graphs["spk2_res"].output_nodes
        AliasConnection(inputs, residual, f"{self.name}_aliases", self)
        outputs = SetList([*residual, *graphs["spk2_skip"].output_nodes])
        return GraphHolder(inputs, outputs, f"WaveSenseBlock_{self.name}_{id(self)}", self)


class WaveSenseNet(_Recorded):
    """A spiking network that classifies signals over time, of `WaveSenseBlock` layers in a row.

    The input goes through a layer of neurons and then from block to block. The skip outputs of all
    blocks are added up and go through a hidden layer to the output neurons.

    It can be converted, stored, streamed, written as C and, as layers that are `Wired`, to NIR.

    Parameters
    ----------
    dilations : sequence of int
        The dilation of each block.
    n_classes, n_channels_in : int
        Number of output and input channels. Default: 2 and 16.
    n_channels_res, n_channels_skip, n_hidden : int
        Number of channels of the blocks, of their skip outputs and of the hidden layer. Default:
        16, 32 and 32.
    kernel_size : int
        Number of synapses of each neuron in a block. Default: 2.
    bias : array_like
        Biases of all neurons, one number or one for each. Default: 0, constant.
    smooth_output : bool
        Has no effect: the output neurons have the time constants `tau_lp`. Default: True.
    tau_mem, base_tau_syn : float
        As for `WaveSenseBlock`, of all but the output neurons. Default: 20 ms, constant.
    tau_lp : float
        Both time constants of the output neurons in seconds. Default: 20 ms, constant.
    threshold, threshold_out : array_like
        Thresholds of all neurons, and of the output neurons, one number or one for each. Default:
        1, constant.
    neuron_model : class
        Class of the neurons, derived from `LIFBaseTorch`. Default: `LIFTorch`.
    neuron_model_out : class, optional
        That of the output neurons, also `LIFMembraneExodus`. Default: `neuron_model`.
    dt : float
        Time step in seconds. Default: 1 ms.

    Raises
    ------
    ValueError
        There are no dilations, a number of channels is < 1, or a class of neurons is another one;
        and as for `WaveSenseBlock`.

    References
    ----------
    As for `WaveSenseBlock`.

    Examples
    --------
    >>> import torch
    >>> from rockpool.nn.networks import WaveSenseNet
    >>> output, _, _ = WaveSenseNet([2, 4], n_classes=3, n_channels_in=4)(torch.ones(2, 20, 4))
    >>> tuple(output.shape)
    (2, 20, 3)
    """

    def __init__(
        self,
        dilations: Sequence[int],
        n_classes: int = 2,
        n_channels_in: int = 16,
        n_channels_res: int = 16,
        n_channels_skip: int = 32,
        n_hidden: int = 32,
        kernel_size: int = 2,
        bias: Any = Constant(0.0),  # noqa: B008
        smooth_output: bool = True,
        tau_mem: Seconds = Constant(20e-3),  # noqa: B008
        base_tau_syn: Seconds = Constant(20e-3),  # noqa: B008
        tau_lp: Seconds = Constant(20e-3),  # noqa: B008
        threshold: Any = Constant(1.0),  # noqa: B008
        threshold_out: Any = Constant(1.0),  # noqa: B008
        neuron_model: Any = LIFTorch,
        neuron_model_out: Any = None,
        dt: float | int = 1e-3,
        *args: Any,
        **kwargs: Any,
    ) -> None:
        owner = type(self).__name__
        checks.time_step(owner, "dt", dt)
        _check_neurons(owner, "neuron_model", neuron_model)
        of_membranes = getattr(neuron_model_out, "__name__", "") == "LIFMembraneExodus"
        if neuron_model_out is not None and not of_membranes:
            _check_neurons(owner, "neuron_model_out", neuron_model_out)
        if not dilations:
            raise ValueError(f"{owner}: dilations must have an entry for each block, got none")
        require_counts(
            owner,
            n_classes=n_classes,
            n_channels_in=n_channels_in,
            n_channels_res=n_channels_res,
            n_channels_skip=n_channels_skip,
            n_hidden=n_hidden,
        )
        super().__init__(
            *args,
            shape=(n_channels_in, n_classes),
            spiking_input=True,
            spiking_output=True,
            **kwargs,
        )
        self.n_channels_res = n_channels_res
        self.n_channels_skip = n_channels_skip
        self.dt = SimulationParameter(dt)
        base, low_pass = _number(base_tau_syn), _number(tau_lp)
        shared: dict[str, Any] = {"bias": bias, "threshold": threshold, "dt": dt}
        periodic: dict[str, Any] = {
            "spike_generation_fn": PeriodicExponential,
            "learning_window": 0.5,
        }

        def linear(size_in: int, size_out: int, tau: float | int) -> LinearTorch:
            return LinearTorch((size_in, size_out), weight_init_func=ScaledKaiming(dt / tau))

        def neurons(size: int) -> LIFBaseTorch:
            return neuron_model(
                shape=(size, size), tau_mem=tau_mem, tau_syn=base_tau_syn, **periodic, **shared
            )

        self.lin1 = linear(n_channels_in, n_channels_res, base)
        self.spk1 = neurons(n_channels_res)
        self._block_names = [f"wave{i}" for i in range(len(dilations))]
        for name, dilation in zip(self._block_names, dilations, strict=True):
            block = WaveSenseBlock(
                n_channels_res,
                n_channels_skip,
                dilation,
                kernel_size,
                tau_mem=tau_mem,
                base_tau_syn=base_tau_syn,
                neuron_model=neuron_model,
                **shared,
            )
            setattr(self, name, block)
        self.hidden = linear(n_channels_skip, n_hidden, base)
        self.spk2 = neurons(n_hidden)
        self.readout = linear(n_hidden, n_classes, low_pass)
        of_spikes: dict[str, Any] = {} if of_membranes else {"threshold": threshold_out, **periodic}
        self.spk_out = (neuron_model_out or neuron_model)(
            shape=(n_classes, n_classes),
            tau_mem=tau_lp,
            tau_syn=tau_lp,
            bias=bias,
            dt=dt,
            **of_spikes,
        )

    @property
    def wave_blocks(self) -> list[WaveSenseBlock]:
        """The blocks, in order."""
        return [getattr(self, name) for name in self._block_names]

    def _wired(self, data: Tensor) -> Tensor:
        """Return the output (B, T, n_classes)."""
        if data.dim() != 3:
            raise ValueError(
                f"{self._label}: the input must have the shape (batch, time, {self.size_in}), got "
                f"{tuple(data.shape)}"
            )
        output: Tensor = network_output(self._evolved, self._block_names, data)
        self._record_dict.pop("spk_out_output", None)  # it is the output itself
        return output

    def as_graph(self) -> rockpool.graph.GraphHolder:
        """Return the graph: a chain, in which the blocks have their skip outputs in common."""
        from rockpool.graph import AliasConnection, GraphHolder, connect_modules
        from rockpool.graph.graph_base import SetList

        graphs = {name: module.as_graph() for name, module in self._registered_modules.items()}
        residual = range(self.n_channels_res)
        skip = range(self.n_channels_res, self.n_channels_res + self.n_channels_skip)
        connect_modules(graphs["lin1"], graphs["spk1"])
        connect_modules(graphs["spk1"], graphs[self._block_names[0]])
        for before, after in pairwise(graphs[name] for name in self._block_names):
            connect_modules(before, after, source_indices=residual)
            earlier, later = (
                SetList([graph.output_nodes[i] for i in skip]) for graph in (before, after)
            )
            AliasConnection(earlier, later, f"{self.name}_skip", self)
        connect_modules(graphs[self._block_names[-1]], graphs["hidden"], source_indices=skip)
        for source, dest in pairwise(("hidden", "spk2", "readout", "spk_out")):
            connect_modules(graphs[source], graphs[dest])
        return GraphHolder(
            graphs["lin1"].input_nodes,
            graphs["spk_out"].output_nodes,
            f"WaveSenseNet_{self.name}_{id(self)}",
            self,
        )


def _number(value: Seconds) -> float:
    """Return a time constant as a number of seconds, whether or not it is marked as constant."""
    return float(to_numpy(value).reshape(-1)[0])


def _check_neurons(owner: str, name: str, neuron_model: Any) -> None:
    if not (isinstance(neuron_model, type) and issubclass(neuron_model, LIFBaseTorch)):
        raise ValueError(
            f"{owner}: {name} must be a class derived from LIFBaseTorch, got {neuron_model!r}"
        )
