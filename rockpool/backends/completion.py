"""Completion that loads nothing: what `dir()` of a lazy package does to it the first time.

The completers of the REPL and of notebooks list `dir(package)` and then get each of the names, to
see which ones can be called. Of a lazy package that would import every back-end. They leave out
names that are properties of the object's type, as getting a property may do anything: so the
package gets a type of its own on which each advertised name is one. IPython's help shows such a
property in place of what it gives: to it there is none, so that it gets the class.
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any
else:  # for those who check annotations at run time
    ModuleType = Any = object

# Where help is asked for by `name?`.
_SHOW_HELP = ("IPython.core.interactiveshell",)


def show_as_properties(package: str, names: list[str]) -> None:
    """Give a package a type whose properties are its advertised names, unless it has it already."""
    module = sys.modules.get(package)
    if module is None or vars(type(module)).get("_advertised") == names:
        return
    kind = type(module)
    plain = kind.__mro__[1] if "_advertised" in vars(kind) else kind  # its stub has changed since
    body: dict[str, Any] = {name: _later(name) for name in names}
    body |= {"_advertised": names, "__module__": plain.__module__, "__reduce__": _by_name}
    module.__class__ = type(plain.__name__, (plain,), body)


def _by_name(module: ModuleType) -> tuple[Any, tuple[str]]:
    """How a package travels to other processes: pickles of modules know the plain type only."""
    from importlib import import_module

    return import_module, (module.__name__,)


class _Later(property):
    """A property that hides from those who would show itself as the help of the name."""

    def __get__(self, module: Any, kind: type | None = None) -> Any:
        if module is None and sys._getframe(1).f_globals.get("__name__") in _SHOW_HELP:
            raise AttributeError("this is an attribute of the package, not of its type")
        return super().__get__(module, kind)


def _later(name: str) -> property:
    """A property that does what an ordinary attribute of a lazy package does."""

    def get(module: ModuleType) -> Any:
        found = vars(module)
        return found[name] if name in found else found["__getattr__"](name)

    def put(module: ModuleType, value: object) -> None:
        vars(module)[name] = value

    def delete(module: ModuleType) -> None:
        if name not in vars(module):
            raise AttributeError(
                f"module {module.__name__!r} has no attribute {name!r}", name=name, obj=module
            )
        del vars(module)[name]

    return _Later(get, put, delete)
