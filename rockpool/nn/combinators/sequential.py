"""Modules one after the other: :func:`Sequential` and its class for native modules."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any, overload

import numpy as np

import rockpool.graph
from rockpool.nn.combinators._chain import ChainMixin, outer_properties
from rockpool.nn.combinators._factory import container_class, lazy_classes
from rockpool.nn.modules._module_base import Evolve
from rockpool.nn.modules.module import Module, ModuleBase

if TYPE_CHECKING:
    from rockpool.nn.combinators import JaxSequential, TorchSequential
    from rockpool.nn.combinators._factory import JaxMember, Member, TorchMember

__all__ = ["ModSequential", "Sequential", "SequentialMixin"]

__getattr__ = lazy_classes(__name__, "Sequential")


class SequentialMixin(ChainMixin):
    """What the sequential containers of all back-ends have in common; see :func:`Sequential`."""

    _model_name = "Sequential"

    def __init__(self, *modules: Any, **kwargs: Any) -> None:
        members, others = self._collected(modules, kwargs)
        super().__init__(*others, **{**kwargs, **outer_properties(list(members.items()))})
        self._member_names = ()
        self._add_members(members)

    def append(self, mod: ModuleBase, name: str | None = None) -> None:
        """Add a module at the end.

        Parameters
        ----------
        mod : Module
            The module. Its input must have as many channels as the output so far.
        name : str, optional
            Its name. Default: its position and its class, such as ``"2_LIF"``.

        Raises
        ------
        ValueError, TypeError
            As for :func:`Sequential`. Nothing has been added then.
        """
        module = self._as_member(mod)
        if module is None:
            raise TypeError(f"{self._label}: only a module can be appended, got {mod!r}")
        name = f"{len(self)}_{module.class_name}" if name is None else name
        self._check_name(name, self._member_names)
        if hasattr(self, name):
            raise ValueError(f"{self._label}: there is an attribute {name!r} already")
        self._check_members([*self._members, (name, module)])
        self._add_members({name: module})
        self._adopt_sizes()

    def __getitem__(self, item: Any) -> Any:
        """Return a module by number or by name; for a slice a sequential of the same modules."""
        if isinstance(item, slice):
            members = dict(self._members[item])
            return container_class("Sequential", (members, self))(members)
        return super().__getitem__(item)

    def evolve(
        self, input_data: Any, record: bool = False
    ) -> tuple[Any, dict[str, Any], dict[str, Any]]:
        """Evolve the modules one after the other, each on the output of the one before.

        Parameters and output are as for :meth:`Module.evolve`; input of one axis is T time steps,
        given to all channels, also where the first module has no time (`Linear`). The new state has
        that of each module, by its name. The record has that of each module by its name, with
        `record`, and always its output, by its name with ``_output``. Should one of the modules
        fail, all have the state from before.
        """
        self._check_time_steps(self._members)
        data = self._with_time(input_data) if self._member_names else input_data
        return self._all_or_nothing(self._evolve_members, data, record)

    def _evolve_members(
        self, input_data: Any, record: bool
    ) -> tuple[Any, dict[str, Any], dict[str, Any]]:
        """Evolve the modules, of which some go on even where a later one fails."""
        data = input_data
        new_state: dict[str, Any] = {}
        records: dict[str, Any] = {}
        for name in self._member_names:
            data, new_state[name], records[name] = self._through(name, data, record)
            records[f"{name}_output"] = data
        return data, new_state, records

    def as_graph(self) -> rockpool.graph.GraphHolder:
        """Return the graph of the modules, each connected to the next.

        Its inputs are those of the first, its outputs those of the last module. It is a ValueError
        if there are no modules, and a NotImplementedError if one of them has no graph.
        """
        from rockpool.graph import connect_modules

        if not self._member_names:
            raise ValueError(f"{self._label}: without modules there is no graph")
        graphs = [module.as_graph() for module in self]
        for source, dest in pairwise(graphs):
            connect_modules(source, dest)
        return self._graph_of(graphs)


class ModSequential(SequentialMixin, Module):
    """Native modules, one after the other; made by :func:`Sequential`, with its arguments."""

    evolve: Evolve[np.ndarray]


@overload
def Sequential(**kwargs: Any) -> ModSequential: ...
@overload
def Sequential(*modules: TorchMember, **kwargs: Any) -> TorchSequential: ...
@overload
def Sequential(*modules: JaxMember, **kwargs: Any) -> JaxSequential: ...
@overload
def Sequential(*modules: Member, **kwargs: Any) -> ModSequential: ...


def Sequential(*modules: Any, **kwargs: Any) -> Any:
    """Combine modules such that each gets the output of the one before.

    Parameters
    ----------
    *modules : Module, or dict of Module by name
        The modules, in the order of evolution, all of one back-end. A module is named after its
        position and its class (``"0_Linear"``, ``"1_LIF"``); those in an ``OrderedDict`` or dict
        have its keys as names.
    **kwargs
        Keyword arguments of the module class of the back-end.

    Returns
    -------
    ModSequential, JaxSequential or TorchSequential
        The container. Its modules are ``container[0]``, ``container["1_LIF"]``,
        ``container[:2]`` (a container again), and attributes by name where that is an identifier.
        ``append`` adds one.

    Raises
    ------
    ValueError
        If an output does not fit the next input, a module is of another back-end than the first,
        a name is used twice, or the shape or a spiking flag is given; if time steps differ; if one
        module that holds parameters or states stands at two places, also within other containers.
    TypeError
        If an argument is not a module.

    Notes
    -----
    To use one module twice on purpose, with shared parameters and state, write a module of your own
    that holds it once and calls it twice. Such a module may stand in a container.

    Examples
    --------
    >>> from rockpool.nn.modules import LIF, Linear
    >>> net = Sequential(Linear((2, 3)), LIF(3), Linear((3, 1)))
    >>> len(net), net.shape, net[1].name
    (3, (2, 1), "'1_LIF'")
    """
    return container_class("Sequential", modules)(*modules, **kwargs)
