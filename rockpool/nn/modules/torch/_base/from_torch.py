"""Modules of torch that become `TorchModule` objects in place."""

from __future__ import annotations

from typing import Any

from torch import nn

from rockpool.nn.modules._registry import AttributeRegistry, RegisteredAttribute
from rockpool.nn.modules.torch.torch_module import TorchModule
from rockpool.parameters import ResetTo


class _OwnValue:
    """An attribute that the original class keeps in its instances under the name of a property."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __get__(self, instance: Any, owner: type) -> Any:
        return self if instance is None else instance.__dict__[self.name]

    def __set__(self, instance: Any, value: Any) -> None:
        instance.__dict__[self.name] = value


class ConvertedModule(TorchModule):
    """Common part of the classes that modules of torch get when they are converted."""

    _original: type[nn.Module]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        # a container of torch makes others of its own class, for instance for a slice
        self._setup_modes(torch_api=True)
        self._setup_module()
        self._original.__init__(self, *args, **kwargs)

    def __reduce_ex__(self, protocol: Any) -> Any:
        own = frozenset(name for name, value in vars(type(self)).items() if _is_own(value))
        return _blank, (self._original, own), self.__getstate__()


def _is_own(value: Any) -> bool:
    return isinstance(value, _OwnValue)


_classes: dict[tuple[Any, frozenset[str]], Any] = {}


def _converted_class(original: Any, own: frozenset[str]) -> Any:
    """Return the class for converted modules; `own` names stay what they were in the original."""
    if (original, own) not in _classes:
        namespace: dict[str, Any] = {name: _OwnValue(name) for name in own}
        for name in ("__module__", "__qualname__", "__doc__"):
            namespace[name] = getattr(original, name)
        namespace["_original"] = original
        metaclass: Any = type(ConvertedModule)
        bases = (ConvertedModule, original)
        _classes[original, own] = metaclass(original.__name__, bases, namespace)
    return _classes[original, own]


def _blank(original: type[nn.Module], own: frozenset[str]) -> ConvertedModule:
    """Return a converted module without contents, for unpickling."""
    converted = _converted_class(original, own)
    return converted.__new__(converted)


def convert_in_place(obj: Any, retain_torch_api: bool) -> None:
    """Do what `TorchModule.from_torch` says."""
    if not isinstance(obj, nn.Module):
        raise TypeError(f"TorchModule.from_torch: need a torch.nn.Module, got {obj!r}")
    _convert(obj, retain_torch_api)


def _convert(obj: Any, retain_torch_api: bool) -> None:
    if isinstance(obj, AttributeRegistry):
        return
    for name, parameter in obj.named_parameters(recurse=False):
        if nn.parameter.is_lazy(parameter):
            raise ValueError(
                f"TorchModule.from_torch: the shape of {name} of {type(obj).__name__} is not known "
                f"yet; call the module once, then convert it"
            )
    original = type(obj)
    own = frozenset(
        name for name in vars(obj) if isinstance(getattr(TorchModule, name, None), property)
    )
    obj.__class__ = _converted_class(original, own)
    obj._setup_modes(torch_api=retain_torch_api)
    obj._setup_module()
    for name, parameter in obj._parameters.items():
        _enter(obj, name, parameter, "Parameter")
    for name, buffer in obj._buffers.items():
        persistent = name not in obj._non_persistent_buffers_set
        _enter(obj, name, buffer, "State" if persistent else "SimulationParameter")
    for name, child in obj._modules.items():
        if child is not None:
            _convert(child, retain_torch_api=True)
            obj._registered_modules[name] = child
            child._name = name
    obj._in_Module_init = False


def _enter(obj: Any, name: str, value: Any, kind: str) -> None:
    if value is not None:
        entry = RegisteredAttribute(kind, None, ResetTo(value), tuple(value.shape))
        obj._registered_attributes[name] = entry
