"""Which back-end's class a combinator needs for the modules that it is given."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from typing import Protocol, TypeAlias

    from rockpool.nn.modules import JaxModule, Module

    class TorchLike(Protocol):
        """A module of torch, whether or not torch is there for a type checker."""

        def named_buffers(self) -> Any: ...

    # What the factories take, and by which their results differ
    Member: TypeAlias = Module | Mapping[str, Module]
    JaxMember: TypeAlias = JaxModule | Mapping[str, JaxModule]
    TorchMember: TypeAlias = TorchLike | Mapping[str, TorchLike]

_PREFIXES = {"native": "Mod", "jax": "Jax", "torch": "Torch"}


def container_class(kind: str, arguments: Iterable[Any]) -> Any:
    """Return the class for a container: ``"Sequential"``, ``"Residual"``, ``"FFwdStack"`` or so.

    The arguments are modules, dicts of modules, and anything else. The first module of a back-end
    decides.
    """
    return backend_class(_PREFIXES[_backend_of(arguments)] + kind)


def backend_class(name: str) -> Any:
    """Return a container class by name, as the package offers it."""
    from rockpool.nn import combinators

    return getattr(combinators, name)


def lazy_classes(module: str, kind: str) -> Callable[[str], Any]:
    """Return a ``__getattr__`` by which a file offers the back-ends' classes of its kind."""

    def __getattr__(name: str) -> Any:
        if name in (f"Jax{kind}", f"Torch{kind}"):
            return backend_class(name)
        raise AttributeError(f"module {module!r} has no attribute {name!r}")

    return __getattr__


def _backend_of(arguments: Iterable[Any]) -> str:
    # A module of a back-end exists only if that is loaded, so nothing needs to be imported
    jax_module = _loaded_class("rockpool.nn.modules.jax.jax_module", "JaxModule")
    torch_module = _loaded_class("torch.nn", "Module")
    for argument in arguments:
        for item in argument.values() if isinstance(argument, Mapping) else (argument,):
            if jax_module is not None and isinstance(item, jax_module):
                return "jax"
            if torch_module is not None and isinstance(item, torch_module):
                return "torch"
    return "native"


def _loaded_class(module: str, name: str) -> Any:
    return getattr(sys.modules.get(module), name, None)
