"""Modules of torch that become modules of this package in place."""

from __future__ import annotations

from inspect import Parameter, getattr_static, signature
from typing import Any

from torch import nn
from torch.nn.utils.parametrize import is_parametrized

from rockpool.nn.description import Node, Value
from rockpool.nn.modules._described import described_container, present_value
from rockpool.nn.modules._registry import AttributeRegistry, RegisteredAttribute
from rockpool.parameters import ResetTo

# What modules call of one another: a class that means something else by it cannot be converted.
# And what `ConvertedModule` and torch's own layers have as well.
_CALLED = frozenset("attributes_named evolve set_attributes simulation_parameters state".split())
_SHARED = frozenset(("reset_parameters", "reset_state"))


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

    def _describe(self: Any) -> Node:
        """Return the description of a layer of torch that is a model of this package too."""
        if self._original is nn.Linear:
            weight, bias = present_value(self, "weight"), None
            node = Node("Linear", (self.in_features, self.out_features))
            node.parameters["weight"] = Value(weight.array.T, "weights", weight.constant)
            if self.bias is not None:
                bias = present_value(self, "bias")
                node.parameters["bias"] = Value(bias.array, "biases", bias.constant)
            return node
        flat = self._original is nn.Flatten and self.start_dim == 2 and self.end_dim in (-1, 2)
        if flat or self._original is nn.Identity:  # (B, T, N) stays what it is
            return Node("Instant", self.shape, settings={"function": "identity"})
        name = self._original.__name__
        if self._original.__module__.startswith("torch."):
            name = f"torch.nn.{name}"
        return described_container(self, name, user_class=self._user_class())

    def _user_class(self: Any) -> type | None:
        """Return the class, if it is a container: only its code knows what it does."""
        return self._original if self._registered_modules else None

    def __reduce_ex__(self: Any, protocol: Any) -> Any:
        values = vars(type(self)).items()
        own = frozenset(name for name, value in values if isinstance(value, _OwnValue))
        return _blank, (self._original, self._base, own), self.__getstate__()

    def _check_shape(self: Any, name: str, value: Any, said: str = "") -> None:
        if name not in self._buffers:  # torch lets these grow
            self._base._check_shape(self, name, value, said)

    def reset_state(self: Any) -> Any:
        """Reset the modules inside; what a module of torch holds itself is for it to reset.

        A running mean, a counter and the like are no state of neurons. One that has such a state
        has a method ``reset_state`` or, as neurons of sinabs, ``reset_states``.
        """
        self._base.reset_state(self)
        for name in ("reset_state", "reset_states"):
            own = getattr(self._original, name, None)
            if callable(own) and _needs_nothing(own):
                own(self)
        return self


def _needs_nothing(method: Any) -> bool:
    """Whether a method can be called without arguments."""
    _, *others = signature(method).parameters.values()
    variadic = Parameter.VAR_POSITIONAL, Parameter.VAR_KEYWORD
    return all(one.default is not Parameter.empty or one.kind in variadic for one in others)


_classes: dict[tuple[Any, Any, frozenset[str]], Any] = {}


def _converted_class(original: Any, base: Any, own: frozenset[str]) -> Any:
    """Return the class for converted modules; `own` names stay what they were in the original."""
    key = original, base, own
    if key not in _classes:
        namespace: dict[str, Any] = {name: _OwnValue(name) for name in own}
        for name in ("__module__", "__qualname__", "__doc__"):
            namespace[name] = getattr(original, name)
        for name in _added_by(base) & _defined_in(original) - _SHARED:  # its code relies on them
            if not isinstance(getattr_static(base, name), property):
                namespace[name] = getattr_static(original, name)
        namespace |= {"_original": original, "_base": base}
        metaclass = _metaclass(type(base), type(original))
        bases = (_first_base(original, metaclass), base, original)
        _classes[key] = metaclass(original.__name__, bases, namespace)
    return _classes[key]


