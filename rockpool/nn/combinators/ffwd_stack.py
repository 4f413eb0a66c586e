"""Modules with weights between them: :func:`FFwdStack` and its class for native modules."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import TYPE_CHECKING, Any, ClassVar, overload

import numpy as np

import rockpool.graph
from rockpool.nn.combinators._chain import ChainMixin, outer_properties
from rockpool.nn.combinators._factory import container_class, lazy_classes
from rockpool.nn.description import flat_steps
from rockpool.nn.models import checks
from rockpool.nn.modules._module_base import Evolve
from rockpool.nn.modules.module import Module, ModuleBase
from rockpool.parameters import Parameter

if TYPE_CHECKING:
    from rockpool.nn.combinators import JaxFFwdStack, TorchFFwdStack
    from rockpool.nn.combinators._factory import JaxMember, Member, TorchMember

__all__ = ["FFwdStack", "FFwdStackMixin", "ModFFwdStack"]

__getattr__ = lazy_classes(__name__, "FFwdStack")

InitFunction = Callable[[tuple[int, ...]], Any]


class FFwdStackMixin(ChainMixin):
    """What the stacks of all back-ends have in common; see :func:`FFwdStack`.

    Parameters
    ----------
    *modules, **kwargs
        As for `FFwdStack`.
    weight_init_func : callable
        ``weight_init_func((size_out, size_in))`` gives the weights from one module to the next; it
        must be given.
    """

    _model_name = "FFwdStack"

    def __init__(
        self, *modules: Any, weight_init_func: InitFunction | None = None, **kwargs: Any
    ) -> None:
        label = type(self).__name__
        if weight_init_func is None:
            raise ValueError(f"{label}: weight_init_func must be given")
        checks.function(label, "weight_init_func", weight_init_func)
        members, others = self._collected(modules, kwargs)
        if len(members) < 2:
            raise ValueError(f"{label}: there must be at least two modules, got {len(members)}")
        for name, module in members.items():
            if None in (module.size_in, module.size_out):
                raise ValueError(f"{label}: the size of {name!r} is not known: {module.shape}")
        super().__init__(*others, **{**kwargs, **outer_properties(list(members.items()))})
        self._member_names = ()
        sizes = [(module.size_in, module.size_out) for module in members.values()]
        for index, ((_, size_out), (size_in, _)) in enumerate(pairwise(sizes)):
            weight = Parameter(
                shape=(size_out, size_in), init_func=weight_init_func, family="weights"
            )
            setattr(self, _weight_name(index), weight)
        self._add_members(members)

    def _check_fit(self, members: list[tuple[str, ModuleBase]]) -> None:
        """Any output fits any input: there are weights in between."""

    def evolve(
        self, input_data: Any, record: bool = False
    ) -> tuple[Any, dict[str, Any], dict[str, Any]]:
        """Evolve the modules one after the other, with weights in between.

        Parameters and returned values are as for :meth:`SequentialMixin.evolve`; the record holds
        the outputs of all modules but the last, before the weights.
        """
        self._check_time_steps(self._members)
        data = self._with_time(input_data)
        return self._all_or_nothing(self._evolve_members, data, record)

    def _evolve_members(
        self, input_data: Any, record: bool
    ) -> tuple[Any, dict[str, Any], dict[str, Any]]:
        data = input_data
        new_state: dict[str, Any] = {}
        records: dict[str, Any] = {}
        last = len(self) - 1
        for index, name in enumerate(self._member_names):
            data, new_state[name], records[name] = self._through(name, data, record)
            if index != last:
                records[f"{name}_output"] = data
                if len(getattr(self, name)._shape_out) > 1:
                    data = flat_steps(data)
                data = data @ getattr(self, _weight_name(index))
        return data, new_state, records

    def as_graph(self) -> rockpool.graph.GraphHolder:
        """Return the graph of the modules and of the weights between them.

        Inputs, outputs and errors are as for :meth:`SequentialMixin.as_graph`.
        """
        from rockpool.graph import LinearWeights

        graphs = [module.as_graph() for module in self]
        for index, (source, dest) in enumerate(pairwise(graphs)):
            LinearWeights(
                source.output_nodes,
                dest.input_nodes,
                f"{self.class_name}_{_weight_name(index)}_{self.name}_{id(self)}",
                self,
                getattr(self, _weight_name(index)),
            )
        return self._graph_of(graphs)

    # -- hooks of a back-end ------------------------------------------------------------------

    # the `weight_init_func` of a stack that is made without one
    _default_weights: ClassVar[Any] = staticmethod(np.zeros)


def _weight_name(index: int) -> str:
    """Return the name of the weights from one module to the next."""
    return f"{index}_{index + 1}_weight"


class ModFFwdStack(FFwdStackMixin, Module):
    """Native modules with weights between them; made by :func:`FFwdStack`, with its arguments."""

    evolve: Evolve[np.ndarray]


@overload
def FFwdStack(
    *modules: TorchMember, weight_init_func: InitFunction | None = None, **kwargs: Any
) -> TorchFFwdStack: ...
@overload
def FFwdStack(
    *modules: JaxMember, weight_init_func: InitFunction | None = None, **kwargs: Any
) -> JaxFFwdStack: ...
@overload
def FFwdStack(
    *modules: Member, weight_init_func: InitFunction | None = None, **kwargs: Any
) -> ModFFwdStack: ...


def FFwdStack(*modules: Any, weight_init_func: InitFunction | None = None, **kwargs: Any) -> Any:
    """Combine modules of any sizes by dense trainable weights from each to the next.

    Parameters
    ----------
    *modules : Module, or dict of Module by name
        As for :func:`Sequential`; at least two.
    weight_init_func : callable, optional
        ``weight_init_func((size_out, size_in))`` gives the weights from one module to the next.
        Default: zeros.
    **kwargs
        Keyword arguments of the module class of the back-end.

    Returns
    -------
    ModFFwdStack, JaxFFwdStack or TorchFFwdStack
        The container. The weights from module 0 to module 1 are its parameter
        ``"0_1_weight"``, of the family ``"weights"``.

    Raises
    ------
    ValueError, TypeError
        As for :func:`Sequential`, but any output fits; if there are less than two modules, or the
        size of one is not known.
    """
    container = container_class("FFwdStack", modules)
    if weight_init_func is None:
        weight_init_func = container._default_weights
    return container(*modules, weight_init_func=weight_init_func, **kwargs)
