"""The computational graph of a network: nodes that connect modules to each other.

A node stands for one channel. It knows the modules that write to it (its sources) and the modules
that read from it (its sinks); a module knows its input and output nodes, in the order of its
channels. Two modules are connected by sharing nodes.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from rockpool.typehints import Self

__all__ = [
    "GraphHolder",
    "GraphModule",
    "GraphModuleBase",
    "GraphNode",
    "GraphNodeBase",
    "SetList",
    "as_GraphHolder",
]

T = TypeVar("T")


class SetList(list[T], Generic[T]):
    """A list that does not take an element that it has already.

    Parameters
    ----------
    iterable : iterable, optional
        The first elements; of equal ones the first is kept. Default: none.
    """

    def __init__(self, iterable: Iterable[T] = ()) -> None:
        super().__init__()
        self.extend(iterable)

    def append(self, item: T) -> None:
        """Add an element at the end, unless it is there already."""
        if item not in self:
            super().append(item)

    def add(self, item: T) -> None:
        """Add an element at the end, unless it is there already."""
        self.append(item)

    def extend(self, iterable: Iterable[T]) -> None:
        """Add those elements at the end that are not there already."""
        items = list(iterable)
        try:
            # Hashing finds what is new at once; comparing all with all takes long for wide modules
            known = set(self)
            unique = dict.fromkeys(items)
        except TypeError:
            for item in items:
                self.append(item)
        else:
            super().extend(item for item in unique if item not in known)

    def replace(self, old: T, new: T) -> None:
        """Put an element wherever another one is; nothing to do if that is nowhere."""
        while old in self:
            self[self.index(old)] = new


class GraphNodeBase:
    """What all nodes of a graph are."""


@dataclass(eq=False, repr=False)
class GraphNode(GraphNodeBase):
    """A node of a graph: one channel between modules.

    Parameters
    ----------
    source_modules : SetList of GraphModule, optional
        The modules that have this node as an output. Default: none.
    sink_modules : SetList of GraphModule, optional
        The modules that have this node as an input. Default: none.
    """

    source_modules: SetList[GraphModule] = field(default_factory=SetList)
    sink_modules: SetList[GraphModule] = field(default_factory=SetList)

    def __post_init__(self) -> None:
        self.source_modules = SetList(self.source_modules)
        self.sink_modules = SetList(self.sink_modules)
        for role, modules in (("source", self.source_modules), ("sink", self.sink_modules)):
            for module in modules:
                _refuse_holder(module, role)

    def add_source(self, module: GraphModule) -> None:
        """Add a module that writes to this node; a holder is a ValueError."""
        _refuse_holder(module, "source")
        self.source_modules.add(module)

    def add_sink(self, module: GraphModule) -> None:
        """Add a module that reads from this node; a holder is a ValueError."""
        _refuse_holder(module, "sink")
        self.sink_modules.add(module)

    def remove_source(self, module: GraphModule) -> None:
        """Remove a module from the sources; nothing to do if it is none."""
        if module in self.source_modules:
            self.source_modules.remove(module)

    def remove_sink(self, module: GraphModule) -> None:
        """Remove a module from the sinks; nothing to do if it is none."""
        if module in self.sink_modules:
            self.sink_modules.remove(module)

    def __repr__(self) -> str:
        return (
            f"GraphNode {id(self)} with {len(self.source_modules)} source modules "
            f"and {len(self.sink_modules)} sink modules"
        )


def _refuse_holder(module: Any, role: str) -> None:
    if isinstance(module, GraphHolder):
        raise ValueError(f"GraphNode: a GraphHolder cannot be a {role} of a node, got {module!r}")


@dataclass(eq=False, repr=False)
class GraphModuleBase:
    """What modules and holders have in common: input nodes, output nodes and a name.

    Parameters
    ----------
    input_nodes : iterable of GraphNode
        A node for each input channel.
    output_nodes : iterable of GraphNode
        A node for each output channel.
    name : str or None
        A name for people to read.
    computational_module : Module or None
        The module that this is the graph of.
    """

    input_nodes: SetList[GraphNode]
    output_nodes: SetList[GraphNode]
    name: str | None
    computational_module: Any

    def __post_init__(self, *args: Any, **kwargs: Any) -> None:
        self.input_nodes = SetList(self.input_nodes)
        self.output_nodes = SetList(self.output_nodes)

    @classmethod
    def _factory(
        cls,
        size_in: int,
        size_out: int,
        name: str | None = None,
        computational_module: Any = None,
        *args: Any,
        **kwargs: Any,
    ) -> Self:
        """Return an object with so many new input and output nodes."""
        return cls(
            SetList(GraphNode() for _ in range(size_in)),
            SetList(GraphNode() for _ in range(size_out)),
            name,
            computational_module,
            *args,
            **kwargs,
        )

    def add_input(self, node: GraphNode) -> None:
        """Add an input node at the end."""
        self.input_nodes.add(node)

    def add_output(self, node: GraphNode) -> None:
        """Add an output node at the end."""
        self.output_nodes.add(node)

    def remove_input(self, node: GraphNode) -> None:
        """Remove an input node; nothing to do if it is none."""
        if node in self.input_nodes:
            self.input_nodes.remove(node)

    def remove_output(self, node: GraphNode) -> None:
        """Remove an output node; nothing to do if it is none."""
        if node in self.output_nodes:
            self.output_nodes.remove(node)

    def clear_inputs(self) -> None:
        """Remove all input nodes."""
        for node in list(self.input_nodes):
            self.remove_input(node)

    def clear_outputs(self) -> None:
        """Remove all output nodes."""
        for node in list(self.output_nodes):
            self.remove_output(node)

    def __repr__(self) -> str:
        name = "" if self.name is None else f' "{self.name}"'
        return (
            f"{type(self).__name__}{name} with {len(self.input_nodes)} input nodes "
            f"-> {len(self.output_nodes)} output nodes"
        )


@dataclass(eq=False, repr=False)
class GraphModule(GraphModuleBase):
    """A module of a graph; its nodes know that it reads from them or writes to them.

    Parameters
    ----------
    input_nodes, output_nodes, name, computational_module
        As for :class:`GraphModuleBase`.
    """

    def __post_init__(self, *args: Any, **kwargs: Any) -> None:
        super().__post_init__(*args, **kwargs)
        for node in self.input_nodes:
            node.add_sink(self)
        for node in self.output_nodes:
            node.add_source(self)

    @classmethod
    def _convert_from(cls, mod: GraphModule) -> GraphModule:
        """Return an object of this class that does what a module of another class does.

        Without a rule for it, which a derived class may give, that is a ValueError.
        """
        raise ValueError(f"{cls.__name__}: there is no rule to convert {mod!r} to this class")

    def add_input(self, node: GraphNode) -> None:
        """Add an input node at the end, and become a sink of it."""
        super().add_input(node)
        node.add_sink(self)

    def add_output(self, node: GraphNode) -> None:
        """Add an output node at the end, and become a source of it."""
        super().add_output(node)
        node.add_source(self)

    def remove_input(self, node: GraphNode) -> None:
        """Remove an input node, and be no sink of it any more unless it stands elsewhere too."""
        super().remove_input(node)
        if node not in self.input_nodes:
            node.remove_sink(self)

    def remove_output(self, node: GraphNode) -> None:
        """Remove an output node, and be no source of it any more unless it stands elsewhere too."""
        super().remove_output(node)
        if node not in self.output_nodes:
            node.remove_source(self)

    def _take_places(self, inputs: Iterable[GraphNode], outputs: Iterable[GraphNode]) -> None:
        """Have these nodes in place of those that were there; one may stand at several places."""
        self.clear_inputs()
        self.clear_outputs()
        self.input_nodes, self.output_nodes = _as_they_stand(inputs), _as_they_stand(outputs)
        for node in self.input_nodes:
            node.add_sink(self)
        for node in self.output_nodes:
            node.add_source(self)


@dataclass(eq=False, repr=False)
class GraphHolder(GraphModuleBase):
    """The outside of a sub-graph: the nodes where it begins and ends, and nothing else.

    Its nodes do not know of it.

    Parameters
    ----------
    input_nodes, output_nodes, name, computational_module
        As for :class:`GraphModuleBase`.
    """


def as_GraphHolder(g: GraphModuleBase) -> GraphHolder:
    """Return a new holder with the input and output nodes, and the name, of a module or holder."""
    holder = GraphHolder(SetList(), SetList(), g.name, None)
    holder.input_nodes = _as_they_stand(g.input_nodes)
    holder.output_nodes = _as_they_stand(g.output_nodes)
    return holder


def _as_they_stand(nodes: Iterable[GraphNode]) -> SetList[GraphNode]:
    """Return nodes in a list of their own, those twice that connections have put at two places."""
    copied: SetList[GraphNode] = SetList()
    list.extend(copied, nodes)
    return copied
