"""The base class of all modules of all back-ends: :class:`Module`.

To add a back-end, read :class:`~rockpool.nn.modules._backend_hooks.BackendHooks` first, which says
what its base class overrides and calls. `Module` stands on that, from the bottom up:
``_registry.py`` has what a module holds, ``_module_base.py`` its interface, ``_declared.py`` how a
layer is made of the table of its model.
"""

from __future__ import annotations

from abc import ABCMeta
from inspect import Signature
from typing import TYPE_CHECKING, Any, TypedDict

from rockpool.nn.description import Node, Value
from rockpool.nn.models.model import ParameterSpec, SettingSpec
from rockpool.nn.modules._declared import DeclaredModule
from rockpool.nn.modules._described import (
    arguments_of,
    described_container,
    described_layer,
    plain_setting,
    present_value,
)
from rockpool.nn.modules._module_base import ModuleBase

if TYPE_CHECKING:
    _ClassMeta = ABCMeta
else:  # which would hide constructors and attributes from type checkers
    from rockpool.backends.standin import StandIn as _ClassMeta
    from rockpool.backends.standin import home_of

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


class PostInitMetaMixin(_ClassMeta):
    """The metaclass of modules: calls ``__post_init__`` after ``__init__``, if there is one.

    It derives from that of stand-ins, so that a class may derive from a module and from one.
    A module's class shows the signature of its constructor to ``inspect.signature`` and ``help``.
    """

    if not TYPE_CHECKING:  # seeing this method, they would look at no constructor

        def __call__(cls, *args: Any, **kwargs: Any) -> Any:
            # not by way of super() where it does no more: warnings count the frames to the caller
            if home_of(cls) is None:
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


class Module(DeclaredModule, metaclass=PostInitMetaMixin):
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
