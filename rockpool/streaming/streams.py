"""A network that answers each time step as it comes: `Stream`, and `stream`, which makes one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from rockpool.backends.queries import backend_available, backend_status
from rockpool.nn.kernels.switch import kernels_wanted
from rockpool.nn.models.checks import one_of, real_input
from rockpool.nn.models.finite_input import checks_wanted, require_finite_data
from rockpool.parameters import to_numpy
from rockpool.streaming.compilation import compiled_plan
from rockpool.streaming.events import sorted_events
from rockpool.streaming.plan import Plan, StateSlot, check_state, put_state
from rockpool.typehints import ArrayLike, Self

__all__ = ["ENGINES", "Stream", "stream"]

ENGINES = ("numba", "numpy")


def stream(
    network: Any, dtype: Any = None, batch: int | None = None, engine: str | None = None
) -> Stream:
    """Return a network as a stream, which answers each time step within microseconds.

    Parameters
    ----------
    network : Module or Node
        A network of any back-end, or its description. It stays as it is: the stream has copies of
        its parameters and of its states, from which it goes on. Images and other arrays go in and
        come out with all axes in one, in C order, as `Flatten` has them.
    dtype : str or dtype, optional
        "float32" or "float64", the precision to compute in. Default: that of the network.
    batch : int, optional
        How many streams, independent of each other, are to go on side by side. Default: one, and
        arrays without the dimension of a batch.
    engine : str, optional
        "numba", one compiled kernel for all networks, or "numpy". Default: numba where it is
        installed and not switched off (`rockpool.nn.kernels.switch`).

    Returns
    -------
    Stream

    Raises
    ------
    ValueError
        A module cannot be streamed (each is named: one with noise, a container of your own, ...);
        an unknown `dtype` or `engine`; a `batch` < 1, or another than the batch of states that the
        network keeps.
    TypeError
        `network` is no module, or `batch` no int.
    ModuleNotFoundError
        The engine is "numba", and there is none.

    Examples
    --------
    >>> import numpy as np
    >>> from rockpool import stream
    >>> from rockpool.nn.modules import LIF
    >>> with stream(LIF(2, tau_mem=0.01)) as running:
    ...     for x in np.ones((3, 2)):
    ...         print(running.step(x))
    [0. 0.]
    [2. 2.]
    [3. 3.]
    """
    if batch is not None and (isinstance(batch, bool) or not isinstance(batch, int | np.integer)):
        raise TypeError(f"stream: batch must be an int >= 1 or None, got {batch!r}")
    if batch is not None and batch < 1:
        raise ValueError(f"stream: batch must be an int >= 1 or None, got {batch!r}")
    if engine is not None and engine not in ENGINES:
        raise ValueError(f"stream: engine must be {one_of(map(repr, ENGINES))}, got {engine!r}")
    if engine == "numba" and not backend_available("numba"):
        status = backend_status("numba", probe=True)
        raise ModuleNotFoundError(
            f"stream: the engine 'numba' needs numba: {status.reason}; get it with: "
            f"{status.install}",
            name="numba",
        )
    plan = compiled_plan(network, dtype)
    memory = plan.memory(None if batch is None else int(batch))
    if engine is None:
        engine = "numba" if kernels_wanted() and backend_available("numba") else "numpy"
    return Stream(plan, memory, batched=batch is not None, engine=engine)


class Stream:
    """A network that goes on from one time step to the next; made by `stream`.

    The states are in one place in memory and are changed there: a step leaves nothing behind (and
    allocates nothing with numba; numpy buffers operands while it multiplies, and gathers the
    connections of convolutions, pools and `Scale`).

    What it gives does not depend on how the input is divided into calls, on the engine (but for
    `Rate` and functions such as tanh, which libraries round differently), or on whether the input
    comes as numbers or as events: a product with weights adds up the rows of those inputs that are
    not 0, in their order. `Module.evolve` leaves the order to BLAS, so that the last bit of a sum
    may differ where sums are not exact; all else is the same to the bit.

    A stream is for one thread at a time. A copy (`copy`, `pickle`) has memory of its own. As a
    context manager it is closed at the end of the block.

    Parameters
    ----------
    plan : Plan
        What the network was compiled to.
    memory : np.ndarray
        Where states and operands are, shape (batch, memory_size), as `Plan.memory` makes it.
    batched : bool
        Whether data have the dimension of a batch.
    engine : str
        "numba" or "numpy".

    Attributes
    ----------
    plan : Plan
        What the network was compiled to.
    engine : str
        "numba" or "numpy".
    batch : int or None
        How many streams there are; None for one without the dimension of a batch.
    """

    _label: ClassVar[str] = "Stream"  # in errors

    def __init__(self, plan: Plan, memory: np.ndarray, *, batched: bool, engine: str) -> None:
        self.plan = plan
        self.engine = engine
        self.batch = len(memory) if batched else None
        self._memory = memory
        self._engine: Any
        if engine == "numba":
            from rockpool.streaming.numba_engine import NumbaEngine

            self._engine = NumbaEngine(plan, memory)
        else:
            from rockpool.streaming.numpy_engine import NumpyEngine

            self._engine = NumpyEngine(plan, memory)
        self._advance = self._engine.step
        self._arriving, leaving = plan.ends(memory)
        self._leaving = leaving.view()
        self._leaving.flags.writeable = False
        if not batched:
            self._arriving, self._leaving = self._arriving[0], self._leaving[0]
        self._step_shape = self._arriving.shape

    # -- what it is -----------------------------------------------------------------------------

    @property
    def size_in(self) -> int:
        """Number of input channels."""
        return self.plan.size_in

    @property
    def size_out(self) -> int:
        """Number of output channels."""
        return self.plan.size_out

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type in which it computes."""
        return self.plan.dtype

    @property
    def closed(self) -> bool:
        """Whether it has been closed."""
        return self._engine is None

    def __repr__(self) -> str:
        of_batch = "" if self.batch is None else f" x {self.batch}"
        closed = ", closed" if self.closed else ""
        return (
            f"<Stream {self.size_in} -> {self.size_out}{of_batch}, {self.dtype.name}, "
            f"{self.engine}{closed}>"
        )

    # -- time steps -----------------------------------------------------------------------------

    def step(self, x: ArrayLike, copy: bool = False) -> np.ndarray:
        """Do one time step.

        Parameters
        ----------
        x : array_like, shape (Nin,), or (B, Nin) for a batch of streams
            The input of this time step. An array of numpy of this shape is taken as it is, without
            further checks.
        copy : bool, optional
            Whether to return a new array. Default: False, the output is a read-only view of memory
            that the next step changes.

        Returns
        -------
        np.ndarray, shape (Nout,), or (B, Nout)

        Raises
        ------
        ValueError
            Another shape; numbers that are not finite, see `check_input`; or the stream is closed.
        TypeError
            No real numbers.
        """
        if type(x) is not np.ndarray or x.shape != self._step_shape:
            x = self._in_precision(self._checked(x, self._step_shape))
            require_finite_data(self, x.reshape(-1, 1, self.size_in), x)
        try:
            np.copyto(self._arriving, x)
        except TypeError:
            self._checked(x, self._step_shape)
            raise
        self._advance()
        return self._leaving.copy() if copy else self._leaving

    def run(self, x: ArrayLike) -> np.ndarray:
        """Do one time step after the other.

        Parameters
        ----------
        x : array_like, shape (T, Nin), or (B, T, Nin) for a batch of streams
            The input.

        Returns
        -------
        np.ndarray, shape (T, Nout), or (B, T, Nout)
            The output, a new array.

        Raises
        ------
        ValueError, TypeError
            As for `step`.
        """
        batch = () if self.batch is None else (self.batch,)
        data = self._in_precision(self._checked(x, (*batch, None, self.size_in)))
        data = data if self.batch is not None else data[np.newaxis]
        require_finite_data(self, data, data)
        output = np.empty((*data.shape[:2], self.size_out), self.dtype)
        self._open_engine().run(data, output)
        return output if self.batch is not None else output[0]

    def events(
        self,
        times: ArrayLike,
        channels: ArrayLike,
        n_steps: int | None = None,
        *,
        counts: ArrayLike | None = None,
        streams: ArrayLike | None = None,
    ) -> np.ndarray:
        """Do one time step after the other on events, as `run` does on what they add up to.

        Parameters
        ----------
        times : array_like of int, shape (E,)
            The time step of each event, counted from the beginning of this call; in any order.
        channels : array_like of int, shape (E,)
            The input channel of each event.
        n_steps : int, optional
            How many time steps there are. Default: up to that of the last event.
        counts : array_like, shape (E,), optional
            How many events each one is, or its weight. Default: 1.
        streams : array_like of int, shape (E,)
            For a batch of streams, and for that alone: the stream that each event is for.

        Returns
        -------
        np.ndarray, shape (n_steps, Nout), or (B, n_steps, Nout)
            The output, a new array.

        Raises
        ------
        ValueError
            Arrays of different lengths; a time, channel or stream out of range; `streams` without a
            batch, or the other way round; or the stream is closed.
        TypeError
            Times, channels or streams are not whole numbers, or counts no real ones.
        """
        engine = self._open_engine()
        if (streams is None) != (self.batch is None):
            wanted = "must not be given without" if self.batch is None else "must be given for"
            raise ValueError(f"Stream: streams {wanted} a batch of streams")
        n_streams = len(self._memory)
        found = sorted_events(
            times,
            channels,
            counts,
            streams,
            n_steps=n_steps,
            n_streams=n_streams,
            n_channels=self.size_in,
        )
        output = np.empty((n_streams, found.starts.shape[1] - 1, self.size_out), self.dtype)
        weights = self._in_precision(found.counts)
        if weights.dtype != found.counts.dtype and checks_wanted():
            odd = ~np.isfinite(weights)
            if odd.any():
                bad = found.counts[odd][0]
                raise ValueError(f"Stream: counts must be finite, got {bad:g} in {self.dtype}")
        engine.events(found.starts, found.channels, weights, output)
        return output if self.batch is not None else output[0]

    def _in_precision(self, values: np.ndarray) -> np.ndarray:
        """Return numbers in the precision of the stream, in which some are infinite."""
        with np.errstate(over="ignore"):
            return values.astype(self.dtype, copy=False)

    # -- the state ------------------------------------------------------------------------------

    @property
    def state(self) -> dict[str, Any]:
        """The states of all layers, nested as by `Module.state`; copies, which can be kept.

        Each has the shape that it has in the network, with the batch in front for a batch.
        """
        self._open_engine()
        tree: dict[str, Any] = {}
        for path in self.plan.branches:
            _branch(tree, path)
        for slot in self.plan.slots:
            size = int(np.prod(slot.shape, dtype=int))
            part = self._memory[:, slot.start : slot.start + size].reshape(-1, *slot.shape)
            value = part if self.batch is not None else part[0]
            _branch(tree, slot.path[:-1])[slot.path[-1]] = value.copy()
        return tree

    def set_state(self, state: Mapping[str, Any]) -> Self:
        """Set states, those that `state` or `Module.state` returned or some of them; return self.

        Raises
        ------
        ValueError
            A name that there is not, or a value of another shape or that is not finite. Nothing
            has been set then.
        TypeError
            No dictionary, or values that are no real numbers.
        """
        self._open_engine()
        if not isinstance(state, Mapping):
            raise TypeError(f"Stream: state must be a dict of states by name, got {state!r}")
        slots = {slot.path: slot for slot in self.plan.slots}
        found: list[tuple[StateSlot, np.ndarray]] = []
        for path, value in _leaves(state):
            if path not in slots:
                known = ", ".join(".".join(known) for known in slots)
                raise ValueError(
                    f"Stream: there is no state {'.'.join(map(str, path))!r}; there are {known}"
                )
            given = real_input("Stream", to_numpy(value))
            check_state(len(self._memory), slots[path], given, "Stream")
            array = self._in_precision(given)
            if not np.isfinite(array).all():
                name, bad = ".".join(path), given[~np.isfinite(array)].flat[0]
                raise ValueError(
                    f"Stream: the state {name} must be finite, got {bad} in {self.dtype}"
                )
            found.append((slots[path], array))
        for slot, array in found:
            put_state(self._memory, slot, array, "Stream")
        return self

    def reset(self) -> Self:
        """Go back to rest, all states at zero, as `Module.reset_state` does; return self."""
        self._open_engine()
        self._memory[...] = 0
        return self

    # -- the end --------------------------------------------------------------------------------

    def close(self) -> None:
        """Give the memory back. Nothing but `repr` and `close` works afterwards."""
        self._engine = None
        self._advance = self._open_engine
        self._memory = np.zeros((0, 0), self.dtype)

    def __enter__(self) -> Self:
        """Return self."""
        self._open_engine()
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self.close()

    def __reduce__(self) -> tuple[Any, ...]:
        """Make a copy, by `copy` or `pickle`, that goes on by itself from the present state."""
        self._open_engine()
        return _copied, (self.plan, self._memory.copy(), self.batch is not None, self.engine)

    def _open_engine(self) -> Any:
        if self._engine is None:
            raise ValueError("Stream: it is closed")
        return self._engine

    def _checked(self, x: Any, shape: tuple[int | None, ...]) -> np.ndarray:
        """Return input as an array, of that shape."""
        array = real_input("Stream", x)
        if len(array.shape) == len(shape) and all(
            wanted in (None, found) for wanted, found in zip(shape, array.shape, strict=True)
        ):
            return array
        text = ", ".join("T" if size is None else str(size) for size in shape)
        text = f"({text},)" if len(shape) == 1 else f"({text})"
        raise ValueError(f"Stream: the input must have shape {text}, got {array.shape}")


def _copied(plan: Plan, memory: np.ndarray, batched: bool, engine: str) -> Stream:
    return Stream(plan, memory, batched=batched, engine=engine)


def _branch(tree: dict[str, Any], path: tuple[str, ...]) -> dict[str, Any]:
    """Return the dict at a place in nested ones."""
    for name in path:
        tree = tree.setdefault(name, {})
    return tree


def _leaves(tree: Mapping[str, Any], path: tuple[str, ...] = ()) -> Any:
    """Go over what nested dicts hold, with the names that lead there; keys of jax are left out."""
    for name, value in tree.items():
        if isinstance(value, Mapping):
            yield from _leaves(value, (*path, name))
        elif name != "rng_key":
            yield (*path, name), value
