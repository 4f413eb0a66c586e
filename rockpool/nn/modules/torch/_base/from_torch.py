"""Modules of torch that become modules of this package in place."""

from __future__ import annotations

from typing import Any

from torch import nn

from rockpool.nn.modules._registry import AttributeRegistry, RegisteredAttribute
from rockpool.parameters import ResetTo


class _OwnValue:
    """An attribute that the original class keeps in its instances under the name of a property."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __get__(self, instance: Any, owner: type) -> Any:
        return self if instance is None else instance.__dict__[self.name]

    def __set__(self, instance: Any, value: Any) -> None:
        instance.__dict__[self.name] = value


class ConvertedModule:
    """What a module of torch gets when it is converted, before `TorchModule` and its own class."""

    _original: type[nn.Module]
    _base: type[Any]

    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:
        # a container of torch makes others of its own class, for instance for a slice
        self._setup_modes(torch_api=True)
        self._setup_module()
        self._original.__init__(self, *args, **kwargs)

    def __reduce_ex__(self: Any, protocol: Any) -> Any:
        values = vars(type(self)).items()
        own = frozenset(name for name, value in values if isinstance(value, _OwnValue))
        return _blank, (self._original, self._base, own), self.__getstate__()


_classes: dict[tuple[Any, Any, frozenset[str]], Any] = {}


def _converted_class(original: Any, base: Any, own: frozenset[str]) -> Any:
    """Return the class for converted modules; `own` names stay what they were in the original."""
    key = original, base, own
    if key not in _classes:
        namespace: dict[str, Any] = {name: _OwnValue(name) for name in own}
        for name in ("__module__", "__qualname__", "__doc__"):
            namespace[name] = getattr(original, name)
        namespace |= {"_original": original, "_base": base}
        metaclass: Any = type(base)
        bases = (ConvertedModule, base, original)
        _classes[key] = metaclass(original.__name__, bases, namespace)
    return _classes[key]


def _blank(original: type[nn.Module], base: type[Any], own: frozenset[str]) -> Any:
    """Return a converted module without contents, for unpickling."""
    converted = _converted_class(original, base, own)
    return converted.__new__(converted)


def convert(obj: Any, base: type[Any], retain_torch_api: bool) -> None:
    """Turn a module of torch into one of `base`, as `TorchModule.from_torch` says, in place.

    Modules of this package stay as they are.
    """
    if not isinstance(obj, nn.Module):
        raise TypeError(f"TorchModule.from_torch: need a torch.nn.Module, got {obj!r}")
    if isinstance(obj, AttributeRegistry):
        return
    for name, parameter in obj.named_parameters(recurse=False):
        if nn.parameter.is_lazy(parameter):
            raise ValueError(
                f"TorchModule.from_torch: the shape of {name} of {type(obj).__name__} is not known "
                f"yet; call the module once, then convert it"
            )
    own = frozenset(name for name in vars(obj) if isinstance(getattr(base, name, None), property))
    obj.__class__ = _converted_class(type(obj), base, own)
    _enter_contents(obj, retain_torch_api)


def _enter_contents(obj: Any, retain_torch_api: bool) -> None:
    """Set up a module that has just got its class, with what it holds already."""
    obj._setup_modes(torch_api=retain_torch_api)
    obj._setup_module()
    for name, parameter in obj._parameters.items():
        _enter(obj, name, parameter, "Parameter")
    for name, buffer in obj._buffers.items():
        persistent = name not in obj._non_persistent_buffers_set
        _enter(obj, name, buffer, "State" if persistent else "SimulationParameter")
    for name, child in obj._modules.items():
        if child is not None:
            convert(child, obj._base, retain_torch_api=True)
            obj._registered_modules[name] = child
            child._name = name
    obj._in_Module_init = False


def _enter(obj: Any, name: str, value: Any, kind: str) -> None:
    if value is not None:
        entry = RegisteredAttribute(kind, None, ResetTo(value), tuple(value.shape))
        obj._registered_attributes[name] = entry
