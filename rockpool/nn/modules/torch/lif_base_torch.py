"""What the torch classes of leaky integrate-and-fire neurons share: `LIFBaseTorch`."""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, NamedTuple, Unpack

import numpy as np
import torch
from torch import Tensor

import rockpool.graph
from rockpool.nn.description import Node, Value
from rockpool.nn.models import checks, lif
from rockpool.nn.models.model import Check, Model, ParameterSpec, SettingSpec, Spec
from rockpool.nn.modules._described import plain_setting, present_value
from rockpool.nn.modules._limits import least_of, most_of
from rockpool.nn.modules._registry import RegisteredAttribute
from rockpool.nn.modules.torch._base import decays
from rockpool.nn.modules.torch._base.checks import require_finite_input
from rockpool.nn.modules.torch._base.initialisers import kaiming_columns
from rockpool.nn.modules.torch._base.registry import Values
from rockpool.nn.modules.torch._base.sound import sound_values, within_limits
from rockpool.nn.modules.torch._base.surrogates import (
    SPIKE_FUNCTIONS,
    StepPWL,
    spike_function,
    spike_settings,
)
from rockpool.nn.modules.torch._base.watched import Watched
from rockpool.nn.modules.torch._kernels.dispatch import chosen_loop, takes_half
from rockpool.nn.modules.torch._kernels.on_arrays import evolved_on_arrays
from rockpool.nn.modules.torch._loops.lif import LIFParameters, LIFState, lif_loop
from rockpool.nn.modules.torch.torch_module import TorchArguments, TorchModule, to_float_tensor
from rockpool.parameters import ParameterBase, Shape

__all__ = ["LIFBaseTorch"]


def _decay_factor(owner: str, name: str, value: Any) -> None:
    checks.within(owner, name, value, 0.0, 1.0)


class _Leak(NamedTuple):
    """One way to state the two leaks of a neuron: names for membrane and synapses, and the rest."""

    mem: str
    syn: str
    default: float
    unit: str
    check: Check


_LEAKS = {
    "taus": _Leak("tau_mem", "tau_syn", 20e-3, "s", checks.time_constant),
    "decays": _Leak("alpha", "beta", 0.5, "", _decay_factor),
    "bitshifts": _Leak("dash_mem", "dash_syn", 1.0, "", checks.non_negative),
}
# name -> (the way of stating it, whether it is the one of the membrane)
_LEAK_NAMES = {
    name: (mode, name == leak.mem) for mode, leak in _LEAKS.items() for name in (leak.mem, leak.syn)
}


# what kernels and loops take as decay factors, by the names that they have there
DECAYS = ("alpha", "beta", "gamma")


def _leak_spec(name: str) -> ParameterSpec:
    """Return a leak of the table, which a module has that states its leaks in this way."""
    mode, membrane = _LEAK_NAMES[name]
    leak, tau = _LEAKS[mode], lif.LIF["tau_mem" if membrane else "tau_syn"]
    return ParameterSpec(
        name, mode, tau.shapes, leak.default, leak.unit, leak.check, only_with=mode
    )


def _leak_mode(owner: str, name: str, value: Any) -> None:
    if value not in _LEAKS:
        raise ValueError(
            f"{owner}: leak_mode must be {checks.one_of(map(repr, _LEAKS))}, got {value!r}"
        )


def _window(owner: str, name: str, value: Any) -> None:
    checks.scalar(owner, name, value)
    checks.positive(owner, name, value)


def _spike_function(owner: str, name: str, value: Any) -> None:
    spike_function(owner, value)


def torch_table(model: Model, names: str, *more: Spec) -> Model:
    """Return the table of a model of LIF neurons for torch, with these names, in this order."""
    surrogates = (
        SettingSpec("spike_generation_fn", StepPWL, check=_spike_function),
        SettingSpec("learning_window", 0.5, check=_window),
    )
    table = model.changed("threshold", family="thresholds")
    return table.arranged(names, *surrogates, *more)


LIF_TORCH = torch_table(
    lif.LIF,
    "leak_mode dt has_rec w_rec noise_std tau_mem tau_syn alpha beta dash_mem dash_syn bias "
    "threshold learning_window vmem isyn spikes spike_generation_fn max_spikes_per_dt",
    SettingSpec("leak_mode", "taus", check=_leak_mode),
    *map(_leak_spec, _LEAK_NAMES),
)


def stored_setting(spec: SettingSpec, value: Any) -> Any:
    """Return what a module stores of a setting of spikes: a function, or a number as a tensor."""
    if spec.name == "spike_generation_fn":
        return spike_function("", value)
    return to_float_tensor(value).reshape(())


