"""Documentation, signature and place of a class from its source, which is parsed and never run.

The place is the last line of the documentation. `inspect.getsourcefile` cannot tell it, as it looks
into the loaded module.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable, Iterator

from .finder import Search

_KINDS = inspect.Parameter
_ANYTHING = inspect.Signature(
    [_KINDS("args", _KINDS.VAR_POSITIONAL), _KINDS("kwargs", _KINDS.VAR_KEYWORD)]
)

# How many files a name is followed through, from import to import and from class to base class.
_FAR_ENOUGH = 16


class Definition:
    """A statement that defines a class or a function, and the file that it stands in."""

    __slots__ = ("file", "node")

    def __init__(self, node: ast.ClassDef | ast.FunctionDef, file: File) -> None:
        self.node = node
        self.file = file

    def lineage(self, depth: int = 0) -> Iterator[Definition]:
        """This definition, then those of a class's base classes whose source can be had."""
        yield self
        for base in getattr(self.node, "bases", ()) if depth < _FAR_ENOUGH else ():
            found = self.file.what(base)
            if found is not None and found.node is not self.node:
                yield from found.lineage(depth + 1)


class File:
    """The source of a module, parsed.

    Names are followed from it into other files; where it is `at_home`, not into those of others.
    """

    def __init__(self, module: str, tree: ast.Module, path: str, is_package: bool) -> None:
        self.module = module
        self.path = path
        self._tree = tree
        self._package = module if is_package else module.rpartition(".")[0]
        self.at_home = False

    def documentation(self, head: str) -> str:
        """The docstring of the module, below this line."""
        text = ast.get_docstring(self._tree)
        return "\n\n".join(part for part in (head, text, f"Defined in {self.path}.") if part)

    def find(self, name: str, depth: int = 0) -> Definition | None:
        """The definition behind a name of this module, in whichever file it is."""
        for node in _statements(self._tree.body):
            if isinstance(node, ast.ClassDef | ast.FunctionDef) and node.name == name:
                return Definition(node, self)
            if isinstance(node, ast.ImportFrom):
                for alias in node.names:
                    if (alias.asname or alias.name) == name:
                        return self._elsewhere(self._absolute(node), alias.name, depth + 1)
            if isinstance(node, ast.Assign) and any(
                isinstance(target, ast.Name) and target.id == name for target in node.targets
            ):
                return self.what(node.value, depth + 1)
        return None

    def what(self, expression: ast.expr, depth: int = 0) -> Definition | None:
        """The definition that an expression like ``Name``, ``module.Name`` or ``Name[T]`` means."""
        if depth > _FAR_ENOUGH:
            return None
        if isinstance(expression, ast.Subscript):
            return self.what(expression.value, depth)
        if isinstance(expression, ast.Name):
            return self.find(expression.id, depth)
        if isinstance(expression, ast.Attribute) and isinstance(expression.value, ast.Name):
            module = self._module_called(expression.value.id)
            if module is not None:
                return self._elsewhere(module, expression.attr, depth + 1)
        return None

    def _elsewhere(self, module: str, name: str, depth: int) -> Definition | None:
        if self.at_home and module.partition(".")[0] != self.module.partition(".")[0]:
            return None
        return find(module, name, depth, self.at_home)

    def _module_called(self, name: str) -> str | None:
        """The module that is imported here under a name."""
        for node in _statements(self._tree.body):
            for alias in getattr(node, "names", ()):
                if isinstance(node, ast.Import) and name == (alias.asname or alias.name):
                    return alias.name
                if isinstance(node, ast.ImportFrom) and name == (alias.asname or alias.name):
                    return f"{self._absolute(node)}.{alias.name}"
        return None

    def _absolute(self, node: ast.ImportFrom) -> str:
        """The full name of the module that ``from ... import`` names."""
        if node.level == 0:
            return node.module or ""
        package = self._package
        for _ in range(node.level - 1):
            package = package.rpartition(".")[0]
        return f"{package}.{node.module}" if node.module else package


def find(module: str, name: str, depth: int = 0, at_home: bool = False) -> Definition | None:
    """Find the definition behind a name of a module, and import nothing.

    None where there is no source (a frozen program), or the name is no class and no function.
    """
    file = _read(module) if depth <= _FAR_ENOUGH else None
    if file is None:
        return None
    file.at_home = at_home
    return file.find(name, depth)


def documentation(module: str, name: str, backend: str) -> str:
    """The docstring of a class, below a line that says why it cannot be used here."""
    head = _availability(backend)
    found = find(module, name)
    if found is None:
        file = _read(module) if module.endswith(f".{name}") else None  # the module itself
        return head if file is None else file.documentation(head)
    place = f"Defined in {found.file.path}, line {found.node.lineno}."
    return "\n\n".join(part for part in (head, _docstring(found), place) if part)


def members(module: str, name: str) -> set[str]:
    """The public names that a class and its base classes of the same project define."""
    found = find(module, name, at_home=True)
    names = set()
    for definition in found.lineage() if found is not None else ():
        if isinstance(definition.node, ast.ClassDef):
            for node in _statements(definition.node.body):
                targets = getattr(node, "targets", None) or [getattr(node, "target", None)]
                names |= {target.id for target in targets if isinstance(target, ast.Name)}
                if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                    names.add(node.name)
    return {name for name in names if not name.startswith("_")}


