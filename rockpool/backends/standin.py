"""Stand-ins: classes that can be had and shown while their back-end is missing, but not used.

A stand-in has the name, the module, the documentation and the signature of the class that it stands
for. It can be imported, listed, annotated with, derived from, copied and pickled by name.
Constructing it, or asking it for a public attribute, first looks whether the back-end has appeared:
then the real class takes over. Otherwise it raises `ModuleNotFoundError` with the reason and the
command that fixes it.

Loaded only when a back-end is missing or names are imported lazily.
"""

import copyreg
import sys
from abc import ABCMeta

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

MESSAGE = (
    "Missing the `{backend}` backend. "
    "`{name}` objects, and others relying on `{backend}` are not available."
)


class Home:
    """Where the real class is: the package that advertises it, and the file that defines it."""

    __slots__ = ("backend", "bindings", "module", "name", "package", "real")

    def __init__(self, name: str, backend: str, module: str, package: "str | None" = None) -> None:
        self.name = name
        self.backend = backend
        self.module = module
        self.package = package
        # The real class, once it was found, and the names of modules to be bound to it then.
        self.real: Any = None
        self.bindings: list[tuple[dict[str, Any], str]] = []


class StandIn(ABCMeta):
    """The type of all stand-ins, and of classes derived from one.

    An `ABCMeta`, so that a class may derive from a stand-in and an abstract class at once.
    """

    _home: Home

    def __new__(
        mcs, name: str, bases: tuple[type, ...], namespace: "dict[str, Any]", **options: "Any"
    ) -> "Any":
        """A class derived from a stand-in derives from the real class once that can be had."""
        real = tuple(_real_class(base) or base for base in bases)
        if real != bases:
            from types import new_class

            return new_class(name, real, options, lambda body: body.update(namespace))
        return super().__new__(mcs, name, bases, namespace, **options)

    def __call__(cls, *args: "Any", **kwargs: "Any") -> "Any":
        return _usable_class(cls)(*args, **kwargs)

    def __getattr__(cls, name: str) -> "Any":
        """Names with an underscore do not exist: `inspect`, doctest and notebooks ask for many."""
        if name.startswith("_"):
            raise AttributeError(
                f"type object {cls.__name__!r} has no attribute {name!r}", name=name, obj=cls
            )
        return getattr(_usable_class(cls), name)

    def __instancecheck__(cls, instance: object) -> bool:
        if "_home" not in vars(cls):
            return super().__instancecheck__(instance)
        real = _class_to_compare(cls)
        return real is not None and isinstance(instance, real)

    def __subclasscheck__(cls, subclass: type) -> bool:
        if "_home" not in vars(cls):
            return super().__subclasscheck__(subclass)
        if cls in type.mro(subclass):
            return True
        real = _class_to_compare(cls)
        return real is not None and issubclass(subclass, real)

    def register(cls, subclass: type) -> type:
        """As `abc.ABCMeta.register`, for classes that derive from a stand-in and are abstract."""
        if "_home" in vars(cls):
            raise _unusable(cls)
        return super().register(subclass)

    def __repr__(cls) -> str:
        from .status import look_at

        backend = cls._home.backend
        state = look_at(backend).state
        loadable = state in ("installed", "available")
        why = "not loaded yet" if loadable else f"the `{backend}` backend is {state}"
        return f"<stand-in for class '{cls.__module__}.{cls.__qualname__}': {why}>"

    @property
    def __doc__(cls) -> "str | None":  # type: ignore[override]
        if "_home" not in vars(cls):
            return vars(cls).get("__doc__")
        from .source_help import documentation

        home = cls._home
        return documentation(home.module, home.name, home.backend)

    @property
    def __signature__(cls) -> "Any":
        from .source_help import signature, signature_of_class

        home = vars(cls).get("_home")
        return signature_of_class(cls) if home is None else signature(home.module, home.name)


def new_standin(name: str, backend: str, module: str, package: "str | None" = None) -> StandIn:
    """A stand-in for a class that `module` defines and `package` advertises."""
    home = Home(name, backend, module, package)
    namespace = {"__module__": module, "__qualname__": name, "_home": home}
    return type.__new__(StandIn, name, (), namespace)  # no ABC: nothing is abstract, or registered


