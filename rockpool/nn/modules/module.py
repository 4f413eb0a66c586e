"""The base classes of all modules of all back-ends: :class:`ModuleBase` and :class:`Module`.

To add a back-end, read :class:`~rockpool.nn.modules._backend_hooks.BackendHooks` first, which says
what its base class overrides and calls. What a module holds is in ``_registry.py``.
"""

from __future__ import annotations

import warnings
from abc import ABCMeta, abstractmethod
from collections.abc import Callable, Mapping
from functools import partial
from inspect import Signature
from typing import (
    TYPE_CHECKING,
    Any,
    ClassVar,
    Protocol,
    TypedDict,
    TypeVar,
    cast,
    runtime_checkable,
)

import numpy as np

import rockpool.graph
import rockpool.nn.modules
from rockpool.nn.description import Node, Value
from rockpool.nn.models import checks
from rockpool.nn.models.model import Model, ParameterSpec, SettingSpec, Spec, StateSpec
from rockpool.nn.modules._described import (
    arguments_of,
    described_container,
    described_layer,
    plain_setting,
    present_value,
)
from rockpool.nn.modules._registry import AttributeRegistry
from rockpool.nn.modules._summary import Summary, summarised
from rockpool.nn.modules._telling import warn_user
from rockpool.parameters import Parameter, Shape, SimulationParameter, State, shape_of

if TYPE_CHECKING:
    _ClassMeta = ABCMeta
else:  # which would hide constructors and attributes from type checkers
    from rockpool.backends.standin import StandIn as _ClassMeta
    from rockpool.backends.standin import home_of

Array = TypeVar("Array", covariant=True)

__all__ = ["Module", "ModuleBase", "PostInitMetaMixin"]


class ModuleArguments(TypedDict, total=False):
    """What a constructor may hand on to `Module`, for type checkers.

    A class that takes more than it names says so by ``**kwargs: Unpack[ModuleArguments]``; a
    back-end whose base class takes other arguments has a class like this one for them. `Module`
    itself takes ``**kwargs: Any``, as any class may stand behind it.
    """

    spiking_input: bool
    spiking_output: bool


class NoArguments(TypedDict):
    """For ``**kwargs: Unpack[NoArguments]`` of a constructor that names all that it takes."""


@runtime_checkable
class Evolve(Protocol[Array]):
    """The ``evolve`` of a module whose output is of the type `Array`."""

    def __call__(
        self, input_data: Any, record: bool = False
    ) -> tuple[Array, dict[str, Any], dict[str, Any]]: ...


_LONG_STEP = 0.1  # in seconds; a network that means milliseconds has no such time step


def _warn_of_reshaping(
    owner: str, model: Model, shape: Shape, arguments: Mapping[str, Any]
) -> None:
    """Warn of a matrix of other rows and columns, such as one that is to be transposed."""
    for spec in model.parameters:
        given = shape_of(arguments.get(spec.name))
        wanted = model.parameter_shapes(shape, spec)[0]
        if given != wanted and sorted(given) == sorted(wanted) and min(given) > 1:
            warn_user(
                f"{owner}: {spec.name} should have the shape {wanted}, and its numbers are filled "
                f"in row by row, got {given}; if it is to be transposed, give its .T"
            )


def _warn_of_milliseconds(owner: str, model: Model, arguments: Mapping[str, Any]) -> None:
    """Warn of time constants in the range that they would have in milliseconds."""
    step = checks.known_values(owner, "dt", arguments.get("dt", 0.0))
    if step is not None and step >= _LONG_STEP:  # time is counted in steps, and means what it says
        return
    for spec in model.parameters:
        if spec.check is not checks.time_constant or arguments.get(spec.name) is None:
            continue
        known = checks.known_values(owner, spec.name, arguments[spec.name])
        if known is not None and known.size and 10 < known.max() < 1e5:
            largest = known[known < 1e5].max()
            warn_user(
                f"{owner}: {spec.name} is {largest:g} s: milliseconds meant? Time constants are in "
                f"seconds, {largest:g} ms are {largest * 1e-3:g}"
            )


@runtime_checkable
class Evolves(Protocol[Array]):
    """What can be called as a module, for type checkers: the call returns what `evolve` does."""

    @property
    def name(self) -> str: ...

    @property
    def evolve(self) -> Evolve[Array]: ...


