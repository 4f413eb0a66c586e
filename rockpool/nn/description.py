"""What a network is, said once: `Node`, a tree of models with their arrays and settings.

A description knows no back-end and imports numpy alone. `rockpool.nn.conversion` makes one of a
network and builds a network from one; files, verdicts and summaries read it. Two are equal if
they describe networks that compute the same: same structure and names, same values bit for bit.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np

__all__ = [
    "CONTAINERS",
    "DROPOUTS",
    "MAX_DEPTH",
    "MAX_NODES",
    "Node",
    "Value",
    "flat_input",
    "flat_steps",
]

# Models whose modules are made of others
CONTAINERS = ("Sequential", "Residual", "FFwdStack", "Wired", "TimedModuleWrapper")

# What acts in training alone, and passes all on else
DROPOUTS = ("UnitDropout", "TimeStepDropout")

Array = TypeVar("Array", bound=Any)

MAX_DEPTH = 64
MAX_NODES = 10_000


@dataclass(frozen=True, eq=False)
class Value:
    """The value of one parameter.

    Attributes
    ----------
    array : np.ndarray
        The numbers.
    family : str or None
        The family of the parameter.
    constant : bool
        Whether it is kept out of training, as by `Constant`.
    """

    array: np.ndarray
    family: str | None = None
    constant: bool = False

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Value):
            return NotImplemented
        return self.constant == other.constant and same_numbers(self.array, other.array)

    __hash__ = None  # type: ignore[assignment]


@dataclass(frozen=True, eq=False)
class Node:
    """A module of a network, or a container of modules.

    Attributes
    ----------
    model : str
        The model: its name in `rockpool.nn.models` (that of its numpy class), one of `CONTAINERS`,
        or the name of a class that is on one back-end only or of a user's container.
    shape : tuple of int or None
        The shape of the module; None where a size is not known.
    parameters : dict of Value by name
        What is trained, or could be.
    states : dict of array by name
        Where the network is; empty in a description without states.
    settings : dict by name
        What the model computes with besides: numbers, flags, names of functions, sizes along axes
        (tuples of int), edges (tuples of pairs of names).
    local : dict by name
        What has no meaning for the other back-ends, such as the surrogate of a gradient. It is
        given to a class that has an argument of that name, and is left out of comparisons.
    children : dict of Node by name
        The modules of a container, in order.
    user_class : type or None
        The class of a user's own container.
    module : Module or None
        That container itself, which knows how to convert itself.
    library : str
        The library that functions among the settings are of: "numpy", "torch" or "jax".
    lacking : tuple of str
        What the module was made with and does not keep, so that it cannot be made again.
    """

    model: str
    shape: tuple[int | None, ...]
    parameters: dict[str, Value] = field(default_factory=dict)
    states: dict[str, np.ndarray] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)
    local: dict[str, Any] = field(default_factory=dict)
    children: dict[str, Node] = field(default_factory=dict)
    user_class: type | None = None
    module: Any = None
    library: str = ""
    lacking: tuple[str, ...] = ()

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Node):
            return NotImplemented
        return (
            (self.model, self.shape) == (other.model, other.shape)
            and same_settings(self.settings, other.settings)
            and self.parameters == other.parameters
            and same_arrays(self.states, other.states)
            and list(self.children) == list(other.children)
            and self.children == other.children
        )

    __hash__ = None  # type: ignore[assignment]

    def walk(self, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Node]]:
        """Go over this node and all nodes inside, in order, each with the names that lead to it."""
        yield path, self
        for name, child in self.children.items():
            yield from child.walk((*path, name))

    @property
    def is_container(self) -> bool:
        """Whether it is made of other modules."""
        return self.model in CONTAINERS or self.user_class is not None or bool(self.children)

    @property
    def is_dropout(self) -> bool:
        """Whether it is dropout of this package, and not a user's class of such a name."""
        own = self.user_class is None and self.settings.keys() >= {"p", "training"}
        return own and self.model in DROPOUTS

    def without_dropout(self) -> Node:
        """Return a description of the same network, in which what is dropout passes all on.

        It is the network itself where there is none in it.
        """
        if self.is_dropout:
            identity = {"function": "identity"}
            return Node("Instant", self.shape, settings=identity, local=self.local)
        children = {name: child.without_dropout() for name, child in self.children.items()}
        if all(child is self.children[name] for name, child in children.items()):
            return self
        return Node(**{**self.__dict__, "children": children})

    def without_states(self) -> Node:
        """Return a description of the same network at rest."""
        children = {name: child.without_states() for name, child in self.children.items()}
        return Node(**{**self.__dict__, "states": {}, "children": children})

    def __repr__(self) -> str:
        return "\n".join(self._lines("", ""))

    def _lines(self, name: str, indent: str) -> Iterator[str]:
        what = f"{name}: {self.model}" if name else self.model
        yield f"{indent}{what} {self.shape}"
        for child_name, child in self.children.items():
            yield from child._lines(child_name, indent + "    ")


def axes_of_input(node: Node) -> tuple[int, ...]:
    """Return the axes of one time step of the input of a network, where it has several; else ()."""
    axes = node.settings.get("shape_in", node.settings.get("neuron_shape"))
    if isinstance(axes, tuple):
        return axes if len(axes) > 1 else ()
    found = map(axes_of_input, _first_children(node))
    return next((axes for axes in found if axes), ())


def _first_children(node: Node) -> list[Node]:
    """Return the modules of a container that get its input."""
    if node.model == "Wired":
        targets = [second for first, second in node.settings["edges"] if first == "input"]
        return [node.children[name] for name in targets if name in node.children]
    return list(node.children.values())[:1]


def flat_input(node: Node, data: np.ndarray) -> np.ndarray:
    """Return input of a network with the axes of a time step as one; other arrays as they are."""
    axes = axes_of_input(node)
    n_axes, size = len(axes), math.prod(axes)
    flat = data.ndim in (2, 3) and data.shape[-1] == size
    if n_axes < 2 or flat or data.ndim - n_axes not in (1, 2) or data.shape[-n_axes:] != axes:
        return data
    return data.reshape((*data.shape[:-n_axes], size))


def flat_steps(data: Array) -> Array:
    """Return an array (B, T, *axes), of any library, as (B, T, N)."""
    return data if data.ndim < 4 else data.reshape((*data.shape[:2], math.prod(data.shape[2:])))


def same_numbers(first: np.ndarray, second: np.ndarray) -> bool:
    """Return whether two arrays have one shape and the same numbers, in whatever precision."""
    return np.array_equal(first, second, equal_nan=first.dtype.kind == "f")


def same_settings(first: Mapping[str, Any], second: Mapping[str, Any]) -> bool:
    """Return whether two mappings have the same settings by name, of which some may be arrays."""
    return first.keys() == second.keys() and all(
        same_numbers(value, second[name])
        if isinstance(value, np.ndarray) and isinstance(second[name], np.ndarray)
        else type(value) is not np.ndarray and value == second[name]
        for name, value in first.items()
    )


def same_arrays(first: Mapping[str, np.ndarray], second: Mapping[str, np.ndarray]) -> bool:
    """Return whether the arrays of two mappings are the same by name."""
    return first.keys() == second.keys() and all(
        same_numbers(array, second[name]) for name, array in first.items()
    )
