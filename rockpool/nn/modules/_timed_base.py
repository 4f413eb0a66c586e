"""The base class of modules that take and give time series: `TimedModule`, and its clock."""

from __future__ import annotations

import functools
import math
import operator
from abc import abstractmethod
from collections.abc import Callable, Iterator
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rockpool.nn.description import Node, flat_steps
from rockpool.nn.models import checks
from rockpool.nn.modules._attributes import RegisteredAttribute
from rockpool.nn.modules.module import ModuleBase, PostInitMetaMixin
from rockpool.parameters import SimulationParameter, to_numpy
from rockpool.timeseries import TSContinuous, TSEvent
from rockpool.timeseries.time_steps import (
    checked_time_step,
    common_time_step,
    is_multiple,
    whole_steps,
)
from rockpool.typehints import Self

__all__ = ["TimedModule"]


class TimedModuleMeta(PostInitMetaMixin):
    """The metaclass of timed modules: finds the time step when all submodules are there."""

    if not TYPE_CHECKING:  # as in the metaclass of other modules

        def __call__(cls, *args: Any, **kwargs: Any) -> Any:
            instance = super().__call__(*args, **kwargs)
            instance._find_time_step()
            return instance


class TimedModule(ModuleBase, metaclass=TimedModuleMeta):
    """A module that evolves over time series, and keeps the time.

    A derived class implements `evolve`. It is called with the number of time steps, whichever way
    the caller gave it, and the clock moves on by as many when it returns. A typical one::

        def evolve(
            self, ts_input=None, duration=None, num_timesteps=None, kwargs_timeseries=None,
            record=False,
        ):
            _, raster, num_timesteps = self._prepare_input(ts_input, duration, num_timesteps)
            output = ...
            return self._gen_timeseries(output, **(kwargs_timeseries or {})), self.state(), {}

    Timed modules can be nested. The time step of the outer one then becomes the least common
    multiple of its own and those of all modules in it, and a step count that it hands on to a
    submodule means that many of its own steps.

    Parameters
    ----------
    dt : float
        Time step in seconds, > 0.
    spiking_input, spiking_output : bool, default False
        Whether the input, the output is events (`TSEvent`) or samples (`TSContinuous`).
    add_events : bool, default True
        Whether several input events in one channel and time step are counted, or count as one.
    *args, **kwargs
        For `ModuleBase`; mostly ``shape``.

    Raises
    ------
    TypeError
        `dt` is not a number.
    ValueError
        `dt` is not > 0, or the time steps of nested modules have no common multiple of use.
    """

    _checks = MappingProxyType({"dt": checks.time_step})
    _evolves_whole = True

    dt: float

    def __init__(
        self,
        dt: float | int,
        spiking_input: bool = False,
        spiking_output: bool = False,
        add_events: bool = True,
        *args: Any,
        **kwargs: Any,
    ) -> None:
        dt = checked_time_step(type(self).__name__, dt)
        kwargs.update(spiking_input=spiking_input, spiking_output=spiking_output)
        super().__init__(*args, **kwargs)
        self.dt = SimulationParameter(dt, family="dt")
        self.add_events = bool(add_events)
        self._timestep = 0
        self._parent_dt_factor = 1.0
        self._evolving = False

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "evolve" in vars(cls):
            cls.evolve = _with_clock(vars(cls)["evolve"])  # type: ignore[method-assign]

    @abstractmethod
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
        """Evolve from the present time on.

        Parameters
        ----------
        ts_input : TSContinuous or TSEvent, optional
            Input. Default: zeros.
        duration : float, optional
            How long to evolve, in seconds: a whole number of time steps. Default: one period of a
            periodic input, else until the end of the input, in as many whole time steps as fit.
        num_timesteps : int, optional
            How many time steps to evolve, instead of `duration`.
        kwargs_timeseries : dict, optional
            Arguments for the time series of the output, such as ``name``.
        record : bool, default False
            Whether to keep the time course of internal values.
        *args, **kwargs
            As the derived class has it.

        Returns
        -------
        output : TSContinuous or TSEvent
            From the time before the call to the time after it.
        new_state : dict
            The state at the end, nested as `state()`.
        record : dict
            What was recorded, by name.

        Raises
        ------
        TypeError
            Nothing says how long to evolve, `num_timesteps` is not an integer, or the input is not
            of the class `input_type`.
        ValueError
            `num_timesteps` or `duration` is negative, `duration` is no whole number of time steps,
            or the input has ended.
        """

    def __call__(self, *args: Any, **kwargs: Any) -> tuple[Any, dict[str, Any], dict[str, Any]]:
        """Evolve the module; as `evolve`."""
        return self.evolve(*args, **kwargs)

    def _describe(self) -> Node:
        raise TypeError(
            f"{self._label}: a timed module of your own can be neither converted nor stored; "
            "wrap a Module in a TimedModuleWrapper instead"
        )

    def _store_attribute(self, name: str, value: Any, entry: RegisteredAttribute) -> None:
        time = self.t if name == "dt" and "_timestep" in self.__dict__ else None
        super()._store_attribute(name, value, entry)
        if time is not None:
            self._timestep = whole_steps(time, self.dt)  # in steps of another length

    def _tell_children(self) -> None:
        """Have the timed modules inside know how many of their steps make one of this module."""
        for child in self._timed_children():
            if not is_multiple(self.dt, child.dt):
                raise ValueError(
                    f"{self._label}: dt must be a multiple of {child.dt:.12g} s, that of the timed "
                    f"module {child.class_name} inside, but is {self.dt:.12g} s"
                )
            child._parent_dt_factor = float(round(self.dt / child.dt))

    def _timed_children(self) -> list[TimedModule]:
        children = self._registered_modules.values()
        return [child for child in children if isinstance(child, TimedModule)]

    def _snapshot(self, within_ours: bool = True) -> Any:
        return self._timestep, super()._snapshot(within_ours)

    def _put_back(self, snapshot: Any) -> None:
        self._timestep, states = snapshot
        super()._put_back(states)

    # -- the clock --------------------------------------------------------------------------

    @property
    def t(self) -> float:
        """The present time in seconds: a whole number of time steps.

        A time that is set is rounded down to one, and set in all timed modules inside.
        """
        return self._timestep * self.dt

    @t.setter
    def t(self, new_t: float | int) -> None:
        time = float(new_t)
        if not math.isfinite(time):
            raise ValueError(f"{self._label}: t must be a finite number of seconds, got {new_t}")
        self._timestep = whole_steps(time, self.dt)
        for module in _timed_inside(self):
            module.t = self.t

    def reset_time(self) -> Self:
        """Set the clock to 0, also in all submodules."""
        self._timestep = 0
        for module in _timed_inside(self):
            module.reset_time()
        return self

    def reset_all(self) -> Self:
        """Reset the state and the clock, also in all submodules."""
        self.reset_state()
        return self.reset_time()

    @property
    def input_type(self) -> type[TSContinuous] | type[TSEvent]:
        """The class of time series that the module takes."""
        return TSEvent if self.spiking_input else TSContinuous

    @property
    def output_type(self) -> type[TSContinuous] | type[TSEvent]:
        """The class of time series that the module gives."""
        return TSEvent if self.spiking_output else TSContinuous

    def _find_time_step(self) -> None:
        """Find the time step that all modules inside share, and what it means to the children."""
        found = [value for _, value in leaves(self.attributes_named("dt")) if value is not None]
        common = common_time_step(map(float, found), self._label)
        if common != self.dt:
            self.dt = common
        self._tell_children()

    # -- input and output -------------------------------------------------------------------

    def _determine_timesteps(
        self,
        ts_input: TSContinuous | TSEvent | None = None,
        duration: float | int | None = None,
        num_timesteps: int | None = None,
    ) -> int:
        """Return how many time steps to evolve, from what the caller of `evolve` gave."""
        if num_timesteps is not None:
            try:
                steps = operator.index(num_timesteps)
            except TypeError:
                raise TypeError(
                    f"{self._label}: num_timesteps must be an integer, got {num_timesteps!r}"
                ) from None
            if steps < 0:
                raise ValueError(f"{self._label}: num_timesteps must be >= 0, got {steps}")
            return math.ceil(steps * self._parent_dt_factor)
        if duration is not None:
            if not 0 <= duration < math.inf:
                raise ValueError(f"{self._label}: duration must be >= 0 s, got {duration}")
            ratio = float(duration) / self.dt
            # single precision may have rounded it
            if abs(ratio - round(ratio)) > 1e-3 + 1e-7 * ratio:
                raise ValueError(
                    f"{self._label}: duration must be a whole number of time steps of "
                    f"{self.dt:.12g} s, got {duration:.12g} s, which are {ratio:.12g}"
                )
            return round(ratio)
        if ts_input is None:
            raise TypeError(
                f"{self._label}: needs one of ts_input, duration, num_timesteps to know how long "
                f"to evolve"
            )
        self._check_input(ts_input)
        if ts_input.periodic:
            return whole_steps(ts_input.duration, self.dt)
        steps = whole_steps(ts_input.t_stop - self.t, self.dt)
        if steps < 1:
            raise ValueError(
                f"{self._label}: the input ends at {ts_input.t_stop:.12g} s, and it is "
                f"{self.t:.12g} s already, so that not one time step of {self.dt} s is left; "
                f"reset_time() goes back to 0 s"
            )
        return steps

    def _prepare_input(
        self,
        ts_input: TSContinuous | TSEvent | None = None,
        duration: float | int | None = None,
        num_timesteps: int | None = None,
    ) -> tuple[NDArray[Any], NDArray[Any], int]:
        """Return the input from the present time on as an array; arguments as `evolve` gets them.

        Returns
        -------
        time_base : ndarray (T,)
            The time of each step in seconds.
        raster : ndarray (T, size_in)
            The input: samples at those times, or the events in each time step.
        num_timesteps : int
            T.

        Raises
        ------
        TypeError, ValueError
            As `evolve`; a ValueError too if the input does not cover the time that is asked for.
        """
        if ts_input is not None:
            self._check_input(ts_input)
        if num_timesteps is None:
            num_timesteps = self._determine_timesteps(ts_input, duration, num_timesteps)
        times = self.dt * (self._timestep + np.arange(num_timesteps))
        if ts_input is None:
            return times, np.zeros((num_timesteps, self.size_in or 1)), num_timesteps
        if isinstance(ts_input, TSEvent):
            return times, self._event_raster(ts_input, num_timesteps), num_timesteps
        if self.size_in is not None and ts_input.num_channels not in (1, self.size_in):
            raise ValueError(
                f"{self._label}: takes {self.size_in} input channels (or 1 for all), but the "
                f"input has {ts_input.num_channels}"
            )
        if not ts_input.contains(times):
            raise ValueError(
                f"{self._label}: the input has values from {ts_input.t_start:.12g} to "
                f"{ts_input.t_stop:.12g} s, which does not cover the {num_timesteps} steps from "
                f"{times[0]:.12g} to {times[-1]:.12g} s; a periodic series goes on for ever"
            )
        return times, ts_input(times), num_timesteps

    def _event_raster(self, ts_input: TSEvent, num_timesteps: int) -> NDArray[Any]:
        """Return input events as a raster with a column for each input channel."""
        size_in = ts_input.num_channels if self.size_in is None else self.size_in
        if np.any(ts_input.channels >= size_in):
            raise ValueError(
                f"{self._label}: takes {size_in} input channels, but the input has events in "
                f"channel {ts_input.channels.max()}"
            )
        return ts_input.raster(
            self.dt,
            t_start=self.t,
            num_timesteps=num_timesteps,
            channels=np.arange(size_in),
            add_events=self.add_events,
        )

    def _check_input(self, ts_input: Any) -> None:
        if not isinstance(ts_input, self.input_type):
            raise TypeError(
                f"{self._label}: ts_input must be a {self.input_type.__name__}, "
                f"got {type(ts_input).__name__}"
            )

    def _gen_time_trace(self, t_start: float | int, num_timesteps: int) -> NDArray[Any]:
        """Return the times of some steps in seconds, (num_timesteps,)."""
        return np.arange(num_timesteps) * self.dt + t_start

    def _gen_timeseries(self, output: Any, **kwargs: Any) -> TSContinuous | TSEvent:
        """Return output as a time series that starts at the present time, of the `output_type`.

        The output is an array (T, size_out) or (B, T, size_out) of numpy, torch or jax; of a batch,
        the first element counts. Further arguments are for the time series, in place of those that
        follow from the module.
        """
        values = to_numpy(output)
        if values.ndim >= 3:
            values = flat_steps(values)[0]
        kind = "events" if self.spiking_output else "samples"
        name = f"Output {kind} '{self.name}'" if self.name else f"Output {kind}"
        settings: dict[str, Any] = {"dt": self.dt, "t_start": self.t, "name": name}
        if self.spiking_output:
            settings["num_channels"] = self.size_out
            return TSEvent.from_raster(values, **(settings | kwargs))
        return TSContinuous.from_clocked(values, **(settings | kwargs))


