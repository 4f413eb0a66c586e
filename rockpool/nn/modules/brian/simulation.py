"""Simulations on Brian 2 that leave nothing behind in it: settings, device, and input over time."""

from __future__ import annotations

import shutil
import sys
import tempfile
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np

from rockpool.backends.specs import specification
from rockpool.backends.status import why_not_here
from rockpool.nn.models import checks
from rockpool.nn.models.model import SettingSpec
from rockpool.nn.modules.module import Module
from rockpool.typehints import ArrayLike

_refusal = why_not_here(specification("brian"))
if _refusal:
    raise ImportError(_refusal, name="brian2")
_excepthook = None if "brian2" in sys.modules else sys.excepthook
with warnings.catch_warnings():  # it calls a parser library by names that are on their way out
    warnings.filterwarnings("ignore", category=DeprecationWarning)
    import brian2
    from brian2.devices.device import get_device, reset_device, set_device
if _excepthook is not None:  # Brian takes every uncaught error of a program for one of its own
    sys.excepthook = _excepthook

__all__ = [
    "CODEGEN_TARGET",
    "TARGETS",
    "BrianLayer",
    "Feed",
    "brian2",
    "check_target",
    "clock_of",
    "is_standalone",
    "per_neuron",
    "recording",
    "recurrent_synapses",
    "run",
    "settings_for",
]

TARGETS = ("numpy", "cython", "cpp_standalone")
_STANDALONE = "cpp_standalone"

# In force while a simulation is built and run. With Brian's own flags the compiler may reorder sums
# and fuse multiplications with additions, which moves spikes.
_SETTINGS: dict[str, Any] = {
    "codegen.loop_invariant_optimisations": False,
    "codegen.cpp.extra_compile_args_gcc": [
        "-w",
        "-O3",
        "-march=native",
        "-ffp-contract=off",
        "-std=c++11",
    ],
    "codegen.cpp.extra_compile_args_msvc": ["/Ox", "/w", "/MP", "/fp:strict"],
}
# Of later releases: else Ctrl-C ends a simulation as if it were over, and gives what there is then.
_STOP_ON_CTRL_C = "core.stop_on_keyboard_interrupt"
if _STOP_ON_CTRL_C in brian2.prefs:
    _SETTINGS[_STOP_ON_CTRL_C] = False


def check_target(owner: str, name: str, target: Any) -> None:
    """Raise a `ValueError` if there is no such target of Brian's code generation."""
    if target not in TARGETS:
        raise ValueError(
            f"{owner}: {name} must be {checks.one_of(map(repr, TARGETS))}, got {target!r}"
        )


CODEGEN_TARGET = SettingSpec("codegen_target", "numpy", check=check_target)


def is_standalone(target: str) -> bool:
    """Whether a simulation becomes a program of its own, in which no Python runs."""
    return target == _STANDALONE


@contextmanager
def settings_for(target: str) -> Iterator[None]:
    """Let Brian generate code for a target; afterwards all its settings are as they were."""
    kept = {name: brian2.prefs[name] for name in (*_SETTINGS, "codegen.target")}
    with warnings.catch_warnings(), _device_for(target):
        warnings.filterwarnings("ignore", category=DeprecationWarning)  # as for the import
        try:
            brian2.prefs.update(_SETTINGS)
            if not is_standalone(target):
                brian2.prefs["codegen.target"] = target
            yield
        finally:
            brian2.prefs.update(kept)


@contextmanager
def _device_for(target: str) -> Iterator[None]:
    """Make the device of a target the active one for a while."""
    if not is_standalone(target):
        set_device("runtime")
        try:
            yield
        finally:
            reset_device()
        return
    folder = tempfile.mkdtemp(prefix="rockpool_brian_")
    set_device(_STANDALONE, directory=folder)
    try:
        yield
    finally:
        get_device().reinit()
        reset_device()
        shutil.rmtree(folder)


