"""The advertised names, read from the packages' stubs. No back-end is imported."""

from rockpool.backends.lazy import advertised

# The packages whose names a user builds networks from.
FACES = ("rockpool.nn.modules", "rockpool.nn.combinators")


class Entry:
    """One advertised name."""

    __slots__ = ("backend", "module", "name", "package")

    def __init__(self, name: str, package: str, module: str, backend: str) -> None:
        self.name = name
        self.package = package  # to import it from
        self.module = module  # that defines it
        self.backend = backend  # that it needs; empty where it needs none

    @property
    def is_class(self) -> bool:
        """Whether the name is spelled as a class: the file that would tell is not opened."""
        return self.name != self.name.lower() and "_" not in self.name


def listing() -> "list[Entry]":
    """Every advertised name, in the order of the stubs."""
    return [
        Entry(name, package, module, backend or "")
        for package in FACES
        for name, (module, backend) in advertised(package).items()
    ]
