"""Modules that take and give time series: `TimedModule`, and wrappers that make others such.

`TimedModuleWrapper` (or ``module.timed()``) wraps a module of any back-end, `astimedmodule` and
`LayerToTimedModule` a layer class or object that keeps its own time.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from typing import Any

import numpy as np

from rockpool.nn.description import Node
from rockpool.nn.modules._attributes import RegisteredAttribute
from rockpool.nn.modules._backend_hooks import BackendHooks
from rockpool.nn.modules._described import described_container
from rockpool.nn.modules._observed import input_for, torch_for
from rockpool.nn.modules._timed_base import TimedModule, leaves
from rockpool.nn.modules._timed_layer import LayerToTimedModule, astimedmodule
from rockpool.nn.modules.module import Module
from rockpool.parameters import SimulationParameter, is_tensor, to_numpy
from rockpool.timeseries import TSContinuous, TSEvent
from rockpool.timeseries.time_steps import checked_time_step, gcd, is_multiple, lcm

__all__ = [
    "LayerToTimedModule",
    "TimedModule",
    "TimedModuleWrapper",
    "astimedmodule",
    "gcd",
    "is_multiple",
    "lcm",
    "leaves",
    "tree_map",
]


class TimedModuleWrapper(TimedModule):
    """A module of any back-end, wrapped so that it takes and gives time series.

    The wrapped module is the submodule ``_module``. It gets the input as an array of the shape
    (T, size_in), a tensor where it is a torch module, and goes on from the state of the last call.
    A module whose state changes in copies only (of jax) is replaced by the copy on each call.

    Parameters
    ----------
    module : Module
        The module.
    output_num : int, default 0
        Which output to convert to a time series, if the module returns several.
    dt : float, optional
        Time step in seconds. Default: that of the module, or the one that all its submodules have.
    add_events : bool, default True
        Whether several input events in one channel and time step are counted, or count as one.
    *args, **kwargs
        For `TimedModule`.

    Raises
    ------
    TypeError
        `module` is not a `Module`.
    KeyError
        There is no `dt`, neither here nor in the module.
    ValueError
        `dt` is not > 0.

    Warns
    -----
    UserWarning
        `dt` is given although the module has one; or modules inside have time steps that differ,
        although all of them make one step for each step of the input.
    """

    _module: Module
    _dt_inside: float | None = None  # the time step of the module, when it was last looked at

    def __init__(
        self,
        module: Module,
        output_num: int = 0,
        dt: float | int | None = None,
        add_events: bool = True,
        *args: Any,
        **kwargs: Any,
    ) -> None:
        if not isinstance(module, Module):
            raise TypeError(
                f"{type(self).__name__}: module must be a Module, got {type(module).__name__}"
            )
        step = self._time_step_for(module, dt)
        super().__init__(
            step,
            module.spiking_input,
            module.spiking_output,
            add_events,
            *args,
            shape=(module.size_in, module.size_out),
            **kwargs,
        )
        if getattr(module, "dt", None) is None:
            module.dt = step if hasattr(module, "dt") else SimulationParameter(step)
        self._module = module
        self._dt_inside = self._inner_time_step()
        self._output_num = output_num

    def _store_attribute(self, name: str, value: Any, entry: RegisteredAttribute) -> None:
        if name == "dt" and "_module" in self._registered_modules:  # those inside make its steps
            before = {float(self.dt), self._inner_time_step()}
            steps = _replaced(self._module.attributes_named("dt"), before, float(value))
            if steps:  # first, as they may refuse it
                self._module = self._module.set_attributes(steps)
            self._dt_inside = self._inner_time_step()
        super()._store_attribute(name, value, entry)

    def _time_step_for(self, module: Module, dt: float | int | None) -> float:
        """Return the time step that a module runs with; the argument is for one that has none."""
        own = getattr(module, "dt", None)
        found = leaves(module.attributes_named("dt"))
        inner = sorted({float(value) for _, value in found if value is not None})
        alike = bool(np.allclose(inner, inner[:1], rtol=1e-9, atol=0.0))
        if not alike:
            warnings.warn(
                f"{type(self).__name__}: the modules inside have different time steps "
                f"({', '.join(map(str, inner))} s), but each of them makes one step a time step",
                stacklevel=4,
            )
        if own is not None:
            if dt is not None and dt != own:
                warnings.warn(
                    f"{type(self).__name__}: dt = {dt} is ignored, as the module has dt = {own}",
                    stacklevel=4,
                )
            return checked_time_step(type(self).__name__, own)
        if dt is not None:
            step = checked_time_step(type(self).__name__, dt)
            if inner and alike and not np.isclose(inner[0], step, rtol=1e-9, atol=0.0):
                warnings.warn(
                    f"{type(self).__name__}: dt = {dt} is not that of the modules inside "
                    f"({inner[0]} s), which make one step of their own in each",
                    stacklevel=4,
                )
            return step
        if len(inner) != 1:
            raise KeyError(
                f"{type(self).__name__}: dt must be given, as {module.class_name} has none and its "
                f"submodules have {'different ones' if inner else 'none'}"
            )
        return inner[0]

    def _inner_time_step(self) -> float:
        inner: Any = self._module
        return float(inner.dt)

    def _determine_timesteps(self, *args: Any, **kwargs: Any) -> int:
        inside = self._inner_time_step()
        if self._dt_inside is not None and inside != self._dt_inside:  # it has been set there
            self.dt = inside
        self._dt_inside = inside
        return super()._determine_timesteps(*args, **kwargs)

    def _describe(self) -> Node:
        settings = {"dt": self.dt, "add_events": self.add_events, "output_num": self._output_num}
        return described_container(self, "TimedModuleWrapper", settings=settings)

    @property
    def module(self) -> Module:
        """The wrapped module."""
        return self._module

    def evolve(  # type: ignore[override]
        self,
        ts_input: TSContinuous | TSEvent | None = None,
        duration: float | int | None = None,
        num_timesteps: int | None = None,
        kwargs_timeseries: dict[str, Any] | None = None,
        record: bool = False,
        *args: Any,
        **kwargs: Any,
    ) -> tuple[TSContinuous | TSEvent, dict[str, Any], dict[str, Any]]:
        """Evolve the wrapped module from the present time on; see `TimedModule.evolve`.

        Further arguments are for the `evolve` of the wrapped module. Its state is returned under
        ``_module``; with `record`, what it recorded are time series where it knows how.
        """
        t_start = self.t
        _, raster, _ = self._prepare_input(ts_input, duration, num_timesteps)
        torch = torch_for(self._module)
        if torch is not None:  # of whose modules not all take less
            raster = raster[np.newaxis]
        # a time series has no gradients, and the state would keep them
        with nullcontext() if torch is None else torch.no_grad():
            kwargs["record"] = record
            output, new_state, recorded = self._module.evolve(
                input_for(self._module, raster), *args, **kwargs
            )
        if isinstance(output, tuple):
            if not -len(output) <= self._output_num < len(output):
                raise ValueError(
                    f"{self._label}: output_num must be below {len(output)}, the number of "
                    f"outputs, got {self._output_num}"
                )
            output = output[self._output_num]
        ts_output = self._gen_timeseries(output, **(kwargs_timeseries or {}))
        if type(self._module)._update_target is not BackendHooks._update_target:
            # it changes in copies only, so that its `evolve` keeps no state
            self._module = self._module.set_attributes(new_state)
        if record:
            arrays = tree_map(lambda x: to_numpy(x) if is_tensor(x) else x, recorded)
            recorded = self._module._wrap_recorded_state(arrays, t_start)
        return ts_output, {"_module": new_state}, recorded

    def _known_attributes(self, given: Any, unknown: list[str], path: str = "") -> dict[str, Any]:
        """Take values nested under ``_module``, as `state()` has them, or those of that module."""
        if not isinstance(given, Mapping):
            return super()._known_attributes(given, unknown, path)
        inner = dict(given.get("_module", {}))
        own = {"_module": inner}
        for name, value in given.items():
            is_own, is_inner = (m._has_name(name) for m in (self, self._module))
            if is_inner:
                inner[name] = value
            if is_own or not is_inner:
                own.setdefault(name, value)
        return super()._known_attributes(own, unknown, path)

    def __repr__(self, indent: str = "") -> str:
        return f"{super().__repr__(indent)} with {self._module.full_name} as module"


def _replaced(found: dict[str, Any], before: set[float], after: float | int) -> dict[str, Any]:
    """Return a nested dict of time steps with those that were `before` replaced; of no others."""
    changed: dict[str, Any] = {}
    for name, value in found.items():
        if isinstance(value, dict):
            branch = _replaced(value, before, after)
            changed |= {name: branch} if branch else {}
        elif value is not None and float(value) in before - {float(after)}:
            changed[name] = after
    return changed


def tree_map(func: Callable[[Any], Any], tree: Any) -> Any:
    """Return nested dicts, lists and tuples with `func` applied to each value in them."""
    if isinstance(tree, dict):
        return {key: tree_map(func, value) for key, value in tree.items()}
    if isinstance(tree, list):
        return [tree_map(func, value) for value in tree]
    if isinstance(tree, tuple):
        return tuple(tree_map(func, value) for value in tree)
    return func(tree)
