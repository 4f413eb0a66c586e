"""What each of the package's files uses while it is imported, read from its syntax."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import rockpool

ROOT = Path(rockpool.__file__).parent


def path_of(module: str) -> Path | None:
    """The file of a module of ours."""
    base = ROOT.parent.joinpath(*module.split("."))
    for path in (base.with_suffix(".py"), base / "__init__.py"):
        if path.is_file():
            return path
    return None


@cache
def uses(module: str) -> frozenset[str]:
    """The dotted names that a file evaluates when it is imported, imports included.

    Bodies of functions, annotations and what is for type checkers alone do not count.
    """
    path = path_of(module)
    assert path is not None, module
    tree = ast.parse(path.read_text())
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    found: set[str] = set()
    bound: dict[str, str] = {}
    for node in run_at_import(tree.body):
        if isinstance(node, ast.Import):
            for alias in node.names:
                found.add(alias.name)
                bound[alias.asname or alias.name.partition(".")[0]] = (
                    alias.name if alias.asname else alias.name.partition(".")[0]
                )
        elif isinstance(node, ast.ImportFrom):
            source = node.module or ""
            if node.level:
                source = ".".join([*package.split(".")[: len(package.split(".")) - node.level + 1]])
                source = f"{source}.{node.module}" if node.module else source
            for alias in node.names:
                found.add(f"{source}.{alias.name}")
                bound[alias.asname or alias.name] = f"{source}.{alias.name}"
        elif isinstance(node, ast.Attribute):
            parts = []
            inner: ast.expr = node
            while isinstance(inner, ast.Attribute):
                parts.append(inner.attr)
                inner = inner.value
            if isinstance(inner, ast.Name) and inner.id in bound:
                found.add(".".join([bound[inner.id], *reversed(parts)]))
    return frozenset(found)


def run_at_import(body: list[ast.stmt]):
    """Each node that is evaluated when these statements are run as a module or a class."""
    for statement in body:
        if isinstance(statement, ast.If) and "TYPE_CHECKING" in ast.unparse(statement.test):
            yield from run_at_import(statement.orelse)
        elif isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef):
            defaults = [*statement.args.defaults, *filter(None, statement.args.kw_defaults)]
            for part in (*statement.decorator_list, *defaults):
                yield from without_lambdas(part)
        elif isinstance(statement, ast.ClassDef):
            for part in (*statement.decorator_list, *statement.bases, *statement.keywords):
                yield from without_lambdas(part)
            yield from run_at_import(statement.body)
        elif isinstance(statement, ast.AnnAssign):
            if statement.value is not None:
                yield from without_lambdas(statement.value)
        elif isinstance(statement, ast.If | ast.Try | ast.With | ast.For):
            for name in ("body", "handlers", "orelse", "finalbody"):
                for part in getattr(statement, name, []):
                    yield from run_at_import(part.body if name == "handlers" else [part])
        else:
            yield from without_lambdas(statement)


def without_lambdas(node: ast.AST):
    yield node
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, ast.Lambda):
            yield from without_lambdas(child)


@cache
def closure(module: str) -> frozenset[str]:
    """Our modules that are imported when this one is, itself included.

    A package whose names are lazy imports nothing but the file of a name that is taken from it.
    """
    seen: set[str] = set()
    waiting = [module]
    while waiting:
        current = waiting.pop()
        if current in seen or path_of(current) is None:
            continue
        seen.add(current)
        for name in uses(current):
            if name.partition(".")[0] != "rockpool":
                continue
            parts = name.split(".")
            homes = [".".join(parts[:length]) for length in range(1, len(parts) + 1)]
            waiting += [home for home in homes if path_of(home) is not None]
            owner, _, attribute = name.rpartition(".")
            waiting += lazily(owner, attribute)
    return frozenset(seen)


def lazily(package: str, name: str) -> list[str]:
    """The module behind a name of a lazy package."""
    path = path_of(package)
    stub = path.with_suffix(".pyi") if path is not None else None
    if stub is None or not stub.is_file() or path.name != "__init__.py":
        return []
    for line in stub.read_text().splitlines():
        source, _, names = line.partition("#")[0].removeprefix("from ").partition(" import ")
        if names.strip().endswith(f" as {name}") and source.strip() != ".":
            module = f"{package}{source.strip()}"
            return [module, *lazily(module, name)]
    return []


def used_with(module: str) -> frozenset[str]:
    """The dotted names outside of our package that importing a module of ours evaluates."""
    names: set[str] = set()
    for part in closure(module):
        names |= {name for name in uses(part) if name.partition(".")[0] != "rockpool"}
    return frozenset(names)
