"""Modules that are connected by edges, without loops: :func:`Wired` and its native class."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, overload

import numpy as np

import rockpool.graph
from rockpool.nn.combinators._chain import ChainMixin, several_axes, takes_one_axis
from rockpool.nn.combinators._factory import container_class, lazy_classes
from rockpool.nn.combinators._wiring import (
    INPUT,
    OUTPUT,
    Edge,
    checked_edges,
    evolution_order,
    sources_of,
)
from rockpool.nn.modules._module_base import Evolve
from rockpool.nn.modules.module import Module, ModuleBase
from rockpool.parameters import Shape

if TYPE_CHECKING:
    from rockpool.nn.combinators import JaxWired, TorchWired
    from rockpool.nn.combinators._factory import TorchLike
    from rockpool.nn.modules import JaxModule

__all__ = ["ModWired", "Wired", "WiredMixin"]

__getattr__ = lazy_classes(__name__, "Wired")

Edges = Iterable[tuple[str, str]]


class WiredMixin(ChainMixin):
    """What the wired containers of all back-ends have in common; see :func:`Wired`.

    Parameters
    ----------
    modules, edges, **kwargs
        As for `Wired`.
    """

    _model_name = "Wired"

    _edges: tuple[Edge, ...]

    def __init__(
        self, modules: Mapping[str, Any], edges: Edges, *others: Any, **kwargs: Any
    ) -> None:
        owner = type(self).__name__
        if not isinstance(modules, Mapping) or not modules:
            raise TypeError(f"{owner}: modules must be a dict of modules by name, got {modules!r}")
        for name in (INPUT, OUTPUT):
            if name in modules:
                raise ValueError(f"{owner}: no module can be called {name!r}, which is an end")
        wires = checked_edges(owner, modules, edges)
        members, others_left = self._collected((modules, *others), kwargs)
        ends = _Ends(owner, members, wires)
        super().__init__(*others_left, **{**kwargs, **ends.properties()})
        self._member_names = ()
        self._edges = wires
        self._add_members({name: members[name] for name in evolution_order(owner, wires)})

    @property
    def edges(self) -> tuple[Edge, ...]:
        """The edges, as pairs of names."""
        return self._edges

    def __delattr__(self, name: str) -> None:
        if name in self._member_names:
            raise ValueError(f"{self._label}: {name!r} cannot be deleted, edges lead through it")
        super().__delattr__(name)

    def _check_fit(self, members: list[tuple[str, ModuleBase]]) -> None:
        """Nothing: what has to fit is for the edges to say."""

    @property
    def _shape_in(self) -> Shape:
        takers = [b for a, b in self._edges if a == INPUT and b != OUTPUT]
        return _several([self[name]._shape_in for name in takers])

    @property
    def _shape_out(self) -> Shape:
        givers = [a for a, b in self._edges if b == OUTPUT and a != INPUT]
        return _several([self[name]._shape_out for name in givers])

    def _container_settings(self) -> dict[str, Any]:
        return {"edges": self._edges}

    def evolve(
        self, input_data: Any, record: bool = False
    ) -> tuple[Any, dict[str, Any], dict[str, Any]]:
        """Evolve the modules, each on the sum of what its edges bring.

        Input of any form that a layer takes is brought into the shape (B, T, Nin) first. Output,
        new state and record are as for :meth:`SequentialMixin.evolve`.
        """
        self._check_time_steps(self._members)
        return self._all_or_nothing(self._evolve_members, input_data, record)

    def _evolve_members(
        self, input_data: Any, record: bool
    ) -> tuple[Any, dict[str, Any], dict[str, Any]]:
        sources = sources_of(self._edges)
        outputs: dict[str, Any] = {INPUT: self._auto_batch(input_data)[0]}
        new_state: dict[str, Any] = {}
        records: dict[str, Any] = {}
        for name in self._member_names:
            data = self._sum_of(outputs, sources[name])
            outputs[name], new_state[name], records[name] = self._through(name, data, record)
            records[f"{name}_output"] = outputs[name]
        return self._sum_of(outputs, sources[OUTPUT]), new_state, records

    def _sum_of(self, outputs: dict[str, Any], sources: list[str]) -> Any:
        """Return the sum of some outputs; the input takes the type of those that it meets."""
        parts = [outputs[source] for source in sources]
        if INPUT in sources and len(parts) > 1:
            place = sources.index(INPUT)
            parts[place] = self._in_type_of(parts[place - 1], parts[place])
        return _sum(parts)

    def _in_type_of(self, other: Any, data: Any) -> Any:
        """Return input in the type of what it is added to, where that is one of floats."""
        return data.astype(other.dtype) if np.issubdtype(other.dtype, np.floating) else data

    def as_graph(self) -> rockpool.graph.GraphHolder:
        """Return the graph of the modules, connected as the edges say.

        Where several edges meet, each is an :class:`AliasConnection`, whose outputs add up. It is a
        NotImplementedError if one of the modules has no graph.
        """
        from rockpool.graph import AliasConnection, GraphHolder, GraphNode, SetList, connect_modules

        def terminal(name: str, size: int) -> GraphHolder:
            nodes = SetList(GraphNode() for _ in range(size))
            return GraphHolder(nodes, nodes, f"{self.class_name}_{name}_{id(self)}", self)

        graphs: dict[str, Any] = {name: member.as_graph() for name, member in self._members}
        graphs |= {INPUT: terminal(INPUT, self.size_in), OUTPUT: terminal(OUTPUT, self.size_out)}
        for name, sources in sources_of(self._edges).items():
            for source in sources:
                if len(sources) == 1:
                    connect_modules(graphs[source], graphs[name])
                    continue
                AliasConnection(
                    graphs[source].output_nodes,
                    graphs[name].input_nodes,
                    f"{self.class_name}_{source}_{name}_{id(self)}",
                    self,
                )
        return self._graph_of([graphs[INPUT], graphs[OUTPUT]])


class _Ends:
    """What meets at each module, and at the ends, of a container that is to be made.

    A ValueError if sizes or axes do not fit.
    """

    def __init__(
        self, owner: str, members: Mapping[str, ModuleBase], edges: tuple[Edge, ...]
    ) -> None:
        self.owner = owner
        self.members = members
        self.sources = sources_of(edges)
        self.takers = [second for first, second in edges if first == INPUT and second != OUTPUT]
        taken = [self._taken(name) for name in self.takers]
        self._check(taken)
        self.size_in, self.axes_in = _known(taken)
        for name, sources in self.sources.items():
            own = [self._taken(name)] if name != OUTPUT else []
            given = [self._given(source) for source in sources]
            self._check(given + own)
            for source, end in zip(sources, given, strict=True):
                several = source != INPUT and name != OUTPUT and len(end.axes) > 1
                if several and takes_one_axis(self.members[name], end.axes):
                    raise several_axes(owner, source, end.axes, name)

    def _taken(self, name: str) -> _End:
        member = self.members[name]
        return _End(f"the input of {name!r}", member.size_in, member._shape_in)

    def _given(self, name: str) -> _End:
        if name == INPUT:
            return _End("the input", self.size_in, self.axes_in)
        member = self.members[name]
        return _End(f"the output of {name!r}", member.size_out, member._shape_out)

    def _check(self, ends: list[_End]) -> None:
        """Require one size, and one shape of axes, of all that meets at a place."""
        for one, other in pairwise([end for end in ends if end.size is not None]):
            if one.size != other.size:
                raise ValueError(
                    f"{self.owner}: {one.said} has {one.size} channels, but {other.said} has "
                    f"{other.size}"
                )
        for one, other in pairwise([end for end in ends if len(end.axes) > 1]):
            if one.axes != other.axes:
                raise ValueError(
                    f"{self.owner}: {one.said} has the axes {one.axes}, but {other.said} has "
                    f"{other.axes}"
                )

    def properties(self) -> dict[str, Any]:
        """Return shape and spiking flags of the container, as constructor keywords."""
        ends = self.sources[OUTPUT]
        last = [self.members[name] for name in ends if name != INPUT]
        return {
            "shape": (self.size_in, _known([self._given(name) for name in ends])[0]),
            "spiking_input": all(self.members[name].spiking_input for name in self.takers),
            "spiking_output": all(module.spiking_output for module in last),
        }


@dataclass(frozen=True)
class _End:
    """What goes into a module, or comes out of one."""

    said: str
    size: Any
    axes: Shape


def _known(ends: list[_End]) -> tuple[Any, Shape]:
    """Return the size and the axes of ends that agree."""
    size = next((end.size for end in ends if end.size is not None), None)
    return size, _several([end.axes for end in ends])


def _several(shapes: list[Shape]) -> Shape:
    """Return the axes of what has several, of some that agree."""
    return next((axes for axes in shapes if len(axes) > 1), ())


def _sum(parts: list[Any]) -> Any:
    """Return the sum of arrays of any library, in their order; flat ones get the others' axes."""
    total = parts[0]
    for part in parts[1:]:
        if total.ndim < part.ndim:
            total = total.reshape(part.shape)
        elif part.ndim < total.ndim:
            part = part.reshape(total.shape)
        total = total + part
    return total