def said_setting(spec: SettingSpec, value: Any) -> Any:
    """Return a setting as a description has it; one of our spike functions is a name there."""
    if spec.name == "spike_generation_fn":
        owner = getattr(value, "__self__", None)
        return next((name for name, known in SPIKE_FUNCTIONS.items() if known is owner), value)
    return plain_setting(value)


def with_spike_function(arguments: dict[str, Any]) -> dict[str, Any]:
    """Return arguments of a constructor with the spike function that is meant by a name."""
    name = arguments.get("spike_generation_fn")
    if not isinstance(name, str):
        return arguments
    if name not in SPIKE_FUNCTIONS:  # a file made it up
        known = checks.one_of(map(repr, SPIKE_FUNCTIONS))
        raise ValueError(f"spike_generation_fn must be {known}, got {name!r}")
    return {**arguments, "spike_generation_fn": SPIKE_FUNCTIONS[name]}


class LIFBaseTorch(TorchModule):
    """The parameters, states and leaks of LIF neurons; `LIFTorch` says what they mean."""

    _model = LIF_TORCH
    _settings_as_tensors = frozenset({"learning_window", "max_spikes_per_dt"})
    _replaces_states = True
    _structure: ClassVar[frozenset[str]] = frozenset({"leak_mode", "_has_rec"})
    _state_names: ClassVar[tuple[str, ...]] = ("vmem", "isyn", "spikes")
    # parameters besides the leaks and w_rec, by what is made of them
    _other_parameters: ClassVar[dict[str, str]] = {"threshold": "threshold", "bias": "bias"}

    leak_mode: str
    tau_mem: Tensor
    tau_syn: Tensor
    alpha: Tensor
    beta: Tensor
    dash_mem: Tensor
    dash_syn: Tensor
    w_rec: Tensor
    bias: Tensor
    threshold: Tensor
    vmem: Tensor
    isyn: Tensor
    spikes: Tensor
    spike_generation_fn: Callable[..., Tensor]
    learning_window: Tensor
    max_spikes_per_dt: Tensor
    _has_rec: bool
    _watched: Watched

    def __init__(
        self,
        shape: int | tuple[int, ...],
        leak_mode: str = "taus",
        tau_mem: Values | None = None,
        tau_syn: Values | None = None,
        alpha: Values | None = None,
        beta: Values | None = None,
        dash_mem: Values | None = None,
        dash_syn: Values | None = None,
        bias: Values | None = None,
        threshold: Values | None = None,
        has_rec: bool = False,
        w_rec: Values | None = None,
        noise_std: float | int = 0.0,
        spike_generation_fn: Any = StepPWL,
        learning_window: float | int | Tensor = 0.5,
        max_spikes_per_dt: float | int | Tensor = 2.0**16,
        weight_init_func: Callable[[Shape], Any] = kaiming_columns,
        dt: float | int = 1e-3,
        *args: Any,
        **kwargs: Unpack[TorchArguments],
    ) -> None:
        self._declare(locals(), super().__init__)

    def _declare(self, arguments: Mapping[str, Any], base_init: Callable[..., None]) -> None:
        owner, mode = type(self).__name__, arguments["leak_mode"]
        _leak_mode(owner, "leak_mode", mode)
        own = _LEAKS[mode]
        for name, (way, _) in _LEAK_NAMES.items():
            if arguments[name] is not None and way != mode:
                raise ValueError(
                    f"{owner}: {name} was given, but with leak_mode={mode!r} the leaks are "
                    f"{own.mem} and {own.syn}"
                )
        ways = {way: way == mode for way in _LEAKS}  # to state the leaks
        fixed = {"spiking_input": True, "spiking_output": True}
        super()._declare({**arguments, **ways, **fixed}, base_init)

    def _setup_registry(self) -> None:
        super()._setup_registry()
        self.__dict__["_watched"] = Watched()

    def _as_setting(self, spec: SettingSpec, value: Any) -> Any:
        if spec.name in ("spike_generation_fn", "learning_window", "max_spikes_per_dt"):
            return stored_setting(spec, value)
        return super()._as_setting(spec, value)

    def _declare_absent(self, name: str, shape: Shape) -> None:
        if name == "w_rec":  # zeros that are made when somebody looks at them
            self._registered_attributes[name] = RegisteredAttribute(
                "SimulationParameter", None, None, shape
            )

    def _said_parameter(self, spec: ParameterSpec) -> Value | None:
        if spec.name == "w_rec":  # it can be there without a flag, if it was assigned
            return present_value(self, "w_rec") if self._is_recurrent() else None
        if spec.name not in _LEAK_NAMES or self.leak_mode == "taus":
            return super()._said_parameter(spec)
        own = _LEAKS[self.leak_mode]
        own_name = own.mem if spec.name == "tau_mem" else own.syn
        said = present_value(self, own_name)
        kept = np.clip(said.array, least_of(self, own_name, self.dt), most_of(self, own_name))
        exact = torch.from_numpy(np.asarray(kept)).double()  # a single one is no array
        taus = _convert(self.dt, self.leak_mode, "taus", exact)
        return Value(taus.numpy(), "taus", said.constant)

    def _said_setting(self, spec: SettingSpec, value: Any) -> Any:
        return said_setting(spec, value)

    @classmethod
    def _described_arguments(cls, node: Node) -> dict[str, Any]:
        arguments = super()._described_arguments(node)
        if arguments.get("leak_mode", "taus") != "taus":  # the leaks are stated in another way
            del arguments["tau_mem"], arguments["tau_syn"]
        return with_spike_function(arguments)

    @property
    def n_neurons(self) -> int:
        """Number of neurons."""
        return self.size_out

    @property
    def n_synapses(self) -> int:
        """Number of synapses per neuron."""
        return lif.n_synapses(self.shape)

    # -- the leaks, stated in one way and readable in all ---------------------------------------

    def __getattr__(self, name: str) -> Any:
        stored = self.__dict__
        if name not in stored.get("_parameters", ()) and name not in stored.get("_buffers", ()):
            if self._is_other_leak(name):
                return self._leak(name)
            if name == "w_rec" and "w_rec" in stored.get("_registered_attributes", ()):
                shape = self._registered_attributes["w_rec"].shape
                return torch.zeros_like(self.threshold.detach()).flatten()[0].expand(shape)
        return super().__getattr__(name)

    def __setattr__(self, name: str, value: Any) -> None:
        if self._is_other_leak(name) and not isinstance(value, ParameterBase):
            self._set_leak(name, value)
        else:
            super().__setattr__(name, value)

    def _is_other_leak(self, name: str) -> bool:
        """Whether a name is that of a leak, stated in another way than that of this module."""
        return name in _LEAK_NAMES and _LEAK_NAMES[name][0] != self.__dict__.get(
            "leak_mode", _LEAK_NAMES[name][0]
        )

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
        if own_name in self._registered_attributes and not self._force_set_attributes:
            self._check_shape(own_name, value, name)
        _LEAKS[mode].check(self._label, name, value)
        exact = torch.as_tensor(value, dtype=torch.float64).detach()
        converted = _convert(self.dt, mode, self.leak_mode, exact)
        own.check(self._label, own_name, converted)
        super().__setattr__(own_name, converted)

    def _check_values(self, values: Mapping[str, Any]) -> None:
        mode = values.get("leak_mode", self.leak_mode)
        if mode != self.leak_mode:
            raise ValueError(
                f"{self._label}: leak_mode is {self.leak_mode!r} and cannot be changed, got "
                f"{mode!r}; make another module with leak_mode={mode!r}"
            )
        super()._check_values(values)

    # -- recurrent weights ----------------------------------------------------------------------

    def _is_recurrent(self) -> bool:
        """Whether there are recurrent weights, in whichever form; else `w_rec` shows zeros."""
        if self._stored("w_rec") is not None or "w_rec" in self.__dict__:
            return True
        return hasattr(type(self), "w_rec")  # one that is computed, as by a parametrization

    def _convert_attribute(self, name: str, value: Any, entry: RegisteredAttribute) -> Any:
        # values that are given are taken as they are, and not trained
        if name == "w_rec" and not self._has_rec and getattr(value, "requires_grad", False):
            checks.not_recurrent(self._label)
        return super()._convert_attribute(name, value, entry)

    def _store_attribute(self, name: str, value: Any, entry: RegisteredAttribute) -> None:
        if name == "w_rec" and not self._has_rec and (value is None or not bool(value.any())):
            self._buffers.pop(name, None)
            return
        super()._store_attribute(name, value, entry)

    # -- evolution ------------------------------------------------------------------------------

    def forward(self, data: Tensor) -> Tensor:
        """Return the number of spikes of each neuron in each time step."""
        data = self._input(data, self._load_attribute("threshold"), takes_half)
        output = None if self._record else evolved_on_arrays(self, data)
        if output is not None:
            return output
        arguments = self._loop_arguments(data)
        loop = chosen_loop(self, lif_loop, *arguments)
        output, final, self.__dict__["_record_dict"] = loop(*arguments, self._record)
        require_finite_input(self, data, final.isyn)
        self._keep_state(**final._asdict())
        return output

    def _trained(self) -> dict[str, str]:
        """Return the names of the parameters that each neuron has, by what is made of them."""
        own = _LEAKS[self.leak_mode]
        return {"alpha": own.mem, "beta": own.syn, **self._other_parameters}

    def _made(self, name: str, trained: Tensor) -> Tensor:
        """Return what the time loop takes as `name`, given the values that are trained for it."""
        own = self._trained()[name]
        sound = within_limits(trained, least_of(self, own, self.dt), most_of(self, own))
        return self._made_of_sound(name, sound)

    def _made_of_sound(self, name: str, sound: Tensor) -> Tensor:
        """Return the same, given values in their range."""
        return self._decay(name, sound) if name in DECAYS else sound

    def _decay(self, name: str, trained: Tensor) -> Tensor:
        """Return the decay factor "alpha" or "beta" that is made of a parameter."""
        return _convert(self.dt, self.leak_mode, "decays", trained)

    def _slope(self, name: str, trained: Tensor) -> Tensor | None:
        """Return the derivative of a decay factor by what is trained; None: it has none."""
        if self.leak_mode == "taus":
            return decays.decay_slope(self.dt, trained)
        is_decay = self.leak_mode == "decays"
        return torch.ones_like(trained) if is_decay else decays.bitshift_slope(trained)

    def _sound_values(self) -> dict[str, Tensor]:
        """Return the parameters for the time loop as they are trained, in their range, by name."""
        names = self._trained().values()
        return sound_values(self, *names, *(["w_rec"] if self._is_recurrent() else []))

    def _loop_parameters(self, sound: dict[str, Tensor] | None = None) -> LIFParameters:
        """Return the parameters for the time loop, of values in their range."""
        values = self._sound_values() if sound is None else sound
        made = {
            name: self._made_of_sound(name, values[own]) for name, own in self._trained().items()
        }
        settings = self.spike_generation_fn, self.learning_window, self.max_spikes_per_dt
        function, window, most = spike_settings(*settings)
        return LIFParameters(
            w_rec=values.get("w_rec"), spike_fn=function, window=window, max_spikes=most, **made
        )

    def _loop_arguments(
        self, data: Tensor
    ) -> tuple[Tensor, LIFState, LIFParameters, Tensor | None]:
        """Return input, state, parameters and noise for the time loop."""
        state = LIFState(*(self._start(name, data, self.threshold) for name in self._state_names))
        parameters = self._loop_parameters()
        noise = self._noise((*data.shape[:2], self.n_neurons), self.threshold)
        return data, state, parameters, noise

    def as_graph(self) -> rockpool.graph.GraphHolder:
        """Return the layer as a graph: its neurons and, where it has them, recurrent weights."""
        return self._lif_graph()

    def _lif_graph(
        self, tau_syn: np.ndarray | None = None, w_rec: np.ndarray | None = None
    ) -> rockpool.graph.GraphHolder:
        """Return the graph of the layer, with its own synapses and weights if not with these."""
        from rockpool.graph.from_modules import lif_graph
        from rockpool.nn.modules.torch._base.graphs import to_array

        n = self.n_neurons
        if tau_syn is None:
            tau_syn = to_array(self.tau_syn, n, self.n_synapses)
        if w_rec is None and self._is_recurrent():
            w_rec = to_array(self.w_rec)
        tau_mem, threshold, bias = (
            to_array(value, n) for value in (self.tau_mem, self.threshold, self.bias)
        )
        return lif_graph(self, tau_mem, tau_syn.reshape(-1), threshold, bias, w_rec)


# from one way of stating a leak to another, by (source, target)
_TIMED = {
    ("taus", "decays"): decays.tau_to_decay,
    ("taus", "bitshifts"): decays.tau_to_bitshift,
    ("decays", "taus"): decays.decay_to_tau,
    ("bitshifts", "taus"): decays.bitshift_to_tau,
}
_UNTIMED = {"decays": decays.decay_to_bitshift, "bitshifts": decays.bitshift_to_decay}


def _convert(dt: float | int, source: str, target: str, value: Tensor) -> Tensor:
    """Return a leak that is stated in the way `source` in the way `target`."""
    if source == target:
        return value
    timed = _TIMED.get((source, target))
    return (timed(dt, value) if timed else _UNTIMED[source](value))[0]
