"""Modules in a row: what all combinators of all back-ends have in common.

``containers_torch.py`` and the like have the classes, mixins before the back-end's base class::

    class TorchSequential(SequentialMixin, TorchModule): ...

What a back-end overrides stands at the end of each mixin.
"""

from __future__ import annotations

import operator
from collections.abc import Collection, Iterator, Mapping
from itertools import pairwise
from typing import TYPE_CHECKING, Any, ClassVar

import rockpool.graph
from rockpool.nn.description import Node, flat_steps
from rockpool.nn.modules._described import described_container
from rockpool.nn.modules.module import ModuleBase
from rockpool.parameters import to_numpy

if TYPE_CHECKING:
    from rockpool.timeseries import TSContinuous, TSEvent

    # The mixins are used with a module class behind them
    _Base = ModuleBase
else:
    TSContinuous = TSEvent = Any  # for those who check annotations at run time
    _Base = object

_TIMED = "rockpool.nn.modules._timed_base.TimedModule"  # which is not imported for its name alone
_GIVEN_BY_MEMBERS = ("shape", "spiking_input", "spiking_output")


class ChainMixin(_Base):
    """A row of modules, by number and by name. A module class must stand behind it.

    Its constructor calls ``super().__init__(shape=..., spiking_input=..., ...)`` and then assigns
    the modules.
    """

    _member_names: tuple[str, ...]
    _evolves_whole = True

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:  # each member is an attribute
            ...

    # -- construction -----------------------------------------------------------------------

    def _collected(
        self, arguments: tuple[Any, ...], keywords: Mapping[str, Any]
    ) -> tuple[dict[str, ModuleBase], list[Any]]:
        """Return the modules among constructor arguments by name, and the other arguments.

        A module is named after its position and its class, one in a dict by its key.
        """
        label = type(self).__name__
        for keyword in _GIVEN_BY_MEMBERS:
            if keyword in keywords:
                raise ValueError(f"{label}: {keyword} follows from the modules, it cannot be given")
        members: dict[str, ModuleBase] = {}
        others = []
        for position, argument in enumerate(arguments):
            for name, item in _named(argument):
                module = self._as_member(item)
                if module is None and name is not None:
                    raise TypeError(f"{label}: {name!r} must be a module, got {item!r}")
                if module is None:
                    others.append(item)
                else:
                    name = f"{position}_{module.class_name}" if name is None else name
                    self._check_name(name, members)
                    members[name] = module
        if len(others) > self._other_arguments:
            raise TypeError(
                f"{label}: the arguments must be modules, or dicts of modules by name, "
                f"got {others[0]!r}"
            )
        self._check_members(list(members.items()))
        return members, others

    def _check_members(self, members: list[tuple[str, ModuleBase]]) -> None:
        """Raise an error if modules cannot stand in a row."""
        for name, module in members:
            if any(f"{kind.__module__}.{kind.__name__}" == _TIMED for kind in type(module).__mro__):
                raise TypeError(
                    f"{type(self).__name__}: {name!r} takes and gives time series, got "
                    f"{type(module).__name__}; put the modules inside together, and call timed() "
                    "of the whole"
                )
        self._check_fit(members)
        self._check_places(members)
        self._check_time_steps(members)

    def _check_places(self, members: list[tuple[str, ModuleBase]]) -> None:
        """Raise a ValueError if one module stands at two places, and holds what they would share.

        What a member does inside with its own modules is its own affair.
        """
        places: dict[int, str] = {}
        for name, member in members:
            inside = {id(module): (place, module) for place, module in _holders(name, member)}
            for key, (place, module) in inside.items():
                if key in places:
                    raise ValueError(
                        f"{type(self).__name__}: one and the same {type(module).__name__} stands "
                        f"at two places, {places[key]!r} and {place!r}, which would share its "
                        "state and parameters; use copy.deepcopy for another one, or, to use one "
                        "twice on purpose, a module of your own that calls it twice"
                    )
            places |= {key: place for key, (place, _) in inside.items()}

    def _check_time_steps(self, members: list[tuple[str, ModuleBase]]) -> None:
        """Raise a ValueError if modules in a row have time steps that differ."""
        if _is_one_step(members):
            return
        first_name, first = "", None
        for name, dt in _time_steps(members):
            if first is None:
                first_name, first = name, dt
            elif abs(dt - first) > 1e-6 * first:  # single precision may have rounded one of them
                raise ValueError(
                    f"{type(self).__name__}: all modules must have the same time step dt, but "
                    f"{first_name!r} has {first:g} s and {name!r} has {dt:g} s"
                )

    def _check_fit(self, members: list[tuple[str, ModuleBase]]) -> None:
        """Raise a ValueError if an output does not fit the next input."""
        for (name, module), (next_name, next_module) in pairwise(members):
            self._check_pair(name, module, next_name, next_module)

    def _check_pair(
        self, name: str, module: ModuleBase, next_name: str, next_module: ModuleBase
    ) -> None:
        """Raise a ValueError if the output of a module does not fit the input of another."""
        size_out, size_in = module.size_out, next_module.size_in
        if size_out is not None and size_in is not None and size_out != size_in:
            raise ValueError(
                f"{type(self).__name__}: the output of {name!r} has {size_out} channels, "
                f"but the input of {next_name!r} has {size_in}"
            )
        axes_out, axes_in = module._shape_out, next_module._shape_in
        if len(axes_out) > 1 and len(axes_in) > 1 and axes_out != axes_in:
            raise ValueError(
                f"{type(self).__name__}: the output of {name!r} has the axes {axes_out}, "
                f"but the input of {next_name!r} has {axes_in}"
            )
        if len(axes_out) > 1 and takes_one_axis(next_module, axes_out):
            raise several_axes(type(self).__name__, name, axes_out, next_name)

    def _check_name(self, name: Any, taken: Collection[str]) -> None:
        label = type(self).__name__
        if not isinstance(name, str):
            raise TypeError(f"{label}: the name of a module must be a str, got {name!r}")
        if name in taken:
            raise ValueError(f"{label}: there is a module {name!r} already")
        if hasattr(type(self), name):
            raise ValueError(f"{label}: {name!r} is taken, no module can have that name")

    def _add_members(self, members: Mapping[str, ModuleBase]) -> None:
        """Assign modules to attributes, behind those that are there."""
        for name, module in members.items():
            setattr(self, name, module)
        self._member_names += tuple(members)

    # -- access -----------------------------------------------------------------------------

    @property
    def _members(self) -> list[tuple[str, ModuleBase]]:
        """Names and modules, in order."""
        return [(name, getattr(self, name)) for name in self._member_names]

    def __len__(self) -> int:
        return len(self._member_names)

    def __bool__(self) -> bool:
        # A module without members is a module all the same
        return True

    def __iter__(self) -> Iterator[Any]:
        return iter([module for _, module in self._members])

    def __getitem__(self, item: Any) -> Any:
        """Return a module by number or by name."""
        if isinstance(item, str):
            if item not in self._member_names:
                raise KeyError(f"{self._label}: there is no module {item!r}")
            return getattr(self, item)
        index = operator.index(item)
        if not -len(self) <= index < len(self):
            raise IndexError(f"{self._label}: there is no module {index}, there are {len(self)}")
        return getattr(self, self._member_names[index])

    def _own_name(self, name: str) -> str:
        """Return the name of a module; its position stands for it, as back-ends name it apart."""
        if name in self._member_names or not str(name).isdecimal():
            return name
        return self._member_names[int(name)] if int(name) < len(self) else name

    def __delattr__(self, name: str) -> None:
        super().__delattr__(name)
        if name in self._member_names:
            self._member_names = tuple(other for other in self._member_names if other != name)
            self._adopt_sizes()

    @property
    def _shape_in(self) -> tuple[int, ...]:
        return self[0]._shape_in if len(self) else ()

    @property
    def _shape_out(self) -> tuple[int, ...]:
        return self[-1]._shape_out if len(self) else ()

    def _adopt_sizes(self) -> None:
        """Take shape and spiking flags from the first and last member."""
        properties = outer_properties(self._members)
        self._shape = properties["shape"]
        self._spiking_input = properties["spiking_input"]
        self._spiking_output = properties["spiking_output"]

    # -- description --------------------------------------------------------------------------

    _model_name: ClassVar[str]

    def _describe(self) -> Node:
        if not type(self).__module__.startswith("rockpool."):
            return super()._describe()  # type: ignore[misc]
        settings = self._container_settings()
        names = self._member_names
        return described_container(self, self._model_name, settings=settings, names=names)

    def _container_settings(self) -> dict[str, Any]:
        """Return what there is to say of the container besides its modules."""
        return {}

    # -- graph and records --------------------------------------------------------------------

    def _graph_of(self, graphs: list[rockpool.graph.GraphModuleBase]) -> rockpool.graph.GraphHolder:
        """Return the graph of this module, given those of the members, which are connected."""
        from rockpool.graph import GraphHolder

        return GraphHolder(
            graphs[0].input_nodes,
            graphs[-1].output_nodes,
            f"{self.class_name}_{self.name}_{id(self)}",
            self,
        )

    def _wrap_recorded_state(
        self, record_dict: dict[str, Any], t_start: float | int
    ) -> dict[str, Any]:
        """Return a record with its arrays as time series, of batch element 0.

        The record of each member is as that member wraps it; its output is a ``TSEvent`` if it
        spikes, else a ``TSContinuous``.
        """
        wrapped: dict[str, Any] = {}
        for name, module in self._members:
            if name in record_dict:
                inner = record_dict[name]
                wrapped[name] = module._wrap_recorded_state(inner, t_start) if inner else {}
            key = f"{name}_output"
            if key in record_dict:
                wrapped[key] = self._wrapped_output(module, record_dict[key], t_start, key)
        return wrapped

    def _wrapped_output(
        self, module: ModuleBase, output: Any, t_start: float | int, name: str
    ) -> TSEvent | TSContinuous:
        from rockpool.timeseries import TSContinuous, TSEvent

        array = to_numpy(output)
        samples = flat_steps(array)[0] if array.ndim >= 3 else array
        dt = self._time_step_of(module)
        if module.spiking_output:
            return TSEvent.from_raster(
                samples, dt=dt, t_start=t_start, name=name, num_channels=samples.shape[-1]
            )
        return TSContinuous.from_clocked(samples, dt=dt, t_start=t_start, name=name)

    def _time_step_of(self, module: ModuleBase) -> float:
        """Return the time step of a member, or else the one of this module, or of any member."""
        for candidate in (module, self, *self):
            dt = getattr(candidate, "dt", None)
            if dt is not None:
                return float(dt)
        raise ValueError(f"{self._label}: no module in it has a time step `dt`")

    # -- hooks of a back-end ------------------------------------------------------------------

    # how many positional arguments that are not modules go on to the base class
    _other_arguments: ClassVar[int] = 0

    @classmethod
    def _as_member(cls, argument: Any) -> ModuleBase | None:
        """Return the module to add for an argument, or None if it is not a module.

        The place to convert modules of another library.
        """
        return argument if isinstance(argument, ModuleBase) else None

    def _through(
        self, name: str, data: Any, record: bool
    ) -> tuple[Any, dict[str, Any], dict[str, Any]]:
        """Evolve one member."""
        return self._triple(name, getattr(self, name)(data, record=record))

    def _triple(self, name: str, found: Any) -> tuple[Any, dict[str, Any], dict[str, Any]]:
        """Return what a member has returned: one of a user may have forgotten the state."""
        if isinstance(found, (tuple, list)) and len(found) == 3:
            return found  # type: ignore[return-value]
        kind = type(getattr(self, name)).__name__
        got = f" of {len(found)}" if isinstance(found, (tuple, list)) else ""
        raise TypeError(
            f"{self._label}: evolve of {name!r}, a {kind}, must return (output, state, record), "
            f"got {type(found).__name__}{got}"
        )


