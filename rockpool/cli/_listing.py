"""The advertised names, read from the packages' stubs. No back-end is imported."""

from rockpool.backends.lazy import advertised

# The packages whose names a user builds networks from.
FACES = ("rockpool.nn.modules", "rockpool.nn.combinators")


class Entry:
    """One advertised name.

    Attributes
    ----------
    name, package, module, backend : str
        The name, the package to import it from, the module that defines it, the back-end that it
        needs; the back-end is empty where it needs none.
    """

    __slots__ = ("backend", "module", "name", "package")

    def __init__(self, name: str, package: str, module: str, backend: str) -> None:
        self.name = name
        self.package = package
        self.module = module
        self.backend = backend

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