def _availability(backend: str) -> str:
    from .status import look_at

    status = look_at(backend)
    if status.state in ("available", "installed"):
        return f"Not loaded yet: its first use loads the `{backend}` back-end."
    purpose = "mend" if status.state == "broken" else "get"
    how = f"to {purpose} it: {status.install}" if status.install else "restart Python"
    return f"Not available here: the `{backend}` back-end is {status.state} ({how})."


def _docstring(found: Definition) -> str:
    """The text of a definition; a class without one has its base class's, as in `inspect`."""
    texts = (ast.get_docstring(definition.node) for definition in found.lineage())
    return next((text for text in texts if text is not None), "")


def _read(module: str) -> File | None:
    spec = Search().find_spec(module)
    get_source = getattr(spec.loader, "get_source", None) if spec is not None else None
    if spec is None or get_source is None:
        return None
    try:
        source = get_source(module)
        tree = None if source is None else ast.parse(source)
    except (ImportError, OSError, SyntaxError, ValueError):  # not to be read, or not by this Python
        return None
    if tree is None:
        return None
    is_package = spec.submodule_search_locations is not None
    return File(module, tree, spec.origin or module, is_package)


def _statements(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements of a file that may be run, those inside of ``if`` and ``try`` as well."""
    for node in body:
        yield node
        if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING"):
            yield from _statements(node.orelse)
        elif isinstance(node, ast.If | ast.Try | ast.With):
            for part in (node, *getattr(node, "handlers", ())):
                for branch in ("body", "orelse", "finalbody"):
                    yield from _statements(getattr(part, branch, []))


# --- signatures -----------------------------------------------------------------------------------


def signature(module: str, name: str) -> inspect.Signature:
    """The signature of a class's constructor, its own or inherited, or of a function."""
    found = find(module, name)
    lineage = found.lineage() if found is not None else ()
    signatures = (_signature_of(definition.node) for definition in lineage)
    return next((stated for stated in signatures if stated is not None), _ANYTHING)


def of_constructor(constructor: Callable[..., object]) -> inspect.Signature:
    """The signature of a class that has this ``__init__``."""
    full = inspect.signature(constructor)
    return full.replace(parameters=list(full.parameters.values())[1:])


class _AsWritten:
    """A default value or an annotation, shown as it stands in the source."""

    def __init__(self, source: str) -> None:
        self._source = source

    def __repr__(self) -> str:
        return self._source


def _signature_of(node: ast.ClassDef | ast.FunctionDef) -> inspect.Signature | None:
    """The signature that a definition states itself; None where it has no constructor."""
    if isinstance(node, ast.FunctionDef):
        return _of_function(node)
    for item in node.body:
        if isinstance(item, ast.FunctionDef) and item.name in ("__init__", "__new__"):
            signature = _of_function(item, skip=1)
            if item.name == "__init__" or _says_something(signature):
                return signature
    return _ANYTHING if _is_dataclass(node) else None


def _says_something(signature: inspect.Signature) -> bool:
    """Whether there is more to it than ``(*args, **kwargs)``, which only passes things on."""
    passed_on = (_KINDS.VAR_POSITIONAL, _KINDS.VAR_KEYWORD)
    return any(parameter.kind not in passed_on for parameter in signature.parameters.values())


def _of_function(node: ast.FunctionDef, skip: int = 0) -> inspect.Signature:
    """The signature of a ``def``, without its first so many parameters."""
    given = node.args
    arguments = [*given.posonlyargs, *given.args]
    kinds: list[inspect._ParameterKind] = [_KINDS.POSITIONAL_ONLY] * len(given.posonlyargs)
    kinds += [_KINDS.POSITIONAL_OR_KEYWORD] * len(given.args)
    defaults: list[ast.expr | None] = [None] * (len(arguments) - len(given.defaults))
    rows = list(zip(arguments, kinds, defaults + list(given.defaults), strict=True))
    if given.vararg is not None:
        rows.append((given.vararg, _KINDS.VAR_POSITIONAL, None))
    for argument, default in zip(given.kwonlyargs, given.kw_defaults, strict=True):
        rows.append((argument, _KINDS.KEYWORD_ONLY, default))
    if given.kwarg is not None:
        rows.append((given.kwarg, _KINDS.VAR_KEYWORD, None))
    parameters = [
        inspect.Parameter(
            argument.arg, kind, default=_shown(default), annotation=_shown(argument.annotation)
        )
        for argument, kind, default in rows[skip:]
    ]
    return inspect.Signature(parameters, return_annotation=_shown(node.returns))


def _shown(node: ast.expr | None) -> object:
    """A literal is its value; anything else is shown as written."""
    if node is None:
        return _KINDS.empty
    try:
        return ast.literal_eval(node)
    except ValueError:
        return _AsWritten(ast.unparse(node))


def _is_dataclass(node: ast.ClassDef) -> bool:
    """Whether a decorator may write the constructor."""
    called = [getattr(decorator, "func", decorator) for decorator in node.decorator_list]
    return any(getattr(name, "id", getattr(name, "attr", "")) == "dataclass" for name in called)
