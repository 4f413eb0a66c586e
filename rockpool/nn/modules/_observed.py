"""What the layers of a network are, and what each of them gets and gives in a run: `observed`.

The calls of the layers are looked at, not their records: so it is all the same whether they are in
a container of this package or of a user's own. Weights of a stack count as a layer.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

import numpy as np

from rockpool.nn.description import Node, flat_input, flat_steps
from rockpool.nn.kernels.tallies import Tallies, tallied
from rockpool.nn.models.catalogue import model_named
from rockpool.nn.models.finite_input import require_finite_data
from rockpool.parameters import is_tensor, to_numpy

__all__ = [
    "Activity",
    "Calls",
    "input_for",
    "is_spiking",
    "joined",
    "layers",
    "observed",
    "torch_for",
    "unwrapped",
    "watched_calls",
    "without_training",
]

Call = tuple[Any, Any]
Calls = dict[tuple[str, ...], list[Call]]


@dataclass(frozen=True, eq=False)
class Activity:
    """What one layer did.

    Attributes
    ----------
    name : str
        Names that lead to the layer, with dots between them; "" for a network of one layer.
    node : Node
        Its description.
    output : np.ndarray or None
        What it gave (B, T, Nout); None where that was not to be seen.
    given : np.ndarray or None
        What it got (B, T, Nin); None where that was not to be seen.
    record : dict of array
        What it recorded, by name.
    """

    name: str
    node: Node
    output: Any = None  # an array, but for layers whose calls were not to be seen
    given: np.ndarray | None = None
    record: Mapping[str, np.ndarray] = field(default_factory=dict)


def is_spiking(node: Node) -> bool:
    """Return whether the output of a layer is numbers of spikes."""
    model = model_named(node.model)
    if model is not None:
        return any(spec.name == "spikes" for spec in model.states)
    return "threshold" in node.parameters and "vmem" in node.states


def layers(node: Node, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Node]]:
    """Go over the layers of a network in order, each with the names that lead to it.

    The weights of a stack are layers of the model Linear. A container that has parameters of its
    own comes before what is in it.
    """
    if not node.children:
        yield path, node
        return
    if node.model == "FFwdStack" and node.user_class is None:
        weights = iter(node.parameters.items())
        for index, (name, child) in enumerate(node.children.items()):
            if index:
                weight_name, value = next(weights)
                yield (
                    (*path, weight_name),
                    Node("Linear", value.array.shape, {"weight": value}),
                )
            yield from layers(child, (*path, name))
        return
    if node.parameters:
        yield path, node
    for name, child in node.children.items():
        yield from layers(child, (*path, name))


def unwrapped(network: Any) -> Any:
    """Return the module inside a `TimedModuleWrapper`, or the module itself."""
    named = any(base.__name__ == "TimedModuleWrapper" for base in type(network).__mro__)
    return network.module if named else network


def observed(network: Any, data: Any, tallies: Tallies | None = None) -> list[Activity]:
    """Run a network from rest, and return what its layers did.

    The network stays as it is: its states are put back, and so is the mode of training.

    Parameters
    ----------
    network : Module
        The network, of any back-end. Of a `TimedModuleWrapper` the module inside is run.
    data : array_like
        Input (B, T, Nin) or (T, Nin).
    tallies : dict, optional
        For the numbers of spikes that kernels count on the way. Modules that are none of this
        package might change an output in place, so that of a network with such ones there are none.

    Raises
    ------
    ValueError
        Input of another shape, without a time step, or, as its layers say, with NaN or infinity.
    """
    network = unwrapped(network)
    states = network.state()
    with ExitStack() as stack:
        stack.enter_context(without_training(network))
        stack.callback(network._with_attributes, states)
        resting = network.reset_state()
        node = resting._describe()
        array = _as_batch(network, node, data)
        if not any(inner.parameters for _, inner in layers(node)):
            require_finite_data(network, array, array)  # no layer in it looks at what it gets
        calls = stack.enter_context(watched_calls(node, resting))
        if tallies is not None and _is_of_this_package(resting):
            stack.enter_context(tallied(tallies))
        resting.evolve(input_for(resting, array))
    return [
        Activity(".".join(path), inner, *_seen(path, inner, node, calls))
        for path, inner in layers(node)
    ]


def _is_of_this_package(module: Any) -> bool:
    """Return whether a module and all modules in it are."""
    inner = module._registered_modules.values()
    return type(module).__module__.startswith("rockpool.") and all(map(_is_of_this_package, inner))


def _as_batch(network: Any, node: Node, data: Any) -> np.ndarray:
    """Return input as floats (B, T, Nin), in single precision if it is."""
    array = np.asarray(to_numpy(data) if is_tensor(data) else data)
    if array.dtype != np.float32:
        array = np.asarray(array, dtype=np.float64)
    array = flat_input(node, array)
    channels, label = network.size_in, network._label
    given = array.shape
    if array.ndim == 2:
        array = array[np.newaxis]
    if array.ndim != 3 or channels not in (None, array.shape[-1]):
        raise ValueError(
            f"{label}: data must have the shape (B, T, {channels}) or (T, {channels}), got {given}"
        )
    if not array.size:
        what = "batch element" if not len(array) else "time step"
        raise ValueError(f"{label}: data must have at least one {what}, got the shape {given}")
    return array


# --- what a call gets and gives -------------------------------------------------------------------


@contextmanager
def watched_calls(node: Node, network: Any) -> Iterator[Calls]:
    """Note what the modules of a network get and give, by their names, while the context lasts."""
    calls: Calls = {}
    noted: dict[int, list[Call]] = {}  # of modules: one may stand at several places
    with ExitStack() as stack:
        for path, module in _watchable(node, network):
            if id(module) not in noted:
                noted[id(module)] = []
                stack.enter_context(_watched(module, noted[id(module)]))
            calls[path] = noted[id(module)]
        yield calls


def _watchable(
    node: Node, module: Any, path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Go over the modules whose calls can be looked at."""
    yield path, module
    for name, child in node.children.items():
        yield from _watchable(child, module._registered_modules[name], (*path, name))


