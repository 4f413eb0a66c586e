"""The neurons of NIR, one table from which the five models are made by leaving out.

`IF`, `LIF` and `LI` of NIR take their input on the membrane, `CubaLIF` and `CubaLI` have a synaptic
current before it; `LI` and `CubaLI` do not spike. The equations of NIR are continuous, and each
package that writes such files has a step of its own. One step here, of which the settings make any
of them, is::

    x  = x_t + spikes @ w_rec
    i <- a_syn i + g_syn x            gain_syn="decay":  a_syn (i + x);  without synapse: i = x
    v <- a_mem v + g_mem i + (1 - a_mem) v_leak          IF: a_mem = 1
    n  = how often v passes the threshold, at most max_spikes_per_dt
    v <- v - n (threshold - v_reset)  reset="value": v_reset where n > 0; "none": as it is

With ``decay="euler"``, ``a = 1 - dt / tau``, else ``a = exp(-dt / tau)``; a gain is the parameter
(`r`, `w_in`) times ``1 - a`` (IF: times ``dt``), or 1 ("unit"). By default this is the forward
Euler step of NIR's own equations.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from rockpool.nn.models import checks
from rockpool.nn.models.model import Check, Model, ParameterSpec, SettingSpec, Shape, StateSpec

__all__ = [
    "AHEAD",
    "CUBA_LIF_EULER",
    "CUBA_LI_EULER",
    "IF_EULER",
    "LATE",
    "LIF_EULER",
    "LI_EULER",
    "NONE",
    "OF_CONSTANTS",
    "SUBTRACT",
    "VALUE",
    "Constants",
    "Rules",
    "constants",
    "rules",
]

DECAYS = ("euler", "exp")
GAINS = ("r", "unit")
SYNAPTIC_GAINS = ("w_in", "unit", "decay")
ORDERS = ("new", "old")
NONE, VALUE, SUBTRACT = 0, 1, 2
NOW, LATE, AHEAD = 0, 1, 2
RESET_DELAYS = {False: NOW, True: LATE, "snntorch": AHEAD}
RESETS = {"value": VALUE, "subtract": SUBTRACT, "none": NONE}
FIRES = (">", ">=")
DELAYS = (0, 1)

TAUS = ("tau_mem", "tau_syn")
# the parameters that decays and gains are made of
OF_CONSTANTS = (*TAUS, "r", "w_in", "v_leak")


class Constants(NamedTuple):
    """What a step computes with: arrays of the shape of their parameters, or plain numbers."""

    a_mem: Any  # what is left of the membrane
    g_mem: Any  # gain of the current
    leak: Any  # what is added to the membrane in any case
    a_syn: Any  # what is left of the synaptic current
    g_syn: Any  # gain of the input


def constants(
    values: Mapping[str, Any], settings: Mapping[str, Any], exp: Callable[[Any], Any]
) -> Constants:
    """Return decays and gains of a step, to be computed in double precision and cast once.

    Parameters
    ----------
    values : mapping
        ``tau_mem``, ``tau_syn``, ``r``, ``w_in``, ``v_leak``, those that the model has: arrays of
        any library.
    settings : mapping
        ``dt``, ``decay``, ``gain`` and, with a synapse, ``gain_syn``.
    exp : callable
        The exponential function of the library.
    """
    dt, exact = settings["dt"], settings["decay"] == "exp"

    def left(tau: Any) -> tuple[Any, Any]:
        """Return what is left after a step, and the rest."""
        if exact:
            kept = exp(-dt / tau)
            return kept, 1.0 - kept
        return 1.0 - dt / tau, dt / tau

    a_mem, rest, leak, a_syn, g_syn = 1.0, dt, 0.0, 0.0, 1.0
    if "tau_mem" in values:
        a_mem, rest = left(values["tau_mem"])
        leak = rest * values["v_leak"]
    g_mem = 1.0 if settings["gain"] == "unit" else values["r"] * rest
    if "tau_syn" in values:
        a_syn, rest = left(values["tau_syn"])
        if settings["gain_syn"] == "w_in":
            g_syn = values["w_in"] * rest
    return Constants(a_mem, g_mem, leak, a_syn, g_syn)


class Rules(NamedTuple):
    """The settings of a step, besides what is in its constants, as plain values."""

    at_once: bool  # the input of the synapse decays in its own step
    old: bool  # the membrane sees the current before the update
    reset: int  # NONE, VALUE or SUBTRACT
    reset_delay: int  # NOW, LATE, or AHEAD, which matters with SUBTRACT only
    strict: bool  # fires above the threshold only
    max_spikes: float  # in one step, with the reset that there is
    delay: bool  # the output comes a step late


def rules(settings: Mapping[str, Any]) -> Rules:
    """Return the rules of a step; a setting that the model has not is at its default."""
    said = {spec.name: spec.default for spec in EULER.settings} | dict(settings)
    subtracts = said["reset"] == "subtract"
    late = RESET_DELAYS[said["reset_delay"]]
    return Rules(
        at_once=said["gain_syn"] == "decay",
        old=said["synapse"] == "old",
        reset=RESETS[said["reset"]],
        reset_delay=NOW if late == AHEAD and not subtracts else late,
        strict=said["fires"] == ">",
        max_spikes=float(said["max_spikes_per_dt"]) if subtracts else 1.0,
        delay=bool(said["delay"]),
    )


def module_shape(owner: str, shape: Any) -> Shape:
    """Return ``(N, N)`` for the argument `shape`, an int or the axes of an array of N neurons.

    Raises
    ------
    ValueError
        An entry < 1, or too many neurons.
    TypeError
        Not ints.
    """
    size = math.prod(checks.shape_entries(owner, shape))
    if size > checks.LARGEST_SIZE:
        raise ValueError(f"{owner}: shape {shape} is that of {size} neurons, must be < 2**31")
    return size, size


def _one_of(*choices: Any) -> Check:
    """Return a check that a setting is one of some values."""

    def check(owner: str, name: str, value: Any) -> None:
        allowed = any(type(value) is type(choice) and value == choice for choice in choices)
        if not allowed:
            raise ValueError(
                f"{owner}: {name} must be {checks.one_of(map(repr, choices))}, got {value!r}"
            )

    return check


def _spike_count(owner: str, name: str, value: Any) -> None:
    checks.whole_count(owner, name, value, infinite=True)


def _neuron_shape(owner: str, name: str, value: Any) -> None:
    checks.shape_entries(owner, value, name)


def _fits(owner: str, arguments: Mapping[str, Any]) -> None:
    """Require what several values have to be together.

    An Euler step wants time constants of at least one step, or it would overshoot; a reset has to
    lead below the threshold.
    """
    if arguments["decay"] == "euler":
        for name in set(TAUS) & arguments.keys():
            checks.at_least_a_step(owner, name, _given(arguments, name), arguments["dt"])
    if "threshold" not in arguments:
        return
    threshold = checks.known_values(owner, "threshold", _given(arguments, "threshold"))
    v_reset = checks.known_values(owner, "v_reset", _given(arguments, "v_reset"))
    if threshold is None or v_reset is None:  # not known yet
        return
    if not np.all(_flat(threshold) > _flat(v_reset)):
        raise ValueError(
            f"{owner}: threshold must be > v_reset, to which the membrane is reset, got threshold "
            f"{_shown(threshold)} and v_reset {_shown(v_reset)}"
        )


def _given(arguments: Mapping[str, Any], name: str) -> Any:
    value = arguments[name]
    return EULER[name].default if value is None else value


def _flat(values: np.ndarray) -> np.ndarray:
    return values.reshape(-1)


def _shown(values: np.ndarray) -> str:
    return f"{values:g}" if values.ndim == 0 else np.array2string(values, threshold=6)


_PER_NEURON = (("N",), ())

# everything that one of the models has
EULER = Model(
    name="",
    title="",
    module_shape=module_shape,
    dimensions=lambda shape: {"N": shape[-1]},
    attributes=(
        SettingSpec("neuron_shape", (1,), check=_neuron_shape, stored_as="_neuron_shape"),
        SettingSpec("has_rec", False, stored_as="_has_rec"),
        ParameterSpec(
            "w_rec", "weights", (("N", "N"),), drawn_by="weight_init_func", only_with="has_rec"
        ),
        ParameterSpec("tau_mem", "taus", _PER_NEURON, 20e-3, "s", checks.time_constant),
        ParameterSpec("tau_syn", "taus", _PER_NEURON, 20e-3, "s", checks.time_constant),
        ParameterSpec("r", "weights", _PER_NEURON, 1.0),
        ParameterSpec("w_in", "weights", _PER_NEURON, 1.0),
        ParameterSpec("v_leak", "bias", _PER_NEURON, 0.0),
        ParameterSpec("threshold", "threshold", _PER_NEURON, 1.0),
        ParameterSpec("v_reset", "bias", _PER_NEURON, 0.0),
        SettingSpec("dt", 1e-3, "s", checks.time_step),
        SettingSpec("decay", "euler", check=_one_of(*DECAYS)),
        SettingSpec("gain", "r", check=_one_of(*GAINS)),
        SettingSpec("gain_syn", "w_in", check=_one_of(*SYNAPTIC_GAINS)),
        SettingSpec("synapse", "new", check=_one_of(*ORDERS)),
        SettingSpec("reset", "value", check=_one_of(*RESETS)),
        SettingSpec("reset_delay", False, check=_one_of(*RESET_DELAYS), types=(str, bool)),
        SettingSpec("fires", ">", check=_one_of(*FIRES)),
        SettingSpec("max_spikes_per_dt", 1.0, check=_spike_count),
        SettingSpec("delay", 0, check=_one_of(*DELAYS)),
        StateSpec("spikes", ("N",)),
        StateSpec("isyn", ("N",)),
        StateSpec("vmem", ("N",)),
    ),
    source="J. E. Pedersen et al., Neuromorphic intermediate representation: a unified instruction "
    "set for interoperable brain-inspired computing, Nature Communications 15, 8122 (2024)",
    relation=_fits,
    shape_setting="neuron_shape",
)

_BACKENDS = {"numpy": "", "numba": "Numba", "torch": "Torch", "jax": "Jax"}

# with the settings as they are by default
_RECURRENCE = "x = x_t + spikes @ w_rec"
_SYNAPSE = """\
a_syn = 1 - dt / tau_syn
isyn <- a_syn * isyn + (1 - a_syn) * w_in * {}"""
_MEMBRANE = """\
a_mem = 1 - dt / tau_mem
vmem <- a_mem * vmem + (1 - a_mem) * (r * {} + v_leak)"""
_SPIKES = """\
spikes <- (vmem > threshold)
vmem <- v_reset if spikes > 0 else vmem"""


def _model(name: str, title: str, names: str, *equations: str) -> Model:
    """Return the table of one model: these names of the general one."""
    return replace(
        EULER.arranged(names),
        name=name,
        title=title,
        equations="\n".join(equations),
        classes={backend: name + suffix for backend, suffix in _BACKENDS.items()},
    )


_FIRST = "neuron_shape has_rec w_rec "
_FIRING = "threshold v_reset dt decay gain "
_LAST = "reset reset_delay fires max_spikes_per_dt delay spikes "

IF_EULER = _model(
    "IFEuler",
    "integrate-and-fire of NIR",
    f"{_FIRST} r threshold v_reset dt decay gain {_LAST} vmem",
    _RECURRENCE,
    "vmem <- vmem + r * dt * x",
    _SPIKES,
)

LIF_EULER = _model(
    "LIFEuler",
    "leaky integrate-and-fire of NIR",
    f"{_FIRST} tau_mem r v_leak {_FIRING} {_LAST} vmem",
    _RECURRENCE,
    _MEMBRANE.format("x"),
    _SPIKES,
)

LI_EULER = _model(
    "LIEuler",
    "leaky integrator of NIR",
    "neuron_shape tau_mem r v_leak dt decay gain delay vmem",
    _MEMBRANE.format("x_t"),
)

CUBA_LIF_EULER = _model(
    "CubaLIFEuler",
    "current-based leaky integrate-and-fire of NIR",
    f"{_FIRST} tau_mem tau_syn r w_in v_leak {_FIRING} gain_syn synapse {_LAST} isyn vmem",
    _RECURRENCE,
    _SYNAPSE.format("x"),
    _MEMBRANE.format("isyn"),
    _SPIKES,
)

CUBA_LI_EULER = _model(
    "CubaLIEuler",
    "current-based leaky integrator of NIR",
    "neuron_shape tau_mem tau_syn r w_in v_leak dt decay gain gain_syn synapse delay isyn vmem",
    _SYNAPSE.format("x_t"),
    _MEMBRANE.format("isyn"),
)
