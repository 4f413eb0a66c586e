"""Layers that keep their own time, as timed modules: `LayerToTimedModule` and `astimedmodule`."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

from rockpool.nn.modules._registry import RegisteredAttribute
from rockpool.nn.modules._timed_base import TimedModule
from rockpool.nn.modules.module import ModuleBase
from rockpool.parameters import Parameter, SimulationParameter, State
from rockpool.timeseries import TimeSeries, TSContinuous, TSEvent
from rockpool.typehints import Self

__all__ = ["LayerToTimedModule", "astimedmodule"]


class LayerToTimedModule(TimedModule):
    """A layer that evolves over time series by itself, as a timed module.

    The layer is any object with

    * ``size_in``, ``size_out``: its numbers of channels, and ``dt``: its time step in seconds;
    * ``evolve(ts_input=None, duration=None, num_timesteps=None)``: goes on from where it is, and
      returns a time series;
    * ``reset_state()``: goes back to its initial state;

    and, where it differs from the default,

    * ``input_type``, ``output_type``: `TSContinuous` (the default) or `TSEvent`;
    * ``reset_time()``: sets a clock of its own to 0.

    Parameters
    ----------
    layer : object
        The layer.
    parameters, states, simulation_parameters : list of str, optional
        Names of the layer's attributes to register as such. They stay in the layer, and so does
        ``dt``: reading them here reads, and setting them here sets, those of the layer.

    Raises
    ------
    TypeError
        `layer` is no such object, or is a module already.
    ValueError
        The layer has no attribute of a given name.
    """

    _layer: Any

    def __init__(
        self,
        layer: Any,
        parameters: Sequence[str] | None = None,
        states: Sequence[str] | None = None,
        simulation_parameters: Sequence[str] | None = None,
    ) -> None:
        missing = [] if isinstance(layer, type) else _missing_members(layer)
        if missing or isinstance(layer, (type, ModuleBase)):
            reason = f": it has no {', '.join(missing)}" if missing else ""
            raise TypeError(
                f"{type(self).__name__}: layer must be a layer object, "
                f"got {layer if isinstance(layer, type) else type(layer).__name__}{reason}"
            )
        kinds = [(Parameter, parameters), (State, states)]
        kinds.append((SimulationParameter, simulation_parameters))
        names = [name for _, group in kinds for name in group or ()]
        unknown = [name for name in names if not hasattr(layer, name)]
        if unknown:
            raise ValueError(
                f"{type(self).__name__}: the layer {type(layer).__name__} has no attribute "
                f"{', '.join(map(repr, unknown))}"
            )
        super().__init__(
            layer.dt,
            getattr(layer, "input_type", TSContinuous) is TSEvent,
            getattr(layer, "output_type", TSContinuous) is TSEvent,
            shape=(layer.size_in, layer.size_out),
        )
        self._layer = layer
        self._proxied = frozenset({"dt", *names})
        del self.__dict__["dt"]
        for kind, group in kinds:
            for name in group or ():
                if name != "dt":
                    setattr(self, name, kind(getattr(layer, name)))

    @property
    def layer(self) -> Any:
        """The wrapped layer."""
        return self._layer

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
        """Evolve the layer; see `TimedModule.evolve`.

        The output is what the layer returned, with the ``name`` in `kwargs_timeseries` if there is
        one; the new state has the states that are registered; a layer records nothing. Further
        arguments are for the `evolve` of the layer.
        """
        if ts_input is not None:
            self._check_input(ts_input)
        ts_output = self._layer.evolve(
            *args, ts_input=ts_input, duration=None, num_timesteps=num_timesteps, **kwargs
        )
        if not isinstance(ts_output, TimeSeries):
            raise TypeError(
                f"{self._label}: the layer must return a time series, "
                f"got {type(ts_output).__name__}"
            )
        if kwargs_timeseries and "name" in kwargs_timeseries:
            ts_output.name = kwargs_timeseries["name"]
        return ts_output, self.state(), {}  # type: ignore[return-value]

    def reset_state(self) -> Self:
        """Reset the layer's state."""
        self._layer.reset_state()
        return self

    def reset_time(self) -> Self:
        """Set the clock to 0, also that of the layer where it has one."""
        if hasattr(self._layer, "reset_time"):
            self._layer.reset_time()
        return super().reset_time()

    def _load_attribute(self, name: str) -> Any:
        return getattr(self._layer, name) if name in self._proxied else getattr(self, name)

    def _store_attribute(self, name: str, value: Any, entry: RegisteredAttribute) -> None:
        if name in self.__dict__.get("_proxied", ()):
            setattr(self._layer, name, value)
        else:
            super()._store_attribute(name, value, entry)

    def __getattr__(self, name: str) -> Any:
        if name in self.__dict__.get("_proxied", ()):
            return getattr(self._layer, name)
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")


def astimedmodule(
    v1_cls: type | None = None,
    parameters: Sequence[str] | None = None,
    states: Sequence[str] | None = None,
    simulation_parameters: Sequence[str] | None = None,
) -> Any:
    """Make a class of layers a class of timed modules; a class decorator.

    ::

        @astimedmodule(parameters=["weights"], states=["activity"])
        class MyLayer: ...

        module = MyLayer(weights)

    Parameters
    ----------
    v1_cls : type
        The class; what its objects need is stated in `LayerToTimedModule`. Without it, a decorator
        is returned, which takes the class.
    parameters, states, simulation_parameters : list of str, optional
        Names of attributes of the layer's objects to register as such. They stay in the layer.

    Returns
    -------
    type
        A class of timed modules, with the constructor of `v1_cls`.

    Raises
    ------
    TypeError, ValueError
        `v1_cls` is not a class; it is not one of layers, or is one of modules already.
    """

    def wrap(layer_class: type) -> type[LayerToTimedModule]:
        if not isinstance(layer_class, type):
            raise TypeError(f"astimedmodule: v1_cls must be a class, got {layer_class!r}")
        missing = _missing_methods(layer_class)
        if missing or issubclass(layer_class, ModuleBase):
            reason = f"it has no {', '.join(missing)}" if missing else "it is a module already"
            raise ValueError(
                f"astimedmodule: {layer_class.__name__} is not a class of layers: {reason}"
            )

        class TimedLayer(LayerToTimedModule):
            __doc__ = layer_class.__doc__
            __module__ = layer_class.__module__
            __qualname__ = layer_class.__qualname__

            @functools.wraps(layer_class.__init__)  # type: ignore[misc]
            def __init__(self, *args: Any, **kwargs: Any) -> None:
                super().__init__(
                    layer_class(*args, **kwargs), parameters, states, simulation_parameters
                )

        TimedLayer.__name__ = layer_class.__name__
        return TimedLayer

    return wrap if v1_cls is None else wrap(v1_cls)


def _missing_members(layer: Any) -> list[str]:
    """Return what an object lacks to be a layer."""
    values = [name for name in ("size_in", "size_out", "dt") if not hasattr(layer, name)]
    return values + _missing_methods(type(layer))


def _missing_methods(layer_class: type) -> list[str]:
    """Return the methods that a class lacks to be one of layers."""
    return [
        f"{m}()" for m in ("evolve", "reset_state") if not callable(getattr(layer_class, m, None))
    ]