def _named(argument: Any) -> list[tuple[Any, Any]]:
    """Return the names (None: to be made) and items that a constructor argument stands for."""
    return list(argument.items()) if isinstance(argument, Mapping) else [(None, argument)]


def takes_one_axis(module: ModuleBase, axes: tuple[int, ...]) -> bool:
    """Return whether a layer of this package takes time steps of one axis, and not of these axes.

    Of other modules, such as those of torch, nothing is known. Dense weights go by the last axis.
    """
    if getattr(module, "_model_name", "") == "Sequential" and module._registered_modules:
        return takes_one_axis(module[0], axes)  # type: ignore[index]
    model = getattr(type(module), "_model", None)
    if model is None or (model.name == "Linear" and axes[-1] == module.size_in):
        return False
    return len(module._shape_in) < 2


def several_axes(owner: str, name: str, axes: tuple[int, ...], next_name: str) -> ValueError:
    """Return the error for an output of several axes, and a module that takes one."""
    return ValueError(
        f"{owner}: the output of {name!r} has the axes {axes}, but the input of {next_name!r} has "
        f"one; Flatten({axes}) between them makes one of them"
    )


def outer_properties(members: list[tuple[str, ModuleBase]]) -> dict[str, Any]:
    """Return shape and spiking flags of a row of modules, as constructor keywords."""
    if not members:
        return {"shape": (0, 0), "spiking_input": False, "spiking_output": False}
    first, last = members[0][1], members[-1][1]
    return {
        "shape": (first.size_in, last.size_out),
        "spiking_input": first.spiking_input,
        "spiking_output": last.spiking_output,
    }


def _holders(place: str, module: ModuleBase) -> Iterator[tuple[str, ModuleBase]]:
    """Go through a module and all inside it: those that hold parameters or states, with places."""
    if any(e.kind != "SimulationParameter" for e in module._registered_attributes.values()):
        yield place, module
    for name, child in module._registered_modules.items():
        yield from _holders(f"{place}.{name}", child)


def _is_one_step(members: list[tuple[str, ModuleBase]]) -> bool:
    """Whether modules in a row plainly have one time step; False where that takes a closer look."""
    step = None
    for _, module in members:
        dt = module.__dict__.get("dt")
        if isinstance(module, ChainMixin) or (dt is not None and type(dt) is not float):
            return False
        if dt is not None and step is not None and dt != step:
            return False
        step = step if dt is None else dt
    return True


def _time_steps(members: list[tuple[str, ModuleBase]], place: str = "") -> Iterator[Any]:
    """Go through modules in a row, and rows inside it: places and time steps that are numbers."""
    for name, module in members:
        if isinstance(module, ChainMixin):
            yield from _time_steps(module._members, f"{place}{name}.")
            continue
        dt = module.__dict__.get("dt")
        if isinstance(dt, (float, int)):
            yield place + name, dt
