"""The interface of every module of every back-end: :class:`ModuleBase`.

What a module holds is in ``_registry.py``; :class:`~rockpool.nn.modules.module.Module` is what to
derive from.
"""

from __future__ import annotations

import warnings
from abc import ABCMeta, abstractmethod
from functools import partial
from typing import Any, ClassVar, Protocol, TypeVar, runtime_checkable

import numpy as np

import rockpool.graph
import rockpool.nn.modules
from rockpool.nn.models import checks
from rockpool.nn.modules._registry import AttributeRegistry
from rockpool.nn.modules._summary import Summary, summarised

Array = TypeVar("Array", covariant=True)

__all__ = ["Evolve", "Evolves", "ModuleBase"]


@runtime_checkable
class Evolve(Protocol[Array]):
    """The ``evolve`` of a module whose output is of the type `Array`."""

    def __call__(
        self, input_data: Any, record: bool = False
    ) -> tuple[Array, dict[str, Any], dict[str, Any]]: ...


@runtime_checkable
class Evolves(Protocol[Array]):
    """What can be called as a module, for type checkers: the call returns what `evolve` does."""

    @property
    def name(self) -> str: ...

    @property
    def evolve(self) -> Evolve[Array]: ...


class ModuleBase(AttributeRegistry, metaclass=ABCMeta):
    """The interface of every module; derive from :class:`Module`, which has the same arguments."""

    _registered_modules: dict[str, ModuleBase]
    _spiking_input: bool
    _spiking_output: bool

    _evolves_whole: ClassVar[bool] = False  # whether `evolve` itself is all or nothing

    def __init__(
        self,
        shape: Any = None,
        spiking_input: bool = False,
        spiking_output: bool = False,
        *args: Any,
        **kwargs: Any,
    ) -> None:
        self._setup_module(shape, spiking_input, spiking_output)
        if (args or kwargs) and getattr(super().__init__, "__objclass__", None) is object:
            unknown = [*map(repr, args), *(f"{key}={value!r}" for key, value in kwargs.items())]
            raise TypeError(f"{self.class_name}: unexpected arguments {', '.join(unknown)}")
        super().__init__(*args, **kwargs)

    def _setup_module(
        self, shape: Any = None, spiking_input: bool = False, spiking_output: bool = False
    ) -> None:
        """Start as a module of that shape with nothing registered."""
        self._setup_registry()
        self.__dict__.update(
            _shape=_as_shape(type(self).__name__, shape),
            _spiking_input=bool(spiking_input),
            _spiking_output=bool(spiking_output),
        )

    # -- what the module is -----------------------------------------------------------------

    @property
    def class_name(self) -> str:
        """Name of the class."""
        return type(self).__name__

    @property
    def name(self) -> str:
        """Name within the parent module, in single quotes; ``''`` for a module without parent."""
        return f"'{self._name}'" if self._name else ""

    @property
    def full_name(self) -> str:
        """Name of the class, a space, and :attr:`name`."""
        return f"{self.class_name} {self.name}"

    @property
    def shape(self) -> tuple[Any, ...]:
        """The shape of the module, as a tuple."""
        return self._shape

    @property
    def size_in(self) -> Any:
        """Number of input channels."""
        return self._shape[0]

    @property
    def size_out(self) -> Any:
        """Number of output channels."""
        return self._shape[-1]

    @property
    def size(self) -> Any:
        """Number of output channels; deprecated, use :attr:`size_out`."""
        warnings.warn(
            "Module.size is deprecated, use size_out instead", DeprecationWarning, stacklevel=2
        )
        return self._shape[-1]

    @property
    def spiking_input(self) -> bool:
        """Whether the module takes spikes."""
        return self._spiking_input

    @property
    def spiking_output(self) -> bool:
        """Whether the module gives spikes."""
        return self._spiking_output

    def __repr__(self, indent: str = "") -> str:
        text = f"{self.full_name} with shape {self._shape}"
        if not self._registered_modules:
            return text
        inner = indent + " " * 4
        children = [
            f"{inner}{module.__repr__(inner)}" for module in self._registered_modules.values()
        ]
        return "\n".join([f"{text} {{", *children, f"{indent}}}"])

    # -- evolution --------------------------------------------------------------------------

    @abstractmethod
    def evolve(
        self, input_data: Any, record: bool = False
    ) -> tuple[Any, dict[str, Any], dict[str, Any]]:
        """Process input and return ``(output, new_state, record)``.

        Parameters
        ----------
        input_data : array, shape ``(B, T, size_in)``
            A batch of ``B`` inputs of ``T`` time steps. The state that the module has is where
            it starts from.
        record : bool, optional
            Whether to keep the time course of internal values. Default: False.

        Returns
        -------
        output : array, shape ``(B, T, size_out)``
            The output.
        new_state : dict
            The state after the last time step, nested as :meth:`state`.
        record : dict
            Arrays of shape ``(B, T, ...)`` by name, of what was recorded.
        """

    def __call__(
        self: Evolves[Array], input_data: Any, *args: Any, **kwargs: Any
    ) -> tuple[Array, dict[str, Any], dict[str, Any]]:
        """Evolve the module.

        Parameters
        ----------
        input_data : array, or tuple
            Input as for :meth:`evolve`; or the triple that a call of another module returned. Then
            its data are the input, and its two dicts are extended by the state and the record
            of this module, under :attr:`name`.
        *args, **kwargs
            Further arguments of :meth:`evolve`.

        Returns
        -------
        tuple
            ``(output, new_state, record)``
        """
        evolve = self.evolve
        module: Any = self  # `Evolves` is what type checkers know of it
        if not module._evolves_whole and module._registered_modules:
            evolve = partial(module._all_or_nothing, evolve)
        if not (isinstance(input_data, tuple) and _is_call_result(input_data)):
            return evolve(input_data, *args, **kwargs)
        data, states, records = input_data
        output, new_state, record = evolve(data, *args, **kwargs)
        states[self.name] = new_state
        records[self.name] = record
        return output, states, records

    # -- other views of the module ----------------------------------------------------------

    def summary(self, data: Any = None) -> Summary:
        """Return what there is in this network and, with data, how it fires; it prints as a table.

        Parameters
        ----------
        data : array_like, optional
            Input (B, T, size_in) or (T, size_in). The network is run with it from rest, and stays
            as it is. Default: none, and nothing is said of spikes.

        Returns
        -------
        Summary
            For each layer shape and numbers of trained and constant parameters; with data, of those
            with spikes the spikes per neuron and second, and how many neurons are silent (without
            one spike) and saturated (a spike in every time step).

        Raises
        ------
        ValueError
            Data of another shape, without a time step, or with NaN.

        Warns
        -----
        UserWarning
            For each layer that is silent as a whole, or fires as a whole in every time step.

        Examples
        --------
        >>> import numpy as np
        >>> from rockpool.nn.modules import LIF
        >>> LIF(2, tau_mem=0.01).summary(np.eye(2))
        layer  model   shape  parameters  constant  spikes/neuron/s  silent  saturated
               LIF    (2, 2)           7         0              250       1          0
        in all                         7         0
        """
        return summarised(self, data)

    def timed(
        self, output_num: int = 0, dt: float | int | None = None, add_events: bool = False
    ) -> rockpool.nn.modules.TimedModuleWrapper:
        """Return this module, not a copy, wrapped so that it takes and gives time series.

        The arguments are those of :class:`TimedModuleWrapper`; here events in the same time step
        do not add up by default.
        """
        from rockpool.nn.modules import TimedModuleWrapper

        return TimedModuleWrapper(
            self,  # type: ignore[arg-type]
            output_num=output_num,
            dt=dt,
            add_events=add_events,
        )

    def stream(
        self, dtype: Any = None, batch: int | None = None, engine: str | None = None
    ) -> rockpool.streaming.Stream:
        """Return this network as a stream, which answers each time step within microseconds.

        The arguments are those of :func:`rockpool.stream`.
        """
        # rooms above this one are reached by the face, which names them, and imported by nothing
        return rockpool.stream(self, dtype=dtype, batch=batch, engine=engine)

    def as_graph(self) -> rockpool.graph.GraphModuleBase:
        """Return the computational graph of this module.

        Raises
        ------
        NotImplementedError
            If the class of the module has none.
        """
        raise NotImplementedError(f"{self._label}: this class of module has no graph")

    def _wrap_recorded_state(
        self, record_dict: dict[str, Any], t_start: float | int
    ) -> dict[str, Any]:
        """Return a record with its arrays as time series that start at ``t_start`` seconds."""
        return record_dict


def _as_shape(owner: str, shape: Any) -> tuple[Any, ...]:
    """Return the shape argument of any module as a tuple, of plain ints or None (not known)."""
    entries = checks.as_entries(shape)
    if not entries or any(not _is_size(entry) for entry in entries):
        raise TypeError(
            f"{owner}: shape must be an int or a tuple of ints >= 0 (or None), got {shape!r}"
        )
    return tuple(None if entry is None else int(entry) for entry in entries)


def _is_size(entry: Any) -> bool:
    if isinstance(entry, bool):
        return False
    return entry is None or (isinstance(entry, int | np.integer) and int(entry) >= 0)


def _is_call_result(value: Any) -> bool:
    """Return True for the triple ``(output, state dict, record dict)`` that a call returns."""
    return (
        isinstance(value, tuple)
        and len(value) == 3
        and isinstance(value[1], dict)
        and isinstance(value[2], dict)
    )
