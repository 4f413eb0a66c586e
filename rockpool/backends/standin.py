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
from _thread import get_ident
from abc import ABCMeta

from .finder import attribute, invalidate_caches

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any
else:  # for those who check annotations at run time
    Any = object

MESSAGE = (
    "Missing the `{backend}` backend. "
    "`{name}` objects, and others relying on `{backend}` are not available."
)
# What gets each name that `dir` lists, and goes on only after an `AttributeError`.
_WALKERS = ("inspect", "pydoc", "rlcompleter", "unittest.mock")


# Where classes have their docstring, which one on `StandIn` hides.
_DOC = type.__dict__["__doc__"]


class Home:
    """Where the real class is: the package that advertises it, and the file that defines it."""

    __slots__ = ("asking", "backend", "bindings", "module", "name", "package", "real")

    def __init__(self, name: str, backend: str, module: str, package: "str | None" = None) -> None:
        self.name = name
        self.backend = backend
        self.module = module
        self.package = package
        # The real class, once it was found, and where its stand-in was imported lazily.
        self.real: Any = None
        self.bindings: set[Binding] = set()
        # The threads in which the real class is asked for its sub-classes. It asks the stand-in in
        # turn, which is registered as one of them and then has nothing to add.
        self.asking: set[int] = set()

    def __reduce__(self) -> "Any":
        """By its place alone: neither the class nor the modules of a program travel with it."""
        return _home, (self.name, self.backend, self.module, self.package)


class StandIn(ABCMeta):
    """The type of all stand-ins, and of classes derived from one.

    An `ABCMeta`, so that a class may derive from a stand-in and an abstract class at once. The
    metaclass of modules derives from this one, so that it may derive from a module as well.
    """

    _home: "Home | None" = None  # of a stand-in, and so of classes derived from it

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
        if home_of(cls) is None:  # as most modules
            return super().__call__(*args, **kwargs)
        return _usable_class(cls)(*args, **kwargs)

    def __getattr__(cls, name: str) -> "Any":
        """Names with an underscore do not exist: `inspect`, doctest and notebooks ask for many."""
        error = AttributeError(
            f"type object {cls.__name__!r} has no attribute {name!r}", name=name, obj=cls
        )
        if name.startswith("_") or home_of(cls) is None:
            raise error
        real = _real_class(cls)
        if real is not None:
            return getattr(real, name)
        unusable = _unusable(cls)
        is_walked = sys._getframe(1).f_globals.get("__name__") in _WALKERS
        if is_standin(cls) and not is_walked:
            raise unusable
        for note in (str(unusable), *unusable.__notes__):
            error.add_note(note)
        raise error

    def __dir__(cls) -> "list[str]":
        home = cls.__dict__.get("_home")
        if not isinstance(home, Home):
            return list(type.__dir__(cls))
        from .source_help import members

        return sorted({*type.__dir__(cls), *members(home.module, home.name)})

    def __instancecheck__(cls, instance: object) -> bool:
        if "_home" not in cls.__dict__ or not is_standin(cls):
            return super().__instancecheck__(instance)
        if cls in (
            attribute(instance.__class__, "__mro__") or ()
        ):  # a mock made after the stand-in
            return True
        real = _class_to_compare(cls)
        return real is not None and _asked(cls, isinstance, instance, real)

    def __subclasscheck__(cls, subclass: type) -> bool:
        if "_home" not in cls.__dict__ or not is_standin(cls):
            return super().__subclasscheck__(subclass)
        if cls in type.mro(subclass):
            return True
        real = _class_to_compare(cls)
        return real is not None and _asked(cls, issubclass, subclass, real)

    def register(cls, subclass: type) -> type:
        """As `abc.ABCMeta.register`, for classes that derive from a stand-in and are abstract."""
        if is_standin(cls):
            raise _unusable(cls)
        return super().register(subclass)

    def __repr__(cls) -> str:
        home = home_of(cls)
        if home is None:
            return super().__repr__()
        from .status import look_at

        state = look_at(home.backend).state
        loadable = state in ("installed", "available")
        why = "not loaded yet" if loadable else f"the `{home.backend}` backend is {state}"
        return f"<stand-in for class '{cls.__module__}.{cls.__qualname__}': {why}>"

    @property
    def __doc__(cls) -> "str | None":  # type: ignore[override]
        said: str | None = _DOC.__get__(cls)
        if said is not None or not is_standin(cls):
            return said
        from .source_help import documentation

        home = cls.__dict__["_home"]
        return documentation(home.module, home.name, home.backend)

    @__doc__.setter
    def __doc__(cls, text: "str | None") -> None:
        _DOC.__set__(cls, text)


