"""What the torch classes of leaky integrate-and-fire neurons share: `LIFBaseTorch`."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import torch
from torch import Tensor

from rockpool.nn.models import checks
from rockpool.nn.models import lif as model
from rockpool.nn.models.spec import ParameterSpec
from rockpool.nn.modules._registry import RegisteredAttribute
from rockpool.nn.modules.torch._base import decays
from rockpool.nn.modules.torch._base.checks import Required, require_values
from rockpool.nn.modules.torch._base.initialisers import kaiming_columns
from rockpool.nn.modules.torch._base.surrogates import StepPWL, spike_function, spike_settings
from rockpool.nn.modules.torch._loops.lif import LIFParameters, LIFState
from rockpool.nn.modules.torch.torch_module import TorchModule, to_float_tensor
from rockpool.parameters import Parameter, ParameterBase, Shape, SimulationParameter, State

if TYPE_CHECKING:
    from rockpool.graph import GraphHolder

__all__ = ["LIFBaseTorch"]


class _Leak(NamedTuple):
    """One way to state the two leaks of a neuron: names for membrane and synapses, and the rest."""

    mem: str
    syn: str
    default: float
    unit: str
    positive: bool  # whether the values must be > 0 at all times


_LEAKS = {
    "taus": _Leak("tau_mem", "tau_syn", 20e-3, "s", True),
    "decays": _Leak("alpha", "beta", 0.5, "", False),
    "bitshifts": _Leak("dash_mem", "dash_syn", 1.0, "", False),
}
# name -> (the way of stating it, whether it is the one of the membrane)
_LEAK_NAMES = {
    name: (mode, name == leak.mem) for mode, leak in _LEAKS.items() for name in (leak.mem, leak.syn)
}


class LIFBaseTorch(TorchModule):
    """The parameters, states and leaks of LIF neurons; `LIFTorch` says what they mean.

    A subclass has ``forward``.
    """

    _structure: ClassVar[frozenset[str]] = frozenset({"leak_mode", "_has_rec"})
    _state_names: ClassVar[tuple[str, ...]] = ("vmem", "isyn", "spikes")

    leak_mode: Any
    dt: Any
    noise_std: Any
    tau_mem: Any
    tau_syn: Any
    alpha: Any
    beta: Any
    dash_mem: Any
    dash_syn: Any
    w_rec: Any
    _has_rec: Any
    bias: Any
    threshold: Any
    spike_generation_fn: Any
    learning_window: Any
    max_spikes_per_dt: Any

    def __init__(
        self,
        shape: int | tuple[int, ...],
        leak_mode: str = "taus",
        tau_mem: Any = None,
        tau_syn: Any = None,
        alpha: Any = None,
        beta: Any = None,
        dash_mem: Any = None,
        dash_syn: Any = None,
        bias: Any = None,
        threshold: Any = None,
        has_rec: bool = False,
        w_rec: Any = None,
        noise_std: float = 0.0,
        spike_generation_fn: Any = StepPWL,
        learning_window: float | Tensor = 0.5,
        max_spikes_per_dt: float | Tensor = 2.0**16,
        weight_init_func: Callable[[Shape], Any] = kaiming_columns,
        dt: float = 1e-3,
        *args: Any,
        **kwargs: Any,
    ) -> None:
        owner = type(self).__name__
        settled = model.module_shape(owner, shape)
        if leak_mode not in _LEAKS:
            raise ValueError(
                f"{owner}: leak_mode must be {checks.one_of(map(repr, _LEAKS))}, got {leak_mode!r}"
            )
        leaks = {
            "tau_mem": tau_mem,
            "tau_syn": tau_syn,
            "alpha": alpha,
            "beta": beta,
            "dash_mem": dash_mem,
            "dash_syn": dash_syn,
        }
        _check_leaks(owner, leak_mode, leaks)
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
        checks.scalar(owner, "learning_window", learning_window)
        checks.positive(owner, "learning_window", learning_window)
        specs = _specs(settled, leak_mode)
        own = _LEAKS[leak_mode]
        for name in (own.mem, own.syn):
            checks.fits(owner, specs[name], leaks[name])
        spike_fn = spike_function(owner, spike_generation_fn)

        super().__init__(*args, shape=settled, spiking_input=True, spiking_output=True, **kwargs)
        self.n_neurons = self.size_out
        self.n_synapses = model.n_synapses(settled)

        self.leak_mode = SimulationParameter(leak_mode)
        self.dt = SimulationParameter(float(dt))
        self._has_rec = SimulationParameter(bool(has_rec))
        if has_rec:
            self.w_rec = specs["w_rec"].wrap(Parameter, w_rec, weight_init_func, to_float_tensor)
        else:  # zeros that are made when somebody looks at them
            self._registered_attributes["w_rec"] = RegisteredAttribute(
                "SimulationParameter", None, None, specs["w_rec"].shapes[0]
            )
        self.noise_std = SimulationParameter(float(noise_std))
        given = {**leaks, "bias": bias, "threshold": threshold}
        for name in (own.mem, own.syn, "bias", "threshold"):
            wrapped = specs[name].wrap(Parameter, given[name], cast_fn=to_float_tensor)
            setattr(self, name, wrapped)
        self.learning_window = SimulationParameter(to_float_tensor(learning_window).reshape(()))
        for name in ("vmem", "isyn", "spikes"):
            shape_ = model.state_shapes(settled)[name]
            setattr(self, name, State(shape=shape_, init_func=torch.zeros))
        self.spike_generation_fn = SimulationParameter(spike_fn)
        self.max_spikes_per_dt = SimulationParameter(to_float_tensor(max_spikes_per_dt).reshape(()))

    # -- the leaks, stated in one way and readable in all ---------------------------------------

    def __getattr__(self, name: str) -> Any:
        if not self._is_stored(name):
            if name in _LEAK_NAMES and "leak_mode" in self.__dict__:
                return self._leak(name)
            if name == "w_rec" and "w_rec" in self.__dict__.get("_registered_attributes", ()):
                shape = self._registered_attributes["w_rec"].shape
                return torch.zeros_like(self.threshold.detach()).flatten()[0].expand(shape)
        return super().__getattr__(name)

    def __setattr__(self, name: str, value: Any) -> None:
        if (
            name in _LEAK_NAMES
            and not isinstance(value, ParameterBase)
            and not self._is_stored(name)
        ):
            self._set_leak(name, value)
        else:
            super().__setattr__(name, value)

    def _is_stored(self, name: str) -> bool:
        stored = self.__dict__
        return name in stored.get("_parameters", ()) or name in stored.get("_buffers", ())

    def _leak(self, name: str) -> Tensor:
        """Return a leak in another way of stating it than that of this module."""
        mode, membrane = _LEAK_NAMES[name]
        own = _LEAKS[self.leak_mode]
        value = getattr(self, own.mem if membrane else own.syn)
        return _convert(self.dt, self.leak_mode, mode, value)

    def _set_leak(self, name: str, value: Any) -> None:
        """Set the leak of this module that a value in another way of stating it means."""
        mode, membrane = _LEAK_NAMES[name]
        own = _LEAKS[self.leak_mode]
        own_name = own.mem if membrane else own.syn
        _check_leak(self._label, mode, name, value)
        converted = _convert(self.dt, mode, self.leak_mode, to_float_tensor(value).double())
        _check_leak(self._label, self.leak_mode, own_name, converted)
        super().__setattr__(own_name, converted)

    def _decays(self) -> tuple[Tensor, Tensor]:
        """Return the decay factors of membrane and synapses in one time step."""
        return self.alpha, self.beta

    # -- recurrent weights ----------------------------------------------------------------------

    def _store_attribute(self, name: str, value: Any, entry: RegisteredAttribute) -> None:
        if name == "w_rec" and not self._has_rec and (value is None or not bool(value.any())):
            self._buffers.pop(name, None)
            return
        super()._store_attribute(name, value, entry)

    # -- for `forward` --------------------------------------------------------------------------

    def _loop_parameters(self, *more: Required) -> LIFParameters:
        """Return the parameters for the time loop, checked, with those that are named besides."""
        own = _LEAKS[self.leak_mode]
        required = [
            Required(own.mem, own.positive, own.unit),
            Required(own.syn, own.positive, own.unit),
            Required("threshold", positive=True),
            Required("bias"),
            *more,
        ]
        recurrent = self._is_stored("w_rec")
        if recurrent:
            required.append(Required("w_rec"))
        require_values(self._label, self, tuple(required))
        alpha, beta = self._decays()
        return LIFParameters(
            alpha,
            beta,
            self.bias,
            self.threshold,
            self.w_rec if recurrent else None,
            *spike_settings(self.spike_generation_fn, self.learning_window, self.max_spikes_per_dt),
        )

    def _loop_arguments(
        self, data: Tensor
    ) -> tuple[Tensor, LIFState, LIFParameters, Tensor | None]:
        """Return input, state, parameters and noise for the time loop."""
        state = LIFState(*(self._start(name, data) for name in self._state_names))
        parameters = self._loop_parameters()
        return data, state, parameters, self._noise((*data.shape[:2], self.n_neurons), data)

    def _lif_graph(self) -> GraphHolder:
        from rockpool.nn.models.graphs import lif_graph
        from rockpool.nn.modules.torch._base.graphs import to_array

        n, s = self.n_neurons, self.n_synapses
        return lif_graph(
            self,
            to_array(self.tau_mem, n),
            to_array(self.tau_syn, n, s).reshape(-1),
            to_array(self.threshold, n),
            to_array(self.bias, n),
            to_array(self.w_rec) if self._is_stored("w_rec") else None,
        )


def _specs(shape: tuple[int, int], leak_mode: str) -> dict[str, ParameterSpec]:
    """Return the parameters of the model, its leaks as `leak_mode` states them."""
    specs = model.parameter_specs(shape)
    leak = _LEAKS[leak_mode]
    specs["threshold"] = specs["threshold"]._replace(family="thresholds")
    for name, tau_name in ((leak.mem, "tau_mem"), (leak.syn, "tau_syn")):
        specs[name] = specs[tau_name]._replace(
            name=name, family=leak_mode, default=leak.default, unit=leak.unit
        )
    return specs


def _check_leaks(owner: str, leak_mode: str, given: dict[str, Any]) -> None:
    for name, value in given.items():
        mode = _LEAK_NAMES[name][0]
        if value is not None and mode != leak_mode:
            own = _LEAKS[leak_mode]
            raise ValueError(
                f"{owner}: {name} was given, but with leak_mode={leak_mode!r} the leaks are "
                f"{own.mem} and {own.syn}"
            )
        _check_leak(owner, mode, name, value)


def _check_leak(owner: str, mode: str, name: str, value: Any) -> None:
    if mode == "taus":
        checks.positive(owner, name, value, "s", finite=False)
    elif mode == "decays":
        checks.within(owner, name, value, 0.0, 1.0)
    else:
        checks.non_negative(owner, name, value)


def _convert(dt: float, source: str, target: str, value: Tensor) -> Tensor:
    """Return a leak that is stated in the way `source` in the way `target`."""
    if source == target:
        return value
    if source == "taus":
        convert = decays.tau_to_decay if target == "decays" else decays.tau_to_bitshift
        return convert(dt, value)[0]
    if source == "bitshifts":
        if target == "decays":
            return decays.bitshift_to_decay(value)[0]
        return decays.bitshift_to_tau(dt, value)[0]
    if target == "taus":
        return decays.decay_to_tau(dt, value)[0]
    return decays.decay_to_bitshift(value)[0]
