"""A network as one flat plan: what to do in a time step, and all numbers that it takes.

The plan is a table of operations, a row of numbers (weights and parameters) and a row of memory for
each stream (input, states, outputs of layers, and room to compute in). `rockpool.nn.kernels`'
``operations`` says what the entries of the table mean.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from rockpool.nn.description import Node
from rockpool.nn.kernels import operations as op
from rockpool.nn.models.catalogue import model_named

__all__ = ["Builder", "Part", "Plan", "StateSlot", "check_state", "put_state"]


@dataclass(frozen=True)
class Part:
    """What one operation is, for those who read a plan.

    Attributes
    ----------
    name : str
        Names that lead to the layer, with dots between them; "" for a network of one layer.
    model : str
        The model of the layer, or the container whose weights or sum it is.
    """

    name: str
    model: str


@dataclass(frozen=True, eq=False)
class StateSlot:
    """Where one state of a layer is in the memory.

    Attributes
    ----------
    path : tuple of str
        Names that lead to the layer, and that of the state.
    start : int
        Where it begins.
    shape : tuple of int
        The shape that it has in the network.
    value : np.ndarray
        What the network has in it: of that shape, or with a batch of it.
    """

    path: tuple[str, ...]
    start: int
    shape: tuple[int, ...]
    value: np.ndarray


@dataclass(frozen=True, eq=False)
class Plan:
    """A network, compiled.

    Attributes
    ----------
    dtype : dtype
        ``float32`` or ``float64``, the type in which everything is computed.
    operations : np.ndarray of int64, shape (K, COLUMNS)
        Row 0 says where input and output are, and how many; each other one is an operation.
    numbers : np.ndarray
        Weights and parameters, expanded to one for each neuron, all in one array of shape (n,).
    memory_size : int
        How many numbers a stream has.
    slots : list of StateSlot
        The states.
    parts : list of Part
        What the operations are, without row 0.
    dt : float
        The time step in seconds; 0 if nothing in the network has time.
    branches : list of tuple of str
        Names that lead to each module inside, with states or without.
    """

    dtype: np.dtype[Any]
    operations: np.ndarray
    numbers: np.ndarray
    memory_size: int
    slots: list[StateSlot]
    parts: list[Part]
    dt: float
    branches: list[tuple[str, ...]]

    @property
    def size_in(self) -> int:
        """Number of input channels."""
        return int(self.operations[0, op.N_IN])

    @property
    def size_out(self) -> int:
        """Number of output channels."""
        return int(self.operations[0, op.N_OUT])

    @property
    def most_inputs(self) -> int:
        """The largest number of inputs, or of neurons, that an operation has."""
        return int(self.operations[:, [op.N_IN, op.N_OUT]].max())

    def ends(self, memory: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the input (B, Nin) and the output (B, Nout) of all streams, views of a memory."""
        begin, first = self.operations[0, [op.SOURCE, op.TARGET]]
        return memory[:, begin : begin + self.size_in], memory[:, first : first + self.size_out]

    def memory(self, batch: int | None = None) -> np.ndarray:
        """Return the memory of so many streams, with the states that the network has.

        Parameters
        ----------
        batch : int, optional
            How many streams. Default: one.

        Returns
        -------
        np.ndarray of shape (batch, memory_size)

        Raises
        ------
        ValueError
            The network keeps the states of a batch of another size.
        """
        memory = np.zeros((1 if batch is None else batch, self.memory_size), self.dtype)
        for slot in self.slots:
            put_state(memory, slot, slot.value, "the network")
        return memory


def put_state(memory: np.ndarray, slot: StateSlot, value: np.ndarray, owner: str) -> None:
    """Write one state, of one stream or of all of them, into a memory."""
    check_state(len(memory), slot, value, owner)
    size = int(np.prod(slot.shape, dtype=int))
    rows = value.reshape(-1, size) if size else value.reshape(1, 0)
    memory[:, slot.start : slot.start + size] = rows


def check_state(n_streams: int, slot: StateSlot, value: np.ndarray, owner: str) -> None:
    """Raise a ValueError if a state is neither that of one stream nor that of all."""
    batched = value.ndim == len(slot.shape) + 1 and len(value) in (1, n_streams)
    if value.shape != slot.shape and not (batched and value.shape[1:] == slot.shape):
        name = ".".join(slot.path)
        wanted = f"{slot.shape} or {(n_streams, *slot.shape)}"
        raise ValueError(
            f"{owner}: the state {name} must have the shape {wanted} for {n_streams} stream"
            f"{'s' * (n_streams != 1)}, got {value.shape}"
        )


@dataclass(eq=False)
class Builder:
    """A plan in the making: each layer adds its numbers, its memory and its operations."""

    dtype: np.dtype[Any]
    rows: list[list[int]] = field(default_factory=list)
    parts: list[Part] = field(default_factory=list)
    slots: list[StateSlot] = field(default_factory=list)
    branches: list[tuple[str, ...]] = field(default_factory=list)
    numbers: list[np.ndarray] = field(default_factory=list)
    n_numbers: int = 0
    n_memory: int = 0

    def keep(self, values: Any, shape: tuple[int, ...] | None = None) -> int:
        """Keep numbers, broadcast to a shape; return where they are."""
        array = np.asarray(values, self.dtype)
        array = array if shape is None else np.broadcast_to(array, shape)
        start = self.n_numbers
        self.numbers.append(array.reshape(-1))
        self.n_numbers += array.size
        return start

    def room(self, size: int) -> int:
        """Make room in the memory; return where it is.

        There are two numbers at least: numpy adds up rows of one number in an order of its own.
        """
        start = self.n_memory
        self.n_memory += max(size, 2)
        return start

    def state(self, path: tuple[str, ...], node: Node, name: str, start: int | None = None) -> int:
        """Make room for a state of a layer, unless it has some already; return where it is."""
        model: Any = model_named(node.model)
        shape = model.sized(node.shape, model[name].shape)
        value = np.asarray(node.states.get(name, np.zeros(shape)), self.dtype)
        if start is None:
            start = self.room(int(np.prod(shape, dtype=int)))
        self.slots.append(StateSlot((*path, name), start, shape, value))
        return start

    def place_of(self, path: tuple[str, ...]) -> int:
        """Return where a state is, by the names that lead to it."""
        return next(slot.start for slot in self.slots if slot.path == path)

    def operation(self, part: Part, kind: int, source: int, sizes: Any, **more: int) -> int:
        """Add an operation and room for its output; return where that is."""
        n_in, n_out = sizes
        target = more.pop("target", -1)
        if target < 0:
            target = self.room(n_out)
        row = [-1] * op.COLUMNS
        row[: op.OPTION] = [kind, source, target, n_in, n_out]
        for name, value in more.items():
            row[getattr(op, name)] = value
        self.rows.append(row)
        self.parts.append(part)
        return target