class _Signature:
    """The `__signature__` of a stand-in, and of a class derived from one that sets no other."""

    def __get__(self, instance: object, cls: "Any" = None) -> "Any":
        from .source_help import of_constructor, signature

        for base in cls.__mro__:
            if is_standin(base):
                break
            if "__init__" in base.__dict__:
                return of_constructor(base.__dict__["__init__"])
        home = base.__dict__["_home"]
        return signature(home.module, home.name)


def home_of(thing: object) -> "Home | None":
    """Where the real class is of a stand-in, or of what derives from one; None for all else."""
    home = thing._home if isinstance(thing, StandIn) else None
    return home if isinstance(home, Home) else None


def is_standin(thing: object) -> bool:
    """Whether this is a stand-in itself; not a class derived from one."""
    return isinstance(thing, StandIn) and isinstance(thing.__dict__.get("_home"), Home)


def new_standin(name: str, backend: str, module: str, package: "str | None" = None) -> StandIn:
    """A stand-in for a class that `module` defines and `package` advertises."""
    home = Home(name, backend, module, package)
    namespace = {
        "__module__": module,
        "__qualname__": name,
        "__signature__": _Signature(),
        "_home": home,
    }
    return ABCMeta.__new__(StandIn, name, (), namespace)


def _home(name: str, backend: str, module: str, package: "str | None") -> Home:
    """The home of a stand-in that was pickled by value: that of the one here, if there is one."""
    found = _advertised.get((package or "", name))
    return Home(name, backend, module, package) if found is None else found.__dict__["_home"]


# What was logged already.
told: set[str] = set()
# One stand-in for each advertised class, so that two look-ups give the same object.
_advertised: dict[tuple[str, str], StandIn] = {}


def standin_for(name: str, backend: str, module: str, package: str) -> StandIn:
    """The stand-in for an advertised class: the same object each time."""
    found = _advertised.get((package, name))
    if found is None:
        found = _advertised.setdefault((package, name), new_standin(name, backend, module, package))
    found.__dict__[
        "_home"
    ].backend = backend  # which one is lacking may change: a file may need several
    return found


def missing_error(class_name: str, backend: str) -> ModuleNotFoundError:
    """The error that says which back-end is missing, why, and what fixes it.

    Its attribute `status` is the record of the back-end.
    """
    from .status import look_at

    status = look_at(backend)
    error = ModuleNotFoundError(
        MESSAGE.format(backend=backend, name=class_name), name=status.module
    )
    error.__cause__ = status.error
    # What shows no notes has them here.
    error.status = status  # type: ignore[attr-defined]
    error.add_note(f"The `{backend}` back-end is {status.state}: {status.reason}.")
    if status.install:
        purpose = "mend" if status.state == "broken" else "get"
        error.add_note(f"To {purpose} it: {status.install}")
    if status.restart:
        error.add_note(f"{'Then r' if status.install else 'R'}estart Python: {status.restart}.")
    _tell(" ".join(error.__notes__))
    return error


def _tell(text: str) -> None:
    """Log the notes of an error, once: what shows its text alone would lose them."""
    if text not in told:
        told.add(text)
        import logging

        logging.getLogger("rockpool.backends").info(text)


def advertised_class(package: str, name: str) -> "Any":
    """What a package advertises under a name: how stand-ins are unpickled."""
    __import__(package)
    return getattr(sys.modules[package], name)


# --- between a stand-in and its class -------------------------------------------------------------


def _real_class(cls: type) -> "Any":
    """The class that a stand-in stands for, if its back-end can be had by now."""
    home = cls.__dict__.get("_home")
    if not isinstance(home, Home) or home.package is None:
        return None
    if home.real is None:
        invalidate_caches()  # it may have been installed this very moment
        found = advertised_class(home.package, home.name)
        if home_of(found) is not None:
            return None
        home.real = found
        _register(cls, home)
    _rebind(cls, home)
    return home.real