@contextmanager
def _watched(module: Any, calls: list[Call]) -> Iterator[None]:
    """Note what a module gets and gives, as long as the context lasts."""
    torch = torch_for(module)
    if torch is not None and type(module).forward is not torch.nn.Module.forward:
        hook = module.register_forward_hook(
            lambda module, given, output: calls.append((given[0] if given else None, output))
        )
        try:
            yield
        finally:
            hook.remove()
        return
    _note_calls(module, calls)
    try:
        yield
    finally:
        for name in _INSTEAD:
            del module.__dict__[name]


# Methods in whose places others stand while the calls of a module are noted
_INSTEAD = ("evolve", "_update_target")


def _note_calls(module: Any, calls: list[Call]) -> Any:
    """Have a module note its calls, and copies that take its place too; return it."""
    kind = type(module)

    def evolve(input_data: Any, *args: Any, **kwargs: Any) -> Any:
        result = kind.evolve(module, input_data, *args, **kwargs)
        calls.append((input_data, result[0]))
        return result

    def update_target() -> Any:
        target = kind._update_target(module)
        return target if target is module else _note_calls(target, calls)

    module.__dict__.update(zip(_INSTEAD, (evolve, update_target), strict=True))
    return module


def _seen(
    path: tuple[str, ...],
    inner: Node,
    network: Node,
    calls: Calls,
) -> tuple[np.ndarray | None, np.ndarray | None]:
    """Return output and input of a layer, from its calls or, for weights, from its neighbours'."""
    if path in calls:
        own = calls[path]
        return joined([output for _, output in own]), joined([given for given, _ in own])
    parent = network
    for name in path[:-1]:
        parent = parent.children[name]
    if parent.model != "FFwdStack" or path[-1] not in parent.parameters:
        return None, None
    position = list(parent.parameters).index(path[-1])
    before, after = list(parent.children)[position : position + 2]
    given = joined([output for _, output in calls.get((*path[:-1], before), [])])
    output = joined([data for data, _ in calls.get((*path[:-1], after), [])])
    return output, given


def joined(arrays: list[Any]) -> np.ndarray | None:
    """Return the values of several calls one after the other, (B, T, N); None if there are none."""
    values = []
    for array in arrays:
        if not hasattr(array, "shape"):
            return None
        value = flat_steps(to_numpy(array))
        values.append(value if value.ndim >= 3 else np.atleast_2d(value)[np.newaxis])
    if not values or any(value.shape[::2] != values[0].shape[::2] for value in values):
        return None
    return values[0] if len(values) == 1 else np.concatenate(values, axis=1)


# --- torch ----------------------------------------------------------------------------------------


def torch_for(module: Any) -> ModuleType | None:
    """Return torch if a module is one of torch, else None; torch is not imported to find out."""
    torch = sys.modules.get("torch")
    base = getattr(getattr(torch, "nn", None), "Module", None)
    return torch if base is not None and isinstance(module, base) else None


def input_for(module: Any, array: np.ndarray) -> Any:
    """Return an input array in the form that the back-end of a module takes."""
    torch = torch_for(module)
    if torch is None:
        return array
    array = np.require(array, requirements=["C", "W"])  # torch takes no views that go backwards
    base: Any = torch.nn.Module
    tensors = (*base.parameters(module), *base.buffers(module))
    like = next((tensor for tensor in tensors if tensor.is_floating_point()), None)
    if like is None:
        return torch.as_tensor(array, dtype=torch.float32)
    return torch.as_tensor(array, dtype=like.dtype, device=like.device)


@contextmanager
def without_training(network: Any) -> Iterator[None]:
    """Turn off, in a network of torch, what is for training only, such as dropout and gradients."""
    torch = torch_for(network)
    if torch is None:
        yield
        return
    modes = [(module, module.training) for module in torch.nn.Module.modules(network)]
    for module, _ in modes:
        module.training = False
    try:
        with torch.no_grad():
            yield
    finally:
        for module, mode in modes:
            module.training = mode