# One stand-in for each advertised class, so that two look-ups give the same object.
_advertised: dict[tuple[str, str], StandIn] = {}


def standin_for(name: str, backend: str, module: str, package: str) -> StandIn:
    """The stand-in for an advertised class: the same object each time."""
    found = _advertised.get((package, name))
    if found is None:
        found = _advertised.setdefault((package, name), new_standin(name, backend, module, package))
    found._home.backend = backend  # which one is lacking may change: a file may need several
    return found


def missing_error(class_name: str, backend: str) -> ModuleNotFoundError:
    """The error that says which back-end is missing, why, and what fixes it."""
    from .status import look_at

    status = look_at(backend)
    error = ModuleNotFoundError(
        MESSAGE.format(backend=backend, name=class_name), name=status.module
    )
    error.__cause__ = status.error
    error.add_note(f"The `{backend}` back-end is {status.state}: {status.reason}.")
    if status.install:
        purpose = "mend" if status.state == "broken" else "get"
        error.add_note(f"To {purpose} it: {status.install}")
    if status.restart:
        error.add_note(f"{'Then r' if status.install else 'R'}estart Python: {status.restart}.")
    return error


def advertised_class(package: str, name: str) -> "Any":
    """What a package advertises under a name: how stand-ins are unpickled."""
    __import__(package)
    return getattr(sys.modules[package], name)


# --- between a stand-in and its class -------------------------------------------------------------


def _is_advertised(cls: type) -> bool:
    """Whether this is a stand-in that knows where its class is; not a class derived from one."""
    return isinstance(cls, StandIn) and "_home" in vars(cls) and cls._home.package is not None


def _real_class(cls: type) -> "Any":
    """The class that a stand-in stands for, if its back-end can be had by now."""
    if not _is_advertised(cls):
        return None
    home: Home = cls._home  # type: ignore[attr-defined]
    if home.real is None:
        from .finder import invalidate_caches

        invalidate_caches()  # it may have been installed this very moment
        found = advertised_class(home.package, home.name)  # type: ignore[arg-type]
        if isinstance(found, StandIn):
            return None
        home.real = found
        _rebind(cls)
    return home.real


def _usable_class(cls: StandIn) -> "Any":
    """The class that a stand-in stands for; an error that says why it cannot be had."""
    real = _real_class(cls)
    if real is None:
        raise _unusable(cls)
    return real


def _rebind(cls: type) -> None:
    """Put the real class in the place of its stand-in where that was imported lazily."""
    home: Home = cls._home  # type: ignore[attr-defined]
    for namespace, name in home.bindings:
        if namespace.get(name) is cls:
            namespace[name] = home.real
    home.bindings.clear()


def _class_to_compare(cls: type) -> "Any":
    """The class that decides on instances and sub-classes of a stand-in.

    A class that is not loaded has none, so that nothing is loaded to say so; but the comparison is
    the first use of a name that was imported lazily.
    """
    if not _is_advertised(cls):
        return None
    home: Home = cls._home  # type: ignore[attr-defined]
    if home.bindings:
        return _real_class(cls)
    return home.real or getattr(sys.modules.get(home.module), home.name, None)


def watch(namespace: "dict[str, Any]") -> None:
    """Bind the names of this module that are stand-ins to their classes once those are loaded."""
    for name, value in list(namespace.items()):
        if isinstance(value, StandIn) and _is_advertised(value):
            value._home.bindings.append((namespace, name))
            if value._home.real is not None:  # used inside the block already
                _rebind(value)


def _unusable(cls: StandIn) -> Exception:
    home = cls._home
    error = missing_error(home.name, home.backend)
    if "_home" not in vars(cls):
        error.add_note(
            f"`{cls.__qualname__}` derives from `{home.name}` and was defined without it: "
            "define it again once the back-end is here."
        )
    return error


def _reduce(cls: StandIn) -> "Any":
    """Pickle a stand-in as what its package advertises; any other class by its own name."""
    if _is_advertised(cls):
        return advertised_class, (cls._home.package, cls._home.name)
    return cls.__qualname__


copyreg.pickle(StandIn, _reduce)  # type: ignore[arg-type]