def _register(cls: type, home: Home) -> None:
    """Have `issubclass` say of a stand-in that is still held that it is the real class."""
    if isinstance(home.real, ABCMeta):
        _asked(cls, home.real.__class__.register, home.real, cls)


def _asked(cls: type, question: "Any", thing: "Any", other: "Any") -> "Any":
    """The answer to a question in which the real class of a stand-in has a say."""
    asking, thread = cls.__dict__["_home"].asking, get_ident()
    asking.add(thread)
    try:
        return question(thing, other)
    finally:
        asking.discard(thread)


def _usable_class(cls: StandIn) -> "Any":
    """The class that a stand-in stands for; an error that says why it cannot be had."""
    real = _real_class(cls)
    if real is None:
        raise _unusable(cls)
    return real


class Binding:
    """A name that a lazy import has bound to a stand-in, and the module that has it.

    Neither is kept alive. Of a namespace that is no module's, such as that of `exec`, only the name
    is known: the real class is put there when code of that namespace uses the stand-in.
    """

    __slots__ = ("_module", "_name")

    def __init__(self, namespace: "dict[str, Any]", name: str) -> None:
        from _weakref import ref

        module = sys.modules.get(str(namespace.get("__name__")))
        is_its_own = attribute(module, "__dict__") is namespace
        self._module = ref(module) if is_its_own else None  # type: ignore[arg-type]
        self._name = name

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Binding) and self._key() == other._key()

    def __hash__(self) -> int:
        return hash(self._key())

    def _key(self) -> "tuple[object, str]":
        return self._module, self._name

    def is_gone(self) -> bool:
        """Whether the module does not exist any more."""
        return self._module is not None and self._module() is None

    def rebind(self, cls: type, real: object, caller: "dict[str, Any]") -> None:
        """Put the real class in the place of its stand-in, if that is there."""
        module = self._module() if self._module is not None else None
        for namespace in (caller,) if module is None else (vars(module), caller):
            if namespace.get(self._name) is cls:
                namespace[self._name] = real


def _rebind(cls: type, home: Home) -> None:
    """Put the real class in the place of its stand-in where that was imported lazily.

    At each use: something may have put the stand-in back.
    """
    if not home.bindings:
        return
    frame = sys._getframe(1)
    while frame.f_globals is globals() and frame.f_back is not None:
        frame = frame.f_back
    for binding in list(home.bindings):
        binding.rebind(cls, home.real, frame.f_globals)


def _class_to_compare(cls: type) -> "Any":
    """The class that decides on instances and sub-classes of a stand-in.

    A class that is not loaded has none, so that nothing is loaded to say so; but the comparison is
    the first use of a name that was imported lazily.
    """
    home = cls.__dict__["_home"]
    if home.package is None or get_ident() in home.asking:
        return None
    if home.bindings:
        return _real_class(cls)
    return home.real or getattr(sys.modules.get(home.module), home.name, None)


def watch(namespace: "dict[str, Any]") -> None:
    """Bind the names of this module that are stand-ins to their classes once those are loaded."""
    for name, value in list(namespace.items()):
        home = home_of(value)
        if home is not None and home.package is not None and is_standin(value):
            home.bindings = {binding for binding in home.bindings if not binding.is_gone()}
            home.bindings.add(Binding(namespace, name))
            if home.real is not None:  # used inside the block already
                namespace[name] = home.real


def _unusable(cls: StandIn) -> ModuleNotFoundError:
    home = home_of(cls)
    assert home is not None
    error = missing_error(home.name, home.backend)
    if not is_standin(cls):
        error.add_note(
            f"`{cls.__qualname__}` derives from `{home.name}` and was defined without it: "
            "define it again once the back-end is here."
        )
    return error


def _reduce(cls: StandIn) -> "Any":
    """Pickle a stand-in as what its package advertises; any other class by its own name."""
    home = cls.__dict__.get("_home")
    if isinstance(home, Home) and home.package is not None:
        return advertised_class, (home.package, home.name)
    return cls.__qualname__


copyreg.pickle(StandIn, _reduce)  # type: ignore[arg-type]