class PostInitMetaMixin(_ClassMeta):
    """The metaclass of modules: calls ``__post_init__`` after ``__init__``, if there is one.

    It derives from that of stand-ins, so that a class may derive from a module and from one.
    A module's class shows the signature of its constructor to ``inspect.signature`` and ``help``.
    """

    if not TYPE_CHECKING:  # seeing this method, they would look at no constructor

        def __call__(cls, *args: Any, **kwargs: Any) -> Any:
            if (
                home_of(cls) is None
            ):  # not by way of super(): warnings count the frames to the caller
                instance = type.__call__(cls, *args, **kwargs)
            else:
                instance = super().__call__(*args, **kwargs)
            if hasattr(cls, "__post_init__"):
                instance.__post_init__()
            instance._in_Module_init = False
            return instance

    @property
    def __signature__(cls) -> Signature:
        from inspect import signature

        for own_name in ("_shown_signature", "__signature__"):
            if own_name in cls.__dict__:
                return cls.__dict__[own_name]
        full = signature(cls.__init__)  # type: ignore[misc]
        return full.replace(parameters=list(full.parameters.values())[1:])

    @__signature__.setter
    def __signature__(cls, shown: Signature) -> None:
        cls._shown_signature = shown


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
        evolve, module = self.evolve, cast("ModuleBase", self)
        if module._registered_modules and not module._evolves_whole:
            evolve = partial(module._all_or_nothing, evolve)
        if not _is_call_result(input_data):
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
        self, output_num: int = 0, dt: float | None = None, add_events: bool = False
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

    def _wrap_recorded_state(self, record_dict: dict[str, Any], t_start: float) -> dict[str, Any]:
        """Return a record with its arrays as time series that start at ``t_start`` seconds."""
        return record_dict