class BrianLayer(Module):
    """A layer that Brian runs: the base class before the numpy class of the same model."""

    codegen_target: str

    def evolve(
        self, input_data: ArrayLike, record: bool = False
    ) -> tuple[np.ndarray, dict[str, Any], dict[str, Any]]:
        """Evolve the neurons over time; as the numpy class of the same model."""
        check_target(self._label, "codegen_target", self.codegen_target)
        data, _ = self._auto_batch(input_data)
        self._require_finite_data(data, data)
        if 0 in data.shape:  # there is nothing to simulate
            return super().evolve(input_data, record)  # type: ignore[safe-super]
        with settings_for(self.codegen_target):
            return self._run(data, record)

    def _run(
        self, data: np.ndarray, record: bool
    ) -> tuple[np.ndarray, dict[str, Any], dict[str, Any]]:
        """Evolve with input ``(B, T, N)``, in which there is something to simulate."""
        raise NotImplementedError


def run(owner: str, network: Any, n_steps: int, dt: float | int, namespace: dict[str, Any]) -> None:
    """Run a network over so many time steps; `RuntimeError` where it was stopped before.

    An error, Ctrl-C among them, leaves no trace: Brian would go on to take a simulation for running
    and the next Ctrl-C for one that is meant to stop it.
    """
    running = getattr(brian2.Network, "_globally_running", False)
    try:
        network.run(n_steps * dt * brian2.second, namespace=namespace)
    finally:
        brian2.Network._globally_running = running
    if get_device()._last_run_completed_fraction < 1.0 - 0.5 / n_steps:
        raise RuntimeError(
            f"{owner}: Brian was stopped before the end of the simulation; the state is as it was "
            f"before the call"
        )


def clock_of(dt: float | int) -> Any:
    """Return a clock with a time step in seconds."""
    return brian2.Clock(dt=dt * brian2.second, name="rockpool_clock")


def recording(group: Any, names: list[str]) -> Any:
    """Return what records variables of a group at the end of each time step."""
    return brian2.StateMonitor(group, names, record=True, when="end", name="rockpool_monitor")


def per_neuron(module: Module, values: Any, n_batch: int) -> np.ndarray:
    """Return a parameter of a module for the neurons of all batch elements, one after the other."""
    return np.broadcast_to(values, (n_batch, module.size_out)).ravel()


def recurrent_synapses(
    group: Any, weights: np.ndarray, n_batch: int, name: str, equations: str, **code: str
) -> list[Any]:
    """Return an object with the synapses of weights (N, N); none where all weights are 0.

    The neurons of all batch elements are in the group, and have synapses of their own; `equations`
    has the weight ``w``, and `code` is for the constructor of the synapses.
    """
    pre, post = np.nonzero(weights)
    if not pre.size:
        return []
    synapses = brian2.Synapses(
        group,
        group,
        equations,
        clock=group.clock,
        name=name,
        dtype=np.float64,
        namespace={},
        **code,
    )
    offsets = len(weights) * np.arange(n_batch)[:, np.newaxis]
    synapses.connect(i=(offsets + pre).ravel(), j=(offsets + post).ravel())
    synapses.w_ = np.tile(weights[pre, post], n_batch)
    return [synapses]


class Feed:
    """Values of variables of a group for each time step.

    Where Python runs along, it writes them into the variables; the generated code is then the same
    for any number of time steps, and is compiled once. A program of its own gets them as tables.

    Parameters
    ----------
    target : str
        The target of the code generation.
    clock : brian2.Clock
        The clock of the group.
    values : mapping of str to array (T, N)
        Name of the variable, and its values.

    Attributes
    ----------
    code : str
        Statements for the beginning of the update in a time step.
    namespace : dict
        What these statements refer to.
    """

    def __init__(self, target: str, clock: Any, values: Mapping[str, np.ndarray]) -> None:
        self._values = values
        self._clock = clock
        self._standalone = is_standalone(target)
        self.code = ""
        self.namespace: dict[str, Any] = {}
        if self._standalone:
            self.code = "".join(f"{name} = {name}_over_time(t, i)\n" for name in values)
            self.namespace = {
                f"{name}_over_time": brian2.TimedArray(table, dt=clock.dt, name=f"{name}_over_time")
                for name, table in values.items()
            }

    def operations(self, group: Any) -> list[Any]:
        """Return the objects that the network of the group needs besides."""
        if self._standalone:
            return []
        rows = zip(*self._values.values(), strict=True)
        targets = [group.variables[name].get_value() for name in self._values]

        def write() -> None:
            for target, row in zip(targets, next(rows), strict=True):
                target[:] = row

        return [
            brian2.NetworkOperation(
                write, clock=self._clock, when="start", order=-1, name="rockpool_input"
            )
        ]