def _with_clock(evolve: Callable[..., Any]) -> Callable[..., Any]:
    """Let an `evolve` be called with the number of time steps, and the clock move on by it."""

    @functools.wraps(evolve)
    def evolve_with_clock(
        self: TimedModule,
        ts_input: TSContinuous | TSEvent | None = None,
        duration: float | int | None = None,
        num_timesteps: int | None = None,
        *args: Any,
        **kwargs: Any,
    ) -> Any:
        if self._evolving:  # called through super(): the outermost one keeps the time
            return evolve(self, ts_input, duration, num_timesteps, *args, **kwargs)
        self._tell_children()  # whose time steps may have been set
        steps = self._determine_timesteps(ts_input, duration, num_timesteps)
        self._evolving = True
        try:
            result = self._all_or_nothing(evolve, self, ts_input, duration, steps, *args, **kwargs)
        finally:
            self._evolving = False
        self._timestep += steps
        return result

    return evolve_with_clock


def _timed_inside(module: ModuleBase) -> Iterator[TimedModule]:
    """Go through the outermost of all timed modules inside a module."""
    for child in module._registered_modules.values():
        if isinstance(child, TimedModule):
            yield child
        else:
            yield from _timed_inside(child)


def leaves(d: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Go through a nested dict: yield each key with its value, where that is not a dict."""
    for key, value in d.items():
        if isinstance(value, dict):
            yield from leaves(value)
        else:
            yield key, value