def _added_by(base: type) -> set[str]:
    """Return the public names that `base` has and torch's modules have not."""
    return {name for name in set(dir(base)) - set(dir(nn.Module)) if not name.startswith("_")}


def _defined_in(original: type) -> set[str]:
    """Return the names that a class of torch and those that it derives from define."""
    kinds = (kind for kind in original.__mro__ if kind not in nn.Module.__mro__)
    return set().union(*map(vars, kinds))


def _require_known_shapes(obj: nn.Module) -> None:
    for name, parameter in obj.named_parameters(recurse=False):
        if nn.parameter.is_lazy(parameter):
            raise ValueError(
                f"TorchModule.from_torch: the shape of {name} of {type(obj).__name__} is not known "
                f"yet; call the module once, then convert it"
            )


def _require_free_names(obj: nn.Module, base: type) -> None:
    """Raise a ValueError if a module has names of its own that all modules of `base` have."""
    held = {*obj._parameters, *obj._buffers, *obj._modules}
    taken = held & _added_by(base) | _defined_in(type(obj)) & _CALLED
    if taken:
        raise ValueError(
            f"TorchModule.from_torch: {type(obj).__name__} has {min(taken)!r} of its own, which "
            "every module of this package has; give it another name there"
        )


def _metaclass(first: type, second: type) -> Any:
    """Return the metaclass for classes that derive from classes of two metaclasses."""
    if issubclass(first, second):
        return first
    return second if issubclass(second, first) else type(first.__name__, (first, second), {})


def _first_base(original: type, metaclass: Any) -> type:
    """Return `ConvertedModule`, or a class like it with which instances of `original` agree.

    An object can change its class for one that lays it out in the same way. Where the first base of
    a class has no room for attributes, such as ``abc.ABC`` and ``Generic``, that base counts.
    """
    layout: Any = original
    while layout.__base__.__dictoffset__:
        layout = layout.__base__
    if layout.__base__ is object:
        return ConvertedModule
    namespace = _contents(ConvertedModule)
    if "__orig_bases__" in vars(layout):  # without them, nobody may derive from Generic
        namespace["__orig_bases__"] = vars(layout)["__orig_bases__"]
    return metaclass(ConvertedModule.__name__, (layout.__base__,), namespace)


def _contents(kind: type) -> dict[str, Any]:
    """Return what stands in a class, to make another one like it."""
    slots = ("__dict__", "__weakref__")
    return {name: value for name, value in vars(kind).items() if name not in slots}


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
    for inner in nn.Module.modules(obj):  # before any of them is changed
        if not isinstance(inner, AttributeRegistry):
            _require_known_shapes(inner)
            _require_free_names(inner, base)
    own = frozenset(name for name in vars(obj) if isinstance(getattr(base, name, None), property))
    if is_parametrized(obj):  # torch has put a class on top, and takes it away again
        top, (original, *_) = type(obj), type(obj).__bases__
        converted = _converted_class(original, base, own)
        obj.__class__ = type(converted)(top.__name__, (converted,), _contents(top))
    else:
        obj.__class__ = _converted_class(type(obj), base, own)
    _enter_contents(obj, retain_torch_api)


def _enter_contents(obj: Any, retain_torch_api: bool) -> None:
    """Set up a module that has just got its class, with what it holds already."""
    obj._setup_modes(torch_api=retain_torch_api)
    obj._setup_module()
    entries = obj._registered_attributes
    for name, parameter in obj._parameters.items():
        if parameter is not None:
            reset = ResetTo(parameter)
            entries[name] = RegisteredAttribute("Parameter", None, reset, tuple(parameter.shape))
    for name, buffer in obj._buffers.items():
        if buffer is not None:
            passing = name in obj._non_persistent_buffers_set
            kind = "SimulationParameter" if passing else "State"
            entries[name] = RegisteredAttribute(kind, None, None, tuple(buffer.shape))
    for name, child in obj._modules.items():
        if child is not None:
            convert(child, obj._base, retain_torch_api=True)
            child._name = name
    obj._in_Module_init = False