class ModWired(WiredMixin, Module):
    """Native modules, connected by edges; made by :func:`Wired`, with its arguments."""

    evolve: Evolve[np.ndarray]


@overload
def Wired(modules: Mapping[str, TorchLike], edges: Edges, **kwargs: Any) -> TorchWired: ...
@overload
def Wired(modules: Mapping[str, JaxModule], edges: Edges, **kwargs: Any) -> JaxWired: ...
@overload
def Wired(modules: Mapping[str, Module], edges: Edges, **kwargs: Any) -> ModWired: ...


def Wired(modules: Mapping[str, Any], edges: Edges, **kwargs: Any) -> Any:
    """Combine modules by edges from one to another, without loops.

    Each module gets the sum of what its edges bring, in their order. Modules evolve in an order
    that follows from the edges, and are kept in it.

    Parameters
    ----------
    modules : dict of Module by name
        The modules, all of one back-end, in any order.
    edges : iterable of pairs of str
        From a module or ``"input"`` to a module or ``"output"``.
    **kwargs
        Keyword arguments of the module class of the back-end.

    Returns
    -------
    ModWired, JaxWired or TorchWired
        The container. Its modules are ``container["name"]``, or ``container[0]`` for the first that
        evolves; its edges are ``container.edges``. They cannot be changed.

    Raises
    ------
    ValueError
        If an edge leads to a name that there is not, or is given twice; edges lead round in a
        circle; a module has no way from the input or to the output; outputs do not fit the input
        that they lead to, or one another. As for :func:`Sequential`, if time steps differ, or one
        module stands at two places. Nothing has been made then.
    TypeError
        If `modules` is no dict of modules, or an edge no pair of names.

    Examples
    --------
    >>> from rockpool.nn.modules import LIF, Linear
    >>> net = Wired(
    ...     {"out": LIF(3), "left": Linear((2, 3)), "right": Linear((2, 3))},
    ...     [("input", "left"), ("input", "right"), ("left", "out"), ("right", "out"),
    ...      ("out", "output")],
    ... )
    >>> [module.name for module in net], net.shape
    (["'left'", "'right'", "'out'"], (2, 3))
    """
    return container_class("Wired", (modules,))(modules, edges, **kwargs)