class Module(ModuleBase, metaclass=PostInitMetaMixin):
    """A module of a network: a layer of neurons, a weight, a filter, or a container of modules.

    A derived class calls ``super().__init__()``, assigns ``Parameter``, ``State`` and
    ``SimulationParameter`` objects and other modules to attributes, and implements
    :meth:`evolve`. Calling the module evolves it; its state stays for the next call until
    :meth:`reset_state`, which belongs in a training loop. (A module of jax does not change: its new
    state is returned.)

    Parameters
    ----------
    shape : int or tuple of int, optional
        The shape of the module; its first entry is the number of input channels, its last that of
        output channels. Default: ``(None,)``, unknown.
    spiking_input : bool, optional
        Whether the input is meant to be spikes. Default: False.
    spiking_output : bool, optional
        Whether the output is spikes. Default: False.
    *args, **kwargs
        Arguments for the next class in the method resolution order.

    Examples
    --------
    >>> class Gain(Module):
    ...     def __init__(self, shape, gain=None):
    ...         super().__init__(shape)
    ...         self.gain = Parameter(gain, "weights", np.ones, shape=(self.size_in,))
    ...
    ...     def evolve(self, input_data, record=False):
    ...         data, _ = self._auto_batch(input_data)
    ...         return data * self.gain, self.state(), {}
    """

    # -- declaration by the table of a model ------------------------------------------------

    # The table of what the class is, for those that are a model of `rockpool.nn.models`
    _model: ClassVar[Model]
    # How values are stored: those of parameters, and states at rest of some shape
    _as_parameter: ClassVar[Any] = staticmethod(partial(np.array, dtype=np.float64))
    _zeros: ClassVar[Any] = staticmethod(np.zeros)

    def _declare(self, arguments: Mapping[str, Any], base_init: Callable[..., None]) -> None:
        """Construct a module of ``_model``: check its arguments, set up its base, register.

        Parameters
        ----------
        arguments : mapping
            The arguments of the constructor by name: its ``locals()``. Names that the table does
            not know are for the class itself. `Model.check` raises before anything is set up.
        base_init : callable
            The constructor of the next class, ``super().__init__``.
        """
        model, owner = self._model, type(self).__name__
        shape = model.full_shape(owner, arguments)
        model.check(owner, shape, arguments)
        _warn_of_milliseconds(owner, model, arguments)
        _warn_of_reshaping(owner, model, shape, arguments)
        if model.shape_setting:
            entries = checks.shape_entries(owner, arguments["shape"])
            arguments = {**arguments, model.shape_setting: entries}
        flags = [arguments[name] for name in _SPIKING if name in arguments]
        dtype = checks.precision(owner, "dtype", arguments.get("dtype", np.float64))
        base_init(shape[:2], *flags, *arguments.get("args", ()), **arguments.get("kwargs", {}))
        if dtype != self._dtype:
            self.__dict__.update(
                _dtype=dtype,
                _as_parameter=partial(np.array, dtype=dtype),
                _zeros=partial(np.zeros, dtype=dtype),
            )
        try:
            for spec in model.attributes:
                self._declare_attribute(spec, shape, arguments)
        except MemoryError as error:
            raise MemoryError(f"{owner}: shape {shape} needs more memory than there is") from error

    def _declare_attribute(self, spec: Spec, shape: Shape, arguments: Mapping[str, Any]) -> None:
        """Register one parameter, state or setting of the table."""
        model = self._model
        if isinstance(spec, ParameterSpec):
            if not spec.is_present(arguments):
                self._declare_absent(spec.name, model.sized(shape, spec.shapes[0]))
                return
            parameter = Parameter(
                arguments.get(spec.name),
                family=spec.family,
                init_func=spec.init_func(arguments),
                shape=list(model.parameter_shapes(shape, spec)),
                cast_fn=self._as_parameter,
            )
            wanted = model.parameter_shapes(shape, spec)
            if spec.drawn_by and shape_of(parameter.data) not in wanted:
                raise ValueError(
                    f"{type(self).__name__}: {spec.drawn_by} must return values of the shape "
                    f"{wanted[0]}, got {shape_of(parameter.data)}"
                )
            setattr(self, spec.name, parameter)
        elif isinstance(spec, StateSpec):
            state = State(shape=model.sized(shape, spec.shape), init_func=self._zeros)
            setattr(self, spec.name, state)
        elif spec.attribute is not None and spec.name in arguments:
            value = self._as_setting(spec, arguments[spec.name])
            setattr(self, spec.attribute, SimulationParameter(value))

    def _as_setting(self, spec: SettingSpec, value: Any) -> Any:
        """Return a setting of the table as it is stored: a number in the type of its default."""
        return value if isinstance(value, str) else type(spec.default)(value)

    def _check_values(self, values: Mapping[str, Any]) -> None:
        super()._check_values(values)
        model = getattr(self, "_model", None)
        if model is not None:
            model.check_values(self._label, values, partial(getattr, self))

    def _put_attribute(self, name: str, value: Any) -> None:
        model = getattr(self, "_model", None)
        spec = None if model is None else model.stored.get(name)
        if isinstance(spec, SettingSpec) and not isinstance(spec.default, (int, float)):
            value = self._as_setting(spec, value)  # as the constructor: a function by its name
        super()._put_attribute(name, value)

    def _declare_absent(self, name: str, shape: Shape) -> None:
        """Do what a parameter of the table wants that this module has not; here nothing."""

    # -- description ------------------------------------------------------------------------

    def _convert(self, modules: dict[str, Any], backend: str) -> Any:
        """Return a module of the same kind on another back-end, for `rockpool.convert`.

        To be overridden by a container or a layer of your own, so that it can be converted. Its
        parameters and states, where it has any, are set afterwards.

        Parameters
        ----------
        modules : dict of Module by name
            The converted submodules, by the names that they have here; none of a layer.
        backend : str
            The back-end that they are on.
        """
        raise NotImplementedError(f"{self._label}: this module does not say how to convert it")

    def _describe(self) -> Node:
        """Return the description of this module and all modules in it, with their states."""
        if not self._registered_modules and type(self)._convert is Module._convert:
            return described_layer(self)
        return described_container(self, type(self).__name__, user_class=type(self))

    @classmethod
    def _described_arguments(cls, node: Node) -> dict[str, Any]:
        """Return the arguments of the constructor for what a description says."""
        return arguments_of(cls, node)

    def _said_parameter(self, spec: ParameterSpec) -> Value | None:
        """Return the value of a parameter of the model for a description; None: it has none."""
        if not self._has_registered_attribute(spec.name):
            return None
        if spec.only_with and not getattr(self, f"_{spec.only_with}", True):
            return None
        return present_value(self, spec.name)

    def _said_setting(self, spec: SettingSpec, value: Any) -> Any:
        """Return a setting as a description has it: a number, a flag, a text or a function."""
        return plain_setting(value)


_SPIKING = ("spiking_input", "spiking_output")


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
